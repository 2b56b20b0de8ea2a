"""The idle bias' curve: what is kept, shown and refused; and one measured in small."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.idle_bias import LATENCY, RATES, Curve, Point, _run, draw, main, parse, table

SETTINGS = {"model": "m.gguf", "seed": 1}
SET = """\
name: small
about: two questions, for a model that says anything
scenarios:
- id: unfinished
  category: basic
  language: en
  steps:
  - {say: what is the, as: unfinished}
  - {say: capital of france, as: question, slices: 2, answer: {has: [Paris]}}
- id: finished
  category: basic
  language: en
  steps:
  - {say: stop, as: question, slices: 2}
"""


def point(slice_tokens: int, idle_bias: float, rate: float | None = 0.25, latency: float | None = 1.5) -> Point:
    rates: dict[str, Any] = {
        name: {"rate": rate, "k": 1, "n": 4, "low": 0.1, "high": 0.5}
        if rate is not None
        else {"rate": None, "k": 0, "n": 0, "low": None, "high": None}
        for name in RATES
    }
    spread = {"mean": latency, "p50": latency, "p95": latency, "n": 4, "low": latency, "high": latency}
    return {
        "slice_tokens": slice_tokens,
        "idle_bias": idle_bias,
        "seconds": 1.0,
        "metrics": {**rates, LATENCY: spread},
    }


@pytest.fixture
def scenarios(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SET)
    return path


def test_points_are_kept_as_they_come_and_a_second_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "idle_bias.json"
    first = Curve(path, SETTINGS)
    for one in (point(15, 2.0), point(15, -1.0), point(10, 0.0)):
        first.add(one)
    second = Curve(path, SETTINGS)
    assert second.points == [point(10, 0.0), point(15, -1.0), point(15, 2.0)]
    assert (15, 2) in second
    assert (10, 2.0) not in second
    assert Curve(path, SETTINGS, fresh=True).points == []
    assert [each.name for each in tmp_path.iterdir()] == ["idle_bias.json"]
    assert json.loads(path.read_text())["settings"] == SETTINGS


def test_a_curve_of_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "idle_bias.json"
    Curve(path, SETTINGS).add(point(15, 2.0))
    with pytest.raises(ValueError, match="was measured with another seed: give another --out"):
        Curve(path, {**SETTINGS, "seed": 2})
    with pytest.raises(ValueError, match="was measured with another model: give another --out"):
        Curve(path, {"seed": 1})
    for broken in ("", "[]", '{"settings": {}}', '{"settings": {}, "points": [1]}', '{"settings": [], "points": []}'):
        path.write_text(broken)
        with pytest.raises(ValueError, match="is no such file"):
            Curve(path, SETTINGS)


def test_the_table_has_a_row_a_point_and_a_dash_for_what_had_no_cases() -> None:
    head, rule, *rows = table([point(10, -0.5), point(15, 20.0, rate=None, latency=None)]).splitlines()
    assert head.count("|") == rule.count("|") == rows[0].count("|") == 2 + len(RATES) + 2
    assert rows[0].startswith("| 10 | -0.5 | 25.0 % (10.0 - 50.0, n 4) | ")
    assert rows[0].endswith("| 1.50 (p95 1.5) |")
    assert rows[1] == "| 15 | 20 | - | - | - | - | - |"


def test_the_plot_is_the_same_for_the_same_points_and_takes_points_without_replies(tmp_path: Path) -> None:
    points = [point(10, -1.0), point(10, 0.0, 0.5, 2.0), point(15, 20.0, None, None)]
    paths = [tmp_path / "one.svg", tmp_path / "two.svg"]
    for path in paths:
        draw(points, "title", path)
    one, two = (path.read_bytes() for path in paths)
    assert one == two
    assert one.startswith(b"<?xml")


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--biases=1,x", "no list of numbers"),
        ("--biases=21", "not -20 to 20"),
        ("--biases=nan", "not -20 to 20"),
        ("--slice-tokens=0", "not 1 to 256"),
        ("--slice-tokens=1.5", "whole numbers"),
        ("--temperature=-1", "--temperature"),
        ("--limit=0", "1 or more"),
    ],
)
def test_an_option_that_cannot_be_used(option: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse([option])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_a_model_or_a_set_that_is_not_there(
    tmp_path: Path, scenarios: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.gguf"
    out = ["--out", str(tmp_path / "out")]
    assert main(["--model", str(model), "--set", str(scenarios), *out]) == 2
    model.write_bytes(b"GGUF")
    assert main(["--model", str(model), "--set", "no-such-set", *out]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2
    assert told[0] == f"idle_bias: cannot use {model}: No such file or directory"
    assert "no-such-set" in told[1]


@pytest.mark.real
def test_a_curve_of_a_tiny_model(
    tmp_path: Path, tiny_gguf: Path, scenarios: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = ["--model", str(tiny_gguf), "--set", str(scenarios), "--slice-tokens", "10", "--out", str(out)]
    assert main([*command, "--biases=20"]) == 0
    capsys.readouterr()
    assert main([*command, "--biases=20,-20"]) == 0  # goes on: one of them is there
    shown = capsys.readouterr()
    assert shown.err.count("--idle-bias") == 1
    points = json.loads((out / "idle_bias.json").read_text())["points"]
    assert [one["idle_bias"] for one in points] == [-20, 20]
    quick, silent = (one["metrics"] for one in points)
    assert (quick["early_interruption"]["k"], silent["early_interruption"]["k"]) == (1, 0)
    assert quick["early_interruption"]["n"] == silent["early_interruption"]["n"] == 1
    assert (quick["success_reply"]["rate"], silent["success_reply"]["rate"]) == (1.0, 0.0)
    assert shown.out == table(points)
    assert (out / "idle_bias.md").read_text().endswith(shown.out)
    assert (out / "idle_bias.svg").stat().st_size > 1000


@pytest.mark.real
def test_a_server_that_does_not_start_is_told_in_one_line(
    tmp_path: Path, scenarios: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(b"GGUF" + bytes(200))
    out = ["--out", str(tmp_path / "out")]
    assert main(["--model", str(model), "--set", str(scenarios), "--biases=0", *out]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("idle_bias: edge-server ended with exit code 2")
    assert str(model) in last


@pytest.mark.real
def test_a_second_ctrl_c_leaves_no_evaluation_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    wait = subprocess.Popen.wait

    def interrupted_twice(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        started.append(process)
        if len(started) <= 2:
            raise KeyboardInterrupt
        return wait(process, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted_twice)
    with pytest.raises(KeyboardInterrupt):
        _run([sys.executable, "-c", "import time; time.sleep(60)"], "at once")
    assert started[0].returncode is not None


@pytest.mark.real
def test_ctrl_c_ends_all_of_it_and_keeps_what_is_finished(tmp_path: Path, tiny_gguf: Path, scenarios: Path) -> None:
    model = tmp_path / "model.gguf"  # a name that no other process has on its command line
    shutil.copy(tiny_gguf, model)
    out = tmp_path / "out"
    biases = ",".join(f"{number / 100:g}" for number in range(100))
    options = [f"--biases={biases}", "--slice-tokens", "10", "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.idle_bias", "--model", str(model), "--set", str(scenarios), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    try:
        for _ in range(600):
            if (out / "idle_bias.json").exists() or process.poll() is not None:
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        shown, told = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, told
    assert shown == ""
    assert told.splitlines()[-1].startswith("idle_bias: stopped; ")
    assert 1 <= len(json.loads((out / "idle_bias.json").read_text())["points"]) < 100
    assert commands_with(str(tmp_path)) == []


def commands_with(text: str) -> list[str]:
    """The command lines of running processes that hold `text`; none where the system does not tell."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue  # it has ended
        if text in command:
            found.append(command)
    return found
