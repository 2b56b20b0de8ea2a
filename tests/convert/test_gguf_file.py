"""What is written is what is read; float types are converted exactly or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convert.checkpoint import StoredTensor, open_checkpoint
from convert.errors import InputError
from convert.gguf_file import (
    Header,
    cast,
    float_types,
    read_header,
    tensor_bytes,
    type_name,
    write_header,
    write_weights,
)
from convert.metadata import string, uint32
from convert.minicpm import PlannedTensor, read_config, rotary_rows
from convert.state_dict import DType
from tests.convert.models import Floats, config, random_weights, write_folder

PLAN = read_config(config(), "c").tensors()


def write(path: Path, folder: Path, matrices: DType) -> tuple[Header, dict[str, StoredTensor]]:
    stored = open_checkpoint(folder)
    header = write_header(path, [string("general.name", "x"), uint32("n", 7)], PLAN, float_types(PLAN, matrices))
    write_weights(path, header, PLAN, stored, lambda _size: None)
    return header, stored


def test_the_file_is_stretched_before_the_weights_are_written(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    header = write_header(path, [], PLAN, float_types(PLAN, "bf16"))
    assert read_header(path) == header
    assert path.stat().st_size >= max(record.offset for record in header.tensors.values())
    assert all(record.offset % 32 == 0 for record in header.tensors.values())


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    weights = random_weights(config())
    header, _ = write(tmp_path / "a.gguf", write_folder(tmp_path / "m", weights=weights), "f32")
    assert read_header(tmp_path / "a.gguf") == header
    assert header.metadata == {"general.architecture": "minicpm", "general.name": "x", "n": 7}
    data = (tmp_path / "a.gguf").read_bytes()
    for tensor in PLAN:
        record = header.tensors[tensor.name]
        values = np.frombuffer(data, "<f4", np.prod(tensor.shape, dtype=int), record.offset).reshape(record.shape)
        expected = weights[tensor.source]
        if tensor.rotary_heads:
            expected = expected[rotary_rows(len(expected), tensor.rotary_heads)]
        assert np.array_equal(values, expected), tensor.name


def test_vectors_stay_float32(tmp_path: Path) -> None:
    types = float_types(PLAN, "bf16")
    assert {types[tensor.name] for tensor in PLAN if len(tensor.shape) == 1} == {"f32"}
    assert {types[tensor.name] for tensor in PLAN if len(tensor.shape) == 2} == {"bf16"}


def test_progress_counts_every_byte_of_the_checkpoint(tmp_path: Path) -> None:
    stored = open_checkpoint(write_folder(tmp_path / "m", dtype="bf16"))
    header = write_header(tmp_path / "a.gguf", [], PLAN, float_types(PLAN, "f32"))
    told: list[int] = []
    write_weights(tmp_path / "a.gguf", header, PLAN, stored, told.append)
    assert sum(told) == sum(tensor.nbytes for tensor in stored.values())


@pytest.mark.parametrize("dtype", ["bf16", "f16", "f32"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_not_finite_is_refused_with_its_tensors_name(tmp_path: Path, bad: float, dtype: str) -> None:
    weights = random_weights(config())
    weights["model.layers.1.mlp.up_proj.weight"][95, 63] = bad
    folder = write_folder(tmp_path / "m", weights=weights, dtype=dtype)
    with pytest.raises(InputError, match=r"tensor model\.layers\.1\.mlp\.up_proj\.weight holds NaN or infinite"):
        write(tmp_path / "a.gguf", folder, "f32")


@pytest.mark.parametrize(("quant", "value"), [("f16", 70000.0), ("bf16", 3.4e38)])
def test_a_weight_too_large_for_the_type_is_refused(tmp_path: Path, quant: DType, value: float) -> None:
    weights: Floats = random_weights(config())
    weights["model.embed_tokens.weight"][3, 3] = value
    with pytest.raises(InputError, match=f"embed_tokens.* after conversion to {quant}; choose another --quant"):
        write(tmp_path / "a.gguf", write_folder(tmp_path / "m", weights=weights), quant)


finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


def bits(values: list[float], dtype: str = "<f4") -> Any:
    with np.errstate(over="ignore"):
        array = np.array(values, dtype)
    return array.view(f"<u{array.itemsize}")


@settings(max_examples=12, deadline=None)
@given(st.lists(finite, min_size=1, max_size=20))
def test_narrowing_takes_the_nearest_value(values: list[float]) -> None:
    exact = np.array(values, "<f4")
    with np.errstate(over="ignore"):
        assert np.array_equal(cast(bits(values), "f32", "f16"), exact.astype("<f2").view("<u2"))
    found = cast(bits(values), "f32", "bf16").astype("<u4")
    for step in (-1, 1):  # no neighbour among the bf16 numbers lies closer
        neighbour = ((found.astype("<i8") + step) % (1 << 16)).astype("<u4")
        with np.errstate(invalid="ignore"):
            error = np.abs((found << 16).view("<f4").astype(float) - exact)
            other = np.abs((neighbour << 16).view("<f4").astype(float) - exact)
        assert all((error <= other) | ~np.isfinite(other) | ~np.isfinite(error))


def test_ties_go_to_the_even_number() -> None:
    halfway = np.array([0x3F808000, 0x3F818000, 0x3F808001, 0x3F817FFF], "<u4")
    assert cast(halfway, "f32", "bf16").tolist() == [0x3F80, 0x3F82, 0x3F81, 0x3F81]


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(0, 0x7F7F), min_size=1, max_size=20))
def test_widening_is_exact(numbers: list[int]) -> None:
    half = np.array(numbers, "<u2")
    assert np.array_equal(cast(cast(half, "bf16", "f32"), "f32", "bf16"), half)
    half &= np.uint16(0x7BFF)
    assert np.array_equal(cast(cast(half, "f16", "f32"), "f32", "f16"), half)


def test_a_strided_view_is_written_in_its_own_order(tmp_path: Path) -> None:
    data = Path(__file__).parent / "data" / "state_dict.bin"
    (tmp_path / "pytorch_model.bin").write_bytes(data.read_bytes())
    plan = [PlannedTensor("t", "transposed", (3, 2)), PlannedTensor("m", "middle", (2, 3))]
    header = write_header(tmp_path / "a.gguf", [], plan, float_types(plan, "f32"))
    write_weights(tmp_path / "a.gguf", header, plan, open_checkpoint(tmp_path), lambda _size: None)
    written = (tmp_path / "a.gguf").read_bytes()
    assert np.frombuffer(written, "<f4", 6, header.tensors["t"].offset).tolist() == [0, 3, 1, 4, 2, 5]
    assert np.frombuffer(written, "<f4", 6, header.tensors["m"].offset).tolist() == [5, 6, 7, 8, 9, 10]


def test_type_names_and_sizes() -> None:
    assert [type_name(number) for number in (0, 1, 12, 30, 42, 99)] == ["f32", "f16", "q4_k", "bf16", "q2_0", "type 99"]
    assert tensor_bytes((2, 256), "q4_k") == 2 * 144
    assert tensor_bytes((2, 64), "q2_0") == 64  # 36, up to the next multiple of the alignment


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF\x02\0\0\0" + bytes(16), b"\x00" * 64])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.gguf").write_bytes(content)
    with pytest.raises(InputError, match="not a GGUF file, or damaged"):
        read_header(tmp_path / "x.gguf")


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_a_damaged_header_is_refused_or_read(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.gguf"
    plan = PLAN[:2]
    write_header(path, [string("general.name", "x")], plan, float_types(plan, "f32"))
    content = bytearray(path.read_bytes()[:200])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    try:
        read_header(path)
    except InputError:
        return
