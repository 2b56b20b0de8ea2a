"""Contenders' processes: answers, failures, deaths."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.workers import BenchmarkError, Worker
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
