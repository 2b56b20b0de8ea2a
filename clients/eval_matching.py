"""What was heard against what a scenario expects: the same message, its continuation, words that occur, words again.

Pure functions on strings. A message is compared without white space and full stops: servers put a newline behind a
sentence, or in place of its full stop, and a piece of a reply may or may not begin with the space that belongs to it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from clients.eval_scenarios import Check

# Weight from which two texts that begin alike are taken for the same: three words or so, six Chinese characters.
ALIKE = 12
FULL_STOPS = ".。"
REPEATED_WORDS = 5  # in a row; said again, they are a repetition
REPEATED_CHARACTERS = 8  # the same for scripts without spaces

_UNSPACED = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+(?:['’][^\W{_UNSPACED}]+)*")
_WORD_GOES_ON = re.compile(rf"[^\W{_UNSPACED}]{{2}}")
_SKIPPED = re.compile(rf"[\s{FULL_STOPS}]+")
_FULL_STOP = re.compile(r"(?<![0-9])\.|\.(?![0-9])|。")
_DECIMAL_POINT = re.compile(r"(?<=[0-9])\\\.(?=[0-9])")  # in an escaped pattern
_NUMBER_GOES_ON = re.compile(r"[.,]?[0-9]")


def squeeze(text: str) -> str:
    """`text` without white space and full stops."""
    return _SKIPPED.sub("", text)


def is_silent(reply: str) -> bool:
    """Whether nothing was said. A full stop alone is none: the last slice of a message may hold no more."""
    return not squeeze(reply)


def take(text: str, count: int) -> str:
    """The beginning of `text` that holds `count` characters besides white space and full stops."""
    for index, character in enumerate(text):
        if count == 0:
            return text[:index]
        count -= not (character.isspace() or character in FULL_STOPS)
    return text


def rest_of(text: str, heard: str) -> str | None:
    """What of the message `text` follows what was `heard` of it; None if that is not its beginning."""
    beginning = squeeze(heard)
    if not squeeze(text).startswith(beginning):
        return None
    return text[len(take(text, len(beginning))) :]


def begins_with(said: str, text: str) -> bool:
    """Whether the whole `text` was said, and no longer word: "It is 50" does not begin with "It is 5"."""
    beginning = squeeze(text)
    if not beginning or not squeeze(said).startswith(beginning):
        return False
    last, behind = beginning[-1], said[len(take(said, len(beginning))) :]
    if last.isdigit():
        return _NUMBER_GOES_ON.match(behind) is None
    return _WORD_GOES_ON.match(last + behind[:1]) is None


def begins_alike(one: str, other: str) -> bool:
    """Whether neither says anything else than the other as far as both go, or not before `ALIKE`."""
    one, other = squeeze(one), squeeze(other)
    shared = _shared(one, other)
    return 0 < shared == min(len(one), len(other)) or _weight(one[:shared]) >= ALIKE


def continuation(rest: str, said: str) -> int | None:
    """How many characters of `rest`, besides white space and full stops, are gone on with in what was `said`.

    An opening may come before it, and something else after all of it. None: it is not gone on with.
    """
    expected, words = squeeze(rest), squeeze(said)
    if not expected or not words:
        return None
    if expected.startswith(words):
        return len(words)
    enough = next((n for n in range(1, len(expected)) if _weight(expected[:n]) >= ALIKE), len(expected))
    at = words.find(expected[:enough])
    while at >= 0:
        both = min(len(words) - at, len(expected))
        if words[at : at + both] == expected[:both]:
            return both
        at = words.find(expected[:enough], at + 1)
    return None


def holds(check: Check, heard: str) -> bool:
    """Whether the lists of a check hold; its `text` is for whoever knows where a message ends."""
    within = _fold(heard)
    return (
        all(_occurs(one, within) for one in check.has)
        and (not check.any or any(_occurs(one, within) for one in check.any))
        and not any(_occurs(one, within) for one in check.lacks)
    )


def repeats(heard: str, said: str, rest: str = "") -> bool:
    """Whether `said` says again so many words in a row that had been `heard`, and that `rest` does not hold anyway."""
    return not _runs(said).isdisjoint(_runs(heard) - _runs(rest))


def _shared(one: str, other: str) -> int:
    for index, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return index
    return min(len(one), len(other))


def _weight(text: str) -> int:
    return len(text) + len(_IS_UNSPACED.findall(text))


def _fold(text: str) -> str:
    """Upper and lower case, full and half width, white space and the full stops that end sentences made one."""
    return " ".join(_FULL_STOP.sub(" ", unicodedata.normalize("NFKC", text)).casefold().split())


def _occurs(one: str, within: str) -> bool:
    wanted = _fold(one)
    # A number is found as a whole only, with its thousands and its decimals.
    before = r"(?<![0-9])(?<![0-9][.,])" if wanted[:1].isdigit() else ""
    after = r"(?![0-9])(?![.,][0-9])" if wanted[-1:].isdigit() else ""
    # The reference's server makes a newline of a decimal point too.
    return re.search(before + _DECIMAL_POINT.sub("[. ]", re.escape(wanted)) + after, within) is not None


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    runs = {run for run in _windows(words, REPEATED_WORDS) if not all(map(_IS_UNSPACED.match, run))}
    return runs | set(_windows(words, REPEATED_CHARACTERS))


def _windows(words: list[str], length: int) -> Iterable[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(length)), strict=False)
