"""The high-level `llama_cpp.Llama`, which reuses the longest common prefix, in a process of its own.

python -m benchmarks.high_level MODEL CELLS THREADS
"""

from __future__ import annotations

import itertools
import sys
import time
from typing import Any

import llama_cpp
import llama_cpp.llama_cpp as api

from benchmarks.raw import uses_extra_buffers
from benchmarks.workers import serve


class HighLevel:
    """A `Llama` with its defaults, but for the length, the threads and what keeps AMX kernels out."""

    def __init__(self, path: str, cells: int, threads: int) -> None:
        defaults = api.llama_model_default_params

        def without_extra_buffers() -> Any:
            params = defaults()
            params.use_extra_bufts = uses_extra_buffers()
            return params

        api.llama_model_default_params = without_extra_buffers  # `Llama` has no argument for it
        self._llama = llama_cpp.Llama(path, n_ctx=cells, n_threads=threads, n_threads_batch=threads, verbose=False)

    def slice(self, tokens: list[int], count: int) -> dict[str, Any]:
        """Continues the whole prompt `tokens`, greedily: seconds to the first and the last of `count` tokens."""
        begin = time.perf_counter()
        moments, sampled = [], []
        for token in itertools.islice(self._llama.generate(tokens, temp=0.0), count):
            moments.append(time.perf_counter() - begin)
            sampled.append(int(token))
        return {"first": moments[0], "last": moments[-1], "tokens": sampled}


def main() -> None:
    path, cells, threads = sys.argv[1:]
    llama = HighLevel(path, int(cells), int(threads))
    serve({"slice": llama.slice})


if __name__ == "__main__":
    main()
