"""llama.cpp: a model file, and a context on it. The only file of the server that imports `llama_cpp`.

Knows the C API (llama-cpp-python 0.3.36, low-level bindings), its return codes and who frees what. Does not know
sequences, sessions or the duplex format. Every failure code becomes an exception with one line of text.

A `Context` belongs to one thread, but for `abort`. A `Model` may be asked for tokens and pieces from any thread.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import os
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llama_cpp.llama_cpp as api
import numpy as np

from edge_server.context import EngineError, Feed, PoolFull, Sampling
from edge_server.cores import physical_cores
from edge_server.llama_log import LogLines
from edge_server.sampling import LogitSampler, Scratch
from edge_server.vocabulary import WholeTokens, tokenize_whole_first

if TYPE_CHECKING:
    from collections import abc

    from numpy.typing import NDArray

KV_TYPES = {"f32": api.GGML_TYPE_F32, "f16": api.GGML_TYPE_F16, "q8_0": api.GGML_TYPE_Q8_0}
_KV_BITS = {"f32": 32, "f16": 16, "q8_0": 8.5}  # q8_0: a block of 32 numbers shares a scale of 16 bits


_SPECIAL = api.LLAMA_TOKEN_ATTR_CONTROL | api.LLAMA_TOKEN_ATTR_UNKNOWN


class ModelError(Exception):
    """The model file cannot be used. One line: which file, and what is wrong with it."""


class ContextError(EngineError):
    """llama.cpp refused or failed a call on a context."""


def _backend() -> LogLines:
    """Starts llama.cpp once in a process, and takes its log over, also from whoever took it since."""
    log, callback = _started()
    api.llama_log_set(callback, ctypes.c_void_p())
    return log


@functools.cache
def _started() -> tuple[LogLines, Any]:
    log = LogLines()
    callback = api.llama_log_callback(log.receive)
    api.llama_backend_init()
    # The backends log once more from their destructors, when Python is gone: by then the log must be a C function.
    # libc's `abs` takes an int first, as a log callback does, ignores the rest and has no effect.
    silence = ctypes.cast(_libc().abs, api.llama_log_callback)
    atexit.register(lambda _kept: api.llama_log_set(silence, ctypes.c_void_p()), callback)
    return log, callback


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def _text(call: abc.Callable[..., int], *arguments: Any) -> str:
    """A string from a C function that takes (..., buffer, size) and returns the length as snprintf does."""
    size = 256
    while True:
        buffer = ctypes.create_string_buffer(size)
        length = call(*arguments, buffer, size)
        if length < size:
            return buffer.value.decode("utf-8", "replace")
        size = length + 1


def has_gpu() -> bool:
    """Whether llama.cpp was built with a backend that takes layers, and there is a device for it."""
    _backend()
    return bool(api.llama_supports_gpu_offload())


class Model:
    """Weights and vocabulary of one GGUF file. After use you must call `close` (or use it as a context manager)."""

    def __init__(self, pointer: int, path: Path, gpu_layers: int) -> None:
        self.path = path
        self.pointer = pointer
        self.on_gpu = gpu_layers != 0
        self._free = weakref.finalize(self, api.llama_model_free, pointer)
        self._contexts: weakref.WeakSet[Context] = weakref.WeakSet()
        self._vocab = api.llama_model_get_vocab(pointer)
        self.n_vocab = int(api.llama_vocab_n_tokens(self._vocab))
        self.n_ctx_train = int(api.llama_model_n_ctx_train(pointer))
        self.bos = int(api.llama_vocab_bos(self._vocab))
        self.eos = int(api.llama_vocab_eos(self._vocab))
        self.parameters = int(api.llama_model_n_params(pointer))
        self.size = int(api.llama_model_size(pointer))
        """Bytes of all tensors."""
        self.description = _text(api.llama_model_desc, pointer)
        self.metadata: dict[str, str] = {
            _text(api.llama_model_meta_key_by_index, pointer, index): _text(
                api.llama_model_meta_val_str_by_index, pointer, index
            )
            for index in range(api.llama_model_meta_count(pointer))
        }
        """The file's scalar keys, each value as llama.cpp prints it; arrays are left out."""

    @classmethod
    def load(
        cls,
        path: Path | str,
        *,
        gpu_layers: int = -1,
        vocabulary_only: bool = False,
        on_progress: abc.Callable[[float], None] | None = None,
    ) -> Model:
        """Maps a GGUF file. `gpu_layers`: how many go to the GPU, -1 all; without a GPU it has no effect.

        `vocabulary_only`: no weights, so no context. `on_progress` is called with a share of 0 to 1 from this thread.
        Raises `ModelError`.
        """
        path = Path(path)
        if path.exists() and not path.is_file():
            raise ModelError(f"{path} is not a regular file: give a GGUF file")  # a pipe would be waited for
        try:
            with path.open("rb") as file:
                magic = file.read(4)
        except OSError as error:
            raise ModelError(f"cannot read the model {path}: {error.strerror}") from error
        if magic != b"GGUF":
            raise ModelError(
                f"{path} is not a GGUF file (it begins with {magic!r}): convert the model with edge-convert"
            )
        log = _backend()
        log.forget_errors()
        interrupts: list[BaseException] = []

        def progress(share: float, _data: object) -> bool:
            try:
                if on_progress is not None:
                    on_progress(share)
            except BaseException as interrupt:  # also Ctrl-C: it cannot pass through llama.cpp
                interrupts.append(interrupt)
            return not interrupts

        params = api.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        params.vocab_only = vocabulary_only
        # The AMX kernels kill the process at the first quantised product where the compiler's `_tile_loadconfig` names
        # only 8 of the 64 bytes it reads, as GCC 12.2's does (ggml-org/llama.cpp#20824, #26954). Without extra buffers
        # they are not used.
        params.use_extra_bufts = b"AMX_INT8 = 1" not in api.llama_print_system_info()
        params.progress_callback = api.llama_progress_callback(progress)
        pointer = api.llama_model_load_from_file(os.fsencode(path), params)
        if interrupts:
            if pointer:
                api.llama_model_free(pointer)
            raise interrupts[0]
        if not pointer:
            raise ModelError(f"llama.cpp cannot load {path}: {log.reason()}")
        return cls(pointer, path, gpu_layers)

    def tokenize(self, text: str, *, parse_special: bool) -> list[int]:
        """The tokens of `text` as one stretch; no BOS is added.

        Only with `parse_special` do control tokens in the text become their ids; without it they are plain text.
        """
        special, defined = self._whole_tokens
        if special is None or defined is None:
            return self._tokenize(text, parse_special)
        wholes = (special, defined) if parse_special else (defined,)
        return tokenize_whole_first(text, wholes, lambda stretch: self._tokenize(stretch, parse_special=False))

    @functools.cached_property
    def _whole_tokens(self) -> tuple[WholeTokens, WholeTokens] | tuple[None, None]:
        """The special and the user-defined tokens; None where a text may not be cut at them before it is tokenised."""
        if self.metadata.get("tokenizer.ggml.model") != "llama":
            return None, None
        if self.metadata.get("tokenizer.ggml.add_space_prefix") != "false":
            return None, None  # llama.cpp would put a space before each stretch
        kinds: tuple[dict[str, int], dict[str, int]] = ({}, {})
        for token in range(self.n_vocab):
            kind = api.llama_vocab_get_attr(self._vocab, token)
            if kind & (_SPECIAL | api.LLAMA_TOKEN_ATTR_USER_DEFINED):
                text = bytes(api.llama_vocab_get_text(self._vocab, token)).decode("utf-8", "replace")
                kinds[0 if kind & _SPECIAL else 1][text] = token
        return WholeTokens(kinds[0]), WholeTokens(kinds[1])

    def _tokenize(self, text: str, parse_special: bool) -> list[int]:
        data = text.encode("utf-8", "replace")  # half a surrogate pair is no character: it becomes "?"
        size = len(data) + 8
        while True:
            buffer = (api.llama_token * size)()
            count = api.llama_tokenize(self._vocab, data, len(data), buffer, size, False, parse_special)
            if 0 <= count <= size:
                return list(buffer[:count])
            if count <= -(2**31):
                raise ContextError(f"a text of {len(data)} bytes is too long to tokenize")
            size = -count

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """The bytes that a token stands for; for a control token none, unless `special`. Maybe half a character."""
        if not 0 <= token < self.n_vocab:
            raise ContextError(f"token {token} is not in this vocabulary of {self.n_vocab}")
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = api.llama_token_to_piece(self._vocab, token, buffer, size, 0, special)
            if length >= 0:
                return buffer.raw[:length]
            size = -length

    def is_control(self, token: int) -> bool:
        """Whether a token is one that text cannot produce unless special tokens are parsed in it."""
        return bool(api.llama_vocab_is_control(self._vocab, token))

    def adopt(self, context: Context) -> None:
        """Remembers a context that must be freed before this model."""
        self._contexts.add(context)

    def cell_bytes(self, kv_type: str) -> int:
        """Bytes that one token takes in the KV cache, keys and values of all layers. Raises `ModelError`."""
        heads, key_heads = api.llama_model_n_head(self.pointer), api.llama_model_n_head_kv(self.pointer)
        if heads < 1 or key_heads < 1:
            raise ModelError(f"{self.path} has no attention to keep in a KV cache: it is no MiniCPM")
        numbers = 2 * api.llama_model_n_layer(self.pointer) * api.llama_model_n_embd(self.pointer) // heads * key_heads
        return int(numbers * _KV_BITS[kv_type] / 8)

    def close(self) -> None:
        """Closes the contexts on this model, then frees it. A second call does nothing."""
        for context in list(self._contexts):
            context.close()
        self._free()

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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
        log = _backend()
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
        self._abortable = ctypes.cast(_libc().strlen, api.ggml_abort_callback)
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
