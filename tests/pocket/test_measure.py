"""What is measured: the conversations before a case, the room it takes, and that what is not right counts as a miss."""

from __future__ import annotations

from ast import literal_eval
from pathlib import Path
from random import Random

import pytest
import questions
from conversation import Conversation
from measure import (
    BEHAVIOURS,
    CONTEXT_END,
    OWN_KINDS,
    Case,
    Tally,
    answered_kinds,
    earlier,
    right_answer,
    room_of,
)
from slices import DuplexTokenizer
from speech import LANGUAGES


@pytest.fixture(scope="module")
def tokenizer() -> DuplexTokenizer:
    return DuplexTokenizer()


def test_a_tally_keeps_what_was_missed() -> None:
    tally = Tally()
    assert tally.share == 0
    for passed in (True, False, True, True):
        tally.add(passed, f"case {tally.count}")
    assert (tally.right, tally.count, tally.share, tally.misses) == (3, 4, 0.75, ["case 1"])


@pytest.mark.parametrize("room", sorted({behaviour.room for behaviour in BEHAVIOURS}))
def test_an_earlier_conversation_leaves_the_room_that_was_asked_for(tokenizer: DuplexTokenizer, room: int) -> None:
    for seed in range(2):
        talk = earlier(f"room/{seed}", tokenizer, room)
        assert room <= CONTEXT_END - len(talk.tokens) <= room + 80
        assert talk.pairs[-1].heard is not None


def _asked(user: Conversation, kind: str) -> questions.Ask:
    """A request of this kind, and before it what it refers to."""
    if kind == "name":
        user.answer(user.name_told())
        user.answer(questions.ask_of_kind(user.rng, "small_talk", held_out=True, language=user.language))
        return user.name_asked()
    if kind in ("follow_up", "reference"):
        one, two = user.rng.sample(questions.countries(user.language), 2)
        user.answer(user.country_ask("currency", one))
        return user.other_relation(one, "currency") if kind == "reference" else user.other_country("currency", two)
    return questions.ask_of_kind(user.rng, kind, held_out=True, language=user.language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_kind_that_is_measured_has_one_answer_and_fits_its_room(tokenizer: DuplexTokenizer, language: str) -> None:
    for kind in answered_kinds(language):
        answers: dict[str, str] = {}
        for seed in range(20):
            user = Conversation(Random(seed), tokenizer, held_out=True, languages=(language,))
            ask = _asked(user, kind)
            user.answer(ask)
            assert len(user.tokens) <= room_of(kind), (kind, ask.text)
            if kind not in OWN_KINDS[2:]:  # the answer to those depends on what was said before
                assert answers.setdefault(ask.text, ask.answer) == ask.answer, kind


@pytest.mark.real
def test_what_a_random_model_says_is_a_miss_that_tells_what_was_asked_and_said(
    tiny_gguf: Path, tokenizer: DuplexTokenizer
) -> None:
    from driver import Talk

    from edge_server.backend import Backend
    from edge_server.config import Config

    unfinished = next(behaviour for behaviour in BEHAVIOURS if behaviour.name == "silent on an unfinished question")
    config = Config(tiny_gguf, ctx=512, sessions=1, threads=1, gpu_layers=0, look_ahead=False)
    spoken = 0
    with Backend(tiny_gguf, config) as backend:
        handle = backend.engine.open()
        for seed in range(5):
            for check in (right_answer("capital"), unfinished.check):
                case = Case(f"random/{seed}", Talk(backend, handle), tokenizer, None)
                passed, told = check(case)
                asked, said = (literal_eval(text) for text in told.split(": ", 1))
                assert asked
                assert passed == (check is unfinished.check and not said)
                spoken += bool(said)
        handle.close()
    assert spoken > 5, "a model that says nothing would prove little"
