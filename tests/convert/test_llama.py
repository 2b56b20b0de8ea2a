"""llama.cpp runs in a process of its own, and whatever becomes of that process is one error here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from convert import llama
from convert.errors import ConversionError
from convert.quantize import FILE_TYPES
from tests.convert.models import write_folder
from tests.convert.test_conversion import run

pytestmark = pytest.mark.real


def test_what_llama_cpp_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ConversionError, match=r"^llama\.cpp: "):
        llama.ask("check", path=str(tmp_path / "x.gguf"), texts=[])


def test_a_file_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    """llama.cpp's own words would be "basic_ios::clear: iostream error"."""
    run(write_folder(tmp_path / "m"), tmp_path / "m.gguf")
    options: dict[str, Any] = {"path": str(tmp_path / "m.gguf"), "out": str(tmp_path), "imatrix": None, "threads": 1}
    with pytest.raises(ConversionError, match=r"^llama\.cpp: the file cannot be written; is the disk full\?$"):
        llama.ask("quantize", file_type=FILE_TYPES["q8_0"], **options)


def test_a_crash_is_an_error_that_names_the_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    _replace_child(monkeypatch, "import os, sys; print('assertion failed', file=sys.stderr, flush=True); os.abort()")
    with pytest.raises(ConversionError, match=r"ended unexpectedly \(signal 6\): assertion failed"):
        llama.ask("check")


def test_a_child_that_ends_early_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    _replace_child(monkeypatch, "raise SystemExit(3)")
    with pytest.raises(ConversionError, match=r"ended unexpectedly \(exit code 3\)"):
        llama.ask("check")


def test_an_interruption_ends_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []
    _replace_child(monkeypatch, 'print(\'{"progress": "t"}\', flush=True); import time; time.sleep(600)', started)

    def interrupt(_name: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        llama.ask("quantize", interrupt)
    assert started[0].returncode == -9


def test_it_ends_when_the_converter_is_gone(tmp_path: Path) -> None:
    """After a kill nobody would rename or remove what it goes on writing."""
    run(write_folder(tmp_path / "m"), tmp_path / "m.gguf")
    with subprocess.Popen(
        [sys.executable, "-m", "convert.llama_child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.close()
        request = {"path": str(tmp_path / "m.gguf"), "out": str(tmp_path / "out"), "file_type": FILE_TYPES["q8_0"]}
        process.stdin.write(json.dumps({"task": "quantize", "imatrix": None, "threads": 1, **request}) + "\n")
        process.stdin.flush()
        assert process.wait(60) == 1


def _replace_child(
    monkeypatch: pytest.MonkeyPatch, program: str, started: list[subprocess.Popen[str]] | None = None
) -> None:
    real = subprocess.Popen

    def start(command: list[str], **options: Any) -> subprocess.Popen[str]:
        process = real([command[0], "-c", program], **options)
        if started is not None:
            started.append(process)
        return process

    monkeypatch.setattr(subprocess, "Popen", start)
