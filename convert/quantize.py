"""Which quantised types there are, and the call that makes one. Knows llama.cpp's names; leaves the work to
`llama_child`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from convert import llama
from convert.errors import ConversionError, InputError
from convert.imatrix import check_imatrix, read_imatrix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from convert.minicpm import PlannedTensor
    from convert.state_dict import DType

FLOATS: dict[str, DType] = {"f32": "f32", "f16": "f16", "bf16": "bf16"}
# llama.cpp's file types (`llama_ftype`) that its quantiser makes, by number. A test holds this to the bindings.
FILE_TYPES: dict[str, int] = {
    "f32": 0,
    "f16": 1,
    "q4_0": 2,
    "q4_1": 3,
    "q8_0": 7,
    "q5_0": 8,
    "q5_1": 9,
    "q2_k": 10,
    "q3_k_s": 11,
    "q3_k_m": 12,
    "q3_k_l": 13,
    "q4_k_s": 14,
    "q4_k_m": 15,
    "q5_k_s": 16,
    "q5_k_m": 17,
    "q6_k": 18,
    "iq2_xxs": 19,
    "iq2_xs": 20,
    "q2_k_s": 21,
    "iq3_xs": 22,
    "iq3_xxs": 23,
    "iq1_s": 24,
    "iq4_nl": 25,
    "iq3_s": 26,
    "iq3_m": 27,
    "iq2_s": 28,
    "iq2_m": 29,
    "iq4_xs": 30,
    "iq1_m": 31,
    "bf16": 32,
    "tq1_0": 36,
    "tq2_0": 37,
    "mxfp4_moe": 38,
    "q1_0": 40,
    "q2_0": 41,
}
_ALIASES = {"q3_k": "q3_k_m", "q4_k": "q4_k_m", "q5_k": "q5_k_m"}  # as llama-quantize has them


def check_quant(name: str, option: str = "--quant") -> str:
    """The canonical name of a quant; raises `InputError`, which lists them all, for an unknown one (of `option`)."""
    known = _ALIASES.get(name.lower(), name.lower())
    if known not in FILE_TYPES:
        raise InputError(f"{option} {name}: unknown; choose one of {', '.join(sorted({*FILE_TYPES, *_ALIASES}))}")
    return known


def plan_quantization(
    path: Path, quant: str, tensors: Sequence[PlannedTensor], imatrix: Path | None, option: str = "--quant"
) -> dict[str, str]:
    """The ggml type that llama.cpp would give to each tensor of the file `path`, whose weights need not be there yet.

    Raises `InputError` where the type needs an importance matrix and there is none, or one of the two does not fit the
    model.
    """
    if imatrix is not None:
        check_imatrix(imatrix, read_imatrix(imatrix), tensors)
    given = None if imatrix is None else str(imatrix)
    try:
        answer = llama.ask("plan", path=str(path), file_type=FILE_TYPES[quant], imatrix=given)
    except ConversionError as error:
        raise InputError(f"{option} {quant}: does not fit this model ({error})") from error
    if answer["needs_imatrix"]:
        raise InputError(f"{option} {quant}: this type needs an importance matrix; give one with --imatrix FILE")
    types: dict[str, str] = answer["types"]
    return types


def quantize(
    path: Path, out: Path, quant: str, *, imatrix: Path | None, threads: int | None, on_tensor: Callable[[str], None]
) -> None:
    """Quantises the GGUF file `path` to `out`; `on_tensor` is told the name of each tensor when its turn comes."""
    llama.ask(
        "quantize",
        on_tensor,
        path=str(path),
        out=str(out),
        file_type=FILE_TYPES[quant],
        imatrix=None if imatrix is None else str(imatrix),
        threads=threads or os.cpu_count() or 1,
    )
