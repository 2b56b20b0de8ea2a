"""The shipped scenario sets: they can be read, cover the six categories, and ask what has one right answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import count

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
from clients.eval_scores import Case
from tests.clients.scenes import judged, rates

LEAST = {"general-en": 12, "general-zh": 12, "pocket": 40}  # conversations in each category
GENERAL = {"general-en": "en", "general-zh": "zh"}
POLITE = {"general-en": "Certainly! I can help you with that.", "general-zh": "好的，这个问题我来帮您回答。"}
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


def perfect(scenario: Scenario) -> list[list[str]]:
    """What an assistant might say that does all that is asked: its replies to the slices of each step.

    Of an answer it says the words that are checked, and else words that it never says twice.
    """
    words = (f" word{number}" for number in count())
    speaking = False
    replies: list[list[str]] = []
    for step in scenario.steps:
        told: list[str] = []
        if isinstance(step, Say) and step.kind in REQUESTS | {Kind.RESUME}:
            told = [" ".join((*check.has, *check.any[:1])) for check in (step.answer, step.back) if check is not None]
            told = told or [next(words)]
        if isinstance(step, Say) and step.slices is None:
            reply = [*told, "", "", ""]
        elif told or (speaking and isinstance(step, Say) and step.kind is Kind.NOISE):
            reply = (told + [next(words) for _ in range(step.slices or 0)])[: step.slices]
        else:
            reply = [""] * (step.slices or 0)
        speaking = bool(reply[-1])
        replies.append(reply)
    return replies


@general
def test_a_perfect_assistant_misses_nothing(name: str) -> None:
    for scenario in read_set(name).scenarios:
        scene = judged(scenario, *perfect(scenario))
        assert [(case.metric, case.step) for case in scene.outcomes if isinstance(case, Case) and case.missed] == []


@general
def test_every_step_of_a_general_set_is_a_case_for_a_perfect_assistant(name: str) -> None:
    found = read_set(name)
    kinds = Counter(say.kind for _, say in says(found))
    cases = {metric: n for metric, (_, n) in rates(*(judged(one, *perfect(one)) for one in found.scenarios)).items()}
    assert cases["success_reply"] == kinds[Kind.QUESTION]
    assert cases["success_interrupt"] == kinds[Kind.INTERRUPTION] + kinds[Kind.ASIDE] + kinds[Kind.STOP]
    assert cases["noise_interruption"] == kinds[Kind.NOISE]
    assert cases["termination"] == kinds[Kind.STOP]
    assert cases["back_on_topic"] == kinds[Kind.ASIDE]
    assert cases["resumption"] == kinds[Kind.RESUME]


@general
def test_an_assistant_that_is_silent_or_merely_polite_is_right_about_nothing(name: str) -> None:
    for said in ("", POLITE[name]):
        for scenario in read_set(name).scenarios:
            replies = [[said and reply and said for reply in step] for step in perfect(scenario)]
            cases = [one for one in judged(scenario, *replies).outcomes if isinstance(one, Case)]
            right = [one for one in cases if one.metric in ("right_answers", "interruption_reply") and one.happened]
            assert right == [], (scenario.id, said)
