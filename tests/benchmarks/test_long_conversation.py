"""The long conversation, in small: real engine, tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.long_conversation import HEADER, main, parse

pytestmark = pytest.mark.real


def run(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[list[str], list[list[float | None]]]:
    """Its lines, and the rows of its JSON."""
    assert main([*options]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    return lines, json.loads(last)["rows"]


@pytest.mark.parametrize("look_ahead", [(), ("--look-ahead",)])
def test_every_line_counts_its_own_slices(
    capsys: pytest.CaptureFixture[str], tiny_gguf: Path, look_ahead: tuple[str, ...]
) -> None:
    options = ("--model", str(tiny_gguf), "--ctx", "192", "--slices", "60", "--every", "30", *look_ahead)
    lines, rows = run(capsys, *options)
    assert " ".join(lines[0].split()) == " ".join(HEADER)
    assert [line.split() for line in lines[1:]] == [["-" if n is None else str(n) for n in row] for row in rows]
    assert [row[0] for row in rows] == [30, 60]
    for row in rows:
        slides, reused, prefilled, decoded, twice = row[5:]
        assert slides
        assert reused
        assert prefilled
        assert decoded
        assert twice == 0


def test_a_model_that_is_not_there_is_told_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--model", str(tmp_path / "none.gguf")]) == 2
    told = capsys.readouterr().err
    assert told.startswith("long_conversation: ")
    assert told.count("\n") == 1


@pytest.mark.parametrize("every", ["0", "11"])
def test_a_line_needs_slices(every: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--slices", "10", "--every", every])
    assert ended.value.code == 2
    assert "--every must be 1 to --slices" in capsys.readouterr().err
