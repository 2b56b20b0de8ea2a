"""The floor: llama.cpp's C API in a bare loop, in a process of its own (`workers.serve`). Knows nothing of the server.

    python -m benchmarks.raw MODEL CELLS SEQUENCES BATCH THREADS FLASH_ATTENTION

A slice is one decode call for what is new (for long texts: one per BATCH tokens) and one for each sampled token,
greedily; the server makes the same calls, so their difference is the server's own time.
"""

from __future__ import annotations

import ctypes
import os
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as api

from benchmarks.workers import serve


def uses_extra_buffers() -> bool:
    """Whether llama.cpp may use its repacked weights: not where they come with AMX kernels, as in the server.

    Built by some compilers (GCC 12.2) those end the process at the first quantised product (ggml-org/llama.cpp#20824).
    """
    return b"AMX_INT8 = 1" not in api.llama_print_system_info()


class Raw:
    """A model and a context with `sequences` sequences in one pool of `cells` cells."""

    def __init__(self, path: str, cells: int, sequences: int, batch: int, threads: int, flash: int) -> None:
        """`flash`: 1 with flash attention, 0 without, -1 as llama.cpp decides. Ends the process where it cannot."""
        begin = time.perf_counter()
        self._log: list[str] = []
        self._callback = api.llama_log_callback(
            lambda _level, text, _data: self._log.append(text.decode("utf-8", "replace"))
        )
        api.llama_log_set(self._callback, ctypes.c_void_p())
        api.llama_backend_init()
        model_params = api.llama_model_default_params()
        model_params.n_gpu_layers = -1
        model_params.use_extra_bufts = uses_extra_buffers()
        self._model = api.llama_model_load_from_file(os.fsencode(path), model_params)
        if not self._model:
            raise SystemExit(f"{path} cannot be loaded: {''.join(self._log[-3:])}")
        params = api.llama_context_default_params()
        params.n_ctx, params.n_seq_max, params.kv_unified = cells, sequences, True
        params.n_batch = params.n_ubatch = max(batch, sequences)
        params.n_outputs_max = sequences
        params.n_threads = params.n_threads_batch = threads
        params.flash_attn_type = flash
        params.no_perf = True
        self._context = api.llama_init_from_model(self._model, params)
        if not self._context:
            raise SystemExit(f"no context of {cells} cells: {''.join(self._log[-3:])}")
        self._vocab = api.llama_model_get_vocab(self._model)
        self._n_vocab = int(api.llama_vocab_n_tokens(self._vocab))
        self._memory = api.llama_get_memory(self._context)
        self._batch_size = int(params.n_batch)
        self._batch = api.llama_batch_init(self._batch_size, 0, 1)
        self._greedy = api.llama_sampler_init_greedy()
        self._tokens: list[list[int]] = [[] for _ in range(sequences)]
        self._decoding = 0.0  # seconds in llama_decode
        self._decode([(0, 0, int(api.llama_vocab_bos(self._vocab)), True)])  # what is done only once
        self.clear(0)
        self._ready_seconds = time.perf_counter() - begin

    # --- answers

    def hello(self) -> dict[str, Any]:
        """What the process is made of; bytes and seconds. `repacked` weights are a copy beside the mapped file."""
        text = "".join(self._log)
        sizes = {kind: float(mib) * 2**20 for kind, mib in re.findall(r"(\S+) model buffer size = +([\d.]+) MiB", text)}
        kv = sum(float(mib) for mib in re.findall(r"KV buffer size = +([\d.]+) MiB", text)) * 2**20
        return {
            "system": api.llama_print_system_info().decode(),
            "ready_seconds": self._ready_seconds,
            "tensor_bytes": int(api.llama_model_size(self._model)),
            "repacked_bytes": sum(size for kind, size in sizes.items() if "REPACK" in kind),
            "kv_bytes": kv,
            "cells": int(api.llama_n_ctx(self._context)),
            "bos": int(api.llama_vocab_bos(self._vocab)),
            "eos": int(api.llama_vocab_eos(self._vocab)),
        }

    def tokenize(self, text: str, special: bool = False) -> dict[str, Any]:
        """`text` as tokens, without BOS."""
        data = text.encode()
        buffer = (api.llama_token * (len(data) + 8))()
        count = api.llama_tokenize(self._vocab, data, len(data), buffer, len(buffer), False, special)
        return {"tokens": list(buffer[:count])}

    def slice(self, tokens: list[int], count: int, sequence: int = 0, keep: bool = True) -> dict[str, Any]:
        """Appends `tokens`, then samples and decodes `count` more; without `keep` all of it is dropped again.

        `first` and `last`: seconds to the first and the last sampled token, `last` after its decode call too;
        `decoding`: those of them in llama_decode; `step`: the median single decode.
        """
        before = len(self._tokens[sequence])
        self._decoding = 0.0
        begin = time.perf_counter()
        self._append(sequence, tokens)
        token = api.llama_sampler_sample(self._greedy, self._context, -1)
        first = time.perf_counter() - begin
        sampled, steps = [token], []
        for _ in range(count):
            started = time.perf_counter()
            self._append(sequence, [token])
            steps.append(time.perf_counter() - started)
            token = api.llama_sampler_sample(self._greedy, self._context, -1)
            sampled.append(token)
        last = time.perf_counter() - begin
        answer = {
            "first": first,
            "last": last,
            "decoding": self._decoding,
            "step": statistics.median(steps) if steps else 0.0,
            "tokens": sampled[:count],
            "length": len(self._tokens[sequence]),
        }
        if not keep:
            self._truncate(sequence, before)
        return answer

    def batch(self, tokens: list[int], count: int, sequences: int) -> dict[str, Any]:
        """The same slice for `sequences` sequences at once, each decode call for all of them; seconds in all."""
        begin = time.perf_counter()
        chosen = range(sequences)
        entries = [
            (sequence, len(self._tokens[sequence]) + place, token, place == len(tokens) - 1)
            for sequence in chosen
            for place, token in enumerate(tokens)
        ]
        # Whole sequences in each call, so that every sequence has its logits in the call of its last token.
        a_call = max(1, self._batch_size // len(tokens)) * len(tokens)
        latest: list[int] = []
        for start in range(0, len(entries), a_call):
            call = entries[start : start + a_call]
            self._decode(call)
            latest += [self._sample_at(index) for index, entry in enumerate(call) if entry[3]]
        for sequence in chosen:
            self._tokens[sequence] += tokens
        for _ in range(count):
            self._decode([(sequence, len(self._tokens[sequence]), latest[sequence], True) for sequence in chosen])
            for sequence in chosen:
                self._tokens[sequence].append(latest[sequence])
            latest = [self._sample_at(index) for index in chosen]
        return {"seconds": time.perf_counter() - begin}

    def rollback(self, count: int, times: int = 1) -> dict[str, Any]:
        """Seconds to drop the last `count` tokens of sequence 0, each time; they are decoded again in between."""
        seconds = []
        for _ in range(times):
            tokens = self._tokens[0][-count:]
            begin = time.perf_counter()
            self._truncate(0, len(self._tokens[0]) - count)
            seconds.append(time.perf_counter() - begin)
            self._append(0, tokens)
        return {"seconds": seconds}

    def state(self, times: int = 3) -> dict[str, Any]:
        """Seconds to copy the cells of sequence 0 out, and in again, each time; the bytes."""
        out, back = [], []
        size = 0
        for _ in range(times):
            begin = time.perf_counter()
            size = api.llama_state_seq_get_size(self._context, 0)
            data = (ctypes.c_uint8 * size)()
            api.llama_state_seq_get_data(self._context, data, size, 0)
            out.append(time.perf_counter() - begin)
            api.llama_memory_seq_rm(self._memory, 0, -1, -1)
            begin = time.perf_counter()
            if api.llama_state_seq_set_data(self._context, data, size, 0) != size:
                raise RuntimeError("the state was not restored")
            back.append(time.perf_counter() - begin)
        return {"out": out, "back": back, "bytes": size}

    def sample(self, temperature: float, top_p: float, times: int) -> dict[str, Any]:
        """Seconds that llama.cpp's own chain takes for one draw from the last logits, each time; their spread."""
        chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
        for link in (
            api.llama_sampler_init_temp(temperature),
            api.llama_sampler_init_top_p(top_p, 1),
            api.llama_sampler_init_dist(1),
        ):
            api.llama_sampler_chain_add(chain, link)
        seconds = []
        for _ in range(times):
            begin = time.perf_counter()
            api.llama_sampler_sample(chain, self._context, -1)
            seconds.append(time.perf_counter() - begin)
        api.llama_sampler_free(chain)
        logits = api.llama_get_logits_ith(self._context, -1)[: self._n_vocab]
        return {"seconds": seconds, "spread": statistics.pstdev(logits), "highest": max(logits)}

    def clear(self, sequence: int) -> dict[str, Any]:
        """Forgets a sequence."""
        self._truncate(sequence, 0)
        return {}

    # --- llama.cpp

    def _append(self, sequence: int, tokens: list[int]) -> None:
        held = self._tokens[sequence]
        for start in range(0, len(tokens), self._batch_size):
            part = tokens[start : start + self._batch_size]
            last = start + len(part) == len(tokens)
            self._decode(
                [
                    (sequence, len(held) + index, token, last and index == len(part) - 1)
                    for index, token in enumerate(part)
                ]
            )
            held += part

    def _decode(self, entries: list[tuple[int, int, int, bool]]) -> None:
        """One call: (sequence, position, token, whether its logits are wanted)."""
        batch = self._batch
        batch.n_tokens = len(entries)
        for index, (sequence, position, token, wanted) in enumerate(entries):
            batch.token[index], batch.pos[index], batch.logits[index] = token, position, wanted
            batch.n_seq_id[index], batch.seq_id[index][0] = 1, sequence
        begin = time.perf_counter()
        code = api.llama_decode(self._context, batch)
        api.llama_synchronize(self._context)
        self._decoding += time.perf_counter() - begin
        if code != 0:
            raise RuntimeError(f"llama_decode returned {code} for {len(entries)} tokens")

    def _sample_at(self, index: int) -> int:
        return int(api.llama_sampler_sample(self._greedy, self._context, index))

    def _truncate(self, sequence: int, length: int) -> None:
        if not api.llama_memory_seq_rm(self._memory, sequence, length, -1):
            raise RuntimeError("llama_memory_seq_rm refused")
        del self._tokens[sequence][length:]


def main() -> None:
    path, *numbers = sys.argv[1:]
    if not Path(path).is_file():
        raise SystemExit(f"{path} is no file")
    raw = Raw(path, *map(int, numbers))
    names = ("hello", "tokenize", "slice", "batch", "rollback", "state", "sample", "clear")
    serve({name: getattr(raw, name) for name in names})


if __name__ == "__main__":
    main()
