"""The file of what was played: kept line by line, gone on with, and never mixed with another evaluation's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clients.eval_played import Played
from clients.eval_record import Record, RecordError
from tests.clients.scenes import PARIS, heard, say, scene

pytestmark = pytest.mark.real

SETTINGS: dict[str, Any] = {"set": "kitchen", "digest": "0f", "seed": 1, "clock": None, "patience": 3}


def some(id_: str, words: str = PARIS) -> Played:
    return heard(scene(say("the capital", "question"), id_=id_), [words, "", "", ""])


def keep(path: Path, *played: Played, fresh: bool = False) -> dict[str, Played]:
    """What the file holds afterwards."""
    record = Record(path, SETTINGS, fresh=fresh)
    for one in played:
        record.add(one)
    record.close()
    return record.played


def test_what_is_kept_is_there_again_whatever_was_said(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    first, second = some("one"), some("two", 'new\nline "quoted" 巴黎 \u2028')
    keep(path, first)
    assert keep(path) == {"one": first}
    assert keep(path, second) == {"one": first, "two": second}
    assert keep(path) == {"one": first, "two": second}
    assert [list(json.loads(line)) for line in path.read_text().splitlines()[:1]] == [["edge-chat eval", *SETTINGS]]


def test_two_evaluations_do_not_write_to_one_file(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    record = Record(path, SETTINGS)
    record.add(some("one"))
    for fresh in (False, True):
        with pytest.raises(RecordError, match=r"another edge-chat eval writes to .*: wait for its end, or give"):
            Record(path, SETTINGS, fresh=fresh)
    record.add(some("two"))
    record.close()
    assert list(keep(path)) == ["one", "two"]


def test_a_line_may_break_off_within_a_character(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    keep(path, some("one"), some("two", "巴黎"))
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index("黎".encode()) + 1])
    assert keep(path, some("two", "巴黎")) == {"one": some("one"), "two": some("two", "巴黎")}
    assert path.read_bytes() == whole


def test_a_file_with_other_line_ends_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    keep(path, some("one"), some("two"))
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    keep(path, some("three"))
    assert keep(path) == {name: some(name) for name in ("one", "two", "three")}


def test_a_line_that_was_being_written_is_dropped_and_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    keep(path, some("one"), some("two"))
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        held = keep(path)
        assert set(held) <= {"one", "two"}
        again = keep(path, *(some(name) for name in ("one", "two") if name not in held))
        assert again == {"one": some("one"), "two": some("two")}
        assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"seed": 2}, "belongs to another evaluation (seed 1 instead of 2): give another --out, or --fresh"),
        ({"digest": "1f", "set": "x"}, "(set kitchen instead of x, digest 0f instead of 1f)"),
        ({"clock": 2.0}, "(clock unknown instead of 2.0)"),
    ],
)
def test_a_file_of_another_evaluation_is_refused_and_left_alone(
    tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    path = tmp_path / "out.jsonl"
    keep(path, some("one"))
    before = path.read_bytes()
    with pytest.raises(RecordError) as refused:
        Record(path, SETTINGS | change)
    assert complaint in str(refused.value)
    assert path.read_bytes() == before
    Record(path, SETTINGS | change, fresh=True).close()
    with pytest.raises(RecordError):
        keep(path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"a diary\n", "holds something else"),
        (b"{}\n", "holds something else"),
        (b'{"notes": "a line without an end"}', "holds something else"),
        (b"9" * 9999 + b"\n", "holds something else"),
        (b"[" * 999_999 + b"\n", "holds something else"),
        (b"\xff\xff\n", "is not a text file"),
        (None, "is broken in line 3"),
    ],
)
def test_a_file_that_is_something_else_is_refused_and_left_alone(
    tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    path = tmp_path / "out.jsonl"
    keep(path, some("one"))
    content = content or path.read_bytes() + b'{"id": "two", "complete": true, "slices": [{"step": "0"}]}\n'
    path.write_bytes(content)
    with pytest.raises(RecordError, match=complaint):
        keep(path)
    assert path.read_bytes() == content


def test_a_place_where_nothing_can_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"cannot use the results .*: No such file or directory"):
        keep(tmp_path / "none" / "out.jsonl")
    with pytest.raises(RecordError, match="Is a directory"):
        keep(tmp_path)
