"""What llama.cpp was compiled with, judged beside what the processor has. Pure, as `doctor_judge` is."""

from __future__ import annotations

from edge_server.doctor_facts import Build, System
from edge_server.doctor_judge import Finding, State

# llama.cpp's names, and Linux's for the same feature of a processor.
_X86 = {
    "SSE3": "pni",
    "SSSE3": "ssse3",
    "AVX": "avx",
    "AVX2": "avx2",
    "F16C": "f16c",
    "FMA": "fma",
    "BMI2": "bmi2",
    "AVX_VNNI": "avx_vnni",
    "AVX512": "avx512f",
    "AVX512_VBMI": "avx512vbmi",
    "AVX512_VNNI": "avx512_vnni",
    "AVX512_BF16": "avx512_bf16",
    "AMX_INT8": "amx_int8",
}
_ARM = {
    "NEON": "asimd",
    "FP16_VA": "asimdhp",
    "DOTPROD": "asimddp",
    "MATMUL_INT8": "i8mm",
    "SVE": "sve",
    "SME": "sme",
}
_AMX = "AMX_INT8"
_MATTERS = ("AVX2", "FMA", "AVX512", "AVX512_VNNI", "NEON", "DOTPROD", "MATMUL_INT8")  # a build without them is slow
_SHOWN = ("AVX2", "AVX512", "AVX512_VNNI", "AVX512_BF16", "NEON", "DOTPROD", "MATMUL_INT8", "SVE", "SME", "REPACK")
_METAL = frozenset({"MTL", "Metal"})
AGAIN = "rm -r .venv && make setup"
REBUILD = f"build the bindings on this machine: .venv/bin/pip cache remove 'llama_cpp_python*'; {AGAIN}"


def judge_build(build: Build, system: System) -> list[Finding]:
    """What is wrong with the build, each a finding; if nothing is, one that says what it uses."""
    has = frozenset(build.features.get("CPU", ()))
    metal = bool(_METAL & set(build.features))
    found = [name for name in _SHOWN if name in has] + (["Metal"] if metal else [])
    detail = f"{system.bindings or 'bindings of an unknown version'}; uses {', '.join(found) or 'nothing special'}"
    arm = system.architecture in ("arm64", "aarch64")
    names, flags = (_ARM if arm else _X86), build.processor_flags
    problems, notes = [], []
    if system.bindings and system.bindings_wanted and system.bindings != system.bindings_wanted:
        problems.append((f"the bindings are {system.bindings}, and {system.bindings_wanted} is needed", AGAIN))
    alien = [name for name, flag in names.items() if name in has and flag not in flags] if flags else []
    if alien:
        problems.append(
            (f"built for another processor: this one has no {', '.join(alien)}, and using it ends the process", REBUILD)
        )
    lacking = [name for name in _MATTERS if name in names and names[name] in flags and name not in has]
    if lacking:
        notes.append((f"built without {', '.join(lacking)}, which this processor has: slower than need be", REBUILD))
    if _AMX in has:
        notes.append(("built with AMX kernels, which are left off with the repacked weights: slower", REBUILD))
    if system.name == "Darwin" and arm and not metal:
        notes.append(("built without Metal, so the GPU is idle", f"{REBUILD} CMAKE_ARGS=-DGGML_METAL=on"))
    elif metal and not build.has_gpu:
        notes.append(("built with Metal, but there is no GPU that it can use", "run with --gpu-layers 0"))
    if not arm and flags and "avx2" not in flags:
        remedy = "edge-server tune says whether it keeps up, and what would help"
        notes.append(("this processor has no AVX2: llama.cpp is slow on it", remedy))
    if not problems and not notes:
        if names.get(_AMX, "") in flags:
            detail += "; AMX is left out on purpose (the kernels of some compilers end the process)"
        return [Finding("llama.cpp", State.fine, detail)]
    return [
        *(Finding("llama.cpp", State.problem, text, remedy) for text, remedy in problems),
        *(Finding("llama.cpp", State.note, text, remedy) for text, remedy in notes),
    ]
