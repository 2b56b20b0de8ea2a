"""Writes files in PyTorch's zip format without PyTorch, so that tests can also write wrong ones. Knows what
`torch.save` makes of a state dict; the genuine article in data/ keeps it honest.
"""

from __future__ import annotations

import math
import struct
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

STORAGES = {"bf16": ("BFloat16Storage", 2), "f16": ("HalfStorage", 2), "f32": ("FloatStorage", 4)}


@dataclass(frozen=True)
class Tensor:
    """A tensor in the storage `key`, in row-major order; `offset` and `numel` (of the storage) count elements."""

    dtype: str
    shape: tuple[int, ...]
    key: str
    numel: int
    offset: int = 0

    @property
    def strides(self) -> tuple[int, ...]:
        return tuple(math.prod(self.shape[axis + 1 :]) for axis in range(len(self.shape)))


def write_torch_zip(
    path: Path, tensors: Mapping[str, Tensor], storages: Mapping[str, Iterable[bytes]], pickled: bytes | None = None
) -> None:
    """Writes a checkpoint: `storages` gives the bytes of each storage key, in pieces; `pickled` replaces the pickle."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", state_dict_pickle(tensors) if pickled is None else pickled)
        archive.writestr("archive/byteorder", "little")
        for key, pieces in storages.items():
            with archive.open(f"archive/data/{key}", "w", force_zip64=True) as member:
                for piece in pieces:
                    member.write(piece)
        archive.writestr("archive/version", "3\n")


def storage_bytes(tensor: Tensor) -> bytes:
    """Zeros for a whole storage."""
    return bytes(tensor.numel * STORAGES[tensor.dtype][1])


def state_dict_pickle(tensors: Mapping[str, Tensor]) -> bytes:
    """The pickle of an OrderedDict of tensors, opcode for opcode as `torch.save` writes it (without its memo)."""
    items = b"".join(_text(name) + _tensor(tensor) for name, tensor in tensors.items())
    return b"\x80\x02" + b"ccollections\nOrderedDict\n)R" + b"(" + items + b"u" + b"."


def _tensor(tensor: Tensor) -> bytes:
    storage = f"ctorch\n{STORAGES[tensor.dtype][0]}\n".encode()
    identity = b"(" + _text("storage") + storage + _text(tensor.key) + _text("cpu") + _number(tensor.numel) + b"tQ"
    view = _number(tensor.offset) + _numbers(tensor.shape) + _numbers(tensor.strides)
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + identity + view + b"\x89ccollections\nOrderedDict\n)RtR"


def _text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def _number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value) if value < 1 << 31 else b"\x8a\x08" + struct.pack("<q", value)


def _numbers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(_number, values)) + b"t"
