"""What is asked and answered: facts as they are, cuts that leave a request unfinished."""

from __future__ import annotations

from random import Random

import facts
import pytest
import questions
from hypothesis import given
from hypothesis import strategies as st
from questions import KINDS, ask_of_kind

kinds = st.sampled_from((*KINDS, "piece", "any_story"))
seeds = st.integers(0, 2**32)


def test_there_are_a_hundred_countries_each_with_all_its_facts() -> None:
    assert len(facts.COUNTRIES) >= 100
    assert len({country.name for country in facts.COUNTRIES}) == len(facts.COUNTRIES)
    assert len({country.capital for country in facts.COUNTRIES}) == len(facts.COUNTRIES)
    for country in facts.COUNTRIES:
        assert all((country.name, country.capital, country.continent, country.currency, country.language))
    names = {country.name for country in facts.COUNTRIES}
    assert not names & {*facts.UNKNOWN_PLACES, *facts.UNKNOWN_PLACES_HELD_OUT}
    assert not set(facts.UNKNOWN_PLACES) & set(facts.UNKNOWN_PLACES_HELD_OUT)


@given(kind=kinds, seed=seeds, held_out=st.booleans())
def test_every_cut_leaves_words_on_both_sides(kind: str, seed: int, held_out: bool) -> None:
    ask = ask_of_kind(Random(seed), kind, held_out=held_out)
    assert all(0 < cut < len(ask.text.split()) for cut in ask.cuts)
    assert not set("{}|") & set(ask.text + ask.answer)


@given(seed=seeds, kind=st.sampled_from(("plus", "minus")))
def test_sums_are_right(seed: int, kind: str) -> None:
    words = ask_of_kind(Random(seed), kind).answer.rstrip(".").split()
    a, sign, b, _, result = words
    assert int(result) == (int(a) + int(b) if sign == "plus" else int(a) - int(b)) >= 0


@pytest.mark.parametrize(
    ("relation", "name", "answer"),
    [
        ("capital", "France", "The capital of France is Paris."),
        ("continent", "the Netherlands", "The Netherlands is in Europe."),
        ("currency", "Japan", "The currency of Japan is the yen."),
        ("language", "Brazil", "People in Brazil speak Portuguese."),
        ("capital_of", "Kenya", "Nairobi is the capital of Kenya."),
    ],
)
def test_countries_are_spoken_of_in_one_way(relation: str, name: str, answer: str) -> None:
    country = next(country for country in facts.COUNTRIES if country.name == name)
    assert questions.country_answer(relation, country) == answer
