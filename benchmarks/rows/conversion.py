"""Conversion of the shipped pocket model: time and memory, beside copying the checkpoint.

The real shape's takes minutes and 20 GB: `benchmarks.convert_real_shape`, on request.
"""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, Any

from benchmarks.convert_real_shape import measure_conversion
from benchmarks.figures import Row, median

if TYPE_CHECKING:
    from pathlib import Path

_ROUNDS = 3


def pocket(root: Path, folder: Path) -> list[Row]:
    """Converts to Q4_K_M as `make setup` does; so small a model shows what every conversion costs beside its bytes."""
    source = root / "models" / "pocket" / "model.safetensors"
    results: list[dict[str, Any]] = []
    copies = []
    for _ in range(_ROUNDS):
        out = folder / "pocket-q4_k_m.gguf"
        results.append(measure_conversion("pocket", "q4_k_m", out))
        out.unlink()
        begin = time.perf_counter()
        shutil.copyfile(source, folder / "copy")
        copies.append(time.perf_counter() - begin)
    return rows_of("the pocket model", results, 3 * median(copies))


def real(folder: Path, tokenizer: Path) -> list[Row]:
    """The real shape, by `benchmarks.convert_real_shape`."""
    from benchmarks.convert_real_shape import measure

    print("converting the real shape (some minutes)", file=sys.stderr, flush=True)
    results = measure(folder, tokenizer, keep=False)
    return rows_of("the real shape", [results["q4_k_m"]], results["three_copies_s"])


def rows_of(what: str, results: list[dict[str, Any]], copies: float) -> list[Row]:
    """Time beside copying the checkpoint three times (it is read, written once whole and once quantised); memory."""
    memory = max(max(one["converter_anonymous_mib"], one["llama_anonymous_mib"]) for one in results)
    seconds = median(one["seconds"] for one in results)
    return [
        Row(f"conversion of {what} to Q4_K_M", seconds, "s", copies, "copying the checkpoint three times"),
        Row(f"conversion of {what}: memory beyond mapped files", memory * 2.0**20, "B"),
    ]
