"""Reads and writes an importance matrix: how strongly each input of each weight matrix was used. Knows the two file
formats that llama.cpp's `llama-imatrix` writes (of which this writes the newer); does not know what the quantiser does
with it, nor where the sums come from.
"""

from __future__ import annotations

import logging
import math
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter

from convert.errors import InputError
from convert.gguf_file import read_header

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from convert.minicpm import PlannedTensor

_SUMS, _COUNTS = ".in_sum2", ".counts"


def read_imatrix(path: Path) -> dict[str, NDArray[np.float32]]:
    """Tensor name to the mean squared activation of each of its inputs. Raises `InputError` for a damaged file."""
    try:
        with path.open("rb") as file:
            is_gguf = file.read(4) == b"GGUF"
        entries = _gguf(path) if is_gguf else _legacy(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, struct.error) as error:
        raise InputError(f"{path}: not an importance matrix, or damaged ({error})") from error
    for name, values in entries.items():
        if not np.isfinite(values).all():
            raise InputError(f"{path}: the importance of {name} is not finite")
    return entries


def check_imatrix(path: Path, entries: dict[str, NDArray[np.float32]], tensors: Sequence[PlannedTensor]) -> None:
    """Raises `InputError` unless `entries` cover the block matrices of the model that `tensors` describes."""
    for tensor in tensors:
        if len(tensor.shape) < 2 or not tensor.name.startswith("blk."):
            continue
        found = entries[tensor.name].size if tensor.name in entries else 0
        if found != tensor.shape[1]:
            raise InputError(
                f"{path}: has {found} values for {tensor.name}, which has {tensor.shape[1]} inputs; "
                "it was made for another model"
            )


def write_imatrix(path: Path, sums: Mapping[str, NDArray[Any]], count: int, chunk: int, corpus: str) -> None:
    """Writes sums of squared activations over `count` tokens, read `chunk` at a time from the file `corpus`."""
    logging.getLogger("gguf").setLevel(logging.WARNING)
    writer = GGUFWriter(path, "imatrix")
    try:
        writer.add_type("imatrix")
        writer.add_array("imatrix.datasets", [corpus])
        writer.add_uint32("imatrix.chunk_count", -(-count // chunk))
        writer.add_uint32("imatrix.chunk_size", chunk)
        for name in sorted(sums):
            writer.add_tensor(name + _SUMS, np.asarray(sums[name], np.float32)[None, :])
            writer.add_tensor(name + _COUNTS, np.array([[count]], np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def _gguf(path: Path) -> dict[str, NDArray[np.float32]]:
    records = read_header(path).tensors
    content: dict[str, NDArray[Any]] = {}
    with path.open("rb") as file:
        for name, record in records.items():
            if record.type != GGMLQuantizationType.F32:
                raise ValueError(f"{name} is not float32")
            size = math.prod(record.shape) * 4
            file.seek(record.offset)
            data = file.read(size) if size <= path.stat().st_size else b""
            if len(data) != size:
                raise ValueError(f"{name} reaches past the end")
            content[name] = np.frombuffer(data, "<f4").reshape(record.shape)
    entries = {}
    for name, sums in content.items():
        if not name.endswith(_SUMS):
            continue
        count = float(content[name.removesuffix(_SUMS) + _COUNTS].sum())
        # An input that was never seen counts like any other.
        entries[name.removesuffix(_SUMS)] = (
            (sums / np.float32(count)).ravel() if count > 0 else np.ones(sums.size, np.float32)
        )
    if not entries:
        raise ValueError("it has no entries")
    return entries


def _legacy(data: bytes) -> dict[str, NDArray[np.float32]]:
    """`.dat`: a count, then for each entry its name, the number of calls, the number of values and the values."""
    entries: dict[str, NDArray[np.float32]] = {}
    (count,) = struct.unpack_from("<i", data)
    position = 4
    for _ in range(count):
        (length,) = struct.unpack_from("<i", data, position)
        name = struct.unpack_from(f"<{max(length, 0)}s", data, position + 4)[0].decode("utf-8")
        position += 4 + len(name.encode())
        calls, values = struct.unpack_from("<ii", data, position)
        position += 8
        if values < 1 or position + 4 * values > len(data):
            raise ValueError(f"{name!r} reaches past the end")
        entries[name] = np.frombuffer(data, "<f4", values, position) / np.float32(max(calls, 1))
        position += 4 * values
    if not entries:
        raise ValueError("it has no entries")
    return entries
