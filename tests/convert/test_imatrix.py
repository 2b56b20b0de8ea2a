"""Both formats of importance matrices are read; one for another model is refused."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFWriter

from convert.errors import InputError
from convert.imatrix import check_imatrix, read_imatrix
from convert.minicpm import PlannedTensor, read_config
from tests.convert.models import config


def write_gguf(path: Path, sums: dict[str, list[float]], count: float = 4.0) -> Path:
    """As llama-imatrix writes it now: sums of squares, and how many tokens they are of."""
    writer = GGUFWriter(path, "imatrix")
    for name, values in sums.items():
        writer.add_tensor(f"{name}.in_sum2", np.array([values], np.float32))
        writer.add_tensor(f"{name}.counts", np.array([[count]], np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_legacy(path: Path, sums: dict[str, list[float]], calls: int = 4) -> Path:
    data = struct.pack("<i", len(sums))
    for name, values in sums.items():
        data += struct.pack("<i", len(name)) + name.encode() + struct.pack("<ii", calls, len(values))
        data += np.array(values, "<f4").tobytes()
    path.write_bytes(data + struct.pack("<i", 10))
    return path


WRITERS = [write_gguf, write_legacy]
SUMS = {"blk.0.attn_q.weight": [4.0, 8.0], "blk.0.ffn_up.weight": [0.0, 2.0]}


@pytest.mark.parametrize("write", WRITERS)
def test_means_are_read(tmp_path: Path, write: Callable[..., Path]) -> None:
    path = write(tmp_path / "i", SUMS)
    assert {name: values.tolist() for name, values in read_imatrix(path).items()} == {
        "blk.0.attn_q.weight": [1.0, 2.0],
        "blk.0.ffn_up.weight": [0.0, 0.5],
    }


def test_an_input_that_was_never_seen_counts_like_any_other(tmp_path: Path) -> None:
    entries = read_imatrix(write_gguf(tmp_path / "i", SUMS, count=0.0))
    assert entries["blk.0.attn_q.weight"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("share", [0, 0.05, 0.2, 0.5, 0.8])
def test_a_truncated_file_is_refused(tmp_path: Path, write: Callable[..., Path], share: float) -> None:
    path = write(tmp_path / "i", SUMS)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match=r"importance matrix|GGUF file|truncated"):
        read_imatrix(path)


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"importance of blk\.0\.x is not finite"):
        read_imatrix(write_gguf(tmp_path / "i", {"blk.0.x": [float("nan")]}))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_imatrix(tmp_path / "none")


def test_it_must_cover_the_models_matrices(tmp_path: Path) -> None:
    plan = read_config(config(), "c").tensors()
    full = {tensor.name: np.ones(tensor.shape[-1], np.float32) for tensor in plan if tensor.name.startswith("blk.")}
    check_imatrix(tmp_path, full, plan)
    del full["blk.1.ffn_down.weight"]
    with pytest.raises(InputError, match=r"has 0 values for blk\.1\.ffn_down\.weight, which has 96 inputs"):
        check_imatrix(tmp_path, full, plan)
    other = [PlannedTensor("blk.0.attn_q.weight", "q", (8, 8))]
    with pytest.raises(InputError, match=r"has 64 values .* made for another model"):
        check_imatrix(tmp_path, full, other)
