"""Plays scenarios over a connection, and notes what came back in which slice. Judges nothing.

When a slice is over, a silent one sends nothing. A server that agrees to the subprotocol `duplex.report` says how many
slices it has dealt with: then the next frame is sent when it has, as fast as the machine. With any other server, and
on request, a clock says it: a frame at each tick, and what comes before the next one belongs to the slice.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from clients.chat_text import IDLE, NEW_SESSION, TOO_LONG
from clients.connection import Connection, Event, Lost, Opened, Received
from clients.eval_matching import is_silent
from clients.eval_played import Played, PlayedSlice
from clients.eval_scenarios import Scenario, Step
from clients.words import clean

REPORT_SUBPROTOCOL = "duplex.report"
REPORT = "<!slice!>"  # and the number of slices that were dealt with
SEED = "<!seed!>"  # and the seed of the next new session

DEFAULT_CLOCK = 2.0  # seconds between the slices where the server does not report them
LISTENED_AFTER_END = 2  # slices after the silent one that ends a message
LONGEST_MESSAGE = 100  # slices that an assistant who speaks on and on is listened to
ANSWER_TIMEOUT = 120.0  # seconds without a report of a slice after which the server is taken for dead
MOST_HEARD = 4 * 1024 * 1024  # characters in a slice, a frame counting as one more
ATTEMPTS = 3  # at one scenario, while connections are lost
RETRY_DELAY = 0.5  # seconds before the second attempt, twice as many before the third


@dataclass(frozen=True)
class Pace:
    """How scenarios are played.

    Args:
        clock: Seconds between two slices; None: as fast as the server reports them, else `DEFAULT_CLOCK`.
        patience: Silent slices after which a reply that has not begun is no longer waited for, 1 or more.
        wait: Seconds to wait for a server that does not answer.
    """

    clock: float | None = None
    patience: int = 3
    wait: float = 10.0


class PlayError(RuntimeError):
    """There is no connection, or the server does not keep to the protocol. The message is one line for the user."""


def seed_of(seed: int, scenario: str) -> int:
    """The seed of a scenario's session, 0 to 2^63-1: the same whatever else is played before it."""
    return int.from_bytes(hashlib.sha256(f"{seed} {scenario}".encode()).digest()[:8], "big") >> 1


def wants_more(step: Step, replies: Sequence[str], patience: int) -> bool:
    """Whether after these `replies` another slice of the step is listened to."""
    if step.slices is not None:
        return len(replies) < step.slices
    silent = [is_silent(reply) for reply in replies]
    if all(silent):
        return len(replies) < patience
    if len(replies) >= LONGEST_MESSAGE:
        return False
    begun = silent.index(False)
    return True not in silent[begun:] or len(replies) <= silent.index(True, begun) + LISTENED_AFTER_END


async def play_all(
    scenarios: Iterable[Scenario],
    url: str,
    *,
    seed: int,
    pace: Pace,
    done: Callable[[Played], None],
    note: Callable[[str], None],
) -> None:
    """Plays one scenario after the other; each goes to `done` when it is over, a remark for the user to `note`.

    A connection that is lost is opened again, and the scenario is played anew.

    Raises:
        PlayError: The server is gone, or `ATTEMPTS` at one scenario failed.
    """
    player = _Player(url, seed, pace, note)
    try:
        for scenario in scenarios:
            done(await player.play(scenario))
    finally:
        await player.close()


class _Player:
    """Has a connection while it plays, and gets another one where that is lost."""

    def __init__(self, url: str, seed: int, pace: Pace, note: Callable[[str], None]) -> None:
        self._url = url
        self._seed = seed
        self._pace = pace
        self._note = note
        self._line: _Line | None = None
        self._told = False

    async def play(self, scenario: Scenario) -> Played:
        attempt = 0
        while True:
            attempt += 1
            try:
                line = self._line = self._line or await _Line.open(self._url, self._pace.wait)
                self._tell(line)
                played = await _play(line, scenario, self._seed, self._pace)
            except _LostError as error:
                await self.close()
                if not error.was_open or attempt == ATTEMPTS:
                    raise PlayError(str(error)) from None
                self._note(f"{error}: playing {scenario.id} again")
                await asyncio.sleep(RETRY_DELAY * attempt)
            else:
                # Without reports, a reply may still be on its way; it must not be heard in the next scenario.
                if not line.reports:
                    await self.close()
                return played

    async def close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    def _tell(self, line: _Line) -> None:
        if not self._told and not line.reports:
            clock = DEFAULT_CLOCK if self._pace.clock is None else self._pace.clock
            self._note(f"the server does not report slices ({REPORT_SUBPROTOCOL}): playing one every {clock:g} s")
        self._told = True


async def _play(line: _Line, scenario: Scenario, seed: int, pace: Pace) -> Played:
    now = asyncio.get_running_loop().time
    clock = pace.clock if line.reports or pace.clock is not None else DEFAULT_CLOCK
    line.begin(seed_of(seed, scenario.id))
    began = now()
    slices: list[PlayedSlice] = []
    for index, step in enumerate(scenario.steps):
        replies: list[str] = []
        while wants_more(step, replies, pace.patience):
            words = None if replies else getattr(step, "words", None)
            # Ticks keep to the clock, whatever happens between two of them.
            until = None if clock is None else began + (len(slices) + 1) * clock
            sent = now()
            try:
                reply, first = await line.exchange(IDLE if words is None else words, until)
            except _FullError:
                return Played(scenario.id, tuple(one for one in slices if one.step < index), complete=False)
            replies.append(reply)
            since = None if first is None else first - began
            slices.append(PlayedSlice(index, words, reply, sent - began, since))
    await line.settle()
    return Played(scenario.id, tuple(slices))


class _LostError(Exception):
    """Why there is no connection, in one line."""

    def __init__(self, reason: str, *, was_open: bool) -> None:
        super().__init__(reason)
        self.was_open = was_open


class _FullError(Exception):
    """The server said that the conversation does not fit."""


class _Line:
    """One open connection, a slice at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._running: asyncio.Task[None] | None = None
        self._sent = 0  # slices of this conversation
        self._reported = 0  # of these, dealt with
        self._heard = 0  # characters and frames since the last slice
        self.reports = False

    @staticmethod
    async def open(url: str, wait: float) -> _Line:
        """Raises _LostError: no connection within `wait` seconds."""
        line = _Line(Connection(url, patience=wait, reopen=False, offer=REPORT_SUBPROTOCOL))
        line._running = asyncio.create_task(line._connection.run(line._events.put_nowait))
        try:
            while True:
                event = await line._events.get()
                if isinstance(event, Opened):
                    line.reports = event.subprotocol == REPORT_SUBPROTOCOL
                    return line
                if isinstance(event, Lost) and event.retry_in is None:
                    raise _LostError(event.reason, was_open=False)
        except BaseException:
            await line.close()
            raise

    async def close(self) -> None:
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running

    def begin(self, seed: int) -> None:
        """A new conversation. Nothing of the one before is on its way: it was settled, or this line is new."""
        self._sent = self._reported = 0
        if self.reports:
            self._send(f"{SEED}{seed}")
        self._send(NEW_SESSION)

    async def exchange(self, frame: str, until: float | None) -> tuple[str, float | None]:
        """Sends one slice; returns what is said in it, and when the first frame of that came (None: silence).

        It is over at the time `until`; None: when the server reports that.

        Raises:
            _LostError: The connection is lost.
            _FullError: The conversation does not fit.
        """
        self._sent += 1
        self._send(frame)
        reply, first, full = "", None, False
        self._heard = 0
        now = asyncio.get_running_loop().time
        while until is not None or self._reported < self._sent:
            text = await self._hear(ANSWER_TIMEOUT if until is None else until - now(), timed=until is not None)
            if text is None:
                break
            if text == TOO_LONG:
                full = True
            elif words := clean(text.replace(IDLE, "")):
                if first is None and not is_silent(words):
                    first = now()
                reply += words
        if full:
            await self.settle()
            raise _FullError
        return reply, first

    async def settle(self) -> None:
        """Waits until the server has dealt with all, if it reports that."""
        while self.reports and self._reported < self._sent:
            await self._hear(ANSWER_TIMEOUT, timed=False)

    async def _hear(self, seconds: float, *, timed: bool) -> str | None:
        """The next text, "" for a report; None if `seconds` pass without one, which is an error unless `timed`."""
        event = await self._next_event(seconds)
        if event is None:
            if timed:
                return None
            raise _LostError(f"the server has not dealt with a slice for {seconds:g} s", was_open=True)
        if isinstance(event, Lost):
            raise _LostError(event.reason, was_open=True)
        if not isinstance(event, Received):
            return ""
        self._heard += len(event.frame) + 1
        if self._heard > MOST_HEARD:
            raise PlayError(f"the server sent more than {MOST_HEARD:,} characters in a slice")
        if not self.reports or not event.frame.startswith(REPORT):
            return event.frame
        number = event.frame[len(REPORT) :]
        if not (number.isascii() and number.isdigit() and self._reported < int(number[:18]) <= self._sent):
            raise PlayError(f"the server reported slice {number[:20]!r} when {self._sent} were sent")
        self._reported = int(number)
        return ""

    async def _next_event(self, seconds: float) -> Event | None:
        # Not wait_for: before Python 3.12 it forgets that it was cancelled if an event comes in that moment, and Ctrl-C
        # would be lost.
        getting = asyncio.ensure_future(self._events.get())
        try:
            await asyncio.wait({getting}, timeout=max(seconds, 0.0))
        finally:
            getting.cancel()
        return getting.result() if getting.done() and not getting.cancelled() else None

    def _send(self, frame: str) -> None:
        with suppress(RuntimeError):  # it was lost: that is in the queue
            self._connection.send(frame)
