"""edge-chat eval and edge-server together, with the shipped model: the same seed gives the same figures."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.real
ROOT = Path(__file__).resolve().parent.parent

SET = """\
name: tour
about: what the pocket model knows
scenarios:
- id: capital
  category: basic
  language: en
  steps:
  - {say: what is the capital, as: unfinished}
  - {say: "of france?", as: question, answer: {has: [paris]}}
- id: story
  category: termination
  language: en
  steps:
  - {say: tell me a story, as: question, slices: 3}
  - {say: uh-huh, as: noise}
  - {say: stop please, as: stop}
  - silent: 3
  - {say: go on, as: resume, slices: 3, back: {lacks: [sorry]}}
- id: aside
  category: back_on_topic
  language: en
  steps:
  - {say: tell me a story, as: question, slices: 2}
  - {say: what is two plus three?, as: aside, answer: {has: [5]}, back: {lacks: [sorry]}}
- id: reset
  category: reset
  language: en
  steps:
  - {say: tell me a story, as: question, slices: 2}
  - {say: forget it what is two, as: unfinished}
  - {say: plus three?, as: interruption, answer: {has: [5]}}
"""


@contextmanager
def serving(model: Path, *options: str) -> Iterator[str]:
    """The address of a server process with this model."""
    command = [sys.executable, "-c", "from edge_server.cli import main; main()", "run", "--model", str(model)]
    process = subprocess.Popen(
        [*command, "--port", "0", "--chat-port", "0", "--threads", "1", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        match = re.match(r"ready duplex (\S+)", process.stdout.readline())
        assert match, "the server did not start"
        yield match[1]
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


@pytest.fixture(scope="module")
def pocket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model that ships with the project, converted as `make setup` does it."""
    out = tmp_path_factory.mktemp("pocket") / "pocket.gguf"
    command = [sys.executable, "-c", "from convert.cli import main; main()", "pocket", "--out", str(out)]
    subprocess.run(command, check=True, timeout=120, cwd=ROOT, capture_output=True)
    return out


def evaluate(folder: Path, url: str, *options: str) -> tuple[dict[str, Any], str]:
    """The figures but for milliseconds, and what was said on standard error."""
    scenarios, report = folder / "tour.yaml", folder / "report.json"
    scenarios.write_text(SET)
    command = [sys.executable, "-c", "from clients.cli import main; main()", "eval", str(scenarios), "--url", url]
    done = subprocess.run(
        [*command, "--json", str(report), *options], cwd=ROOT, capture_output=True, text=True, timeout=150
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(report.read_text())
    for group in (found["metrics"], *found["by_category"].values(), *found["by_language"].values()):
        del group["response_latency_ms"]
    return found, done.stderr


def test_the_same_seed_gives_the_same_figures_however_it_is_played(pocket: Path, tmp_path: Path) -> None:
    with serving(pocket, "--sessions", "1") as url:
        first, said = evaluate(tmp_path, url)
    assert said == ""
    # The scenario's seed goes before the server's, and nothing depends on what is played before.
    with serving(pocket, "--seed", "7", "--no-look-ahead") as url:
        out = ("--out", str(tmp_path / "out.jsonl"))
        some, _ = evaluate(tmp_path, url, *out, "--category", "reset", "--category", "termination")
        assert some["scenarios"] == 2
        assert evaluate(tmp_path, url, *out)[0] == first
    metrics = first["metrics"]
    assert (first["scenarios"], first["ended_early"]) == (4, 0)
    assert metrics["early_interruption"]["n"] == 2
    assert metrics["success_reply"]["n"] == 4
    assert metrics["success_interrupt"]["n"] + metrics["success_interrupt"]["skipped"] == 3
    assert metrics["right_answers"]["k"] + metrics["interruption_reply"]["k"] >= 1, "it has been heard"


def test_it_also_plays_with_a_server_that_is_told_to_be_the_references(pocket: Path, tmp_path: Path) -> None:
    with serving(pocket, "--compat", "upstream", "--temperature", "0") as url:
        found, said = evaluate(tmp_path, url, "--clock", "1", "--category", "basic")
    assert said == "edge-chat: the server does not report slices (duplex.report): playing one every 1 s\n"
    assert found["scenarios"] == 1
    assert found["metrics"]["success_reply"]["n"] == 1
