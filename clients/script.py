"""A conversation from a file: reads the script, plays it, prints the transcript.

A script is a text file of lines `MOMENT: WORDS`. Moments are counted in ticks, the first of which is 0, not in
seconds: the same script plays in the same order whatever the length of a tick.

    0: what is the capital          at tick 0
    +1: of france?                  one tick after the line before
    after 2 replies: stop please    at once when the assistant has replied twice since the line before
    after silence: thank you        when the assistant has replied since the line before, and then fallen silent

Lines are played in order. Without words a line only waits; the word /new begins a new conversation. Blank lines,
and lines that begin with `#`, are comments. The end comes when the script is over and the assistant is silent.

`Player` is pure; `ScriptFrontEnd` gives it the time and prints.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TextIO

from clients.chat import Slice
from clients.conversation import Conversation, TalkError
from clients.transcript import Transcript

# After the last line, an assistant that goes on and on is listened to for so many ticks.
LAST_TICKS = 100
PATIENCE = 60.0  # seconds without a word from the assistant after which a line that waits for one fails

_MOMENTS = "write a tick (12), ticks after the line before (+3), `after 2 replies` or `after silence`"
_REPLIES = re.compile(r"after (?:(\d+) )?repl(?:y|ies)")


class ScriptError(ValueError):
    """The script cannot be read or understood. The message is one line that names the file and the line."""


@dataclass(frozen=True)
class AtTick:
    tick: int


@dataclass(frozen=True)
class AfterTicks:
    ticks: int


@dataclass(frozen=True)
class AfterReplies:
    count: int


@dataclass(frozen=True)
class AfterSilence:
    pass


Moment = AtTick | AfterTicks | AfterReplies | AfterSilence


@dataclass(frozen=True)
class Cue:
    """One line of a script; `words` may be empty (it only waits), or `/new`."""

    line_number: int
    moment: Moment
    words: str


def read_script(data: bytes, name: str) -> list[Cue]:
    """The cues of the script in a file's bytes; `name` is what errors call it.

    Raises:
        ScriptError: It is no text, or a line of it is not understood.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScriptError(f"{name} is not a text file in UTF-8 (byte {error.start})") from None
    return parse_script(text, name)


def parse_script(text: str, name: str) -> list[Cue]:
    """The cues of a script's `text`; `name` is what errors call it."""
    cues: list[Cue] = []
    latest = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        before, colon, words = line.partition(":")
        words = words.strip()
        where = f"{name}, line {number}"
        if not colon:
            raise ScriptError(f"{where}: no colon between the moment and the words: {line.strip()!r}")
        moment = _parse_moment(before.strip())
        if moment is None:
            raise ScriptError(f"{where}: {before.strip()!r} is no moment: {_MOMENTS}")
        if words.startswith("/") and words != "/new":
            raise ScriptError(f"{where}: {words.split()[0]} is no command of a script: there is /new")
        if isinstance(moment, AtTick):
            if moment.tick < latest:
                raise ScriptError(f"{where}: tick {moment.tick} comes after tick {latest}")
            latest = moment.tick
        cues.append(Cue(number, moment, words))
    if not cues:
        raise ScriptError(f"{name} is empty: it needs at least one line such as `0: hello`")
    return cues


def _parse_moment(text: str) -> Moment | None:
    if re.fullmatch(r"[0-9]{1,9}", text):
        return AtTick(int(text))
    if re.fullmatch(r"\+[0-9]{1,9}", text) and int(text) > 0:
        return AfterTicks(int(text))
    if text == "after silence":
        return AfterSilence()
    match = _REPLIES.fullmatch(text)
    if match and (count := int(match[1] or 1)) > 0:
        return AfterReplies(count)
    return None


class Player:
    """Where a script stands. Tell it every `tick` and whatever is `heard`; what it returns is to be said then."""

    def __init__(self, cues: list[Cue]) -> None:
        self._cues = list(cues)
        self._tick = -1
        self._tick_of_last_cue = 0
        self._replies = 0  # since the last cue

    @property
    def waiting_line(self) -> int | None:
        """The number of the line that waits for the assistant, if one does."""
        if self._cues and isinstance(self._cues[0].moment, AfterReplies | AfterSilence):
            return self._cues[0].line_number
        return None

    def over(self, *, silent: bool) -> bool:
        """Whether nothing is left to be said or heard."""
        return not self._cues and (silent or self._tick - self._tick_of_last_cue >= LAST_TICKS)

    def tick(self, *, silent: bool) -> list[str]:
        """A tick has come, with the assistant `silent` or not."""
        self._tick += 1
        return self._play(silent=silent, tick=True)

    def heard(self) -> list[str]:
        """The assistant has replied."""
        self._replies += 1
        return self._play(silent=False, tick=False)

    def _play(self, *, silent: bool, tick: bool) -> list[str]:
        lines = []
        while self._cues and self._is_due(self._cues[0].moment, silent=silent, tick=tick):
            cue = self._cues.pop(0)
            self._tick_of_last_cue = self._tick
            self._replies = 0
            if cue.words:
                lines.append(cue.words)
        return lines

    def _is_due(self, moment: Moment, *, silent: bool, tick: bool) -> bool:
        if isinstance(moment, AtTick):
            return tick and self._tick >= moment.tick
        if isinstance(moment, AfterTicks):
            return tick and self._tick >= self._tick_of_last_cue + moment.ticks
        if isinstance(moment, AfterReplies):
            return self._replies >= moment.count
        return silent and self._replies > 0


class ScriptFrontEnd:
    """Plays `cues` into a conversation and prints the transcript: a line a slice, with the seconds since the start.

    Args:
        times: Whether the seconds are printed; without them two runs with the same words print the same.
    """

    def __init__(
        self,
        conversation: Conversation,
        cues: list[Cue],
        *,
        out: TextIO,
        notes: TextIO,
        times: bool = True,
        patience: float = PATIENCE,
    ) -> None:
        self._conversation = conversation
        self._player = Player(cues)
        self._transcript = Transcript(out=out, notes=notes, clock=self._time if times else None)
        self._patience = patience
        self._started_at: float | None = None

    def due(self, *, tick: bool) -> list[str]:
        """As a front end.

        Raises:
            TalkError: A line has waited for the assistant in vain.
        """
        if self._started_at is None:
            self._started_at = self._conversation.now()
        if not tick:
            return self._player.heard()
        silent = self._conversation.silent
        if self._player.over(silent=silent):
            return ["/quit"]
        waiting = self._player.waiting_line
        if waiting is not None and self._conversation.quiet_for > self._patience:
            raise TalkError(f"line {waiting} of the script waited {self._patience:g} s for a reply")
        return self._player.tick(silent=silent)

    def show(self, slice_: Slice) -> None:
        self._transcript.show(slice_)

    def _time(self) -> float:
        return 0.0 if self._started_at is None else self._conversation.now() - self._started_at

    @property
    def typed(self) -> str:
        return ""

    def changed(self) -> None:
        pass

    def close(self) -> None:
        """As a transcript."""
        self._transcript.close()
