"""A result is taken again in the circumstances that it was measured in, and in no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from convert.errors import InputError
from convert.ladder_store import Store, alone

KEY = {"source": "a", "arguments": ("x", 1)}


def test_what_is_put_is_there_for_the_next_run(tmp_path: Path) -> None:
    Store(tmp_path).put("q4_0", "quality", KEY, {"kl": 0.1})
    Store(tmp_path).put("q4_0", "speed", {}, {"decode": 2.0})
    assert Store(tmp_path).get("q4_0", "quality", KEY) == {"kl": 0.1}
    assert Store(tmp_path).get("q4_0", "speed", {}) == {"decode": 2.0}
    assert [path.name for path in tmp_path.iterdir()] == ["q4_0.json"]


def test_other_circumstances_rungs_and_parts_have_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("q4_0", "quality", KEY, {"kl": 0.1})
    assert store.get("q4_0", "quality", {**KEY, "source": "b"}) is None
    assert store.get("q4_0", "quality", {"source": "a"}) is None
    assert store.get("q4_0", "speed", KEY) is None
    assert store.get("q4_0+imatrix", "quality", KEY) is None
    store.put("q4_0", "quality", {"source": "b"}, {"kl": 0.2})
    assert store.get("q4_0", "quality", KEY) is None


def test_a_fresh_store_knows_only_its_own(tmp_path: Path) -> None:
    Store(tmp_path).put("q4_0", "quality", KEY, {"kl": 0.1})
    store = Store(tmp_path, fresh=True)
    assert store.get("q4_0", "quality", KEY) is None
    store.put("q4_0", "quality", KEY, {"kl": 0.2})
    assert store.get("q4_0", "quality", KEY) == {"kl": 0.2}


def test_two_ladders_do_not_measure_into_one_folder(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(InputError, match="another edge-convert ladder measures into it; wait"):
        alone(tmp_path).__enter__()
    with alone(tmp_path):
        pass


def test_a_damaged_file_is_as_good_as_none(tmp_path: Path) -> None:
    for content in ('{"quality": ', "[]", '{"quality": 3}', '{"quality": {"key": {}}}'):
        (tmp_path / "q4_0.json").write_text(content)
        assert Store(tmp_path).get("q4_0", "quality", {}) is None
    Store(tmp_path).put("q4_0", "quality", KEY, {"kl": 0.1})
    assert Store(tmp_path).get("q4_0", "quality", KEY) == {"kl": 0.1}
