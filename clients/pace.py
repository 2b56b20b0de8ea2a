"""How far a listener has heard what is spoken at a rate: words come in, and at their time they are heard.

`Pace` is pure: times are given to it. `PacedSpeaker` runs one by the asyncio loop's clock. Places and lengths are in
Unicode code points, as the protocol counts them.

A word is what stands between spaces, and each character of a script that is written without them; the punctuation and
spaces behind a word belong to it. A rate counts words of five letters and a space; others take time in proportion, so
that on the average a word takes what the server's `--assume-wpm` gives every word. A Chinese or Japanese character, or
a Korean syllable, takes the time of four letters: at 180 words a minute 270 of them are spoken.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

STANDARD_WORD = 6  # letters, with its space
_SYLLABLE = 4  # letters that take as long as a syllable that is written as one character

_CJK = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_UNSPACED = f"{_CJK}\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # and Thai, Lao, Myanmar, Khmer
_CJK_MARKS = "\u3000-\u3003\u3008-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
_RUN = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}{_CJK_MARKS}]+")
_LETTER = re.compile(r"\w")
_SPACED_LETTER = re.compile(rf"[^\W{_UNSPACED}]")
_SYLLABLES = re.compile(rf"(?=\w)[{_CJK}\uac00-\ud7a3]")


@dataclass(frozen=True)
class Heard:
    """A part of an item that was heard: `text` is its characters from `start` to before `end`."""

    item: str
    start: int
    end: int
    text: str


def word_ends(text: str) -> list[int]:
    """Where each word of `text` ends, with what belongs to it; what stands before the first belongs to that.

    The last is the text's end. A text without a word is taken for one; an empty text has none.
    """
    starts = [run.start() for run in _RUN.finditer(text) if _LETTER.search(run[0])]
    return [*starts[1:], len(text)] if text else []


def count_standard_words(text: str) -> float:
    """How many words of the standard length take as long to speak as `text`."""
    letters = len(_LETTER.findall(text)) + (_SYLLABLE - 1) * len(_SYLLABLES.findall(text))
    spaces = sum(1 for run in _RUN.finditer(text) if _SPACED_LETTER.search(run[0]))
    return (letters + spaces) / STANDARD_WORD


@dataclass(frozen=True)
class _Word:
    item: str
    start: int
    text: str
    begin: float
    end: float


class Pace:
    """Words that are spoken one behind the other.

    Args:
        words_a_minute: Above 0, finite.

    Raises:
        ValueError: It is not.
    """

    def __init__(self, words_a_minute: float) -> None:
        if not (math.isfinite(words_a_minute) and words_a_minute > 0):
            raise ValueError(f"{words_a_minute} words a minute: a rate is above 0")
        self._seconds_a_word = 60 / words_a_minute
        self._waiting: deque[_Word] = deque()
        self._end = -math.inf  # when all that was said is over

    @property
    def pending(self) -> bool:
        """Whether something is not heard yet, as far as `heard` told."""
        return bool(self._waiting)

    @property
    def next_at(self) -> float | None:
        """When the next word is over; None: nothing is pending."""
        return self._waiting[0].end if self._waiting else None

    def say(self, item: str, start: int, text: str, now: float) -> None:
        """Queues `text`, which is at `start` in `item`. What goes on with the last word before that is over joins it.

        `now`, here and below, is in seconds from any moment on.
        """
        begin = max(self._end, now)
        if self._waiting and self._goes_on(self._waiting[-1], item, start, now):
            last = self._waiting.pop()
            start, text, begin = last.start, last.text + text, last.begin
        done = 0
        for place in word_ends(text):
            word = text[done:place]
            end = begin + count_standard_words(word) * self._seconds_a_word
            self._waiting.append(_Word(item, start + done, word, begin, end))
            done, begin = place, end
        self._end = begin

    def heard(self, now: float) -> list[Heard]:
        """What became heard since the last call. What follows in the same item is joined."""
        told: list[Heard] = []
        while self._waiting and self._waiting[0].end <= now:
            word = self._waiting.popleft()
            end = word.start + len(word.text)
            if told and (told[-1].item, told[-1].end) == (word.item, word.start):
                told[-1] = Heard(word.item, told[-1].start, end, told[-1].text + word.text)
            else:
                told.append(Heard(word.item, word.start, end, word.text))
        return told

    def stop(self) -> None:
        """Forgets what is not spoken to its end."""
        self._waiting.clear()
        self._end = -math.inf

    @staticmethod
    def _goes_on(last: _Word, item: str, start: int, now: float) -> bool:
        return last.end > now and (last.item, last.start + len(last.text)) == (item, start)


class ReplySpeaker(Protocol):
    """What speaks replies, and tells how far each was heard."""

    @property
    def speaking(self) -> bool:
        """Whether something was said and not heard yet."""

    def say(self, item: str, start: int, text: str) -> None:
        """Speaks `text`, which is at `start` in `item`, behind what is being spoken. Needs a running loop."""

    def flush(self) -> None:
        """Nothing more of this slice: what waits for the end of its phrase is spoken."""

    def stop(self) -> None:
        """Is silent at once. What was not heard until now is never told."""

    async def close(self) -> None:
        """Stops, and gives back what it holds. Nothing is told, and nothing may be said, afterwards."""


class PacedSpeaker:
    """Speaks without a sound: words are heard at a rate.

    Args:
        words_a_minute: As for `Pace`.
        tell: Is called in the loop with what became heard.
    """

    def __init__(self, words_a_minute: float, tell: Callable[[Heard], None]) -> None:
        self._pace = Pace(words_a_minute)
        self._tell = tell
        self._timer: asyncio.TimerHandle | None = None

    @property
    def speaking(self) -> bool:
        return self._pace.pending

    def say(self, item: str, start: int, text: str) -> None:
        loop = asyncio.get_running_loop()
        self._pace.say(item, start, text, loop.time())
        self._wait(loop)

    def flush(self) -> None:
        pass

    def stop(self) -> None:
        told = self._pace.heard(asyncio.get_running_loop().time())
        self._forget()
        for heard in told:
            self._tell(heard)

    async def close(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._pace.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self._pace.next_at
        self._timer = None if due is None else loop.call_at(due, self._pass, loop, due)

    def _pass(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        told = self._pace.heard(max(loop.time(), due))  # a timer may come a tick of the clock early
        self._wait(loop)
        for heard in told:
            self._tell(heard)
