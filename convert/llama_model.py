"""llama.cpp as the child process of the converter uses it: its log, a model, a context. Knows the bindings' low-level
API (llama-cpp-python 0.3.36); nothing is freed here, because the process ends with its task.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from typing import Any

import llama_cpp
import numpy as np
from numpy.typing import NDArray

Send = Callable[[dict[str, Any]], None]


class TaskError(Exception):
    """llama.cpp refused; the message is what it logged."""


class Log:
    """llama.cpp's log, cut into lines. Keeps its errors; tells `on_text` every line as far as it has come."""

    def __init__(self, on_text: Callable[[str], None] = lambda _line: None) -> None:
        self.errors: list[str] = []
        self._line = ""
        self._on_text = on_text
        self._callback = llama_cpp.llama_log_callback(self._receive)
        llama_cpp.llama_log_set(self._callback, ctypes.c_void_p(0))

    def _receive(self, level: int, text: bytes, _user_data: object) -> None:
        self._line += text.decode("utf-8", "replace")
        if level == 4:  # GGML_LOG_LEVEL_ERROR
            self.errors.append(text.decode("utf-8", "replace").strip())
        self._on_text(self._line)
        if self._line.endswith("\n"):
            self._line = ""

    def last(self, otherwise: str) -> str:
        """The last error, or `otherwise` where there was none."""
        if not self.errors:
            return otherwise
        said = self.errors[-1].removeprefix("llama_model_quantize: failed to quantize: ")
        return "the file cannot be written; is the disk full?" if "iostream error" in said else said


class Model:
    """Weights and vocabulary of one GGUF file. Raises `TaskError` where llama.cpp does not load it."""

    def __init__(
        self, path: str, log: Log, *, gpu_layers: int = 0, repack: bool = False, vocabulary_only: bool = False
    ) -> None:
        """`gpu_layers`: how many go to the GPU, -1 all. `repack`: a second copy of the weights that the processor at
        hand computes faster with, as the server has it. `vocabulary_only`: no weights, so no context.
        """
        llama_cpp.llama_backend_init()
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        params.vocab_only = vocabulary_only
        # The AMX kernels end the process where some compilers built them (ggml-org/llama.cpp#20824, #26954).
        params.use_extra_bufts = repack and b"AMX_INT8 = 1" not in llama_cpp.llama_print_system_info()
        self.log = log
        self.pointer = llama_cpp.llama_model_load_from_file(path.encode(), params)
        if not self.pointer:
            raise TaskError(log.last("the model does not load"))
        self.on_gpu = gpu_layers != 0 and bool(llama_cpp.llama_supports_gpu_offload())
        self.vocab = llama_cpp.llama_model_get_vocab(self.pointer)
        self.n_vocab = int(llama_cpp.llama_vocab_n_tokens(self.vocab))
        self.bos = int(llama_cpp.llama_vocab_bos(self.vocab))
        self.n_ctx_train = int(llama_cpp.llama_model_n_ctx_train(self.pointer))

    def tokenize(self, text: str, *, parse_special: bool = False) -> list[int]:
        """The tokens of `text` as one string, without the one that begins a sequence."""
        data = text.encode("utf-8", "replace")
        tokens = (llama_cpp.llama_token * (len(data) + 8))()
        count = llama_cpp.llama_tokenize(self.vocab, data, len(data), tokens, len(tokens), False, parse_special)
        if count < 0:
            raise TaskError(f"tokenising {text!r} gives {-count} tokens")
        return list(tokens[:count])


class Context:
    """One sequence of at most `cells` tokens, decoded in calls of at most `batch`. Raises `TaskError` on failure."""

    def __init__(
        self, model: Model, *, cells: int, batch: int, threads: int | None = None, on_node: Any = None
    ) -> None:
        """`on_node`: a `ggml_backend_sched_eval_callback`, which must live as long as this."""
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = cells
        params.n_batch = params.n_ubatch = batch
        params.offload_kqv = params.op_offload = model.on_gpu
        params.no_perf = True
        if threads is not None:
            params.n_threads = params.n_threads_batch = threads
        if not model.on_gpu:
            params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED  # the server's choice for a CPU
        if on_node is not None:
            params.cb_eval = on_node
        self.batch = batch
        self._model = model
        self.pointer = llama_cpp.llama_init_from_model(model.pointer, params)
        if not self.pointer:
            raise TaskError(model.log.last("no context can be made"))
        self._batch = llama_cpp.llama_batch_init(batch, 0, 1)

    def drop(self, start: int) -> None:
        """Takes back every token from position `start` on."""
        memory = llama_cpp.llama_get_memory(self.pointer)
        if not llama_cpp.llama_memory_seq_rm(memory, 0, start, -1):
            raise TaskError("tokens cannot be removed from the KV cache")

    def decode(self, tokens: Sequence[int], start: int, wanted: Sequence[int] = ()) -> NDArray[np.float32]:
        """Decodes at most `batch` tokens, the first at position `start`; the logits behind those at the indices
        `wanted`, in order: (len(wanted), n_vocab), valid until the next call.
        """
        batch = self._batch
        batch.n_tokens = len(tokens)
        for index, token in enumerate(tokens):
            batch.token[index], batch.pos[index] = token, start + index
            batch.n_seq_id[index], batch.seq_id[index][0] = 1, 0
            batch.logits[index] = 0
        for index in wanted:
            batch.logits[index] = 1
        if llama_cpp.llama_decode(self.pointer, batch) != 0:
            raise TaskError(self._model.log.last("decoding failed"))
        if not wanted:
            llama_cpp.llama_synchronize(self.pointer)
            return np.empty((0, self._model.n_vocab), np.float32)
        rows: NDArray[np.float32] = np.ctypeslib.as_array(
            llama_cpp.llama_get_logits(self.pointer), shape=(len(wanted), self._model.n_vocab)
        )
        return rows

    def seconds(self, tokens: Sequence[int], start: int) -> float:
        """How long one decode call takes, with the logits of its last token."""
        begin = time.perf_counter()
        self.decode(tokens, start, (len(tokens) - 1,))
        return time.perf_counter() - begin
