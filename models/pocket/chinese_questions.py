"""Requests in Chinese and their answers, as `questions.py` has them in English.

Knows the Chinese tables; `questions.py` alone calls it. Every function draws from the `random.Random` that it is given
and from nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import chinese
import chinese_talk
from asks import Ask, units
from chinese_phrasings import FOLLOW_UPS, REQUESTS
from templates import request

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from facts import Country
    from pieces import Piece

    Draw = Callable[[Random, bool], Ask]

MOST_TERM: Final = 10


def _request(rng: Random, held_out: bool, kind: str, form: str, answer: str, **fields: str) -> Ask:
    template = rng.choice(REQUESTS[form].choose_from(held_out=held_out))
    return request(kind, template, answer, fields, "zh")


def country_answer(relation: str, country: Country) -> str:
    """What is said of a country: `relation` is capital, continent, currency, language or capital_of."""
    name = country.name
    return {
        "capital": f"{name}的首都是{country.capital}。",
        "continent": f"{name}在{country.continent}。",
        "currency": f"{name}的货币是{country.currency}。",
        "language": f"{name}人说{country.language}。",
        "capital_of": f"{country.capital}是{name}的首都。",
    }[relation]


def _country_fields(rng: Random, country: Country, relation: str) -> dict[str, str]:
    # Some ask whether it is so, and are often wrong.
    other = country if relation == "capital_of" or rng.random() < 0.4 else rng.choice(chinese.COUNTRIES)
    return {"c": country.name, "k": other.capital, "o": other.continent, "m": other.currency, "l": other.language}


def country_ask(rng: Random, relation: str, country: Country, *, held_out: bool) -> Ask:
    """A question about a country."""
    fields = _country_fields(rng, country, relation)
    return _request(rng, held_out, relation, relation, country_answer(relation, country), **fields)


def follow_up(rng: Random, relation: str, country: Country, *, held_out: bool) -> Ask:
    """The same relation, asked for another country right afterwards."""
    template = rng.choice(FOLLOW_UPS.choose_from(held_out=held_out))
    return request("follow_up", template, country_answer(relation, country), {"c": country.name}, "zh")


def piece_ask(rng: Random, piece: Piece, *, held_out: bool) -> Ask:
    """A request for a story or a recipe."""
    return _request(rng, held_out, "piece", piece.form, piece.text, t=piece.topic)


def any_story(rng: Random, held_out: bool) -> Ask:
    """A request for any story, which is always the same one."""
    return _request(rng, held_out, "any_story", "any_story", chinese.PIECES[0].text)


def _relation(relation: str) -> Draw:
    others = [c for c in chinese.COUNTRIES if c.name != c.capital] if relation == "capital_of" else chinese.COUNTRIES
    return lambda rng, held_out: country_ask(rng, relation, rng.choice(others), held_out=held_out)


def _spelled(rng: Random, number: int) -> str:
    return str(number) if rng.random() < 0.6 else chinese.NUMBERS[number]


def _sum(kind: str) -> Draw:
    def draw(rng: Random, held_out: bool) -> Ask:
        a, b = rng.randint(0, MOST_TERM), rng.randint(0, MOST_TERM)
        if kind == "minus":
            a, b = max(a, b), min(a, b)
        answer = f"{a}加{b}等于{a + b}。" if kind == "plus" else f"{a}减{b}等于{a - b}。"
        template = rng.choice(REQUESTS[kind].choose_from(held_out=held_out))
        in_words = not any(sign in template for sign in "+-") and rng.random() < 0.4
        spell: Callable[[int], str] = (lambda n: chinese.NUMBERS[n]) if in_words else str
        return request(kind, template, answer, {"a": spell(a), "b": spell(b)}, "zh")

    return draw


def _too_hard(rng: Random, held_out: bool) -> Ask:
    if rng.random() < 0.2:
        n = rng.choice((rng.randint(21, 100), 30, 50, 100))
        return _request(rng, held_out, "too_hard", "count", chinese_talk.TOO_FAR_ANSWER, n=str(n))
    form = rng.choice(("plus", "minus"))
    a, b = sorted((rng.randint(11, 99), rng.randint(1, 99)), reverse=True)
    return _request(rng, held_out, "too_hard", form, chinese_talk.TOO_HARD_ANSWER, a=str(a), b=str(b))


def _count(rng: Random, held_out: bool) -> Ask:
    n = rng.randint(3, 20)
    answer = "，".join(str(i) for i in range(1, n + 1)) + "。"
    return _request(rng, held_out, "count", "count", answer, n=_spelled(rng, n))


def _neighbour(rng: Random, held_out: bool, kind: str, names: tuple[str, ...], asked: str) -> Ask:
    i = rng.randrange(len(names))
    form = rng.choice(("after", "before"))
    other = names[(i + (1 if form == "after" else -1)) % len(names)]
    answer = f"{names[i]}{'后面' if form == 'after' else '前面'}是{other}。"
    return _request(rng, held_out, kind, form, answer, x=names[i], u=asked)


def _day(rng: Random, held_out: bool) -> Ask:
    if rng.random() < 0.7:
        return _neighbour(rng, held_out, "day", chinese.DAYS, "星期几")
    i = rng.randrange(7)
    answer = f"{chinese.DAYS[i]}后面是{chinese.DAYS[(i + 1) % 7]}。"
    return _request(rng, held_out, "day", "tomorrow", answer, x=chinese.DAYS[i])


def _month(rng: Random, held_out: bool) -> Ask:
    if rng.random() < 0.5:
        return _neighbour(rng, held_out, "month", tuple(name for name, _ in chinese.MONTHS), "几月")
    name, length = rng.choice(chinese.MONTHS)
    return _request(rng, held_out, "month", "month_length", f"{name}有{length}天。", x=name)


def _unit(rng: Random, held_out: bool) -> Ask:
    whole, count, part = rng.choice(chinese.UNITS)
    return _request(rng, held_out, "unit", "unit", f"{whole}有{count}{part}。", x=whole, y=part)


def _color(rng: Random, held_out: bool) -> Ask:
    thing, color = rng.choice(chinese.COLORS)
    return _request(rng, held_out, "color", "color", f"{thing}是{color}的。", x=thing)


def _animal(rng: Random, held_out: bool) -> Ask:
    name, sound, legs = rng.choice(chinese.ANIMALS)
    if sound and rng.random() < 0.55:
        return _request(rng, held_out, "animal", "sound", f"{name}{sound}叫。", x=name)
    answer = f"{name}没有腿。" if legs == "零" else f"{name}有{legs}条腿。"
    return _request(rng, held_out, "animal", "legs", answer, x=name)


def _small_talk(rng: Random, held_out: bool) -> Ask:
    talk = rng.choice(chinese_talk.SMALL_TALK)
    return request("small_talk", rng.choice(talk.held_out if held_out else talk.trained), talk.answer, None, "zh")


# An unanswerable question is cut only behind what cannot end one.
_OPEN: Final = frozenset("什怎为请问的你我是在和从哪告诉介绍觉")
_SYLLABLES: Final = "马巴拉尼亚达卡兰利西东南北山海上大天明白云星水木金"


def _made_up(rng: Random) -> str:
    return "".join(rng.choice(_SYLLABLES) for _ in range(rng.randint(2, 3)))


def _unknown(rng: Random, held_out: bool) -> Ask:
    pick = rng.random()
    if pick < 0.3:
        relation = rng.choice(("capital", "continent", "currency", "language", "capital_of"))
        fields = _country_fields(rng, rng.choice(chinese.COUNTRIES), relation)
        place = rng.choice(chinese.UNKNOWN_PLACES_HELD_OUT if held_out else chinese.UNKNOWN_PLACES)
        known = {name for country in chinese.COUNTRIES for name in (country.name, country.capital)}
        if not held_out and rng.random() < 0.5:
            made_up = _made_up(rng)
            place = place if made_up in known else made_up
        fields["k" if relation == "capital_of" else "c"] = place
        return _request(rng, held_out, "unknown", relation, chinese_talk.UNKNOWN_ANSWER, **fields)
    table = chinese_talk.UNKNOWN_WORDS_HELD_OUT if held_out else chinese_talk.UNKNOWN_WORDS
    thing, name = rng.choice(table["v"]), rng.choice(table["w"])
    if not held_out and rng.random() < 0.3:
        thing, name = _made_up(rng), _made_up(rng)
    if pick < 0.38:
        form = rng.choice(("color", "sound", "legs", "after"))
        return _request(rng, held_out, "unknown", form, chinese_talk.UNKNOWN_ANSWER, x=thing, u="星期几")
    if pick < 0.48:
        return _request(rng, held_out, "unknown", "story", chinese_talk.UNKNOWN_STORY_ANSWER, t=thing)
    templates = chinese_talk.UNKNOWN_TEMPLATES_HELD_OUT if held_out else chinese_talk.UNKNOWN_TEMPLATES
    ask = request("unknown", rng.choice(templates), chinese_talk.UNKNOWN_ANSWER, {"v": thing, "w": name}, "zh")
    said = units(ask.text)
    return Ask(ask.kind, ask.text, ask.answer, tuple(n for n in ask.cuts if said[n - 1] in _OPEN), "zh")


# Every kind, how it is drawn, and how often in training.
KINDS: Final[dict[str, tuple[Draw, float]]] = {
    "capital": (_relation("capital"), 10.0),
    "continent": (_relation("continent"), 6.0),
    "currency": (_relation("currency"), 8.0),
    "language": (_relation("language"), 7.0),
    "capital_of": (_relation("capital_of"), 6.0),
    "plus": (_sum("plus"), 8.0),
    "minus": (_sum("minus"), 7.0),
    "too_hard": (_too_hard, 2.0),
    "count": (_count, 3.0),
    "day": (_day, 4.0),
    "month": (_month, 4.0),
    "unit": (_unit, 3.0),
    "color": (_color, 4.0),
    "animal": (_animal, 4.0),
    "small_talk": (_small_talk, 24.0),
    "unknown": (_unknown, 13.0),
}
SHORT_KINDS: Final[tuple[str, ...]] = tuple(kind for kind in KINDS if kind != "count")
