"""The scenario set and the transcripts that the generator writes, and that the shipped ones are these."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
import yaml
from make_scenarios import EACH, SCENARIOS, TRANSCRIPT_COUNT, TRANSCRIPTS, files

# How often each thing has to happen for a share of a few percent to mean something.
LEAST = {
    "unfinished": 250, "question": 400, "stop": 120, "interruption": 200, "noise": 150, "aside": 60, "resume": 40,
}  # fmt: skip


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return {path.name: content for path, content in files().items()}


@pytest.fixture(scope="module")
def scenarios(written: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(written[SCENARIOS.name])["scenarios"]
    return found


def test_the_shipped_files_are_what_the_generator_writes(written: dict[str, str]) -> None:
    for path in (SCENARIOS, TRANSCRIPTS):
        assert path.read_text(encoding="utf-8") == written[path.name], "make pocket-data writes them"


def test_every_category_has_as_many_conversations_every_fourth_in_chinese(scenarios: list[dict[str, Any]]) -> None:
    languages = Counter((one["category"], one["language"]) for one in scenarios)
    assert set(languages.values()) == {EACH // 4, EACH - EACH // 4}
    assert len(languages) == 12


def test_everything_happens_often_enough_to_be_measured(scenarios: list[dict[str, Any]]) -> None:
    kinds = Counter(step.get("as") for one in scenarios for step in one["steps"])
    assert {kind: kinds[kind] for kind in LEAST if kinds[kind] < LEAST[kind]} == {}


def test_what_is_interrupted_is_not_over_yet(scenarios: list[dict[str, Any]]) -> None:
    """A piece is listened to for fewer slices than it has words for, ten at the most."""
    seen = 0
    for one in scenarios:
        for step, following in zip(one["steps"], one["steps"][1:], strict=False):
            if step.get("as") == "question" and "slices" in step and following.get("as") in ("stop", "noise", "aside"):
                assert len(step["answer"]["text"]) > 12 * step["slices"]
                seen += 1
    assert seen > 100


def test_half_of_the_transcripts_are_in_phrasings_that_are_held_out(written: dict[str, str]) -> None:
    talks = [json.loads(line) for line in written[TRANSCRIPTS.name].splitlines()]
    assert [talk["split"] for talk in talks] == ["train", "test"] * (TRANSCRIPT_COUNT // 2)
    assert {talk["language"] for talk in talks} == {"en", "zh", "en+zh"}
    kinds = {(user is None, assistant is None) for talk in talks for user, assistant in talk["pairs"]}
    assert len(kinds) == 4
