"""A request with its answer, and the units that it may be cut between.

Knows text alone, English and Chinese; knows nothing of what is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_CHINESE: Final = "\u3400-\u9fff"
_MARKS: Final = "，。！？、：；“”,.!?;:"
# A Chinese character with the marks behind it; or anything else up to a space or a Chinese character.
_UNIT: Final = re.compile(rf"[{_CHINESE}][{_MARKS}]*|[^\s{_CHINESE}]+")
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


def fill(kind: str, template: str, answer: str, fields: dict[str, str] | None = None, language: str = "en") -> Ask:
    """Fill a template in; what follows its ``|``, or its last unit, may complete it."""
    filled = template.format(**fields) if fields else template
    head, _, _ = filled.partition("|")
    text = " ".join(filled.replace("|", "").split())
    return Ask(kind, text, answer, tuple(range(1, len(units(head)))), language)
