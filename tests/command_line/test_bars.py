"""Bars on a terminal: what, how far, how long; and what is left of them, in windows of several widths."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from command_line.bars import Bar, is_live
from tests.clients.emulator import Emulator

ROOT = Path(__file__).resolve().parents[2]


class Window(Emulator):
    def isatty(self) -> bool:
        return True


@pytest.fixture(params=[30, 50, 80, 120])
def window(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Window:
    monkeypatch.setenv("COLUMNS", str(request.param))
    monkeypatch.setenv("TERM", "xterm")
    return Window(request.param)


@pytest.mark.parametrize("in_bytes", [True, False])
def test_a_bar_is_one_line_that_tells_how_far_it_is(window: Window, in_bytes: bool) -> None:
    bar = Bar("writing", 4_000_000, window, in_bytes=in_bytes)
    bar.start()
    for _ in range(3):
        bar.advance(1_000_000)
    bar.show(2_000_000)
    bar.advance(0)
    bar.close()
    bar.close()
    assert len(window.lines) == 1
    if window.columns >= 50:
        assert window.lines[0].startswith("writing ")
        assert " 50%" in window.lines[0]
    assert ("2.0/4.0 MB" in window.lines[0]) == (in_bytes and window.columns >= 80)


def test_what_cannot_be_counted_leaves_how_long_it_took(window: Window) -> None:
    bar = Bar("verifying", 0, window)
    bar.start()
    bar.close()
    assert window.text.split() == ["verifying", "0:00:00"]


def test_a_bar_that_is_not_kept_leaves_nothing(window: Window) -> None:
    bar = Bar("loading [a] model.gguf", 1.0, window, keep=False)
    bar.start()
    bar.show(0.3)
    assert window.columns < 50 or "loading [a] model.gguf" in window.getvalue()
    bar.show(1.0)
    bar.close()
    assert window.lines == []
    assert window.getvalue().endswith("\x1b[?25h")  # the cursor is back


def test_a_long_name_is_cut_and_the_rest_stays_on_its_line(window: Window) -> None:
    bar = Bar("q4_k_m+imatrix: predicting 4,130 tokens of " + "many " * 30, 100, window)
    bar.start()
    bar.advance(50)
    bar.close()
    assert len(window.lines) == 1


def test_without_color_the_bar_is_drawn_all_the_same(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    bar = Bar("writing", 100, window)
    bar.start()
    bar.advance(50)
    bar.close()
    assert "\x1b[3" not in window.getvalue()
    assert window.columns < 50 or " 50%" in window.text


def test_only_a_terminal_with_a_cursor_is_drawn_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert is_live(Window(80))
    assert not is_live(io.StringIO())
    monkeypatch.setenv("TERM", "dumb")
    assert not is_live(Window(80))


@pytest.mark.real
@pytest.mark.parametrize("seed", range(3))
def test_ctrl_c_at_any_moment_leaves_the_cursor_visible(seed: int) -> None:
    """A conversion's own handler raises wherever it is; here at some line of the bars' own code, or rich's."""
    code = f"""
import random, sys
from convert.progress import Progress
from tests.clients.emulator import Emulator
class Window(Emulator):
    def isatty(self):
        return True
random.seed({seed})
for moment in range(60):
    left, window = random.randrange(1, 4000), Window(80)
    def trace(frame, event, argument):
        global left
        left -= 1
        if left == 0:
            raise KeyboardInterrupt
        return trace if "rich" in frame.f_code.co_filename or "convert" in frame.f_code.co_filename else None
    progress = Progress(window)
    try:
        try:
            sys.settrace(trace)
            progress.stage("one", 100)
            progress.advance(50)
            progress.stage("two")
            progress.end()
        finally:
            sys.settrace(None)
            progress.end()
    except KeyboardInterrupt:
        pass
    hidden, shown = (window.getvalue().rfind(f"\\x1b[?25{{letter}}") for letter in "lh")
    assert shown >= hidden, repr(window.getvalue()[-200:])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm", "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
