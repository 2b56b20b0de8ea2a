"""Contenders' processes: answers, failures, deaths."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import UserDict
from collections.abc import ItemsView
from pathlib import Path

import pytest

from benchmarks import workers
from benchmarks.workers import BenchmarkError, Worker, end_process, start_process
from tests.benchmarks.tiny import write_tiny

pytestmark = pytest.mark.real


def test_a_process_that_dies_is_reported_with_what_it_said_last(tmp_path: Path) -> None:
    with (
        (tmp_path / "log").open("w+b") as log,
        Worker("benchmarks.raw", str(tmp_path / "none.gguf"), "64", "1", "64", "1", "-1", log=log) as raw,
        pytest.raises(BenchmarkError, match=r"the raw process ended with exit code 1 at 'hello': .*none.gguf is no"),
    ):
        raw.ask("hello")


def test_a_failure_is_an_answer_and_the_process_goes_on(tmp_path: Path) -> None:
    path = write_tiny(tmp_path)
    with (
        (tmp_path / "log").open("w+b") as log,
        Worker("benchmarks.raw", str(path), "256", "1", "64", "1", "-1", log=log) as raw,
    ):
        with pytest.raises(BenchmarkError, match="failed at 'slice': RuntimeError: llama_decode returned"):
            raw.ask("slice", tokens=[1] * 300, count=1)
        assert raw.ask("hello")["cells"] == 256
    assert raw._process.returncode is not None


class _Pressing(UserDict[str, str]):
    """An environment in whose reading, in the middle of a start, Ctrl-C is pressed."""

    def items(self) -> ItemsView[str, str]:
        signal.raise_signal(signal.SIGINT)
        return super().items()


SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_ctrl_c_while_a_process_starts_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int | None] = []

    def note(process: subprocess.Popen[bytes]) -> None:
        end_process(process)
        ended.append(process.returncode)

    monkeypatch.setattr(workers, "end_process", note)
    with pytest.raises(KeyboardInterrupt):
        start_process(SLEEP, env=_Pressing())
    assert ended == [-signal.SIGTERM]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_that_is_ignored_is_ignored_while_a_process_starts_too() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = start_process(SLEEP, env=_Pressing())
        assert process.poll() is None
        end_process(process)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
