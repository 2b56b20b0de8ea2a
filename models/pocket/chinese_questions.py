"""Requests in Chinese and their answers, as `questions.py` has them in English.

Knows the Chinese tables; `questions.py` alone calls it. Every function draws from the `random.Random` that it is given
and from nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import chinese
from asks import Ask
from chinese_phrasings import FOLLOW_UPS, REQUESTS
from templates import request

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from facts import Country
    from pieces import Piece

    Draw = Callable[[Random, bool], Ask]


def _request(rng: Random, held_out: bool, kind: str, form: str, answer: str, **fields: str) -> Ask:
    template = rng.choice(REQUESTS[form].choose_from(held_out=held_out))
    return request(kind, template, answer, fields, "zh")


def country_answer(relation: str, country: Country) -> str:
    """What is said of a country: `relation` is capital, continent, currency or language."""
    name = country.name
    return {
        "capital": f"{name}的首都是{country.capital}。",
        "continent": f"{name}在{country.continent}。",
        "currency": f"{name}的货币是{country.currency}。",
        "language": f"{name}人说{country.language}。",
    }[relation]


def country_ask(rng: Random, relation: str, country: Country, *, held_out: bool) -> Ask:
    return _request(rng, held_out, relation, relation, country_answer(relation, country), c=country.name)


def follow_up(rng: Random, relation: str, country: Country, *, held_out: bool) -> Ask:
    """The same relation, asked for another country right afterwards."""
    template = rng.choice(FOLLOW_UPS.choose_from(held_out=held_out))
    return request("follow_up", template, country_answer(relation, country), {"c": country.name}, "zh")


def piece_ask(rng: Random, piece: Piece, *, held_out: bool) -> Ask:
    return _request(rng, held_out, "piece", piece.form, piece.text, t=piece.topic)


def any_story(rng: Random, held_out: bool) -> Ask:
    return _request(rng, held_out, "any_story", "any_story", chinese.PIECES[0].text)


def _relation(relation: str) -> Draw:
    return lambda rng, held_out: country_ask(rng, relation, rng.choice(chinese.COUNTRIES), held_out=held_out)


def _sum(kind: str) -> Draw:
    def draw(rng: Random, held_out: bool) -> Ask:
        a, b = rng.randint(0, 10), rng.randint(0, 10)
        if kind == "minus":
            a, b = max(a, b), min(a, b)
        answer = f"{a}加{b}等于{a + b}。" if kind == "plus" else f"{a}减{b}等于{a - b}。"
        return _request(rng, held_out, kind, kind, answer, a=str(a), b=str(b))

    return draw


def _small_talk(rng: Random, held_out: bool) -> Ask:
    talk = rng.choice(chinese.SMALL_TALK)
    return request("small_talk", rng.choice(talk.held_out if held_out else talk.trained), talk.answer, None, "zh")


# Every kind, how it is drawn, and how often in training.
KINDS: dict[str, tuple[Draw, float]] = {
    "capital": (_relation("capital"), 10.0),
    "continent": (_relation("continent"), 5.0),
    "currency": (_relation("currency"), 6.0),
    "language": (_relation("language"), 6.0),
    "plus": (_sum("plus"), 8.0),
    "minus": (_sum("minus"), 7.0),
    "small_talk": (_small_talk, 12.0),
}
SHORT_KINDS: tuple[str, ...] = tuple(KINDS)
