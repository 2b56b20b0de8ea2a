"""llama.cpp: a context on a model. The server imports `llama_cpp` here and in `llama_model.py` only.

Knows the C API (llama-cpp-python 0.3.36, low-level bindings), its return codes and who frees what. Does not know
sequences, sessions or the duplex format. Every failure code becomes an exception with one line of text.

A `Context` belongs to one thread, but for `abort`.
"""

from __future__ import annotations

import ctypes
import weakref
from typing import TYPE_CHECKING, Any

import llama_cpp.llama_cpp as api
import numpy as np

from edge_server.context import Feed, PoolFull, Sampling
from edge_server.cores import physical_cores
from edge_server.llama_model import ContextError, Model, ModelError, has_gpu, libc, take_log
from edge_server.sampling import LogitSampler, Scratch

if TYPE_CHECKING:
    from collections import abc

    from numpy.typing import NDArray

__all__ = ["KV_TYPES", "Context", "ContextError", "Model", "ModelError", "Sampler", "has_gpu"]

KV_TYPES = {"f32": api.GGML_TYPE_F32, "f16": api.GGML_TYPE_F16, "q8_0": api.GGML_TYPE_Q8_0}


class Context:
    """A pool of KV cells that several sequences share, and decoding; it is an `edge_server.context.Context`.

    cells: tokens that the pool holds (llama.cpp rounds it up; the attribute `cells` is the real size). slots: how many
    sequences. threads: None is one a physical core. kv_type: a name of `KV_TYPES`. batch: the most tokens in one decode
    call, which computes them in one piece: where a backend cannot abort (Metal), that is the longest wait for a cancel.
    flash_attention: None lets llama.cpp decide; q8_0 needs it.
    Raises `ContextError`. After use you must call `close` (or use it as a context manager).
    """

    def __init__(
        self,
        model: Model,
        *,
        cells: int,
        slots: int,
        threads: int | None = None,
        kv_type: str = "f16",
        batch: int = 64,
        flash_attention: bool | None = None,
    ) -> None:
        if kv_type not in KV_TYPES:
            raise ContextError(f"unknown KV cache type {kv_type!r}: use one of {', '.join(KV_TYPES)}")
        if cells < 1 or slots < 1 or batch < 1:
            raise ContextError(
                f"a context needs at least 1 cell, slot and token a batch, not {cells}, {slots}, {batch}"
            )
        params = api.llama_context_default_params()
        params.n_ctx, params.n_seq_max, params.kv_unified = cells, slots, True
        params.n_batch = params.n_ubatch = batch
        params.n_outputs_max = slots  # only last tokens' logits are asked for; the default is a row for each of a batch
        params.n_threads = params.n_threads_batch = threads or physical_cores()
        params.type_k = params.type_v = KV_TYPES[kv_type]
        params.offload_kqv = params.op_offload = model.on_gpu
        params.no_perf = True
        if flash_attention is not None:
            params.flash_attn_type = int(flash_attention)
        log = take_log()
        log.forget_errors()
        pointer = api.llama_init_from_model(model.pointer, params)
        if not pointer:
            raise ContextError(f"no context of {cells} cells ({kv_type}) on {model.path}: {log.reason()}")
        self._pointer: int = pointer
        self.model = model
        self.cells = int(api.llama_n_ctx(pointer))
        self.slots = int(api.llama_n_seq_max(pointer))
        self.batch = int(api.llama_n_batch(pointer))
        self.threads = int(params.n_threads)
        self.calls = 0
        self.shift_pending = False
        self.can_shift = bool(api.llama_memory_can_shift(api.llama_get_memory(pointer)))
        self._batch = api.llama_batch_init(self.batch, 0, 1)
        self._rows: list[int] = []  # for each feed of the last call, its last token's index in it
        self._scratch = Scratch(model.n_vocab)
        # The abort callback runs hundreds of times a token, so it is a C function that reads a flag: libc's `strlen` of
        # a string that is "" until `abort` makes it "\x01". (Its result fits the callback's: 0 or 1 in the register.)
        self._flag = ctypes.create_string_buffer(64)
        self._abortable = ctypes.cast(libc().strlen, api.ggml_abort_callback)
        self._unabortable = api.ggml_abort_callback()
        self._free = weakref.finalize(self, _free_context, pointer, self._batch, self._flag)
        self._set_abortable(True)
        model.adopt(self)

    @property
    def pointer(self) -> int:
        """The `llama_context *`. Raises `ContextError` once the context is closed."""
        self._check_open()
        return self._pointer

    def _check_open(self) -> None:
        if not self._free.alive:
            raise ContextError("the context is closed")

    @property
    def _memory(self) -> Any:
        return api.llama_get_memory(self.pointer)

    def use_threads(self, threads: int) -> None:
        """Computes with so many threads from the next decode call on."""
        api.llama_set_n_threads(self.pointer, threads, threads)
        self.threads = threads

    def _set_abortable(self, abortable: bool) -> None:
        callback = self._abortable if abortable else self._unabortable
        api.llama_set_abort_callback(self.pointer, callback, ctypes.cast(self._flag, ctypes.c_void_p))

    def decode(self, feeds: abc.Sequence[Feed]) -> list[int]:
        """One decode call. See `edge_server.context.Context.decode`."""
        count = sum(len(feed.tokens) for feed in feeds)
        if not all(feed.tokens for feed in feeds) or not 0 < count <= self.batch:
            raise ContextError(f"a decode call takes 1 to {self.batch} tokens, not {count}")
        self._check_open()
        self._rows = self._fill_batch(feeds)
        self.calls += 1
        if self.shift_pending:
            # This call first rotates the shifted cells, layer by layer. Aborted half-way it would rotate some of them
            # again the next time, so it runs to its end.
            self._set_abortable(False)
            code = api.llama_decode(self.pointer, self._batch)
            self._set_abortable(True)
        else:
            code = api.llama_decode(self.pointer, self._batch)
        if code == 1:
            raise PoolFull(f"no free cells for {count} tokens in a pool of {self.cells}")
        if code == 2:
            ends = [int(api.llama_memory_seq_pos_max(self._memory, feed.slot)) + 1 for feed in feeds]
            return [max(0, end - feed.position) for feed, end in zip(feeds, ends, strict=True)]
        if code != 0:
            where = ", ".join(f"{len(feed.tokens)} at position {feed.position}" for feed in feeds)
            raise ContextError(f"llama.cpp failed to decode (code {code}): {where}")
        self.shift_pending = False
        return [len(feed.tokens) for feed in feeds]

    def _fill_batch(self, feeds: abc.Sequence[Feed]) -> list[int]:
        batch, index = self._batch, 0
        tokens, positions, slots, outputs = batch.token, batch.pos, batch.seq_id, batch.logits
        rows = []
        for feed in feeds:
            for position, token in enumerate(feed.tokens, feed.position):
                tokens[index] = token
                positions[index] = position
                batch.n_seq_id[index] = 1
                slots[index][0] = feed.slot
                outputs[index] = False
                index += 1
            outputs[index - 1] = feed.logits
            rows.append(index - 1)
        batch.n_tokens = index
        return rows

    def logits(self, row: int) -> NDArray[np.float32]:
        """What the last decode call left for its feed number `row`, [n_vocab]; a view that the next call overwrites."""
        pointer = api.llama_get_logits_ith(self.pointer, self._rows[row])
        if not pointer:
            raise ContextError("the last decode call left no logits here")
        return np.ctypeslib.as_array(pointer, shape=(self.model.n_vocab,))

    def likeliest(self, row: int) -> int:
        """The token with the highest logit."""
        return int(self.logits(row).argmax())

    def sampler(self, sampling: Sampling) -> Sampler:
        """A new random stream on this context's logits."""
        return Sampler(self, LogitSampler(sampling, self._scratch))

    def remove(self, slot: int, start: int, stop: int | None = None) -> bool:
        """Drops the cells of a slot at positions [start, stop). False: llama.cpp cannot, and dropped nothing."""
        return bool(api.llama_memory_seq_rm(self._memory, slot, start, -1 if stop is None else stop))

    def shift(self, slot: int, start: int, by: int) -> None:
        """Adds `by` to the positions of a slot from `start` on; the next decode call rotates the cells (all slots')."""
        if not self.can_shift:
            raise ContextError(f"llama.cpp cannot shift positions for {self.model.description}")
        api.llama_memory_seq_add(self._memory, slot, start, -1, by)
        self.shift_pending = True

    def save(self, slot: int) -> bytearray:
        """The cells of a slot, for `restore` on any slot of a context with the same model and KV type."""
        if self.shift_pending:
            raise ContextError("cells cannot be saved between a shift and the next decode call")
        state = bytearray(api.llama_state_seq_get_size(self.pointer, slot))
        size = len(state)
        if api.llama_state_seq_get_data(self.pointer, (ctypes.c_uint8 * size).from_buffer(state), size, slot) != size:
            raise ContextError(f"llama.cpp did not save the {size} bytes of slot {slot}")
        return state

    def restore(self, slot: int, state: bytes | bytearray) -> bool:
        """Fills a slot with saved cells, in place of what it had. False: they did not fit, and the slot is empty."""
        data = (ctypes.c_uint8 * len(state)).from_buffer(state if isinstance(state, bytearray) else bytearray(state))
        read = int(api.llama_state_seq_set_data(self.pointer, data, len(state), slot))
        return 0 < read == len(state)

    def abort(self) -> None:
        """Stops the running (else the next) decode call within milliseconds on a CPU. From any thread."""
        self._flag[0] = b"\x01"

    def resume(self) -> None:
        """Takes `abort` back."""
        self._flag[0] = b"\x00"

    def close(self) -> None:
        """Frees everything. A second call does nothing."""
        self._free()

    def __enter__(self) -> Context:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _free_context(pointer: int, batch: Any, flag: object) -> None:
    api.llama_batch_free(batch)
    api.llama_free(pointer)
    del flag  # it was read by the abort callback until here


class Sampler:
    """One random stream on a context's logits."""

    def __init__(self, context: Context, sampler: LogitSampler) -> None:
        self._context = context
        self._sampler = sampler

    def sample(self, row: int) -> int:
        """Draws from the logits that the last decode call left for its feed number `row`."""
        return self._sampler.sample(self._context.logits(row))
