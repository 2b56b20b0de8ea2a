"""What a person sees while a model loads, and what a log sees: nothing."""

from __future__ import annotations

import io
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path
from typing import TextIO

import pytest

from edge_server.llama import Model, ModelError
from edge_server.loading import Interruptible, loading, log_to_stderr
from tests.clients.emulator import Emulator

pytestmark = pytest.mark.real


class Window(Emulator):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    found = Window(80)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    log = logging.getLogger("edge_server")
    before = log.level
    log.setLevel(logging.WARNING)
    yield found
    log.setLevel(before)


def load(path: Path, stream: TextIO, *, interrupt: bool = False) -> None:
    with redirect_stderr(stream), Interruptible() as interruptible, loading(path, interruptible) as progress:
        if interrupt:
            os.kill(os.getpid(), signal.SIGINT)
        Model.load(path, on_progress=progress).close()


def test_a_terminal_sees_a_bar_that_is_gone_when_the_model_is_there(tiny_gguf: Path, window: Window) -> None:
    load(tiny_gguf, window)
    assert "loading tiny.gguf" in window.getvalue()
    assert "100%" in window.getvalue()
    assert window.lines == []


def test_a_model_that_cannot_be_loaded_leaves_no_bar(tmp_path: Path, window: Window) -> None:
    (tmp_path / "none.gguf").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelError, match="none"):
        load(tmp_path / "none.gguf", window)
    assert window.lines == []


def test_ctrl_c_on_the_way_takes_the_bar_away(tiny_gguf: Path, window: Window) -> None:
    with pytest.raises(KeyboardInterrupt):
        load(tiny_gguf, window, interrupt=True)
    assert "loading tiny.gguf" in window.getvalue()
    assert window.lines == []
    assert window.getvalue().endswith("\x1b[2K\x1b[?25h")  # the cursor at the beginning of an empty line


def test_a_log_and_a_terminal_without_a_cursor_see_nothing(
    tiny_gguf: Path, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    load(tiny_gguf, window)
    assert window.getvalue() == ""
    monkeypatch.setenv("TERM", "xterm")
    file = io.StringIO()
    load(tiny_gguf, file)
    assert file.getvalue() == ""


def test_a_verbose_log_is_not_torn_by_a_bar(tiny_gguf: Path, window: Window) -> None:
    levels = {name: logging.getLogger(name).level for name in ("edge_server", "llama.cpp", "websockets")}
    try:
        log_to_stderr(True)
        load(tiny_gguf, window)
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    assert "\x1b" not in window.getvalue()
