"""What a recognizer makes of noise: many forms, none of them held out, none that says something."""

from __future__ import annotations

from random import Random

import pytest
from junk import JUNK, heard_junk
from phrasings import SAYINGS
from speech import LANGUAGES, plain, says_something_alone

DRAWS = 6000


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def heard(language: str) -> set[str]:
    rng = Random(1)
    return {heard_junk(rng, language, held_out=False) for _ in range(DRAWS)}


def test_junk_has_many_forms_and_all_that_are_written_down_are_among_them(language: str, heard: set[str]) -> None:
    assert len(heard) > 500
    assert set(JUNK[language].trained) <= heard
    assert {text[0] for text in heard} > set("[(*")


def test_no_held_out_junk_is_trained_whatever_its_marks(language: str, heard: set[str]) -> None:
    marks = str.maketrans("", "", ".?!…,，。 ")
    kept = {text.lower().translate(marks) for text in JUNK[language].held_out}
    assert not kept & {text.lower().translate(marks) for text in heard}
    rng = Random(1)
    assert {heard_junk(rng, language, held_out=True) for _ in range(300)} == set(JUNK[language].held_out)


def test_junk_asks_for_nothing_and_begins_nothing(language: str, heard: set[str]) -> None:
    """What begins a question is met with silence: an opening that is junk too is never cut from its question."""
    said = SAYINGS[language]
    silencing = {plain(text) for text in (*said.stops.trained, *said.stops.held_out, *said.again.trained)}
    silencing |= {plain(text) for text in (*said.go_on.trained, *said.asides.trained, *said.resets.trained)}
    bare = {plain(text) for text in heard}
    assert not bare & silencing
    assert all(says_something_alone(lead, language) for lead in said.leads if plain(lead) in bare)
