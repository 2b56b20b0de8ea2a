"""A shape small enough for tests: the benchmark's own files and processes, in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

from benchmarks.bench import Bench, Plan
from benchmarks.real_shape import REAL_CONFIG, write_model

# Rows of 256 and of 96 weights: both the types of the mix and those they fall back to.
CONFIG: dict[str, Any] = {
    **REAL_CONFIG,
    "hidden_size": 256,
    "intermediate_size": 96,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "num_hidden_layers": 9,
    "vocab_size": 2000,
    "dim_model_base": 64,
}
PLAN = Plan(
    lengths=(40, 70),
    rounds=1,
    ticks=2,
    tick_seconds=0.1,
    barge_ins=1,
    page=100,
    pages=1,
    parked=60,
    switches=1,
    sessions=(1, 2),
    batch_rounds=1,
    paced=1,
    slice_seconds=0.1,
    sampling_rounds=1,
    starts=1,
)


def write_tiny(folder: Path, quant: str = "q4_k_m") -> Path:
    """The model file."""
    path = folder / "tiny.gguf"
    write_model(path, CONFIG, quant=quant, name="tiny")
    return path


def tiny_bench(folder: Path, log: IO[bytes]) -> Bench:
    """A bench on it."""
    return Bench("tiny", write_tiny(folder), CONFIG, PLAN, 1, log, 1e9, quiet=True)
