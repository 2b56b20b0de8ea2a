"""The eval is run as a user would run it, and whatever becomes of it is one line here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from convert import ladder_eval
from convert.errors import ConversionError, InputError
from convert.ladder_eval import check, content_digest, evaluate, missing

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
    metrics = evaluate(tiny_gguf, scenarios, ["--limit", "1"], threads=1, gpu_layers=0)
    assert metrics["early_interruption"]["n"] == 1
    assert metrics["early_interruption"].keys() >= {"rate", "k", "n", "low", "high"}


def test_scenarios_or_options_that_do_not_exist_are_refused_in_the_evals_words(scenarios: str) -> None:
    with pytest.raises(InputError, match=r"^--eval nowhere: edge-chat: "):
        check("nowhere", [])
    with pytest.raises(InputError, match=r"short\.yaml: edge-chat: .*--nothing"):
        check(scenarios, ["--nothing"])


@pytest.mark.parametrize("option", ["--json", "--out=x", "--url", "--check", "--help"])
def test_options_that_would_keep_the_scores_from_the_ladder_are_refused(option: str) -> None:
    with pytest.raises(InputError, match=rf"^--eval-args {option}: the ladder plays each file itself"):
        check("pocket", ["--limit", "1", option, "x"])


def test_a_digest_is_of_the_sets_content(scenarios: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = content_digest(scenarios)
    Path(scenarios).write_text(SCENARIOS.replace("the time", "the place"))
    assert content_digest(scenarios) != first
    shipped = content_digest("pocket")
    (tmp_path / "pocket").write_text(SCENARIOS)
    monkeypatch.chdir(tmp_path)
    assert content_digest("pocket") == shipped  # as edge-chat takes it
    assert content_digest("./pocket") == first
    with pytest.raises(FileNotFoundError):
        content_digest("nowhere")


def test_a_server_that_does_not_start_is_told_with_its_reason(tmp_path: Path, scenarios: str) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ConversionError, match=r"edge-server run --model .*x\.gguf did not start: edge-server: "):
        evaluate(tmp_path / "x.gguf", scenarios, [], threads=1, gpu_layers=0)
    with pytest.raises(ConversionError, match="did not start: edge-server: --threads 1000000"):
        evaluate(tmp_path / "x.gguf", scenarios, [], threads=1_000_000, gpu_layers=0)


def test_an_eval_that_fails_is_told_with_its_reason(tiny_gguf: Path, scenarios: str) -> None:
    with pytest.raises(ConversionError, match=r"edge-chat eval .* failed \(exit code 2\): .*--limit"):
        evaluate(tiny_gguf, scenarios, ["--limit", "none"], threads=1, gpu_layers=0)


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert missing() == f"no eval: {tmp_path / 'edge-server'} is not there; the whole project has to be installed"
    for name in ("edge-server", "edge-chat"):
        (tmp_path / name).write_text('#!/bin/sh\n[ "$1" = run ]\n')  # an edge-chat without eval
        (tmp_path / name).chmod(0o700)
    assert missing() == "no eval: edge-chat eval does not work here"
    assert ladder_eval._command("edge-chat") == tmp_path / "edge-chat"
