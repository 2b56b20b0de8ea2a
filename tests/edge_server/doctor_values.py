"""Values for the tests of what `edge-server doctor` finds: a machine that is fine, to be changed in one respect."""

from __future__ import annotations

from pathlib import Path

from edge_server.doctor_facts import Build, Cores, Memory, ModelFile, Models, Need, PortFound, System
from edge_server.tune_advice import Line, Machine, Speeds

GB = 10**9
LINUX = System("Linux", "6.1", "x86_64", (3, 12, 1), False, "llama-cpp-python 1", "llama-cpp-python 1")
MAC = System("Darwin", "24.1", "arm64", (3, 12, 1), False, "llama-cpp-python 1", "llama-cpp-python 1")
CORES = Cores("A processor", 4, 8, None, 4)
X86 = Build(
    {"CPU": ("AVX", "AVX2", "FMA", "AVX512", "OPENMP", "REPACK")}, frozenset({"avx", "avx2", "fma", "avx512f", "sse"})
)
APPLE = Build({"MTL": ("EMBED_LIBRARY",), "CPU": ("NEON", "DOTPROD", "ACCELERATE")}, has_gpu=True)
MEMORY = Memory(16 * GB, 12 * GB)
NEED = Need(weights=2 * GB, cells=8192, cell_bytes=368_640, ctx=4096)  # MiniCPM-duplex in Q4_K_M
REAL = ModelFile(Path("models/MiniCPM-duplex-q4_k_m.gguf"), 2 * GB, None, True, 4096, 368_640)
POCKET = ModelFile(Path("models/pocket-q4_k_m.gguf"), 4_300_000, None, True, 1024, 6144)
CHAT = ModelFile(Path("models/chat.gguf"), 2 * GB, None, False, 4096, 368_640)
MODELS = Models((REAL, CHAT, POCKET), REAL, folders=(Path("models"),))
PORT = PortFound("--port", "localhost", 8765)
SLICES = Machine(slice_seconds=2.0, slice_tokens=15, ctx=4096, sessions=2)
QUICK = Speeds(500, Line(0.1, 0.0), Line(0.05, 0.0), {16: 0.1}, {1: 0.05, 2: 0.06})
SLOW = Speeds(500, Line(0.5, 0.0), Line(0.2, 0.0), {16: 0.4}, {1: 0.2, 2: 0.3})
