"""Requests and their answers: what is asked, from which word on it could be complete, and what is to be said.

Knows the facts, the pieces and the phrasings; knows nothing of slices, tokens or conversations. Every function draws
from the `random.Random` that it is given and from nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import facts
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

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random


@dataclass(frozen=True)
class Ask:
    """A request in its natural spelling.

    `cuts` are the numbers of words after which it may be cut and is then surely unfinished.
    """

    kind: str
    text: str
    answer: str
    cuts: tuple[int, ...]


def _ask(kind: str, template: str, answer: str, fields: dict[str, str] | None = None) -> Ask:
    """Fill a template in; words from the ``|`` on, or from the last word on, may complete it."""
    filled = template.format(**fields) if fields else template
    head, _, _ = filled.partition("|")
    text = " ".join(filled.replace("|", "").split())
    return Ask(kind, text, answer, tuple(range(1, len(head.split()))))


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def country_answer(relation: str, country: facts.Country) -> str:
    """What is said of a country: `relation` is capital, continent, currency, language or capital_of."""
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


def country_ask(rng: Random, relation: str, country: facts.Country, *, held_out: bool) -> Ask:
    template = rng.choice(REQUESTS[relation].choose_from(held_out=held_out))
    return _ask(relation, template, country_answer(relation, country), _country_fields(rng, country))


def follow_up(rng: Random, relation: str, country: facts.Country, *, held_out: bool) -> Ask:
    """The same relation, asked for another country right afterwards."""
    template = rng.choice(FOLLOW_UPS.choose_from(held_out=held_out))
    return _ask("follow_up", template, country_answer(relation, country), _country_fields(rng, country))


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
    return _ask(kind, template, sum_answer(kind, a, b), {"a": spell(a), "b": spell(b)})


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
    return _ask("too_hard", template, TOO_HARD_ANSWER, {"a": str(a), "b": str(b)})


def _numbers(values: range) -> str:
    return ", ".join(str(n) for n in values) + "."


def _count(rng: Random, held_out: bool) -> Ask:
    form = rng.choice(("count_to", "count_to", "count_down", "count_range", "count_by"))
    template = rng.choice(REQUESTS[form].choose_from(held_out=held_out))
    spell: Callable[[int], str] = (lambda n: facts.NUMBER_WORDS[n]) if rng.random() < 0.5 else str
    if form == "count_by":
        word, step, last = rng.choice((("twos", 2, 20), ("fives", 5, 50), ("tens", 10, 100)))
        return _ask("count", template, _numbers(range(step, last + 1, step)), {"s": word})
    if form == "count_range":
        a = rng.randint(2, 14)
        b = rng.randint(a + 3, min(20, a + 12))
        return _ask("count", template, _numbers(range(a, b + 1)), {"a": spell(a), "b": spell(b)})
    n = rng.randint(3, 20)
    answer = _numbers(range(1, n + 1)) if form == "count_to" else _numbers(range(n, 0, -1))
    return _ask("count", template, answer, {"n": spell(n)})


def _neighbour(rng: Random, held_out: bool, unit: str, names: tuple[str, ...], *, circular: bool) -> Ask:
    relation = rng.choice(("after", "before"))
    step = 1 if relation == "after" else -1
    choices = range(len(names)) if circular else range(*((0, len(names) - 1) if step == 1 else (1, len(names))))
    i = rng.choice(choices)
    x, y = names[i], names[(i + step) % len(names)]
    template = rng.choice(REQUESTS[relation].choose_from(held_out=held_out))
    noun = "" if unit == "planet" else f"The {unit} {relation} {x} is {y}."
    return _ask(unit, template, noun or f"The planet {relation} {x} is {y}.", {"x": x, "u": unit})


def _day(rng: Random, held_out: bool) -> Ask:
    pick = rng.random()
    if pick < 0.55:
        return _neighbour(rng, held_out, "day", facts.DAYS, circular=True)
    if pick < 0.7:
        i = rng.randrange(7)
        template = rng.choice(REQUESTS["tomorrow"].choose_from(held_out=held_out))
        answer = f"The day after {facts.DAYS[i]} is {facts.DAYS[(i + 1) % 7]}."
        return _ask("day", template, answer, {"x": facts.DAYS[i]})
    if pick < 0.9:
        i = rng.randrange(7)
        template = rng.choice(REQUESTS["ordinal"].choose_from(held_out=held_out))
        answer = f"The {facts.ORDINALS[i]} day of the week is {facts.DAYS[i]}."
        return _ask("day", template, answer, {"o": facts.ORDINALS[i], "u": "day", "w": "week"})
    template = rng.choice(REQUESTS["list_days"].choose_from(held_out=held_out))
    return _ask("day", template, ", ".join(facts.DAYS) + ".")


def _month(rng: Random, held_out: bool) -> Ask:
    names = tuple(name for name, _ in facts.MONTHS)
    pick = rng.random()
    if pick < 0.4:
        return _neighbour(rng, held_out, "month", names, circular=True)
    if pick < 0.7:
        name, length = rng.choice(facts.MONTHS)
        template = rng.choice(REQUESTS["month_length"].choose_from(held_out=held_out))
        return _ask("month", template, f"{name} has {length} days.", {"m": name})
    if pick < 0.92:
        i = rng.randrange(12)
        template = rng.choice(REQUESTS["ordinal"].choose_from(held_out=held_out))
        answer = f"The {facts.ORDINALS[i]} month of the year is {names[i]}."
        return _ask("month", template, answer, {"o": facts.ORDINALS[i], "u": "month", "w": "year"})
    template = rng.choice(REQUESTS["list_months"].choose_from(held_out=held_out))
    return _ask("month", template, ", ".join(names) + ".")


def _color(rng: Random, held_out: bool) -> Ask:
    if rng.random() < 0.15:
        a, b, mixed = rng.choice(facts.MIXES)
        answer = f"{a.capitalize()} and {b} make {mixed}."
        if rng.random() < 0.5:
            a, b = b, a
        return _ask("color", rng.choice(REQUESTS["mix"].choose_from(held_out=held_out)), answer, {"a": a, "b": b})
    thing, answer = rng.choice(facts.COLORS)
    return _ask("color", rng.choice(REQUESTS["color"].choose_from(held_out=held_out)), answer, {"x": thing})


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
    return _ask("animal", template, answer, {"x": animal.name, "y": bare})


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
        return _ask("planet", rng.choice(REQUESTS["planet_order"].choose_from(held_out=held_out)), answer, fields)
    if pick < 0.6:
        return _neighbour(rng, held_out, "planet", facts.PLANETS, circular=False)
    form = rng.choice(tuple(_PLANET_FACTS))
    return _ask("planet", rng.choice(REQUESTS[form].choose_from(held_out=held_out)), _PLANET_FACTS[form])


def _unit(rng: Random, held_out: bool) -> Ask:
    small, n, large = rng.choice(facts.UNITS)
    template = rng.choice(REQUESTS["unit"].choose_from(held_out=held_out))
    # "how many days": seven a week, 365 a year; both are in the table, told apart by the larger unit.
    return _ask("unit", template, f"{_sentence(large)} has {n} {small}.", {"s": small, "l": large})


def piece_topic(rng: Random, piece: Piece) -> str:
    """A story may be asked for by its hero alone."""
    return piece.topic.split("|")[0] if piece.form == "story" and rng.random() < 0.5 else piece.topic


def piece_ask(rng: Random, piece: Piece, *, held_out: bool) -> Ask:
    template = rng.choice(REQUESTS[piece.form].choose_from(held_out=held_out))
    return _ask("piece", template, piece.text, {"t": piece_topic(rng, piece)})


def _piece(rng: Random, held_out: bool) -> Ask:
    return piece_ask(rng, rng.choice(PIECES), held_out=held_out)


_TOLD_UNASKED = tuple(piece for piece in PIECES if piece.form == "story")[:6]


def _any_story(rng: Random, held_out: bool) -> Ask:
    template = rng.choice(REQUESTS["any_story"].choose_from(held_out=held_out))
    return _ask("any_story", template, rng.choice(_TOLD_UNASKED).text)


def _joke(rng: Random, held_out: bool) -> Ask:
    return _ask("joke", rng.choice(REQUESTS["joke"].choose_from(held_out=held_out)), rng.choice(JOKES))


def _small_talk(rng: Random, held_out: bool) -> Ask:
    talk = rng.choice(SMALL_TALK)
    return _ask("small_talk", rng.choice(talk.held_out if held_out else talk.trained), talk.answer)


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
        return _ask("unknown", template, UNKNOWN_ANSWER, {"c": place, "p": place + "'s"})
    template = rng.choice(UNKNOWN_TEMPLATES_HELD_OUT if held_out else UNKNOWN_TEMPLATES)
    table = UNKNOWN_WORDS_HELD_OUT if held_out else UNKNOWN_WORDS
    fields = {field: rng.choice(choices) for field, choices in table.items()}
    if not held_out and rng.random() < 0.25:
        fields[rng.choice("nwv")] = _made_up_name(rng).lower()
    ask = _ask("unknown", template, UNKNOWN_ANSWER, fields)
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
_NAMES, _WEIGHTS = tuple(KINDS), tuple(weight for _, weight in KINDS.values())
SHORT_KINDS: tuple[str, ...] = tuple(name for name in KINDS if name not in ("count", "joke"))


def any_ask(rng: Random, *, held_out: bool = False) -> Ask:
    """A request of any kind but the longer pieces, which `piece_ask` and `any_story` draw."""
    return KINDS[rng.choices(_NAMES, _WEIGHTS)[0]][0](rng, held_out)


def ask_of_kind(rng: Random, kind: str, *, held_out: bool = False) -> Ask:
    """A request of one kind: any of `KINDS`, or ``piece``, or ``any_story``."""
    if kind == "piece":
        return _piece(rng, held_out)
    if kind == "any_story":
        return _any_story(rng, held_out)
    return KINDS[kind][0](rng, held_out)
