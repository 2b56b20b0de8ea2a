"""A terminal sees one moving line a stage, a log file one line a stage."""

from __future__ import annotations

import io

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


def test_a_terminal_sees_the_share_and_whole_lines_at_the_end() -> None:
    text = run(Terminal())
    lines = [line.rpartition("\x1b[K")[2] for line in text.split("\n")]
    assert lines == ["writing bf16 100 %", "verifying", ""]
    assert "writing bf16   0 %" in text
