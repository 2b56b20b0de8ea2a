"""The part of the converter that runs llama.cpp, in a process of its own. Knows the tasks and does three of them (plan,
quantise, check); knows nothing of checkpoints.

A process of its own, because a call into llama.cpp cannot be interrupted and a failed assertion in it ends the process:
the converter kills this one, or reports its end in one line, and removes the temporary files either way.
The request is one line of JSON on standard input, the answers are lines of JSON on standard output (see `llama.py`).
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from convert.imatrix import read_imatrix
from convert.imatrix_child import collect
from convert.llama_model import Context, Log, Model, Send, TaskError
from convert.quality_child import score, size, speed

_TENSOR_LINE = re.compile(r"\[ *(\d+)/ *\d+\] +(\S+) +- \[.*?\], type = +(\w+), ")
_NEW_TYPE = re.compile(r"size = .* MiB \((\w+)\)$")
_NEEDS_IMATRIX = "will require an imatrix"
_MAX_BUFFER_BYTES = 256 << 20  # of rows that the quantiser holds at once
_CONTEXT = 32  # tokens; llama.cpp's smallest batch, and the check decodes one


def plan(send: Send, *, path: str, file_type: int, imatrix: str | None) -> dict[str, Any]:
    """Which type the quantiser would give to each tensor of the file, and whether it lacks an importance matrix.

    It reads the header alone: the weights may still be a hole in the file. With an importance matrix some tensors get
    other types.
    """
    types: dict[str, str] = {}
    needs_imatrix = False

    def read(line: str) -> None:
        nonlocal needs_imatrix
        if _NEEDS_IMATRIX in line:
            needs_imatrix = True
        found = _TENSOR_LINE.match(line)
        if found and line.endswith("\n"):
            new_type = _NEW_TYPE.search(line.rstrip())
            types[found[2]] = (new_type[1] if new_type else found[3]).lower()

    log = Log(read)
    params = _params(file_type, threads=1)
    params.dry_run = True
    _kept = _give(params, imatrix)
    _quantize(log, path, "", params)
    return {"types": types, "needs_imatrix": needs_imatrix}


def quantize(send: Send, *, path: str, out: str, file_type: int, imatrix: str | None, threads: int) -> dict[str, Any]:
    """Quantises the file `path` to `out`. Sends the name of each tensor when its turn comes."""
    current = ""

    def read(line: str) -> None:
        nonlocal current
        found = _TENSOR_LINE.match(line)
        if found and found[2] != current:
            current = found[2]
            send({"progress": current})

    log = Log(read)
    params = _params(file_type, threads)
    _kept = _give(params, imatrix)
    _quantize(log, path, out, params)
    return {}


def check(send: Send, *, path: str, texts: list[str]) -> dict[str, Any]:
    """Loads the file, tokenises `texts` (each as plain text, and with special tokens parsed) and decodes one token."""
    model = Model(path, Log())  # the weights as they are in the file: no second copy for the sake of one token
    context = Context(model, cells=_CONTEXT, batch=_CONTEXT)
    logits = context.decode([model.bos], 0, [0])
    return {
        "plain": [model.tokenize(text) for text in texts],
        "parsed": [model.tokenize(text, parse_special=True) for text in texts],
        "finite": bool(np.isfinite(logits).all()),
    }


def _params(file_type: int, threads: int) -> Any:
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = file_type
    params.nthread = threads
    params.max_buf_size = _MAX_BUFFER_BYTES
    return params


def _give(params: Any, imatrix: str | None) -> Any:
    """Hands an importance matrix to the quantiser; what is returned must live as long as `params`."""
    if imatrix is None:
        return None
    entries = read_imatrix(Path(imatrix))
    rows = [np.ascontiguousarray(values, np.float32) for values in entries.values()]
    table = (llama_cpp.llama_model_imatrix_data * (len(rows) + 1))()  # an entry without a name ends it
    for slot, name, values in zip(table, entries, rows, strict=False):
        slot.name = name.encode()
        slot.data = values.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        slot.size = values.size
    params.imatrix = ctypes.cast(table, ctypes.POINTER(llama_cpp.llama_model_imatrix_data))
    return table, rows


def _quantize(log: Log, path: str, out: str, params: Any) -> None:
    if llama_cpp.llama_model_quantize(path.encode(), out.encode(), ctypes.byref(params)) != 0:
        raise TaskError(log.last("the quantiser failed"))


_TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "plan": plan,
    "quantize": quantize,
    "check": check,
    "size": size,
    "score": score,
    "speed": speed,
    "collect": collect,
}


def main() -> None:
    # Standard output is for answers alone: whatever else is printed goes to standard error.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def send(message: dict[str, Any]) -> None:
        try:
            print(json.dumps(message), file=answers, flush=True)
        except OSError:  # the converter is gone, so nobody will rename or remove what is being written
            os._exit(1)

    request = json.loads(sys.stdin.readline())
    try:
        send({"result": _TASKS[request.pop("task")](send, **request)})
    except TaskError as error:
        send({"failed": str(error)})


if __name__ == "__main__":
    main()
