"""Weights in a Hugging Face folder, memory-mapped, one tensor at a time and without PyTorch. Knows the file formats
(`.bin` in the zip form, safetensors, both sharded); does not know what the tensors mean.

Safetensors files are read here and not by their library: it hands bfloat16 to NumPy only through a further package and
copies each tensor, and the format is one length, one JSON header and the bytes.
"""

from __future__ import annotations

import itertools
import json
import math
import mmap
import struct
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from convert.errors import InputError
from convert.json_file import read_json_object
from convert.state_dict import DType, read_state_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

# Where both forms are present they hold the same weights; safetensors needs no pickle.
WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)

_ITEM_BYTES: dict[DType, int] = {"bf16": 2, "f16": 2, "f32": 4}
_SAFETENSORS_TYPES: dict[str, DType] = {"BF16": "bf16", "F16": "f16", "F32": "f32"}
_MAX_HEADER_BYTES = 100_000_000  # safetensors' own limit; a checkpoint's pickle or index is far below it
_LOCAL_HEADER = struct.Struct("<4s22xHH")


class MappedFile:
    """A file mapped read-only. Pages that were read count as resident until `release`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            try:
                self.buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError as error:
                raise InputError(f"{path.name}: the file is empty; download it again") from error
        self.size = len(self.buffer)

    def release(self, start: int, stop: int) -> None:
        """Give the pages that lie wholly in `[start, stop)` back. Where the system has no such call, do nothing."""
        advice = getattr(mmap, "MADV_DONTNEED", None)
        first = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
        length = stop // mmap.PAGESIZE * mmap.PAGESIZE - first
        if advice is not None and length > 0:
            self.buffer.madvise(advice, first, length)


@dataclass(frozen=True)
class StoredTensor:
    """One tensor of a checkpoint. `strides` count elements; `start` is the byte offset of its first element."""

    name: str
    dtype: DType
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    file: MappedFile
    start: int

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * _ITEM_BYTES[self.dtype]

    def bits(self) -> NDArray[Any]:
        """A view of the mapped file, of this tensor's shape: the raw bits, as uint16 (bf16, f16) or uint32 (f32)."""
        size = _ITEM_BYTES[self.dtype]
        strides = tuple(stride * size for stride in self.strides)
        view: NDArray[Any] = np.ndarray(
            self.shape, f"<u{size}", buffer=self.file.buffer, offset=self.start, strides=strides
        )
        return view

    def release(self) -> None:
        """Let the system forget the tensor's pages: call it when the tensor has been read."""
        self.file.release(self.start, self.start + _extent(self.shape, self.strides) * _ITEM_BYTES[self.dtype])


def weight_files(present: Collection[str]) -> str | None:
    """Which of the file names `present` to read the weights from (a file or an index), or None."""
    return next((name for name in WEIGHT_FILES if name in present), None)


def open_checkpoint(folder: Path) -> dict[str, StoredTensor]:
    """The tensors of the checkpoint in `folder`, by name.

    Raises `InputError` where there is none, a shard is missing, or a file is truncated, damaged or hostile.
    """
    name = weight_files([path.name for path in folder.iterdir()])
    if name is None:
        raise InputError(f"{folder}: no weights here; expected one of {', '.join(WEIGHT_FILES)}")
    if not name.endswith(".json"):
        return _open_file(folder / name)
    tensors: dict[str, StoredTensor] = {}
    shards = shard_names(folder / name)
    for shard in sorted(set(shards.values())):
        if not (folder / shard).is_file():
            raise InputError(f"{folder / name}: the shard {shard} is missing; download it")
        for tensor in _open_file(folder / shard).values():
            if shards.get(tensor.name) != shard:
                raise InputError(f"{folder / shard}: holds {tensor.name}, which {name} does not place there")
            tensors[tensor.name] = tensor
    lost = sorted(set(shards) - set(tensors))
    if lost:
        raise InputError(f"{folder / shards[lost[0]]}: tensor {lost[0]}, which {name} places there, is missing")
    return tensors


def shard_names(index: Path) -> dict[str, str]:
    """A sharded checkpoint's index: tensor name to the name of a file beside the index."""
    shards = read_json_object(index).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise InputError(f"{index}: has no weight_map")
    for tensor, shard in shards.items():
        if not isinstance(shard, str) or not shard.endswith((".bin", ".safetensors")) or {"/", "\\", "\0"} & set(shard):
            raise InputError(f"{index}: {tensor} lies in {shard!r}, which is not the plain name of a weights file")
    return shards


def _open_file(path: Path) -> dict[str, StoredTensor]:
    file = MappedFile(path)
    read: Callable[[MappedFile], Iterator[StoredTensor]] = (
        _safetensors if path.name.endswith(".safetensors") else _torch_zip
    )
    return {tensor.name: tensor for tensor in read(file)}


def _torch_zip(file: MappedFile) -> Iterator[StoredTensor]:
    where = str(file.path)
    members = _zip_members(file)
    pickles = [name for name in members if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise InputError(f"{where}: not a PyTorch checkpoint (it holds {len(pickles)} files named data.pkl, not 1)")
    root = pickles[0].removesuffix("data.pkl")
    start, size = members[pickles[0]]
    if size > _MAX_HEADER_BYTES:
        raise InputError(f"{where}: its pickle has {size:,} bytes, far more than a state dict's")
    if f"{root}byteorder" in members:
        first, length = members[f"{root}byteorder"]
        if file.buffer[first : first + length] != b"little":
            raise InputError(f"{where}: the weights are not little-endian")
    for name, ref in read_state_dict(file.buffer[start : start + size], where).items():
        storage = ref.storage
        if f"{root}data/{storage.key}" not in members:
            raise InputError(f"{where}: tensor {name}: its storage data/{storage.key} is missing")
        start, size = members[f"{root}data/{storage.key}"]
        item = _ITEM_BYTES[storage.dtype]
        if size != storage.numel * item:
            raise InputError(f"{where}: tensor {name}: its storage has {size:,} bytes, not {storage.numel * item:,}")
        if ref.offset + _extent(ref.shape, ref.strides) > storage.numel:
            raise InputError(f"{where}: tensor {name}: shape {list(ref.shape)} reaches past the end of its storage")
        yield StoredTensor(name, storage.dtype, ref.shape, ref.strides, file, start + ref.offset * item)


def _zip_members(file: MappedFile) -> dict[str, tuple[int, int]]:
    """Name to (byte offset, size) of each member, having checked that they are stored, apart and inside the file."""
    where = file.path
    try:
        with zipfile.ZipFile(where) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            end = archive.start_dir
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        hint = (
            "it is in PyTorch's old format; load it with PyTorch and save it again"
            if file.buffer[:2] in (b"\x80\x02", b"\x80\x04")
            else "it is truncated or no PyTorch checkpoint; download it again"
        )
        raise InputError(f"{where}: {hint}") from error
    members: dict[str, tuple[int, int]] = {}
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1 or entry.compress_size != entry.file_size:
            raise InputError(
                f"{where}: member {entry.filename!r} is compressed or encrypted; PyTorch stores them as is"
            )
        if entry.header_offset + _LOCAL_HEADER.size > end:
            raise InputError(f"{where}: member {entry.filename!r} lies outside the file; download it again")
        magic, name_size, extra_size = _LOCAL_HEADER.unpack_from(file.buffer, entry.header_offset)
        start = entry.header_offset + _LOCAL_HEADER.size + name_size + extra_size
        if magic != b"PK\3\4" or start + entry.file_size > end or entry.filename in members:
            raise InputError(f"{where}: the archive's directory and its member {entry.filename!r} disagree")
        members[entry.filename] = (start, entry.file_size)
    _check_apart(where, [(start, start + size, name) for name, (start, size) in members.items()])
    return members


def _safetensors(file: MappedFile) -> Iterator[StoredTensor]:
    where = file.path
    length = int.from_bytes(file.buffer[:8], "little")
    if file.size < 8 or length > min(_MAX_HEADER_BYTES, file.size - 8):
        raise InputError(f"{where}: truncated, or no safetensors file; download it again")
    try:
        header = json.loads(file.buffer[8 : 8 + length], object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: its header is not valid JSON ({error})") from error
    if not isinstance(header, dict):
        raise InputError(f"{where}: its header is not a JSON object")
    header.pop("__metadata__", None)
    spans = []
    for name, entry in header.items():
        content: dict[str, Any] = entry if isinstance(entry, dict) else {}
        dtype, shape, offsets = content.get("dtype"), content.get("shape"), content.get("data_offsets")
        if not isinstance(dtype, str) or dtype not in _SAFETENSORS_TYPES:
            raise InputError(f"{where}: tensor {name}: type {dtype!r} is not supported; expected BF16, F16 or F32")
        if not _naturals(shape) or not _naturals(offsets) or len(offsets) != 2:
            raise InputError(f"{where}: tensor {name}: its header entry is damaged")
        start, stop = (8 + length + offset for offset in offsets)
        if stop > file.size:
            raise InputError(
                f"{where}: truncated: tensor {name} ends at byte {stop:,} of {file.size:,}; download it again"
            )
        kind = _SAFETENSORS_TYPES[dtype]
        if stop - start != math.prod(shape) * _ITEM_BYTES[kind]:
            raise InputError(f"{where}: tensor {name}: {stop - start:,} bytes do not make {dtype} of shape {shape}")
        spans.append((start, stop, name))
        strides = tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
        yield StoredTensor(name, kind, tuple(shape), strides, file, start)
    _check_apart(where, spans)


def _check_apart(where: Path, spans: list[tuple[int, int, str]]) -> None:
    ordered = sorted(spans)
    for (_, stop, name), (start, _, following) in itertools.pairwise(ordered):
        if start < stop:
            raise InputError(f"{where}: {name!r} and {following!r} overlap; the file is damaged")


def _extent(shape: tuple[int, ...], strides: tuple[int, ...]) -> int:
    """How many elements from its first to its last a tensor reaches over."""
    if 0 in shape:
        return 0
    return 1 + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))


def _naturals(value: Any) -> TypeGuard[list[int]]:
    return (
        isinstance(value, list) and len(value) <= 8 and all(type(item) is int and 0 <= item < 1 << 62 for item in value)
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name occurs twice")
    return content
