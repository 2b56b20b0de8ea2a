"""Requests in English, but for countries and the longer pieces: what is asked, and what is to be said.

Knows the facts and the phrasings; `questions.py` alone calls it. Every function draws from the `random.Random` that it
is given and from nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import facts
from phrasings import REQUESTS
from templates import request
from unknown import TOO_FAR_ANSWER, TOO_HARD_ANSWER

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from asks import Ask

    Draw = Callable[[Random, bool], Ask]

_SIGNS: Final = ("+", "-{b}", "- {b}", "*", "}x", "} x", "/", "=")


def sentence(text: str) -> str:
    """With a capital."""
    return text[0].upper() + text[1:]


def _request(rng: Random, held_out: bool, kind: str, form: str, answer: str, **fields: str) -> Ask:
    return request(kind, rng.choice(REQUESTS[form].choose_from(held_out=held_out)), answer, fields)


def sum_operands(rng: Random, kind: str) -> tuple[int, int]:
    """Operands up to 20, for "times" up to 10; a difference is never negative."""
    most = 10 if kind == "times" else 20
    a, b = rng.randint(0, most), rng.randint(0, most)
    return (max(a, b), min(a, b)) if kind == "minus" else (a, b)


def sum_answer(kind: str, a: int, b: int) -> str:
    results = {"plus": a + b, "minus": a - b, "times": a * b}
    return f"{a} {kind} {b} is {results[kind]}."


def _sum(kind: str) -> Draw:
    def draw(rng: Random, held_out: bool) -> Ask:
        a, b = sum_operands(rng, kind)
        template = rng.choice(REQUESTS[kind].choose_from(held_out=held_out))
        # In words only where the phrasing has no sign in it.
        in_words = not any(sign in template for sign in _SIGNS) and rng.random() < 0.5
        spell: Callable[[int], str] = (lambda n: facts.NUMBER_WORDS[n]) if in_words else str
        # Some ask whether a result is right; it often is.
        right = a + b if kind == "plus" else a - b
        result = right if rng.random() < 0.5 else rng.randint(0, 40)
        fields = {"a": spell(a), "b": spell(b), "r": str(result)}
        return request(kind, template, sum_answer(kind, a, b), fields)

    return draw


def _too_hard(rng: Random, held_out: bool) -> Ask:
    pick = rng.random()
    if pick < 0.2:
        n = rng.choice((rng.randint(21, 100), rng.randint(21, 1000), 30, 50, 100, 1000))
        form = rng.choice(("count_to", "count_to", "count_down", "count_range"))
        first = str(rng.randint(2, 20))
        return _request(rng, held_out, "too_hard", form, TOO_FAR_ANSWER, n=str(n), a=first, b=str(n))
    if pick < 0.28:
        b = rng.randint(1, 20)
        a = rng.randrange(b)
        return _request(rng, held_out, "too_hard", "minus", TOO_HARD_ANSWER, a=str(a), b=str(b), r=str(b - a))
    kind = rng.choices(("plus", "minus", "times", "divided"), (3, 3, 2, 2))[0]
    big, small = rng.randint(21, 99), rng.randint(2, 99)
    if rng.random() < 0.2:
        big = rng.randint(100, 1000)
    a, b = (big, small) if kind == "minus" or rng.random() < 0.5 else (small, big)
    if kind == "divided":
        a, b = rng.randint(2, 100), rng.randint(2, 20)
    right = a + b if kind == "plus" else a - b
    return _request(rng, held_out, "too_hard", kind, TOO_HARD_ANSWER, a=str(a), b=str(b), r=str(right))


def _compared(rng: Random, held_out: bool) -> Ask:
    if rng.random() < 0.35:
        n = rng.randint(1, 30)
        return _request(rng, held_out, "compared", "even", f"{n} is {'odd' if n % 2 else 'even'}.", a=str(n))
    a, b = rng.sample(range(101) if rng.random() < 0.5 else range(21), 2)
    answer = f"{max(a, b)} is bigger than {min(a, b)}."
    return _request(rng, held_out, "compared", "bigger", answer, a=str(a), b=str(b))


def _numbers(values: range) -> str:
    return ", ".join(str(n) for n in values) + "."


def _count(rng: Random, held_out: bool) -> Ask:
    form = rng.choice(("count_to", "count_to", "count_down", "count_range", "count_by"))
    spell: Callable[[int], str] = (lambda n: facts.NUMBER_WORDS[n]) if rng.random() < 0.5 else str
    if form == "count_by":
        word, step, last = rng.choice((("twos", 2, 20), ("fives", 5, 50), ("tens", 10, 100)))
        return _request(rng, held_out, "count", form, _numbers(range(step, last + 1, step)), s=word)
    if form == "count_range":
        a = rng.randint(2, 14)
        b = rng.randint(a + 3, min(20, a + 12))
        return _request(rng, held_out, "count", form, _numbers(range(a, b + 1)), a=spell(a), b=spell(b))
    n = rng.randint(3, 20)
    answer = _numbers(range(1, n + 1)) if form == "count_to" else _numbers(range(n, 0, -1))
    return _request(rng, held_out, "count", form, answer, n=spell(n))


def _neighbour(rng: Random, held_out: bool, unit: str, names: tuple[str, ...], *, circular: bool) -> Ask:
    relation = rng.choice(("after", "before"))
    step = 1 if relation == "after" else -1
    choices = range(len(names)) if circular else range(*((0, len(names) - 1) if step == 1 else (1, len(names))))
    i = rng.choice(choices)
    x, y = names[i], names[(i + step) % len(names)]
    return _request(rng, held_out, unit, relation, f"The {unit} {relation} {x} is {y}.", x=x, u=unit)


def _ordinal(rng: Random, held_out: bool, unit: str, whole: str, names: tuple[str, ...]) -> Ask:
    i = rng.randrange(len(names))
    ordinal = facts.ORDINALS[i]
    answer = f"The {ordinal} {unit} of the {whole} is {names[i]}."
    return _request(rng, held_out, unit, "ordinal", answer, o=ordinal, u=unit, w=whole)


def _day(rng: Random, held_out: bool) -> Ask:
    pick = rng.random()
    if pick < 0.55:
        return _neighbour(rng, held_out, "day", facts.DAYS, circular=True)
    if pick < 0.7:
        i = rng.randrange(7)
        answer = f"The day after {facts.DAYS[i]} is {facts.DAYS[(i + 1) % 7]}."
        return _request(rng, held_out, "day", "tomorrow", answer, x=facts.DAYS[i])
    if pick < 0.9:
        return _ordinal(rng, held_out, "day", "week", facts.DAYS)
    return _request(rng, held_out, "day", "list_days", ", ".join(facts.DAYS) + ".")


def _month(rng: Random, held_out: bool) -> Ask:
    names = tuple(name for name, _ in facts.MONTHS)
    pick = rng.random()
    if pick < 0.35:
        return _neighbour(rng, held_out, "month", names, circular=True)
    if pick < 0.6:
        name, length = rng.choice(facts.MONTHS)
        return _request(rng, held_out, "month", "month_length", f"{name} has {length} days.", m=name)
    if pick < 0.77:
        return _ordinal(rng, held_out, "month", "year", names)
    if pick < 0.9:
        season = rng.choice(tuple(facts.SEASONS))
        month = rng.choice(facts.SEASONS[season])
        return _request(rng, held_out, "month", "season", f"{month} is in {season}.", m=month)
    if pick < 0.95:
        return _request(rng, held_out, "month", "seasons", "Spring, summer, fall and winter.")
    return _request(rng, held_out, "month", "list_months", ", ".join(names) + ".")


def _color(rng: Random, held_out: bool) -> Ask:
    if rng.random() < 0.15:
        a, b, mixed = rng.choice(facts.MIXES)
        answer = f"{a.capitalize()} and {b} make {mixed}."
        if rng.random() < 0.5:
            a, b = b, a
        return _request(rng, held_out, "color", "mix", answer, a=a, b=b)
    thing, answer = rng.choice(facts.COLORS)
    return _request(rng, held_out, "color", "color", answer, x=thing)


def _animal(rng: Random, held_out: bool) -> Ask:
    form = rng.choice(("sound", "legs", "young"))
    animal = rng.choice([a for a in facts.ANIMALS if getattr(a, form)])
    name = sentence(animal.name)
    bare = animal.name.split(" ", 1)[1]
    answer = {
        "sound": f"{name} says {animal.sound}.",
        "legs": f"{name} has {animal.legs} legs.",
        "young": f"A baby {bare} is called {animal.young}.",
    }[form]
    return _request(rng, held_out, "animal", form, answer, x=animal.name, y=bare)


_PLANET_FACTS: Final[dict[str, str]] = {
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
        number = rng.choice((str(i + 1), facts.NUMBER_WORDS[i + 1]))
        return _request(rng, held_out, "planet", "planet_order", answer, o=facts.ORDINALS[i], n=number)
    if pick < 0.6:
        return _neighbour(rng, held_out, "planet", facts.PLANETS, circular=False)
    form = rng.choice(tuple(_PLANET_FACTS))
    return _request(rng, held_out, "planet", form, _PLANET_FACTS[form])


def _unit(rng: Random, held_out: bool) -> Ask:
    pick = rng.random()
    if pick < 0.2:
        shape, sides = rng.choice(facts.SHAPES)
        return _request(rng, held_out, "unit", "sides", f"{sentence(shape)} has {sides} sides.", x=shape)
    if pick < 0.4:
        part, count = rng.choice(facts.BODY)
        one = part.removesuffix("s") if count == "one" else part
        return _request(rng, held_out, "unit", "body", f"A person has {count} {one}.", x=part)
    small, n, large = rng.choice(facts.UNITS)
    # "how many days": seven a week, 365 a year; both are in the table, told apart by the larger unit.
    return _request(rng, held_out, "unit", "unit", f"{sentence(large)} has {n} {small}.", s=small, l=large)


def _opposite(rng: Random, held_out: bool) -> Ask:
    first, second = rng.sample(rng.choice(facts.OPPOSITES), 2)
    return _request(rng, held_out, "opposite", "opposite", f"The opposite of {first} is {second}.", x=first)


def _example(rng: Random, held_out: bool) -> Ask:
    continent, name = rng.choice(tuple(facts.EXAMPLES.items()))
    return _request(rng, held_out, "example", "name_country", f"{name} is in {continent}.", o=continent)


# Every kind, how it is drawn, and how often in training.
KINDS: Final[dict[str, tuple[Draw, float]]] = {
    "plus": (_sum("plus"), 15.0),
    "minus": (_sum("minus"), 12.0),
    "times": (_sum("times"), 8.0),
    "too_hard": (_too_hard, 4.0),
    "compared": (_compared, 4.0),
    "count": (_count, 5.0),
    "day": (_day, 3.5),
    "month": (_month, 5.0),
    "color": (_color, 3.5),
    "animal": (_animal, 5.0),
    "planet": (_planet, 4.5),
    "unit": (_unit, 4.5),
    "opposite": (_opposite, 4.0),
    "example": (_example, 1.5),
}
