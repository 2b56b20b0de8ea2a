"""A task of the child process: to collect an importance matrix, as llama.cpp's `llama-imatrix` does.

llama.cpp calls back for every node of its graph. For a product with one of the file's block matrices, the squares of
what is multiplied with it are summed, input by input. The bindings do not declare the node (`ggml_tensor`), so it is
declared here, as llama-cpp-python 0.3.36 has it, and checked against what the library itself says of it before a
number is believed.
"""

from __future__ import annotations

import ctypes
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llama_cpp.llama_cpp as api
import numpy as np

from convert.gguf_file import read_header
from convert.imatrix import write_imatrix
from convert.llama_model import Context, Log, Model, Send, TaskError
from convert.quality_child import BATCH, calls, cells
from convert.quality_corpus import DuplexFormat, lay_out, other_half, read_corpus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from convert.gguf_file import TensorRecord

_OBJECT_BYTES = 32  # `ggml_tensor_overhead` counts them too
_F32 = 0  # GGML_TYPE_F32


class Tensor(ctypes.Structure):
    """`struct ggml_tensor` of ggml.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("buffer", ctypes.c_void_p),
        ("ne", ctypes.c_int64 * 4),
        ("nb", ctypes.c_size_t * 4),
        ("op", ctypes.c_int),
        ("op_params", ctypes.c_int32 * 16),
        ("flags", ctypes.c_int32),
        ("src", ctypes.c_void_p * 10),
        ("view_src", ctypes.c_void_p),
        ("view_offs", ctypes.c_size_t),
        ("data", ctypes.c_void_p),
        ("name", ctypes.c_char * 64),
        ("extra", ctypes.c_void_p),
        ("padding", ctypes.c_char * 8),
    )


class _Ggml:
    """The functions that read a tensor. llama.cpp's library finds them in the one that it is built on."""

    def __init__(self) -> None:
        library: Any = getattr(api, "_lib", None)
        try:
            self.overhead = self._declare(library.ggml_tensor_overhead, ctypes.c_size_t)
            self.name = self._declare(library.ggml_get_name, ctypes.c_void_p, ctypes.c_void_p)
            self.operation = self._declare(library.ggml_op_name, ctypes.c_char_p, ctypes.c_int)
            self.nbytes = self._declare(library.ggml_nbytes, ctypes.c_size_t, ctypes.c_void_p)
            self.get = self._declare(
                library.ggml_backend_tensor_get,
                None,
                ctypes.c_void_p,
                ctypes.c_void_p,
                ctypes.c_size_t,
                ctypes.c_size_t,
            )
        except AttributeError as error:
            raise TaskError(f"these bindings do not show what is needed for an importance matrix ({error})") from error

    @staticmethod
    def _declare(function: Any, result: Any, *arguments: Any) -> Any:
        function.restype, function.argtypes = result, arguments
        return function


class Collector:
    """Sums of squares for every block matrix of `records`, and how many tokens they are of."""

    def __init__(self, records: Mapping[str, TensorRecord]) -> None:
        """Raises `TaskError` where this llama.cpp lays its tensors out in another way."""
        self.sums = {
            name: np.zeros(record.shape[-1], np.float64)
            for name, record in records.items()
            if name.startswith("blk.") and len(record.shape) == 2
        }
        self.counts = dict.fromkeys(self.sums, 0)
        self.error: str | None = None
        self._records = records
        self._ggml = _Ggml()
        self._checked = False
        if self._ggml.overhead() != _OBJECT_BYTES + ctypes.sizeof(Tensor):
            raise TaskError(f"this llama.cpp's tensors are not those of 0.3.36 ({self._ggml.overhead()} bytes)")
        self.callback = api.ggml_backend_sched_eval_callback(self._on_node)

    def _on_node(self, address: int, ask: bool, _data: object) -> bool:
        try:
            return self._node(address, ask)
        except Exception as error:  # it cannot pass through llama.cpp; `check` raises it
            self.error = self.error or str(error) or type(error).__name__
            return False

    def _node(self, address: int, ask: bool) -> bool:
        """Asked: whether the node is of interest. Told: it is computed, and its inputs are still there."""
        node = Tensor.from_address(address)
        if not self._checked:
            self._check_layout(address)
        if self.error:
            return False
        if self._ggml.operation(node.op) != b"MUL_MAT":
            return not ask
        weight = Tensor.from_address(node.src[0])
        name = weight.name.decode("utf-8", "replace")
        if name not in self.sums:
            return not ask
        if not ask:
            self._add(name, weight, node.src[1])
        return True

    def _check_layout(self, address: int) -> None:
        if self._ggml.name(address) != address + Tensor.name.offset:
            raise TaskError("this llama.cpp's tensors have their names elsewhere")
        self._checked = True

    def _add(self, name: str, weight: Tensor, address: int) -> None:
        rows, columns = self._records[name].shape
        if tuple(weight.ne) != (columns, rows, 1, 1):
            raise TaskError(f"{name} is {list(weight.ne)} in llama.cpp and {[columns, rows]} in the file")
        inputs = Tensor.from_address(address)
        size = 4 * math.prod(inputs.ne)
        if inputs.type != _F32 or inputs.ne[0] != columns or self._ggml.nbytes(address) != size or inputs.nb[0] != 4:
            raise TaskError(f"what is multiplied with {name} is no float32 matrix of {columns} columns")
        values: NDArray[np.float32] = np.empty((size // (4 * columns), columns), np.float32)
        self._ggml.get(address, values.ctypes.data, 0, size)
        self.sums[name] += np.square(values, dtype=np.float64).sum(axis=0)
        self.counts[name] += len(values)

    def check(self) -> None:
        """Raises `TaskError` where a callback failed."""
        if self.error:
            raise TaskError(f"the importance matrix cannot be collected: {self.error}")


def collect(
    send: Send, *, path: str, out: str, corpus: str, form: dict[str, Any], budget: int, gpu_layers: int, threads: int
) -> dict[str, Any]:
    """Runs the conversations that are not measured, until `budget` tokens are read, and writes the matrix to `out`.

    Sends how many tokens each call read, and how many there are.
    """
    collector = Collector(read_header(Path(path)).tensors)
    # Repacked weights would do, but the sums are to be those of the weights as the file has them.
    model = Model(path, Log(), gpu_layers=gpu_layers)
    layouts = []
    read = 0
    for conversation in other_half(read_corpus(Path(corpus))):
        layouts.append(lay_out(conversation, DuplexFormat(**form), model.tokenize)[0])
        read += sum(len(run.tokens) for run in layouts[-1])
        if read >= budget:
            break
    if not read:
        raise TaskError(f"no conversation of {corpus} begins with a pair that fits into the context")
    context = Context(model, cells=cells(layouts), batch=BATCH, threads=threads, on_node=collector.callback)
    for runs in layouts:
        for _run, _start, tokens, position in calls(context, runs):
            # The last block computes only what the logits asked for need.
            context.decode(tokens, position, range(len(tokens)))
            collector.check()
            send({"progress": f"{len(tokens)} {read}"})
    unseen = [name for name, count in collector.counts.items() if count != read]
    if unseen:
        raise TaskError(f"the importance matrix is incomplete: {collector.counts[unseen[0]]} of {read} for {unseen[0]}")
    write_imatrix(Path(out), collector.sums, read, BATCH, corpus)
    return {"tokens": read, "conversations": len(layouts), "matrices": len(collector.sums)}
