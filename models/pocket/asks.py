"""What a request is, and the units that it may be cut between.

Knows text alone, English and Chinese; knows nothing of what is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_CHINESE: Final = "\u3400-\u9fff"
_MARKS: Final = "，。！？、：；“”,.!?;:"
# A Chinese character with the marks behind it; or anything else up to a space or a Chinese character.
_UNIT: Final = re.compile(rf"[{_CHINESE}][{_MARKS}]*|[^\s{_CHINESE}]+")
# A field of a template is one unit, or part of one ("{a}+{b}"), while a character stands in for it.
_FIELD: Final = re.compile(r"\{(\w)\}")
_STAND_INS: Final = {name: chr(0xE000 + i) for i, name in enumerate("abcdefghijklmnopqrstuvwxyz")}
# These fields stand for some name or thing alike: who has heard "where is {w}" does not know that a country follows.
_ALIKE: Final = str.maketrans({_STAND_INS[name]: _STAND_INS["c"] for name in "kntvwxy"})
# May be left out at an end: "what would ten times two", "which continent is Peru" and "能说说怎么做茶" ask as well.
_SPARE: Final = frozenset(("be", "called", "in", "is", "are", "make", "makes", "exactly", *tuple("吗呢啊吧呀嘛")))
_IS_CHINESE: Final = re.compile(rf"[{_CHINESE}{_MARKS[:9]}]")


def units(text: str) -> list[str]:
    """What an utterance can be cut between: words, or in Chinese single characters.

    A mark stays with the unit before it; numbers and Latin words within Chinese are whole units.
    """
    return _UNIT.findall(text)


def joined(parts: list[str] | tuple[str, ...]) -> str:
    """The text of `units`: a space stands between two of them unless one of its sides is Chinese."""
    text = ""
    for part in parts:
        if text and not _IS_CHINESE.match(text[-1]) and not _IS_CHINESE.match(part[0]):
            text += " "
        text += part
    return text


@dataclass(frozen=True)
class Ask:
    """A request in its natural spelling, in `language` ("en" or "zh").

    `cuts` are the numbers of `units` after which it may be cut and is then surely unfinished.
    """

    kind: str
    text: str
    answer: str
    cuts: tuple[int, ...]
    language: str = "en"


def _stood_in(template: str) -> str:
    return _FIELD.sub(lambda found: _STAND_INS[found[1]], template)


def complete_shapes(templates: Iterable[str]) -> frozenset[str]:
    """What is complete, without its fields' values: every template, and what stands before its ``|``."""
    found = set()
    for template in templates:
        shape = _stood_in(template).translate(_ALIKE)
        found |= {shape.replace("|", ""), shape.partition("|")[0]}
    return frozenset(found)


@lru_cache(maxsize=20_000)
def _beginnings(template: str, complete: frozenset[str]) -> tuple[tuple[str, bool], ...]:
    """What a template may be cut after, fields stood in for, and whether it is unfinished there."""
    parts = units(_stood_in(template.partition("|")[0]))
    found = [joined(parts[:n]) for n in range(1, len(parts) + 1)]
    return tuple((text, n < len(parts) and text.translate(_ALIKE) not in complete) for n, text in enumerate(found, 1))


def fill(
    kind: str,
    template: str,
    answer: str,
    fields: dict[str, str] | None = None,
    language: str = "en",
    complete: frozenset[str] = frozenset(),
) -> Ask:
    """Fill a template in. What follows its ``|``, or its last unit, may complete it; so may what is in `complete`.

    A field of several units may be cut in between, up to a ``|`` of its own: nothing is asked before. Nor is anything
    cut before a last unit that could be left out.
    """
    values = {_STAND_INS[name]: value for name, value in (fields or {}).items()}

    def filled(text: str) -> str:
        return "".join(values.get(char, char) for char in text)

    cuts: list[int] = []
    before = 0
    for beginning, is_open in _beginnings(template, complete):
        after = len(units(filled(beginning)))
        cuts += [*range(before + 1, after), *([after] if is_open else [])]
        before = after
    # A field may have a ``|`` too: "the dragon| who was afraid".
    head, bar, rest = filled(_stood_in(template.replace("|", ""))).partition("|")
    if bar:
        cuts = [n for n in cuts if n < len(units(head))]
    text = " ".join((head + rest).split())
    parts = units(text)
    if parts[-1] in _SPARE:
        cuts = [n for n in cuts if n < len(parts) - 1]
    # "I want to hear the story": some would begin one.
    cuts = [n for n in cuts if parts[n - 1].lower() != "story"]
    return Ask(kind, text, answer, tuple(cuts), language)
