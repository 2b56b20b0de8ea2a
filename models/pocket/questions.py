"""Requests and their answers: what is asked, from which word on it could be complete, and what is to be said.

Knows the facts, the pieces and the phrasings; knows nothing of slices, tokens or conversations. Every function draws
from the `random.Random` that it is given and from nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import chinese
import chinese_questions
import facts
from asks import Ask, fill, joined, units
from lists import words
from phrasings import FOLLOW_UPS, REQUESTS
from pieces import JOKES, PIECES, Piece
from smalltalk import (
    SMALL_TALK,
    TOO_HARD_ANSWER,
    UNKNOWN_ANSWER,
    UNKNOWN_TEMPLATES,
    UNKNOWN_TEMPLATES_HELD_OUT,
    UNKNOWN_WORDS,
    UNKNOWN_WORDS_HELD_OUT,
)

__all__ = ["KINDS", "SHORT_KINDS", "Ask", "joined", "units"]

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def countries(language: str = "en") -> tuple[facts.Country, ...]:
    """The countries that are talked about in a language, with their names and facts in it."""
    return chinese.COUNTRIES if language == "zh" else facts.COUNTRIES


def pieces(language: str = "en") -> tuple[Piece, ...]:
    """The longer pieces in a language."""
    return chinese.PIECES if language == "zh" else PIECES


def country_answer(relation: str, country: facts.Country, language: str = "en") -> str:
    """What is said of a country: `relation` is capital, continent, currency, language or capital_of."""
    if language == "zh":
        return chinese_questions.country_answer(relation, country)
    if relation == "capital":
        return f"The capital of {country.name} is {country.capital}."
    if relation == "continent":
        return f"{_sentence(country.name)} is in {country.continent}."
    if relation == "currency":
        return f"The currency of {country.name} is the {country.currency}."
    if relation == "language":
        return f"People in {country.name} speak {country.language}."
    return f"{country.capital} is the capital of {country.name}."


def _country_fields(rng: Random, country: facts.Country) -> dict[str, str]:
    name = country.name
    if name.startswith("the ") and rng.random() < 0.3:
        name = name.removeprefix("the ")
    return {"c": name, "p": name + ("'" if name.endswith("s") else "'s"), "k": country.capital}


def country_ask(rng: Random, relation: str, country: facts.Country, *, held_out: bool, language: str = "en") -> Ask:
    if language == "zh":
        return chinese_questions.country_ask(rng, relation, country, held_out=held_out)
    template = rng.choice(REQUESTS[relation].choose_from(held_out=held_out))
    return fill(relation, template, country_answer(relation, country), _country_fields(rng, country))


def follow_up(rng: Random, relation: str, country: facts.Country, *, held_out: bool, language: str = "en") -> Ask:
    """The same relation, asked for another country right afterwards."""
    if language == "zh":
        return chinese_questions.follow_up(rng, relation, country, held_out=held_out)
    template = rng.choice(FOLLOW_UPS.choose_from(held_out=held_out))
    return fill("follow_up", template, country_answer(relation, country), _country_fields(rng, country))


def _country(rng: Random, held_out: bool, relation: str) -> Ask:
    return country_ask(rng, relation, rng.choice(facts.COUNTRIES), held_out=held_out)


def sum_operands(rng: Random, kind: str) -> tuple[int, int]:
    """Operands up to 20; a difference is never negative."""
    a, b = rng.randint(0, 20), rng.randint(0, 20)
    return (max(a, b), min(a, b)) if kind == "minus" else (a, b)


def sum_answer(kind: str, a: int, b: int) -> str:
    return f"{a} {kind} {b} is {a + b if kind == 'plus' else a - b}."


def _arithmetic(rng: Random, held_out: bool, kind: str) -> Ask:
    a, b = sum_operands(rng, kind)
    template = rng.choice(REQUESTS[kind].choose_from(held_out=held_out))
    # In words only where the phrasing has no sign in it.
    in_words = not any(sign in template for sign in ("+", "}-", "} -")) and rng.random() < 0.5
    spell: Callable[[int], str] = (lambda n: facts.NUMBER_WORDS[n]) if in_words else str
    return fill(kind, template, sum_answer(kind, a, b), {"a": spell(a), "b": spell(b)})


def _plus(rng: Random, held_out: bool) -> Ask:
    return _arithmetic(rng, held_out, "plus")


def _minus(rng: Random, held_out: bool) -> Ask:
    return _arithmetic(rng, held_out, "minus")


def _too_hard(rng: Random, held_out: bool) -> Ask:
    kind = rng.choice(("plus", "minus"))
    big, small = rng.randint(21, 99), rng.randint(2, 99)
    a, b = (big, small) if kind == "minus" or rng.random() < 0.5 else (small, big)
    template = rng.choice(REQUESTS[kind].choose_from(held_out=held_out))
    if rng.random() < 0.3:
        template = rng.choice(REQUESTS["times"].choose_from(held_out=held_out))
        a, b = rng.randint(2, 20), rng.randint(2, 20)
    return fill("too_hard", template, TOO_HARD_ANSWER, {"a": str(a), "b": str(b)})


def _numbers(values: range) -> str:
    return ", ".join(str(n) for n in values) + "."


def _count(rng: Random, held_out: bool) -> Ask:
    form = rng.choice(("count_to", "count_to", "count_down", "count_range", "count_by"))
    template = rng.choice(REQUESTS[form].choose_from(held_out=held_out))
    spell: Callable[[int], str] = (lambda n: facts.NUMBER_WORDS[n]) if rng.random() < 0.5 else str
    if form == "count_by":
        word, step, last = rng.choice((("twos", 2, 20), ("fives", 5, 50), ("tens", 10, 100)))
        return fill("count", template, _numbers(range(step, last + 1, step)), {"s": word})
    if form == "count_range":
        a = rng.randint(2, 14)
        b = rng.randint(a + 3, min(20, a + 12))
        return fill("count", template, _numbers(range(a, b + 1)), {"a": spell(a), "b": spell(b)})
    n = rng.randint(3, 20)
    answer = _numbers(range(1, n + 1)) if form == "count_to" else _numbers(range(n, 0, -1))
    return fill("count", template, answer, {"n": spell(n)})


def _neighbour(rng: Random, held_out: bool, unit: str, names: tuple[str, ...], *, circular: bool) -> Ask:
    relation = rng.choice(("after", "before"))
    step = 1 if relation == "after" else -1
    choices = range(len(names)) if circular else range(*((0, len(names) - 1) if step == 1 else (1, len(names))))
    i = rng.choice(choices)
    x, y = names[i], names[(i + step) % len(names)]
    template = rng.choice(REQUESTS[relation].choose_from(held_out=held_out))
    noun = "" if unit == "planet" else f"The {unit} {relation} {x} is {y}."
    return fill(unit, template, noun or f"The planet {relation} {x} is {y}.", {"x": x, "u": unit})


def _day(rng: Random, held_out: bool) -> Ask:
    pick = rng.random()
    if pick < 0.55:
        return _neighbour(rng, held_out, "day", facts.DAYS, circular=True)
    if pick < 0.7:
        i = rng.randrange(7)
        template = rng.choice(REQUESTS["tomorrow"].choose_from(held_out=held_out))
        answer = f"The day after {facts.DAYS[i]} is {facts.DAYS[(i + 1) % 7]}."
        return fill("day", template, answer, {"x": facts.DAYS[i]})
    if pick < 0.9:
        i = rng.randrange(7)
        template = rng.choice(REQUESTS["ordinal"].choose_from(held_out=held_out))
        answer = f"The {facts.ORDINALS[i]} day of the week is {facts.DAYS[i]}."
        return fill("day", template, answer, {"o": facts.ORDINALS[i], "u": "day", "w": "week"})
    template = rng.choice(REQUESTS["list_days"].choose_from(held_out=held_out))
    return fill("day", template, ", ".join(facts.DAYS) + ".")


def _month(rng: Random, held_out: bool) -> Ask:
    names = tuple(name for name, _ in facts.MONTHS)
    pick = rng.random()
    if pick < 0.4:
        return _neighbour(rng, held_out, "month", names, circular=True)
    if pick < 0.7:
        name, length = rng.choice(facts.MONTHS)
        template = rng.choice(REQUESTS["month_length"].choose_from(held_out=held_out))
        return fill("month", template, f"{name} has {length} days.", {"m": name})
    if pick < 0.92:
        i = rng.randrange(12)
        template = rng.choice(REQUESTS["ordinal"].choose_from(held_out=held_out))
        answer = f"The {facts.ORDINALS[i]} month of the year is {names[i]}."
        return fill("month", template, answer, {"o": facts.ORDINALS[i], "u": "month", "w": "year"})
    template = rng.choice(REQUESTS["list_months"].choose_from(held_out=held_out))
    return fill("month", template, ", ".join(names) + ".")


def _color(rng: Random, held_out: bool) -> Ask:
    if rng.random() < 0.15:
        a, b, mixed = rng.choice(facts.MIXES)
        answer = f"{a.capitalize()} and {b} make {mixed}."
        if rng.random() < 0.5:
            a, b = b, a
        return fill("color", rng.choice(REQUESTS["mix"].choose_from(held_out=held_out)), answer, {"a": a, "b": b})
    thing, answer = rng.choice(facts.COLORS)
    return fill("color", rng.choice(REQUESTS["color"].choose_from(held_out=held_out)), answer, {"x": thing})


def _animal(rng: Random, held_out: bool) -> Ask:
    form = rng.choice(("sound", "legs", "young"))
    animal = rng.choice([a for a in facts.ANIMALS if getattr(a, form)])
    name = _sentence(animal.name)
    bare = animal.name.split(" ", 1)[1]
    answer = {
        "sound": f"{name} says {animal.sound}.",
        "legs": f"{name} has {animal.legs} legs.",
        "young": f"A baby {bare} is called {animal.young}.",
    }[form]
    template = rng.choice(REQUESTS[form].choose_from(held_out=held_out))
    return fill("animal", template, answer, {"x": animal.name, "y": bare})


_PLANET_FACTS: dict[str, str] = {
    "planet_list": ", ".join(facts.PLANETS) + ".",
    "planet_count": "There are eight planets.",
    "biggest": "Jupiter is the biggest planet.",
    "smallest": "Mercury is the smallest planet.",
    "closest": "Mercury is the closest planet to the sun.",
    "farthest": "Neptune is the farthest planet from the sun.",
    "red_planet": "Mars is the red planet.",
    "rings": "Saturn has the biggest rings.",
}


def _planet(rng: Random, held_out: bool) -> Ask:
    pick = rng.random()
    if pick < 0.4:
        i = rng.randrange(8)
        answer = f"{facts.PLANETS[i]} is the {facts.ORDINALS[i]} planet from the sun."
        fields = {"o": facts.ORDINALS[i], "n": rng.choice((str(i + 1), facts.NUMBER_WORDS[i + 1]))}
        return fill("planet", rng.choice(REQUESTS["planet_order"].choose_from(held_out=held_out)), answer, fields)
    if pick < 0.6:
        return _neighbour(rng, held_out, "planet", facts.PLANETS, circular=False)
    form = rng.choice(tuple(_PLANET_FACTS))
    return fill("planet", rng.choice(REQUESTS[form].choose_from(held_out=held_out)), _PLANET_FACTS[form])


def _unit(rng: Random, held_out: bool) -> Ask:
    small, n, large = rng.choice(facts.UNITS)
    template = rng.choice(REQUESTS["unit"].choose_from(held_out=held_out))
    # "how many days": seven a week, 365 a year; both are in the table, told apart by the larger unit.
    return fill("unit", template, f"{_sentence(large)} has {n} {small}.", {"s": small, "l": large})


def piece_topic(rng: Random, piece: Piece) -> str:
    """A story may be asked for by its hero alone."""
    return piece.topic.split("|")[0] if piece.form == "story" and rng.random() < 0.5 else piece.topic


def piece_ask(rng: Random, piece: Piece, *, held_out: bool, language: str = "en") -> Ask:
    if language == "zh":
        return chinese_questions.piece_ask(rng, piece, held_out=held_out)
    template = rng.choice(REQUESTS[piece.form].choose_from(held_out=held_out))
    return fill("piece", template, piece.text, {"t": piece_topic(rng, piece)})


_TOLD_UNASKED = tuple(piece for piece in PIECES if piece.form == "story")[:6]


def _any_story(rng: Random, held_out: bool) -> Ask:
    template = rng.choice(REQUESTS["any_story"].choose_from(held_out=held_out))
    return fill("any_story", template, rng.choice(_TOLD_UNASKED).text)


def _joke(rng: Random, held_out: bool) -> Ask:
    return fill("joke", rng.choice(REQUESTS["joke"].choose_from(held_out=held_out)), rng.choice(JOKES))


def _small_talk(rng: Random, held_out: bool) -> Ask:
    talk = rng.choice(SMALL_TALK)
    return fill("small_talk", rng.choice(talk.held_out if held_out else talk.trained), talk.answer)


# An unanswerable question is cut only after a word that cannot end one.
_OPEN_WORDS = frozenset(
    words(
        "the a an of is was did do does can to my i you between about and in some ever makes many much where who how "
        "why what when tall fast long should people happened so best first it like want more could"
    )
)


def _made_up_name(rng: Random) -> str:
    syllables = [rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(rng.randint(2, 3))]
    return ("".join(syllables) + rng.choice(("", "nia", "land", "stan", "ra", "x", "n"))).capitalize()


def _unknown(rng: Random, held_out: bool) -> Ask:
    if rng.random() < 0.3:
        relation = rng.choice(("capital", "continent", "currency", "language"))
        template = rng.choice(REQUESTS[relation].choose_from(held_out=held_out))
        place = rng.choice(facts.UNKNOWN_PLACES_HELD_OUT if held_out else facts.UNKNOWN_PLACES)
        if not held_out and rng.random() < 0.4:
            place = _made_up_name(rng)
        return fill("unknown", template, UNKNOWN_ANSWER, {"c": place, "p": place + "'s"})
    template = rng.choice(UNKNOWN_TEMPLATES_HELD_OUT if held_out else UNKNOWN_TEMPLATES)
    table = UNKNOWN_WORDS_HELD_OUT if held_out else UNKNOWN_WORDS
    fields = {field: rng.choice(choices) for field, choices in table.items()}
    if not held_out and rng.random() < 0.25:
        fields[rng.choice("nwv")] = _made_up_name(rng).lower()
    ask = fill("unknown", template, UNKNOWN_ANSWER, fields)
    said = ask.text.lower().split()
    return Ask(ask.kind, ask.text, ask.answer, tuple(n for n in ask.cuts if said[n - 1] in _OPEN_WORDS))


def _relation(relation: str) -> Callable[[Random, bool], Ask]:
    return lambda rng, held_out: _country(rng, held_out, relation)


# Every kind, how it is drawn, and how often in training.
KINDS: dict[str, tuple[Callable[[Random, bool], Ask], float]] = {
    "capital": (_relation("capital"), 10.0),
    "continent": (_relation("continent"), 6.0),
    "currency": (_relation("currency"), 9.0),
    "language": (_relation("language"), 7.0),
    "capital_of": (_relation("capital_of"), 6.0),
    "plus": (_plus, 18.0),
    "minus": (_minus, 14.0),
    "too_hard": (_too_hard, 2.5),
    "count": (_count, 5.0),
    "day": (_day, 3.0),
    "month": (_month, 4.0),
    "color": (_color, 3.5),
    "animal": (_animal, 5.0),
    "planet": (_planet, 4.0),
    "unit": (_unit, 3.5),
    "small_talk": (_small_talk, 9.0),
    "unknown": (_unknown, 9.0),
    "joke": (_joke, 0.7),
}
SHORT_KINDS: tuple[str, ...] = tuple(name for name in KINDS if name not in ("count", "joke"))


def _kinds(language: str) -> dict[str, tuple[Callable[[Random, bool], Ask], float]]:
    return chinese_questions.KINDS if language == "zh" else KINDS


def kinds(language: str = "en") -> tuple[str, ...]:
    """Every kind of request that `any_ask` draws."""
    return tuple(_kinds(language))


def short_kinds(language: str = "en") -> tuple[str, ...]:
    """The kinds with one short answer."""
    return chinese_questions.SHORT_KINDS if language == "zh" else SHORT_KINDS


def any_ask(rng: Random, *, held_out: bool = False, language: str = "en") -> Ask:
    """A request of any kind but the longer pieces, which `piece_ask` and `any_story` draw."""
    table = _kinds(language)
    return rng.choices([draw for draw, _ in table.values()], [weight for _, weight in table.values()])[0](rng, held_out)


def ask_of_kind(rng: Random, kind: str, *, held_out: bool = False, language: str = "en") -> Ask:
    """A request of one kind: any of `kinds`, or ``piece``, or ``any_story``."""
    if kind == "piece":
        return piece_ask(rng, rng.choice(pieces(language)), held_out=held_out, language=language)
    if kind == "any_story":
        return chinese_questions.any_story(rng, held_out) if language == "zh" else _any_story(rng, held_out)
    return _kinds(language)[kind][0](rng, held_out)


def any_name(rng: Random, *, held_out: bool = False, language: str = "en") -> str:
    """The name of a user, as it is written; in training, English ones are often made up."""
    if language == "zh":
        return rng.choice(chinese.NAMES_HELD_OUT if held_out else chinese.NAMES)
    if held_out:
        return rng.choice(facts.NAMES_HELD_OUT)
    return _made_up_name(rng) if rng.random() < 0.4 else rng.choice(facts.NAMES)


# -- what the assistant says in fixed words --------------------------------------------------------------------------


def resume(language: str = "en") -> str:
    """Said when an aside is answered, before the piece is gone on with."""
    return "我接着说。" if language == "zh" else "Let me go on where I stopped."


def nothing_left(language: str = "en") -> str:
    """Said to "go on" when nothing was interrupted."""
    return "已经说完了。" if language == "zh" else "That was all. Ask me more."


def name_greeting(language: str, name: str) -> str:
    """Said to somebody who tells their name."""
    return f"你好，{name}！" if language == "zh" else f"Nice to meet you, {name}."


def name_answer(language: str, name: str) -> str:
    """Said to somebody who told their name and asks for it."""
    return f"你叫{name}。" if language == "zh" else f"Your name is {name}."


def name_unknown(language: str = "en") -> str:
    """Said to somebody who asks for their name and never told it."""
    return "你还没告诉我你的名字。" if language == "zh" else "You have not told me your name."
