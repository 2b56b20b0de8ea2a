"""llama.cpp: a model file, its metadata and vocabulary, and llama.cpp's start in a process.

Knows the C API as `llama.py` does, which has the contexts. A `Model` may be asked for tokens and pieces from any
thread.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import os
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import llama_cpp.llama_cpp as api

from edge_server.context import EngineError
from edge_server.llama_log import LogLines
from edge_server.vocabulary import WholeTokens, tokenize_whole_first

if TYPE_CHECKING:
    from collections import abc

_KV_BITS = {"f32": 32, "f16": 16, "q8_0": 8.5}  # q8_0: a block of 32 numbers shares a scale of 16 bits
_SPECIAL = api.LLAMA_TOKEN_ATTR_CONTROL | api.LLAMA_TOKEN_ATTR_UNKNOWN


class ModelError(Exception):
    """The model file cannot be used. One line: which file, and what is wrong with it."""


class ContextError(EngineError):
    """llama.cpp refused or failed a call on a context."""


def take_log() -> LogLines:
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
    silence = ctypes.cast(libc().abs, api.llama_log_callback)
    atexit.register(lambda _kept: api.llama_log_set(silence, ctypes.c_void_p()), callback)
    return log, callback


def libc() -> ctypes.CDLL:
    """The C library that this process runs with."""
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
    take_log()
    return bool(api.llama_supports_gpu_offload())


class _Closes(Protocol):
    def close(self) -> None: ...


class Model:
    """Weights and vocabulary of one GGUF file. After use you must call `close` (or use it as a context manager)."""

    def __init__(self, pointer: int, path: Path, gpu_layers: int) -> None:
        self.path = path
        self.pointer = pointer
        self.on_gpu = gpu_layers != 0
        self._free = weakref.finalize(self, api.llama_model_free, pointer)
        self._contexts: weakref.WeakSet[_Closes] = weakref.WeakSet()
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
        log = take_log()
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

    def adopt(self, context: _Closes) -> None:
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
