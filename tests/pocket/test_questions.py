"""What is asked and answered: facts as they are, cuts that leave a request unfinished."""

from __future__ import annotations

from random import Random

import chinese
import facts
import pytest
import questions
import unknown
from asks import fill, joined, units
from hypothesis import given
from hypothesis import strategies as st
from questions import ask_of_kind
from slices import DuplexTokenizer
from templates import complete, request
from texts import TEXTS

LANGUAGES = ("en", "zh")
PIECES = DuplexTokenizer().inner_pieces
every_kind = st.sampled_from(
    [(lang, kind) for lang in LANGUAGES for kind in (*questions.kinds(lang), "piece", "any_story")]
)
seeds = st.integers(0, 2**32)


def test_there_are_a_hundred_countries_each_with_all_its_facts() -> None:
    assert len(facts.COUNTRIES) >= 100
    for countries in (facts.COUNTRIES, chinese.COUNTRIES):
        assert len({country.name for country in countries}) == len(countries)
        assert len({country.capital for country in countries}) == len(countries)
        for country in countries:
            assert all((country.name, country.capital, country.continent, country.currency, country.language))
    assert set(facts.ALIASES) <= {country.name for country in facts.COUNTRIES}


def test_unknown_places_are_no_known_ones_and_the_held_out_ones_are_not_trained() -> None:
    for countries, trained, held_out in (
        (facts.COUNTRIES, facts.UNKNOWN_PLACES, facts.UNKNOWN_PLACES_HELD_OUT),
        (chinese.COUNTRIES, chinese.UNKNOWN_PLACES, chinese.UNKNOWN_PLACES_HELD_OUT),
    ):
        known = {name for country in countries for name in (country.name, country.capital)}
        assert not known & {*trained, *held_out}
        assert not set(trained) & set(held_out)


def test_every_opposite_has_one_answer_and_every_month_one_season() -> None:
    sides = [word for pair in facts.OPPOSITES for word in pair]
    assert len(set(sides)) == len(sides)
    months = [month for season in facts.SEASONS.values() for month in season]
    assert sorted(months) == sorted(name for name, _ in facts.MONTHS)
    continents = {country.name: country.continent for country in facts.COUNTRIES}
    assert all(continents[name] == continent for continent, name in facts.EXAMPLES.items())


@given(which=every_kind, seed=seeds, held_out=st.booleans())
def test_every_cut_leaves_units_on_both_sides_and_nothing_of_a_template_is_left(
    which: tuple[str, str], seed: int, held_out: bool
) -> None:
    language, kind = which
    ask = ask_of_kind(Random(seed), kind, held_out=held_out, language=language)
    parts = units(ask.text)
    assert ask.language == language
    assert all(0 < cut < len(parts) for cut in ask.cuts)
    assert joined(parts) == ask.text
    assert not set("{}|@") & set(ask.text + ask.answer)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("what's 7+5, please?", ["what's", "7+5,", "please?"]),
        ("法国的首都是哪里？", ["法", "国", "的", "首", "都", "是", "哪", "里？"]),
        ("12加3等于几", ["12", "加", "3", "等", "于", "几"]),
        ("hi 你好 bye", ["hi", "你", "好", "bye"]),
    ],
)
def test_a_unit_is_a_word_or_a_chinese_character_with_its_mark(text: str, parts: list[str]) -> None:
    assert units(text) == parts
    assert units(joined(parts)) == parts


def test_a_request_is_cut_neither_behind_its_bar_nor_behind_a_bar_of_a_field() -> None:
    assert fill("", "the capital of {c}| is what", "", {"c": "the Netherlands"}).cuts == (1, 2, 3, 4)
    ask = fill("", "tell me about {t} please", "", {"t": "the fox| and the river"})
    assert ask.text == "tell me about the fox and the river please"
    assert ask.cuts == (1, 2, 3, 4)


def test_a_request_is_not_cut_behind_what_is_a_request_by_itself() -> None:
    assert complete()
    france = {"c": "France"}
    assert request("", "what is the capital of {c} called", "", france).cuts == (1, 2, 3, 4, 5)
    # "and Israel" asks what was asked before.
    assert request("", "{c} is on which continent", "", {"c": "Israel"}).cuts == (2, 3, 4)
    chinese_ask = request("", "请问{c}在哪里", "", {"c": "法国"}, "zh")
    assert joined(units(chinese_ask.text)[: max(chinese_ask.cuts)]) == "请问法国在"


@given(seed=seeds, kind=st.sampled_from(("plus", "minus", "times")))
def test_sums_are_right(seed: int, kind: str) -> None:
    words = ask_of_kind(Random(seed), kind).answer.rstrip(".").split()
    a, sign, b, _, result = words
    right = {"plus": int(a) + int(b), "minus": int(a) - int(b), "times": int(a) * int(b)}
    assert sign == kind
    assert int(result) == right[sign] >= 0


@given(seed=seeds, kind=st.sampled_from(("plus", "minus")))
def test_sums_in_chinese_are_right(seed: int, kind: str) -> None:
    answer = ask_of_kind(Random(seed), kind, language="zh").answer
    a, sign, b, _, _, result = units(answer.rstrip("。"))
    assert int(result) == (int(a) + int(b) if sign == "加" else int(a) - int(b)) >= 0


@given(seed=seeds)
def test_numbers_are_compared_rightly(seed: int) -> None:
    answer = ask_of_kind(Random(seed), "compared").answer.rstrip(".").split()
    if "bigger" in answer:
        assert int(answer[0]) > int(answer[-1])
    else:
        assert answer[-1] == ("odd" if int(answer[0]) % 2 else "even")


@given(seed=seeds, language=st.sampled_from(LANGUAGES))
def test_what_is_too_hard_is_said_to_be(seed: int, language: str) -> None:
    answers = {unknown.TOO_HARD_ANSWER, unknown.TOO_FAR_ANSWER, "这个我不会算。", "我只会数到20。"}
    assert ask_of_kind(Random(seed), "too_hard", language=language).answer in answers


@given(seed=seeds, held_out=st.booleans())
def test_what_is_unknown_is_not_what_is_known(seed: int, held_out: bool) -> None:
    """No name that chance puts together is that of a country, a city or something else with an answer."""
    ask = ask_of_kind(Random(seed), "unknown", held_out=held_out)
    assert ask.answer in (unknown.UNKNOWN_ANSWER, unknown.UNKNOWN_STORY_ANSWER)
    told = {piece.topic.split("|")[0] for piece in (*questions.pieces(), *TEXTS)}
    assert not any(ask.text.endswith((f"about {topic}", f"story of {topic}")) for topic in told)


@pytest.mark.parametrize(
    ("relation", "name", "answer"),
    [
        ("capital", "France", "The capital of France is Paris."),
        ("continent", "the Netherlands", "The Netherlands is in Europe."),
        ("currency", "Japan", "The currency of Japan is the yen."),
        ("language", "Brazil", "People in Brazil speak Portuguese."),
        ("capital_of", "Kenya", "Nairobi is the capital of Kenya."),
        ("capital", "法国", "法国的首都是巴黎。"),
        ("continent", "日本", "日本在亚洲。"),
        ("currency", "美国", "美国的货币是美元。"),
        ("language", "巴西", "巴西人说葡萄牙语。"),
        ("capital_of", "德国", "柏林是德国的首都。"),
    ],
)
def test_countries_are_spoken_of_in_one_way(relation: str, name: str, answer: str) -> None:
    language = "en" if name.isascii() else "zh"
    country = next(country for country in questions.countries(language) if country.name == name)
    assert questions.country_answer(relation, country, language) == answer
    ask = questions.country_ask(Random(1), relation, country, held_out=True, language=language)
    assert (ask.answer, ask.language) == (answer, language)


@given(seed=seeds, held_out=st.booleans(), language=st.sampled_from(LANGUAGES))
def test_names_can_be_said_back(seed: int, held_out: bool, language: str) -> None:
    name = questions.any_name(Random(seed), held_out=held_out, language=language)
    assert name in questions.name_greeting(language, name)
    assert name in questions.name_answer(language, name)
    assert len(units(name)) == (1 if language == "en" else len(name))
    assert name[0] == name[0].upper()


@given(seed=seeds)
def test_names_of_pieces_are_new_and_can_be_said_back(seed: int) -> None:
    name = questions.name_of(Random(seed), PIECES)
    assert name.isalpha()
    assert name == name.capitalize()
    assert 4 <= len(name) <= 9
    assert name not in facts.NAMES_HELD_OUT
    assert name in questions.name_greeting("en", name)


def test_nothing_is_cut_where_what_is_left_out_would_hardly_be_missed() -> None:
    for template, fields in (
        ("which continent is {c} in", {"c": "Peru"}),
        ("what would {a} times {b} be", {"a": "3", "b": "4"}),
        ("it is {x} today so what is tomorrow", {"x": "Monday"}),
        ("tell me the story of {t}", {"t": "the fox"}),
    ):
        ask = request("", template, "", fields)
        beginnings = {joined(units(ask.text)[:cut]) for cut in ask.cuts}
        assert beginnings
        spare = {"which continent is Peru", "what would 3 times 4", "it is Monday today", "tell me the story"}
        assert not beginnings & spare
    ask = request("", "能说说怎么做{t}吗", "", {"t": "茶"}, "zh")
    assert joined(units(ask.text)[: max(ask.cuts)]) == "能说说怎么做"
