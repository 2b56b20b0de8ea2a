"""The eval is run as a user would run it, and whatever becomes of it is one line here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from convert import ladder_eval
from convert.errors import ConversionError, InputError
from convert.ladder_eval import check, evaluate, missing

pytestmark = pytest.mark.real

SCENARIOS = """
name: short
about: for any model
scenarios:
- id: one
  category: basic
  language: en
  steps:
  - say: what is
    as: unfinished
  - say: the time
    as: question
    slices: 2
"""


@pytest.fixture
def scenarios(tmp_path: Path) -> str:
    path = tmp_path / "short.yaml"
    path.write_text(SCENARIOS)
    return str(path)


def test_a_model_is_scored_through_server_and_client(tiny_gguf: Path, scenarios: str) -> None:
    assert missing() is None
    check(scenarios, ["--limit", "1"])
    metrics = evaluate(tiny_gguf, scenarios, ["--limit", "1"], gpu_layers=0)
    assert metrics["early_interruption"]["n"] == 1
    assert metrics["early_interruption"].keys() >= {"rate", "k", "n", "low", "high"}


def test_scenarios_or_options_that_do_not_exist_are_refused_in_the_evals_words(scenarios: str) -> None:
    with pytest.raises(InputError, match=r"^--eval nowhere: edge-chat: "):
        check("nowhere", [])
    with pytest.raises(InputError, match=r"short\.yaml: edge-chat: .*--nothing"):
        check(scenarios, ["--nothing"])


def test_a_server_that_does_not_start_is_told_with_its_reason(tmp_path: Path, scenarios: str) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ConversionError, match=r"edge-server run --model .*x\.gguf did not start: edge-server: "):
        evaluate(tmp_path / "x.gguf", scenarios, [], gpu_layers=0)


def test_an_eval_that_fails_is_told_with_its_reason(tiny_gguf: Path, scenarios: str) -> None:
    with pytest.raises(ConversionError, match=r"edge-chat eval .* failed \(exit code 2\): .*--limit"):
        evaluate(tiny_gguf, scenarios, ["--limit", "none"], gpu_layers=0)


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert missing() == f"no eval: {tmp_path / 'edge-server'} is not there; the whole project has to be installed"
    for name in ("edge-server", "edge-chat"):
        (tmp_path / name).write_text('#!/bin/sh\n[ "$1" = run ]\n')  # an edge-chat without eval
        (tmp_path / name).chmod(0o700)
    assert missing() == "no eval: edge-chat eval does not work here"
    assert ladder_eval._command("edge-chat") == tmp_path / "edge-chat"
