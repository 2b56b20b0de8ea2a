"""The pickle of a state dict is read; any other pickle is refused by name, and none runs."""

from __future__ import annotations

import collections
import os
import pickle
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convert.errors import InputError
from convert.state_dict import StorageRef, TensorRef, read_state_dict
from tests.convert.torch_zip import Tensor, state_dict_pickle

TENSORS = {"a": Tensor("bf16", (2, 3), "0", 6), "b": Tensor("f32", (4,), "1", 10, offset=5)}


def test_names_types_shapes_and_places_are_read() -> None:
    assert read_state_dict(state_dict_pickle(TENSORS), "f") == {
        "a": TensorRef(StorageRef("bf16", "0", 6), 0, (2, 3), (3, 1)),
        "b": TensorRef(StorageRef("f32", "1", 10), 5, (4,), (1,)),
    }


class Hostile:
    """Leaves a mark when it is unpickled."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> Any:
        return self._call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "function", [os.mkdir, subprocess.getoutput, eval, exec, __import__, getattr, open, os.system, pickle.loads]
)
def test_a_hostile_pickle_is_refused_by_name_and_runs_nothing(tmp_path: Path, function: Any, protocol: int) -> None:
    mark = tmp_path / "mark"
    argument = {os.mkdir: str(mark), eval: f"__import__('os').mkdir({str(mark)!r})"}.get(function, f"mkdir {mark}")
    data = pickle.dumps({"weight": Hostile(function, argument)}, protocol)
    with pytest.raises(InputError) as refusal:
        read_state_dict(data, "model.bin")
    assert not mark.exists()
    assert "\n" not in str(refusal.value)
    if protocol >= 2:
        assert function.__name__ in str(refusal.value)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"\x80\x02cposix\nsystem\n.", "posix.system"),
        (b"\x80\x04\x8c\x05posix\x8c\x06system\x93.", "posix.system"),
        (b"(S'true'\niposix\nsystem\n.", "STRING"),
        (b"(X\x04\x00\x00\x00trueiposix\nsystem\n.", "posix.system"),
        (b"\x80\x02ctorch._utils\n_rebuild_tensor\n.", "torch._utils._rebuild_tensor"),
        (b"\x80\x02ctorch\nDoubleStorage\n.", "torch.DoubleStorage"),
        (b"\x80\x02c__builtin__\ndict\n)\x81.", "__builtin__.dict"),
        (b"\x80\x02ccollections\nOrderedDict\n)\x81.", "NEWOBJ"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"\x80\x02ccollections\nOrderedDict\n}b.", "attributes"),
    ],
)
def test_everything_outside_the_list_is_refused_by_name(data: bytes, named: str) -> None:
    with pytest.raises(InputError, match=named.replace(".", r"\.")):
        read_state_dict(data, "model.bin")


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ([1, 2], "list"),
        ({"a": 1}, "entry 'a' is not a tensor"),
        ({"model": {"a": None}}, "entry 'model' is not a tensor"),
        (collections.OrderedDict(step="x"), "entry 'step' is not a tensor"),
    ],
)
def test_other_content_than_tensors_is_refused(state: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_state_dict(pickle.dumps(state, 2), "model.bin")


def test_a_name_that_occurs_twice_is_refused() -> None:
    data = state_dict_pickle({"a": TENSORS["a"]})
    items = data[data.index(b"(X") + 1 : -2]
    with pytest.raises(InputError, match="occurs twice"):
        read_state_dict(data.replace(items, items * 2), "f")


@pytest.mark.parametrize("value", [-1, 1 << 62])
def test_sizes_outside_any_file_are_refused(value: int) -> None:
    with pytest.raises(InputError, match="where a size belongs"):
        read_state_dict(state_dict_pickle({"a": Tensor("f32", (1,), "0", 1, offset=value)}), "f")


def test_a_huge_memo_index_takes_no_memory() -> None:
    """Python's own unpickler would make room for two thousand million entries."""
    data = state_dict_pickle({}).removesuffix(b".") + b"r\xff\xff\xff\x7f."
    assert read_state_dict(data, "f") == {}


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_damage_ends_in_a_refusal_or_in_tensors(data: st.DataObject) -> None:
    """Whatever bytes change, nothing else than `InputError` comes out."""
    pickled = bytearray(state_dict_pickle(TENSORS))
    for _ in range(data.draw(st.integers(1, 3))):
        pickled[data.draw(st.integers(0, len(pickled) - 1))] = data.draw(st.integers(0, 255))
    try:
        state = read_state_dict(bytes(pickled[: data.draw(st.integers(1, len(pickled)))]), "f")
    except InputError:
        return
    assert all(isinstance(tensor, TensorRef) for tensor in state.values())
