"""Every file form gives the same tensors; a file that lies, ends early or is hostile is refused in one line."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from convert.checkpoint import open_checkpoint, weight_files
from convert.errors import InputError
from tests.convert.models import as_bytes, config, random_weights, write_folder, write_json, write_safetensors_parts
from tests.convert.torch_zip import Tensor, storage_bytes, write_torch_zip

if TYPE_CHECKING:
    from numpy.typing import NDArray

DATA = Path(__file__).parent / "data"
FORMS = ["safetensors", "bin", "sharded-safetensors", "sharded-bin"]


@pytest.mark.parametrize("dtype", ["bf16", "f16", "f32"])
@pytest.mark.parametrize("form", FORMS)
def test_the_bits_of_every_tensor_come_through(tmp_path: Path, form: str, dtype: str) -> None:
    weights = random_weights(config())
    found = open_checkpoint(write_folder(tmp_path / "m", form=form, dtype=dtype))
    assert found.keys() == weights.keys()
    for name, tensor in found.items():
        assert tensor.dtype == dtype
        assert tensor.shape == weights[name].shape
        assert tensor.bits().tobytes() == as_bytes(weights[name], dtype)


def _values(tensor: Any) -> Any:
    if tensor.dtype == "bf16":
        return (tensor.bits().astype("<u4") << 16).view("<f4").tolist()
    return np.ascontiguousarray(tensor.bits()).view("<f2" if tensor.dtype == "f16" else "<f4").tolist()


def test_a_file_that_pytorch_wrote_is_read(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes((DATA / "state_dict.bin").read_bytes())
    found = {name: (tensor.dtype, _values(tensor)) for name, tensor in open_checkpoint(tmp_path).items()}
    eighths = [[column / 8 + row / 2 for column in range(4)] for row in range(3)]
    assert found == {
        "weight": ("bf16", eighths),
        "tied": ("bf16", eighths),
        "half": ("f16", [[-2.5, -1.5, -0.5], [0.5, 1.5, 2.5]]),
        "single": ("f32", [1.0, float(np.float32(-1e30)), float(np.float32(3.14159274))]),
        "parameter": ("f32", [0.5, 0.5]),
        "middle": ("f32", [[5.0, 6.0, 7.0], [8.0, 9.0, 10.0]]),
        "transposed": ("f32", [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]),
    }


def test_a_file_that_the_safetensors_library_wrote_is_read(tmp_path: Path) -> None:
    values: dict[str, NDArray[Any]] = {
        "a": np.arange(6, dtype=np.float16).reshape(2, 3),
        "b": np.array([1.5], np.float32),
    }
    save_file(values, tmp_path / "model.safetensors", metadata={"format": "pt"})
    found = open_checkpoint(tmp_path)
    assert {name: _values(tensor) for name, tensor in found.items()} == {n: v.tolist() for n, v in values.items()}


def test_safetensors_are_preferred_to_pickles() -> None:
    assert weight_files(["pytorch_model.bin", "model.safetensors.index.json"]) == "model.safetensors.index.json"
    assert weight_files(["pytorch_model.bin.index.json", "README.md"]) == "pytorch_model.bin.index.json"
    assert weight_files(["README.md"]) is None


def refused(folder: Path, message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        open_checkpoint(folder)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, form: str, share: float) -> None:
    folder = write_folder(tmp_path / "m", form=form)
    largest = max(folder.iterdir(), key=lambda path: path.stat().st_size)
    data = largest.read_bytes()
    largest.write_bytes(data[: int(len(data) * share)])
    refused(folder, "download it again")


def test_a_folder_without_weights_names_what_it_looked_for(tmp_path: Path) -> None:
    refused(tmp_path, r"no weights here; expected one of model\.safetensors, .*pytorch_model\.bin")


def test_pytorchs_old_format_is_named(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps({"a": 1}, 2))
    refused(tmp_path, "old format; load it with PyTorch and save it again")


def _bin(folder: Path, tensor: Tensor, data: bytes | None = None) -> None:
    content = storage_bytes(tensor) if data is None else data
    write_torch_zip(folder / "pytorch_model.bin", {"a": tensor}, {tensor.key: [content]})


def test_a_storage_of_another_size_is_refused(tmp_path: Path) -> None:
    _bin(tmp_path, Tensor("f32", (4,), "0", 4), bytes(15))
    refused(tmp_path, "tensor a: its storage has 15 bytes, not 16")


@pytest.mark.parametrize("tensor", [Tensor("f32", (5,), "0", 4), Tensor("f32", (2, 2), "0", 4, offset=1)])
def test_a_tensor_past_the_end_of_its_storage_is_refused(tmp_path: Path, tensor: Tensor) -> None:
    _bin(tmp_path, tensor)
    refused(tmp_path, "tensor a: .* reaches past the end of its storage")


def test_a_missing_storage_is_refused(tmp_path: Path) -> None:
    write_torch_zip(tmp_path / "pytorch_model.bin", {"a": Tensor("f32", (1,), "7", 1)}, {})
    refused(tmp_path, "its storage data/7 is missing")


def test_compressed_members_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pytorch_model.bin", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(1000))
    refused(tmp_path, "is compressed or encrypted")


def test_an_archive_without_a_pickle_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pytorch_model.bin", "w") as archive:
        archive.writestr("readme", "nothing")
    refused(tmp_path, "not a PyTorch checkpoint")


def test_big_endian_weights_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pytorch_model.bin", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
        archive.writestr("archive/byteorder", "big")
    refused(tmp_path, "not little-endian")


def test_a_directory_that_disagrees_with_its_members_is_refused(tmp_path: Path) -> None:
    _bin(tmp_path, Tensor("f32", (4,), "0", 4))
    path = tmp_path / "pytorch_model.bin"
    data = path.read_bytes()
    first = data.index(b"PK\3\4", 4)  # the second member's own header
    path.write_bytes(data[:first] + b"XX\3\4" + data[first + 4 :])
    refused(tmp_path, "disagree")


def _safetensors(folder: Path, header: Any, data: bytes = bytes(16)) -> None:
    write_safetensors_parts(folder / "model.safetensors", header, data)


def _entry(**changes: Any) -> dict[str, Any]:
    return {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16], **changes}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"a": _entry(data_offsets=[0, 20])}, "truncated: tensor a ends at byte"),
        ({"a": _entry(shape=[2, 3])}, "16 bytes do not make F32 of shape"),
        ({"a": _entry(dtype="I64")}, "type 'I64' is not supported"),
        ({"a": _entry(dtype=["F32"])}, "is not supported"),
        ({"a": _entry(shape=[-2, -2])}, "damaged"),
        ({"a": _entry(data_offsets=[16])}, "damaged"),
        ({"a": _entry(shape="22")}, "damaged"),
        ({"a": 3}, "is not supported"),
        ([1], "not a JSON object"),
        ({"a": _entry(shape=[2], data_offsets=[0, 8]), "b": _entry(shape=[2], data_offsets=[4, 12])}, "overlap"),
    ],
)
def test_a_safetensors_header_that_lies_is_refused(tmp_path: Path, header: Any, message: str) -> None:
    _safetensors(tmp_path, header)
    refused(tmp_path, message)


def test_a_safetensors_name_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    entry = json.dumps(_entry())
    text = f'{{"a": {entry}, "a": {entry}}}'.encode()
    (tmp_path / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(16))
    refused(tmp_path, "a name occurs twice")


@pytest.mark.parametrize("name", ["../model.bin", "/etc/model.bin", "a/b.bin", "..\\m.bin", "model.py", 7])
def test_an_index_that_points_elsewhere_is_refused(tmp_path: Path, name: Any) -> None:
    write_json(tmp_path / "pytorch_model.bin.index.json", {"weight_map": {"a": name}})
    refused(tmp_path, "not the plain name of a weights file")


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m", form="sharded-bin")
    (folder / "pytorch_model-00002-of-00002.bin").unlink()
    refused(folder, r"the shard pytorch_model-00002-of-00002\.bin is missing")


def test_an_index_and_its_shards_must_agree(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m", form="sharded-safetensors")
    index = folder / "model.safetensors.index.json"
    content = json.loads(index.read_text())
    first = "model-00001-of-00002.safetensors"
    write_json(index, {"weight_map": {**content["weight_map"], "extra": first}})
    refused(folder, "tensor extra, which .* places there, is missing")
    write_json(index, {"weight_map": dict.fromkeys(content["weight_map"], first)})
    refused(folder, "does not place there|is missing")


def test_an_index_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors.index.json").write_text("{")
    refused(tmp_path, "not valid JSON")
    write_json(tmp_path / "model.safetensors.index.json", {})
    refused(tmp_path, "has no weight_map")


def test_released_pages_are_read_again(tmp_path: Path) -> None:
    tensors = open_checkpoint(write_folder(tmp_path / "m"))
    tensor = tensors["model.embed_tokens.weight"]
    before = tensor.bits().copy()
    tensor.release()
    assert np.array_equal(tensor.bits(), before)
