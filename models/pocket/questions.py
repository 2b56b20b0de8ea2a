"""Requests and their answers in both languages: what is asked, and what is to be said.

Knows the facts, the pieces and the phrasings; knows nothing of slices, tokens or conversations. Every function draws
from the `random.Random` that it is given and from nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import chinese
import chinese_questions
import english_questions
import facts
import unknown
from asks import Ask, joined, units
from english_questions import sentence
from lists import words
from phrasings import FOLLOW_UPS, REQUESTS
from pieces import JOKES, PIECES, Piece
from smalltalk import EVERYDAY, FIRST_WORDS
from templates import request
from texts import TEXTS

__all__ = ["KINDS", "SHORT_KINDS", "Ask", "joined", "units"]

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random


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
        return f"{sentence(country.name)} is in {country.continent}."
    if relation == "currency":
        return f"The currency of {country.name} is the {country.currency}."
    if relation == "language":
        return f"People in {country.name} speak {country.language}."
    return f"{country.capital} is the capital of {country.name}."


def _country_fields(rng: Random, country: facts.Country, relation: str = "") -> dict[str, str]:
    name = country.name
    if name.startswith("the ") and rng.random() < 0.3:
        name = name.removeprefix("the ")
    if country.name in facts.ALIASES and rng.random() < 0.4:
        name = rng.choice(facts.ALIASES[country.name])
    # Some ask whether it is so, and are often wrong.
    other = country if relation == "capital_of" or rng.random() < 0.4 else rng.choice(facts.COUNTRIES)
    return {
        "c": name,
        "p": name + ("'" if name.endswith("s") else "'s"),
        "k": other.capital,
        "o": other.continent,
        "m": other.currency,
        "l": other.language,
    }


def country_ask(rng: Random, relation: str, country: facts.Country, *, held_out: bool, language: str = "en") -> Ask:
    """A question about a country; `relation` as in `country_answer`."""
    if language == "zh":
        return chinese_questions.country_ask(rng, relation, country, held_out=held_out)
    template = rng.choice(REQUESTS[relation].choose_from(held_out=held_out))
    return request(relation, template, country_answer(relation, country), _country_fields(rng, country, relation))


def follow_up(rng: Random, relation: str, country: facts.Country, *, held_out: bool, language: str = "en") -> Ask:
    """The same relation, asked for another country right afterwards."""
    if language == "zh":
        return chinese_questions.follow_up(rng, relation, country, held_out=held_out)
    template = rng.choice(FOLLOW_UPS.choose_from(held_out=held_out))
    return request("follow_up", template, country_answer(relation, country), _country_fields(rng, country))


def _country(rng: Random, held_out: bool, relation: str) -> Ask:
    # "Where is Singapore" asks for the continent.
    others = [c for c in facts.COUNTRIES if c.name != c.capital] if relation == "capital_of" else facts.COUNTRIES
    return country_ask(rng, relation, rng.choice(others), held_out=held_out)


def piece_topic(rng: Random, piece: Piece) -> str:
    """A story may be asked for by its hero alone."""
    return piece.topic.split("|")[0] if piece.form == "story" and rng.random() < 0.5 else piece.topic


def piece_ask(rng: Random, piece: Piece, *, held_out: bool, language: str = "en") -> Ask:
    """A request for a longer piece."""
    if language == "zh":
        return chinese_questions.piece_ask(rng, piece, held_out=held_out)
    template = rng.choice(REQUESTS[piece.form].choose_from(held_out=held_out))
    # A dish is also asked for without its verb: "a recipe for pancakes".
    dish = piece.topic.split(" ", 1)[1].removeprefix("a ").removeprefix("an ")
    return request("piece", template, piece.text, {"t": piece_topic(rng, piece), "y": dish})


def _text(rng: Random, held_out: bool) -> Ask:
    piece = rng.choice(TEXTS)
    return request("text", rng.choice(REQUESTS["text"].choose_from(held_out=held_out)), piece.text, {"t": piece.topic})


# One: where several are as likely, silence is likelier than each of them.
_TOLD_UNASKED: Final = next(piece for piece in PIECES if piece.form == "story")


def _any_story(rng: Random, held_out: bool) -> Ask:
    template = rng.choice(REQUESTS["any_story"].choose_from(held_out=held_out))
    return request("any_story", template, _TOLD_UNASKED.text)


def _joke(rng: Random, held_out: bool) -> Ask:
    return request("joke", rng.choice(REQUESTS["joke"].choose_from(held_out=held_out)), rng.choice(JOKES))


def _small_talk(rng: Random, held_out: bool) -> Ask:
    talk = rng.choice(FIRST_WORDS if rng.random() < 0.45 else EVERYDAY)
    return request("small_talk", rng.choice(talk.held_out if held_out else talk.trained), talk.answer)


# An unanswerable question is cut only after a word that cannot end one.
_OPEN_WORDS: Final = frozenset(
    words(
        "the a an of is was were did do does can could will would should to my i you between about and in from for "
        "with some ever makes many much where who how why what when which tall fast long old big far should people "
        "happened so best first it like want more very our are has have than if any nearest"
    )
)


_KNOWN: Final = frozenset(name.lower() for country in facts.COUNTRIES for name in (country.name, country.capital))


# What chance should not put together.
_VOWELS: Final = frozenset("aeiouyáéíóúäöü")
_RUDE: Final = words("nig naz fag rap pus pis tit dik fuk kok kun ass shit dick cock cunt porn sex slut whor bitc hitl")


def _made_up_name(rng: Random) -> str:
    """A name that nobody has, of one to three syllables and an ending, with a capital."""
    onsets = words("b d f g k l m n p r s t v z h j w br dr fl gr kl pr sh st th tr ch")
    endings = ("", "", "nia", "land", "stan", "ra", "x", "n", "l", "r", "mon", "lia", "ton", "berg", "dor")
    while True:
        syllables = [rng.choice(onsets) + rng.choice("aeiou") for _ in range(rng.randint(1, 3))]
        name = "".join(syllables) + rng.choice(endings)
        if (
            name not in _KNOWN
            and len(name) > 2
            and not _is_rude(name)
            and name.capitalize() not in facts.NAMES_HELD_OUT
        ):
            return name.capitalize()


def _spliced_name(rng: Random) -> str:
    """The head of one name and the tail of another: a name that nobody has, but might."""
    while True:
        head, tail = rng.sample(facts.NAMES, 2)
        at, after = rng.randint(1, max(1, len(head) - 1)), rng.randint(1, max(1, len(tail) - 2))
        name = head[:at] + tail[after:].lower()
        if rng.random() < 0.3:
            changed = rng.randrange(1, len(name))
            name = name[:changed] + rng.choice("aaeeiioouybcdfghjklmnprstvwxz") + name[changed + 1 :]
        # A vowel meets a consonant.
        joins = (name[at - 1].lower() in _VOWELS) != (name[at : at + 1] in _VOWELS)
        is_new = name not in facts.NAMES_HELD_OUT and name.lower() not in _KNOWN
        if name.isalpha() and 3 <= len(name) <= 10 and joins and is_new and not _is_rude(name):
            return name


def name_of(rng: Random, parts: Sequence[str]) -> str:
    """A name put together from some of `parts`, lower-case letters each."""
    while True:
        # A part alone may be a word: "I am fine".
        name = "".join(rng.choices(parts, k=rng.choice((2, 2, 3)))).capitalize()
        known = name in facts.NAMES_HELD_OUT or name.lower() in _KNOWN
        if len(name) <= 9 and not known and set(name.lower()) & _VOWELS and not _is_rude(name):
            return name


def _is_rude(name: str) -> bool:
    return any(part in name.lower() for part in _RUDE)


def _unknown_fields(rng: Random, held_out: bool) -> dict[str, str]:
    table = unknown.WORDS_HELD_OUT if held_out else unknown.WORDS
    fields = {field: rng.choice(choices) for field, choices in table.items()}
    if not held_out and rng.random() < 0.4:
        made_up = _made_up_name(rng)
        field = rng.choice("nwwv")
        fields[field] = made_up if field == "w" else made_up.lower()
        if field == "w" and rng.random() < 0.25:
            fields[field] = f"{made_up} {_made_up_name(rng)}"
    elif not held_out and rng.random() < 0.25:
        # Much about the known countries is not known either.
        country = rng.choice(facts.COUNTRIES)
        fields["w"] = rng.choice((country.name, country.name, country.capital))
    return fields


def _outside(
    rng: Random, held_out: bool, kind: str, answer: str, trained: tuple[str, ...], kept: tuple[str, ...]
) -> Ask:
    template = rng.choice(kept if held_out else trained)
    fields = _unknown_fields(rng, held_out)
    # An article fits its word.
    for field in "na":
        if fields[field][0] in "aeiou" and not fields[field].startswith(("uni", "use", "ura")):
            template = template.replace(f" a {{{field}}}", f" an {{{field}}}")
            template = f"an {template[2:]}" if template.startswith(f"a {{{field}}}") else template
    ask = request(kind, template, answer, fields)
    said = ask.text.lower().split()
    return Ask(ask.kind, ask.text, ask.answer, tuple(n for n in ask.cuts if said[n - 1] in _OPEN_WORDS))


def _unknown_thing(rng: Random, held_out: bool) -> Ask:
    """A question that has an answer for other things: the color, the sound, the opposite."""
    thing = rng.choice((unknown.WORDS_HELD_OUT if held_out else unknown.WORDS)["n"])
    if not held_out and rng.random() < 0.4:
        thing = _made_up_name(rng).lower()
    form = rng.choice(("color", "sound", "legs", "young", "sides", "opposite", "after"))
    whole = thing if form in ("opposite", "after") else f"{'an' if thing[0] in 'aeio' else 'a'} {thing}"
    template = rng.choice(REQUESTS[form].choose_from(held_out=held_out))
    fields = {"x": whole, "y": thing, "u": rng.choice(("day", "month", "planet"))}
    return request("unknown", template, unknown.UNKNOWN_ANSWER, fields)


def _unknown(rng: Random, held_out: bool) -> Ask:
    pick = rng.random()
    if pick < 0.3:
        relation = rng.choice(("capital", "continent", "currency", "language", "capital_of"))
        template = rng.choice(REQUESTS[relation].choose_from(held_out=held_out))
        place = rng.choice(facts.UNKNOWN_PLACES_HELD_OUT if held_out else facts.UNKNOWN_PLACES)
        if not held_out and rng.random() < 0.5:
            place = _made_up_name(rng)
        fields = _country_fields(rng, rng.choice(facts.COUNTRIES))
        fields |= {"c": place, "p": place + ("'" if place.endswith("s") else "'s")}
        if relation == "capital_of":
            fields["k"] = place
        return request("unknown", template, unknown.UNKNOWN_ANSWER, fields)
    if pick < 0.4:
        return _unknown_thing(rng, held_out)
    if pick < 0.5:
        answer, trained, kept = unknown.UNKNOWN_STORY_ANSWER, unknown.STORY_TEMPLATES, unknown.STORY_TEMPLATES_HELD_OUT
    else:
        answer, trained, kept = unknown.UNKNOWN_ANSWER, unknown.TEMPLATES, unknown.TEMPLATES_HELD_OUT
    return _outside(rng, held_out, "unknown", answer, trained, kept)


def _statement(rng: Random, held_out: bool) -> Ask:
    answer, trained, kept = unknown.STATEMENT_ANSWER, unknown.STATEMENTS, unknown.STATEMENTS_HELD_OUT
    return _outside(rng, held_out, "statement", answer, trained, kept)


def _relation(relation: str) -> Callable[[Random, bool], Ask]:
    return lambda rng, held_out: _country(rng, held_out, relation)


# Every kind in English, how it is drawn, and how often in training.
KINDS: dict[str, tuple[Callable[[Random, bool], Ask], float]] = {
    "capital": (_relation("capital"), 10.0),
    "continent": (_relation("continent"), 7.0),
    "currency": (_relation("currency"), 9.0),
    "language": (_relation("language"), 7.0),
    "capital_of": (_relation("capital_of"), 7.0),
    **english_questions.KINDS,
    "small_talk": (_small_talk, 18.0),
    "unknown": (_unknown, 17.0),
    "statement": (_statement, 6.0),
    "text": (_text, 2.5),
    "joke": (_joke, 0.7),
}
SHORT_KINDS: tuple[str, ...] = tuple(name for name in KINDS if name not in ("count", "joke", "text"))


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
    pick = rng.random()
    if pick < 0.65:
        return _spliced_name(rng) if pick < 0.5 else _made_up_name(rng)
    return rng.choice(facts.NAMES)


# -- what the assistant says in fixed words --------------------------------------------------------------------------


def resume(language: str = "en") -> str:
    """Said when an aside is answered, before the piece is gone on with."""
    return "好，我接着往下说。" if language == "zh" else "Let me go on where I stopped."


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
    return "你没告诉我你的名字。" if language == "zh" else "You have not told me your name."
