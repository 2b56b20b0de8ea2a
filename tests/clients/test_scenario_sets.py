"""The shipped scenario sets: they can be read, cover the six categories, and ask what has one right answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from clients.eval_matching import holds
from clients.eval_scenarios import (
    CATEGORIES,
    REQUESTS,
    Kind,
    Say,
    Scenario,
    ScenarioSet,
    Silent,
    read_set,
    shipped_sets,
)

LEAST = {"general-en": 12, "general-zh": 12, "pocket": 40}  # conversations in each category
GENERAL = {"general-en": "en", "general-zh": "zh"}
HAN = re.compile("[\u4e00-\u9fff]")
# What a conversation of a category is about: at least one step is of this kind.
TELLING = {
    "basic": Kind.QUESTION,
    "interweaving": Kind.QUESTION,
    "termination": Kind.STOP,
    "regeneration": Kind.INTERRUPTION,
    "reset": Kind.INTERRUPTION,
    "back_on_topic": Kind.ASIDE,
}
ON_ITS_WAY = frozenset({Kind.INTERRUPTION, Kind.ASIDE, Kind.STOP})  # said while the assistant speaks

shipped = pytest.mark.parametrize("name", sorted(shipped_sets()))
general = pytest.mark.parametrize("name", sorted(GENERAL))


def says(scenarios: ScenarioSet) -> Iterator[tuple[Scenario, Say]]:
    for scenario in scenarios.scenarios:
        for step in scenario.steps:
            if isinstance(step, Say):
                yield scenario, step


@shipped
def test_a_set_can_be_read_and_is_called_like_its_file(name: str) -> None:
    found = read_set(name)
    assert found.name == name
    assert len({one.id for one in found.scenarios}) == len(found.scenarios)


@shipped
def test_every_category_has_its_conversations(name: str) -> None:
    counts = Counter(one.category for one in read_set(name).scenarios)
    assert {category: counts[category] for category in CATEGORIES if counts[category] < LEAST.get(name, 1)} == {}


@shipped
def test_a_conversation_does_what_its_category_says(name: str) -> None:
    for scenario in read_set(name).scenarios:
        kinds = {step.kind for step in scenario.steps if isinstance(step, Say)}
        assert TELLING[scenario.category] in kinds, scenario.id


@shipped
def test_no_two_conversations_are_the_same(name: str) -> None:
    said = Counter(one.steps for one in read_set(name).scenarios)
    assert [steps for steps, count in said.items() if count > 1] == []


def test_the_general_sets_are_shipped() -> None:
    assert set(GENERAL) <= set(shipped_sets())


@general
def test_a_slice_is_what_two_seconds_of_speech_give(name: str) -> None:
    for scenario, say in says(read_set(name)):
        assert scenario.language == GENERAL[name]
        if scenario.language == "zh":
            assert re.fullmatch(r"[\u4e00-\u9fffa-z]{1,12}", say.words), (scenario.id, say.words)
            assert HAN.search(say.words)
        else:
            assert re.fullmatch(r"[a-z' -]+", say.words), (scenario.id, say.words)
            assert len(say.words.split()) <= 7, (scenario.id, say.words)


@general
def test_an_unfinished_request_is_finished(name: str) -> None:
    finishing = REQUESTS | {Kind.UNFINISHED, Kind.STOP}
    for scenario in read_set(name).scenarios:
        for one, following in zip(scenario.steps, [*scenario.steps[1:], None], strict=True):
            if isinstance(one, Say) and one.kind is Kind.UNFINISHED:
                assert isinstance(following, Say), scenario.id
                assert following.kind in finishing, scenario.id


@general
def test_an_interruption_comes_while_a_long_answer_is_going_on(name: str) -> None:
    for scenario in read_set(name).scenarios:
        listened: int | None = None
        going_on = False
        for step in scenario.steps:
            if isinstance(step, Silent) or step.kind is Kind.UNFINISHED:
                continue
            if step.kind in ON_ITS_WAY:
                assert going_on, (scenario.id, step.words)
                assert listened is not None
                assert listened >= 2, (scenario.id, step.words)
            if step.kind in REQUESTS or step.kind is Kind.RESUME:
                listened, going_on = step.slices, step.slices is not None
            elif step.kind is Kind.STOP:
                going_on = False


@general
def test_after_a_stop_is_listened_for_some_silence(name: str) -> None:
    for scenario in read_set(name).scenarios:
        for one, following in zip(scenario.steps, [*scenario.steps[1:], None], strict=True):
            if isinstance(one, Say) and one.kind is Kind.STOP:
                assert isinstance(following, Silent), scenario.id
                assert following.slices >= 2, scenario.id


@general
def test_nearly_every_request_says_what_is_right(name: str) -> None:
    requests = [say for _, say in says(read_set(name)) if say.kind in REQUESTS]
    assert sum(say.answer is None for say in requests) <= len(requests) / 100


@general
def test_what_an_answer_must_have_is_not_what_it_must_lack(name: str) -> None:
    for scenario, say in says(read_set(name)):
        for check in (say.answer, say.back):
            if check is not None and check.lacks:
                wanted = " ".join((*check.has, *check.any[:1]))
                assert holds(check, wanted), (scenario.id, say.words)


@general
def test_an_answer_to_an_aside_does_not_pass_for_going_back(name: str) -> None:
    for scenario, say in says(read_set(name)):
        if say.kind is Kind.ASIDE:
            assert say.answer is not None
            assert say.back is not None
            assert not holds(say.back, " ".join((say.words, *say.answer.has, *say.answer.any))), scenario.id
