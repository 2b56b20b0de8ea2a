"""A terminal sees a bar a stage, a log file one line a stage."""

from __future__ import annotations

import io
import re

import pytest

from convert.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(stream: io.StringIO) -> str:
    progress = Progress(stream)
    progress.stage("writing bf16", 200)
    for _ in range(4):
        progress.advance(50)
    progress.stage("verifying")
    progress.end()
    progress.end()
    return stream.getvalue()


def test_a_log_gets_one_line_a_stage() -> None:
    assert run(io.StringIO()) == "writing bf16\nverifying\n"


def test_a_terminal_sees_bars_and_whole_lines_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    text = re.sub(r"\x1b\[\??[\d;]*[A-Za-z]", "", run(Terminal()))
    first, second, last = text.split("\n")
    assert [re.sub(r"[━╸╺ ]+", " ", line) for line in first.split("\r")][:1] == ["writing bf16 0% -:--:--"]
    assert re.fullmatch(r"writing bf16 +━+ 100% 0:00:00 *", first.split("\r")[-1])
    assert second.startswith("verifying ")
    assert last == ""


def test_a_terminal_without_a_cursor_is_as_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert run(Terminal()) == "writing bf16\nverifying\n"
