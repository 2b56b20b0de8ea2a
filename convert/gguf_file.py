"""Writes metadata and weights into a GGUF file, one piece of a tensor at a time, and reads such a file's header back.
Knows the format and the three float types; knows neither MiniCPM nor quantised types.
"""

from __future__ import annotations

import logging
import math
import mmap
import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType, GGUFWriter

from convert.errors import ConversionError, InputError
from convert.minicpm import ARCHITECTURE, PlannedTensor, rotary_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from convert.checkpoint import StoredTensor
    from convert.metadata import Entry
    from convert.state_dict import DType

ALIGNMENT = 32  # GGUF's default; tensors start at multiples of it
_CHUNK_BYTES = 4 << 20  # of the source: large enough for the disk, small enough for the processor's cache

GGML_TYPES: dict[DType, GGMLQuantizationType] = {
    "f32": GGMLQuantizationType.F32,
    "f16": GGMLQuantizationType.F16,
    "bf16": GGMLQuantizationType.BF16,
}

# Types that llama.cpp's quantiser makes and the gguf package does not know yet: number, elements and bytes of a block.
_NEWER_TYPES = {"q2_0": (42, 64, 18)}


@dataclass(frozen=True)
class TensorRecord:
    """What a file's header says of one tensor: rows-first shape, ggml type number, byte offset in the file."""

    shape: tuple[int, ...]
    type: int
    offset: int


@dataclass(frozen=True)
class Header:
    """A GGUF file's header. Arrays in `metadata` are represented by their length."""

    metadata: dict[str, Any]
    tensors: dict[str, TensorRecord]


def type_name(number: int) -> str:
    """A ggml type's name in lower case, for its number in a file; "type N" for an unknown one."""
    for name, (newer, _, _) in _NEWER_TYPES.items():
        if newer == number:
            return name
    known = {int(kind) for kind in GGMLQuantizationType}
    return GGMLQuantizationType(number).name.lower() if number in known else f"type {number}"


def tensor_bytes(shape: tuple[int, ...], type_name: str) -> int:
    """How many bytes a tensor of the ggml type `type_name` takes in a file, its padding included."""
    return _padded(weight_bytes(shape, type_name))


def weight_bytes(shape: tuple[int, ...], type_name: str) -> int:
    """How many bytes the weights of a tensor of the ggml type `type_name` are."""
    if type_name in _NEWER_TYPES:
        _, elements, size = _NEWER_TYPES[type_name]
    else:
        elements, size = GGML_QUANT_SIZES[GGMLQuantizationType[type_name.upper()]]
    return math.prod(shape) // elements * size


def float_types(tensors: Sequence[PlannedTensor], matrices: DType) -> dict[str, DType]:
    """The type of each tensor where nothing is quantised: vectors (the norms) stay f32, as llama.cpp wants them."""
    return {tensor.name: matrices if len(tensor.shape) > 1 else "f32" for tensor in tensors}


def write_header(
    path: Path, entries: Sequence[Entry], tensors: Sequence[PlannedTensor], types: Mapping[str, DType]
) -> Header:
    """Writes everything but the weights to `path` and stretches the file to its final length; returns what it wrote.

    The stretch is a hole (it takes no space yet), so llama.cpp can already read the file's header.
    """
    logging.getLogger("gguf").setLevel(logging.WARNING)
    writer = GGUFWriter(path, ARCHITECTURE)
    try:
        for entry in entries:
            writer.add_key_value(entry.key, entry.value, entry.kind, entry.item)
        for tensor in tensors:
            kind = GGML_TYPES[types[tensor.name]]
            size = math.prod(tensor.shape) * GGML_QUANT_SIZES[kind][1]
            writer.add_tensor_info(tensor.name, tensor.shape, np.dtype(np.float32), size, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
    finally:
        writer.close()
    header = read_header(path, complete=False)
    end = max(record.offset + tensor_bytes(record.shape, types[name]) for name, record in header.tensors.items())
    os.truncate(path, end)
    return header


def write_weights(
    path: Path,
    header: Header,
    tensors: Sequence[PlannedTensor],
    stored: Mapping[str, StoredTensor],
    progress: Callable[[int], None],
) -> None:
    """Fills the file that `write_header` began.

    `progress` is told how many bytes of the checkpoint were read since its last call.
    Raises `InputError`, naming the tensor, for a weight that is not finite or too large for the file's type.
    """
    with path.open("r+b") as file:
        for tensor in tensors:
            record = header.tensors[tensor.name]
            target = next(name for name, number in GGML_TYPES.items() if number == record.type)
            source = stored[tensor.source]
            file.seek(record.offset)
            for chunk in _chunks(tensor, source):
                _check_finite(chunk, source.dtype, source)
                written = cast(chunk, source.dtype, target)
                if target != source.dtype:
                    _check_finite(written, target, source, f" after conversion to {target}; choose another --quant")
                _write(file, written)
                progress(chunk.nbytes)
            source.release()
        file.flush()
        os.fsync(file.fileno())


def _chunks(tensor: PlannedTensor, source: StoredTensor) -> Iterator[NDArray[Any]]:
    bits = source.bits()
    order = rotary_rows(tensor.shape[0], tensor.rotary_heads) if tensor.rotary_heads else None
    row_bytes = bits.itemsize * math.prod(tensor.shape[1:])
    step = max(1, _CHUNK_BYTES // row_bytes)
    for start in range(0, tensor.shape[0], step):
        rows = slice(start, start + step)
        yield np.ascontiguousarray(bits[rows]) if order is None else bits[order[rows]]


def _write(file: BinaryIO, chunk: NDArray[Any]) -> None:
    try:
        file.write(chunk.data.cast("B"))
    except OSError as error:
        raise ConversionError(f"{file.name}: writing failed: {error.strerror}") from error


def _check_finite(bits: NDArray[Any], dtype: DType, source: StoredTensor, when: str = "") -> None:
    """A value is infinite or not a number exactly if all bits of its exponent are set."""
    exponent = {"bf16": 0x7F80, "f16": 0x7C00, "f32": 0x7F800000}[dtype]
    if bits.size and int((bits & bits.dtype.type(exponent)).max()) == exponent:
        raise InputError(f"{source.file.path}: tensor {source.name} holds NaN or infinite weights{when}")


def cast(bits: NDArray[Any], source: DType, target: DType) -> NDArray[Any]:
    """Raw bits of one float type as raw bits of another, rounded to nearest even; the same array where types agree."""
    if source == target:
        return bits
    wide: NDArray[Any]
    if source == "bf16":
        wide = bits.astype("<u4") << np.uint32(16)
    elif source == "f16":
        wide = bits.view("<f2").astype("<f4").view("<u4")
    else:
        wide = bits
    if target == "f32":
        return wide
    if target == "f16":
        with np.errstate(over="ignore"):  # `_check_finite` reports it
            narrow: NDArray[Any] = wide.view("<f4").astype("<f2").view("<u2")
    else:
        half = np.uint32(0x7FFF) + ((wide >> np.uint32(16)) & np.uint32(1))
        narrow = ((wide + half) >> np.uint32(16)).astype("<u2")
    return narrow


def _padded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


_SCALARS = {
    GGUFValueType.UINT8: "<B",
    GGUFValueType.INT8: "<b",
    GGUFValueType.UINT16: "<H",
    GGUFValueType.INT16: "<h",
    GGUFValueType.UINT32: "<I",
    GGUFValueType.INT32: "<i",
    GGUFValueType.FLOAT32: "<f",
    GGUFValueType.BOOL: "<?",
    GGUFValueType.UINT64: "<Q",
    GGUFValueType.INT64: "<q",
    GGUFValueType.FLOAT64: "<d",
}


def read_header(path: Path, *, complete: bool = True) -> Header:
    """Reads the header of a GGUF file (version 3, little-endian).

    Written here rather than taken from the `gguf` package, whose reader knows fewer tensor types than llama.cpp's
    quantiser makes. With `complete`, tensors must start inside the file. Raises `InputError` for anything else.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            header, size = _HeaderReader(data).read(), len(data)
    except (struct.error, ValueError, KeyError) as error:
        raise InputError(f"{path}: not a GGUF file, or damaged ({error})") from error
    for name, record in header.tensors.items():
        if complete and record.offset >= size:
            raise InputError(f"{path}: truncated: tensor {name} starts past the end of the file")
    return header


class _HeaderReader:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._position = 0

    def read(self) -> Header:
        if self._take("<4s") != b"GGUF" or self._take("<I") != 3:
            raise ValueError("wrong signature or version")
        tensors, entries = self._take("<Q"), self._take("<Q")
        metadata = {}
        for _ in range(entries):
            key = self._text()
            metadata[key] = self._value(GGUFValueType(self._take("<I")))
        infos = [self._tensor() for _ in range(tensors)]
        alignment = metadata.get("general.alignment", ALIGNMENT)
        if type(alignment) is not int or alignment < 1:
            raise ValueError(f"alignment {alignment!r}")
        start = -(-self._position // alignment) * alignment
        records = {name: TensorRecord(shape, kind, start + offset) for name, shape, kind, offset in infos}
        if len(records) != tensors:
            raise ValueError("a tensor occurs twice")
        return Header(metadata, records)

    def _take(self, layout: str) -> Any:
        (value,) = struct.unpack_from(layout, self._data, self._position)
        self._position += struct.calcsize(layout)
        return value

    def _text(self) -> str:
        size = self._take("<Q")
        if size > len(self._data) - self._position:
            raise ValueError("a text reaches past the end")
        self._position += size
        return self._data[self._position - size : self._position].decode("utf-8")

    def _value(self, kind: GGUFValueType) -> Any:
        if kind in _SCALARS:
            return self._take(_SCALARS[kind])
        if kind is GGUFValueType.STRING:
            return self._text()
        item, length = GGUFValueType(self._take("<I")), self._take("<Q")
        if item is GGUFValueType.ARRAY:
            raise ValueError("an array of arrays")
        if item in _SCALARS:
            self._position += struct.calcsize(_SCALARS[item]) * length
        else:
            for _ in range(length):
                self._value(item)
        return length

    def _tensor(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self._text()
        shape = tuple(self._take("<Q") for _ in range(min(self._take("<I"), 8)))
        return name, shape[::-1], self._take("<I"), self._take("<Q")
