"""How users write what they say: their style, their slips, and which words are a whole utterance.

Knows text and the tables of phrasings; knows nothing of slices or of answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import chinese_phrasings
import chinese_talk
from asks import joined, units
from junk import JUNK
from lists import Phrasings, words
from phrasings import REQUESTS, SAYINGS
from references import REFERENCES
from smalltalk import SMALL_TALK

if TYPE_CHECKING:
    from random import Random

LANGUAGES: Final = ("en", "zh")

FILLERS: Final = {"en": words("uh um er like uhm hmm"), "zh": ("呃", "那个", "嗯")}

_TYPOS: Final = {
    "what": "waht", "the": "teh", "capital": "captial", "please": "pls", "you": "u", "which": "wich", "tell": "tel",
    "language": "langauge", "currency": "curency", "country": "contry", "about": "abuot", "story": "stroy", "and": "an",
    "people": "poeple", "many": "mnay", "does": "dose", "color": "colr", "speak": "speek", "is": "si", "how": "hwo",
    "are": "r", "your": "ur", "because": "cuz", "there": "ther", "with": "wiht", "from": "form", "know": "kow",
}  # fmt: skip
_ASKING: Final = frozenset(words("what which how who whose where when why what's whats how's who's where's"))
# These ask only where they come first, perhaps behind an opening: "you can go on" is no question.
_ASKING_FIRST: Final = frozenset(
    words("do does did is are am was were can could would will has have may shall should any")
)
_CHINESE_QUESTION: Final = (
    *("什么", "哪", "几", "吗", "呢", "多少", "多大", "多长", "谁", "怎么", "是不是", "知不知道", "能不能"),
)  # fmt: skip
_MARKS: Final = "?.!,？。！，"
_PLAIN: Final = str.maketrans("", "", _MARKS)
_NATURAL_I: Final = {"i": "I", "i'm": "I'm", "i'd": "I'd"}


def plain(text: str) -> str:
    """Lower case, without punctuation."""
    return " ".join(text.lower().translate(_PLAIN).split())


def _complete(language: str) -> frozenset[str]:
    sayings = SAYINGS[language]
    texts: list[str] = [*sayings.standalone, *JUNK[language].trained, *JUNK[language].held_out]
    requests = REQUESTS if language == "en" else chinese_phrasings.REQUESTS
    talks = SMALL_TALK if language == "en" else chinese_talk.SMALL_TALK
    groups = [
        *(sayings.back_channels, sayings.stops, sayings.go_on, sayings.again, sayings.resets, sayings.asides),
        *(sayings.name_asked, *requests.values(), *REFERENCES[language].values()),
        *(Phrasings(talk.trained, talk.held_out) for talk in talks),
    ]
    for group in groups:
        for template in (*group.trained, *group.held_out):
            if "{" not in template:
                texts += [template.replace("|", ""), template.split("|")[0]]
    return frozenset(plain(text) for text in texts)


_COMPLETE: Final = {language: _complete(language) for language in LANGUAGES}


def _openings(language: str) -> dict[str, tuple[str, ...]]:
    """What may stand before an utterance, the longest first, by the word or the character that it begins with."""
    said = SAYINGS[language]
    groups = (said.asides.trained, said.asides.held_out, said.resets.trained, said.resets.held_out, said.leads)
    found: dict[str, list[str]] = {}
    for opening in sorted({plain(text) for group in groups for text in group}, key=lambda text: (-len(text), text)):
        found.setdefault(_first(opening, language), []).append(opening)
    return {first: tuple(openings) for first, openings in found.items()}


def _first(text: str, language: str) -> str:
    return text[0] if language == "zh" else text.split(" ", 1)[0]


_OPENINGS: Final = {language: _openings(language) for language in LANGUAGES}


def _without_opening(text: str, language: str) -> str | None:
    """What stands behind the opening of a plain text; None: it has none, or is one."""
    space = " " if language == "en" else ""
    for opening in _OPENINGS[language].get(_first(text, language), ()):
        if text.startswith(opening + space) and text != opening:
            return text.removeprefix(opening + space)
    return None


HELD_OUT_TALK: Final = {
    "en": frozenset(plain(text.replace("|", "")) for talk in SMALL_TALK for text in talk.held_out),
    "zh": frozenset(plain(text.replace("|", "")) for talk in chinese_talk.SMALL_TALK for text in talk.held_out),
}


def says_something_alone(text: str, language: str = "en") -> bool:
    """Whether these words, perhaps after an opening such as "hey", are a complete utterance by themselves."""
    rest: str | None = plain(text)
    while rest and rest not in _COMPLETE[language]:
        rest = _without_opening(rest, language)
    return rest is not None


def _mistyped(rng: Random, word: str) -> str:
    """One slip of the fingers. Names and numbers stay as they are: a slip could make others of them."""
    if word in _TYPOS and rng.random() < 0.6:
        return _TYPOS[word]
    if len(word) < 4 or not word.isalpha() or not word.islower():
        return word
    i = rng.randrange(1, len(word) - 1)
    return rng.choice(
        (
            word[:i] + word[i + 1] + word[i] + word[i + 2 :],
            word[:i] + word[i + 1 :],
            word[:i] + word[i] + word[i:],
        )
    )


def slip(rng: Random, parts: list[str], cuts: list[int], language: str) -> tuple[list[str], list[int]]:
    """Units and cuts as they come from somebody who hesitates, repeats a word or mistypes one, now and then."""
    pick = rng.random()
    if pick < 0.07 and len(parts) > 2:
        i = rng.randrange(1, len(parts))
        again = language == "en" and pick < 0.025 and parts[i - 1].isalpha()
        filler = parts[i - 1] if again else rng.choice(FILLERS[language])
        cuts = sorted({n for n in cuts if n <= i} | {n + 1 for n in cuts if n >= i})
        return [*parts[:i], filler, *parts[i:]], cuts
    if pick < 0.14 and language == "en":
        i = rng.randrange(len(parts))
        return [*parts[:i], _mistyped(rng, parts[i]), *parts[i + 1 :]], cuts
    return parts, cuts


def _is_question(text: str) -> bool:
    """Whether an English utterance is asked; an opening ("hey", "so") does not change what it is."""
    rest: str | None = plain(text)
    if any(word in _ASKING for word in text.lower().split()):
        return True
    while rest:
        if rest.split()[0] in _ASKING_FIRST:
            return True
        rest = _without_opening(rest, "en")
    return False


@dataclass(frozen=True)
class Style:
    """How one user types: letters and punctuation."""

    lower: bool
    capital: bool
    punctuation: bool

    @staticmethod
    def draw(rng: Random) -> Style:
        pick = rng.random()
        if pick < 0.4:
            return Style(lower=True, capital=False, punctuation=False)
        if pick < 0.65:
            return Style(lower=False, capital=True, punctuation=True)
        if pick < 0.78:
            return Style(lower=False, capital=False, punctuation=False)
        if pick < 0.9:
            return Style(lower=True, capital=False, punctuation=True)
        return Style(lower=False, capital=True, punctuation=False)

    def write(self, text: str, language: str = "en") -> str:
        """One whole utterance in this style; as many units as it had."""
        if self.punctuation and text[-1] not in "?.!？。！)]）*-":
            if language == "zh":
                text += "？" if any(word in text for word in _CHINESE_QUESTION) else "。"
            else:
                text += "?" if _is_question(text) else "."
        if self.lower:
            return text.lower()
        text = " ".join(_NATURAL_I.get(word, word) for word in text.split(" "))
        return text[0].upper() + text[1:] if self.capital else text

    def open(self, opening: str, language: str) -> list[str]:
        """The units of an opening, perhaps with a comma behind it."""
        parts = units(opening)
        if self.punctuation and parts:
            parts[-1] += "，" if language == "zh" else ","
        return parts


def together(rng: Random, sayings: tuple[str, ...], language: str) -> str:
    """Two remarks in one breath."""
    one, two = rng.sample(sayings, 2)
    return joined([*units(one), *units(two)]) if language == "zh" else f"{one} {two}"
