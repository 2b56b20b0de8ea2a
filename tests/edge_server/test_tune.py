"""`edge-server tune` as a command: a real search, what it prints, how it ends, what it says of bad input."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

import edge_server.command
from edge_server.config import Config
from edge_server.engine import RATION
from edge_server.tune import tune
from edge_server.tune_advice import Speeds
from edge_server.tune_search import OutOfTime, Setting
from edge_server.tune_works import Bench
from tests.tiny import write_tiny_gguf

pytestmark = pytest.mark.real
COMMAND = [sys.executable, "-c", "from edge_server.cli import main; main()", "tune"]


def tuning(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=150)


def run_options() -> dict[str, str]:
    """Options of `edge-server run`, with the name of their value in `Config`."""
    command = typer.main.get_command(edge_server.command.app)
    return {option: each.name or "" for each in command.commands["run"].params for option in each.opts}  # type: ignore[attr-defined]


def test_a_whole_search_ends_with_a_command_that_exists(tiny_gguf: Path) -> None:
    done = tuning("--model", str(tiny_gguf), "--seconds", "110", "--table", "--sessions", "2")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for option in ("--threads", "--flash-attention", "--kv-type", "--batch"):
        assert any(option in line for line in lines[:-1]), option
    assert "trying --threads" in done.stderr
    assert lines[0].startswith("tiny.gguf (")
    assert any("slices of 2 s" in line for line in lines)
    words = shlex.split(lines[-1])
    assert words[:2] == ["edge-server", "run"]
    options = run_options()
    given = {options[name]: value for name, value in zip(words[2::2], words[3::2], strict=True)}
    assert given["model"] == str(tiny_gguf)
    assert given["sessions"] == "2"
    kinds = {"threads": int, "batch": int, "ration": int, "sessions": int, "model": Path}
    config = Config(**{name: kinds.get(name, str)(value) for name, value in given.items()})
    assert config.threads is not None


def test_what_is_printed_elsewhere_than_on_a_terminal_is_short(tiny_gguf: Path) -> None:
    done = tuning("--model", str(tiny_gguf), "--seconds", "20", "--ctx", "100")
    assert done.returncode == 0, done.stderr
    assert not re.search(r"^[* ] --threads", done.stdout, re.MULTILINE)
    assert "\r" not in done.stdout + done.stderr
    assert f"--model {tiny_gguf} --ctx 100" in done.stdout.splitlines()[-1]


def test_where_the_time_ends_after_the_search_its_result_is_told(
    tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def over(_bench: Bench, _setting: Setting, _sessions: int) -> Speeds:
        raise OutOfTime

    monkeypatch.setattr(Bench, "speeds", over)
    tune(tiny_gguf, None, 4, None, -1, 110, True)
    lines = capsys.readouterr().out.splitlines()
    assert any(re.search(r"takes [\d.]+ s at 500 tokens of context$", line) for line in lines)
    assert lines[-1].startswith(f"edge-server run --model {tiny_gguf} --threads ")
    assert "--ration" not in lines[-1]


def test_time_that_suffices_for_nothing_is_told(tiny_gguf: Path) -> None:
    """Whatever came out of one second, it is a command or one line that says what to do."""
    done = tuning("--model", str(tiny_gguf), "--seconds", "1")
    if done.returncode == 0:
        assert done.stdout.splitlines()[-1].startswith("edge-server run ")
    else:
        assert done.returncode == 1
        assert "give more --seconds" in done.stderr.splitlines()[-1]


def test_ctrl_c_ends_it_quietly(tiny_gguf: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--model", str(tiny_gguf)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("filling")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert all(line.startswith(("trying", "measuring")) for line in err.splitlines()), err


def test_a_model_that_is_not_there_or_not_duplex(tmp_path: Path) -> None:
    plain = write_tiny_gguf(tmp_path / "plain.gguf", duplex=False)
    missing = tmp_path / "missing.gguf"
    for path, told in ((missing, "cannot read"), (plain, "no duplex model"), (tmp_path, "not a regular file")):
        done = tuning("--model", str(path))
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("edge-server: ")
        assert str(path) in done.stderr
        assert told in done.stderr
        assert done.stderr.count("\n") == 1


def test_options_that_cannot_be_used(tiny_gguf: Path) -> None:
    for option, value in (("--seconds", "0"), ("--ctx", "5"), ("--sessions", "0"), ("--slice-tokens", "0")):
        done = tuning("--model", str(tiny_gguf), option, value)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{option} {value}" in done.stderr
        assert done.stderr.count("\n") == 1


def test_help() -> None:
    done = tuning("--help")
    assert done.returncode == 0
    for option in ("--model", "--seconds", "--sessions", "--ctx", "--slice-tokens", "--no-table"):
        assert option in done.stdout


def test_the_defaults_of_run_are_the_engines(tmp_path: Path) -> None:
    assert Config(tmp_path).ration == RATION
