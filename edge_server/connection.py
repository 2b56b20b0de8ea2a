"""One client of the text protocol: its frames, and the driver of its session.

Outgoing frames wait in a bounded queue, so that a client that does not read stops nobody. Knows no model, no decoding.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from edge_server import events
from edge_server.driver import Driver, Failure
from edge_server.engine import Handle, Sampling
from edge_server.events import Mode, NewSession, Output, Say, Session
from edge_server.protocol import FrameError, Seed, TextCodec
from edge_server.wording import count_words

CLOSE_TIMEOUT = 2.0  # seconds that a client which has vanished, or does not read, can hold up its end
MAX_UNSENT = 256  # frames: a client that far behind is not reading
SPEAKING = 6.0  # seconds: an assistant with more to say, and no tick for so long, is not speaking
MAX_WAITING = 16  # frames that wait for a slice to end; further ones are left in the socket until then

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Conversing:
    """What every connection of a port is made with."""

    codec: Callable[[str | None], TextCodec]  # the subprotocol that was selected
    session: Callable[[Mode, int], Session]  # mode, seed
    open_sequence: Callable[[], Handle]
    sampling: Sampling  # but for seed and bias, which are each slice's own
    new_seed: Callable[[], int]
    assume_wpm: float | None = None
    speaking: float = SPEAKING


class Speech:
    """How much of what was delivered has been spoken, at a fixed pace (words a minute). Times are in seconds."""

    def __init__(self, words_per_minute: float) -> None:
        self._seconds_a_word = 60 / words_per_minute
        self._end = 0.0
        self._text = ""  # what was delivered since all was spoken

    def said(self, text: str, now: float) -> None:
        """``text`` was delivered; it is spoken behind what is still being spoken."""
        self._text = text if self._end <= now else self._text + text
        self._end = max(self._end, now) + len(text.split()) * self._seconds_a_word

    def interrupt(self, now: float) -> int:
        """Speaking stops; how many characters remained unspoken. A word that was begun is one of those."""
        rest, self._end = max(0.0, self._end - now), now
        return count_words(self._text, math.ceil(rest / self._seconds_a_word - 1e-9))


async def close_or_abort(socket: ServerConnection, code: int, reason: str) -> None:
    """Close a connection; one whose client does not even read what is on its way is cut after `CLOSE_TIMEOUT`."""
    try:
        await asyncio.wait_for(socket.close(code, reason), CLOSE_TIMEOUT)
    except asyncio.TimeoutError:
        socket.transport.abort()


class Connection:
    """Call `run` once; it returns when the client is gone, and everything the client held is given back."""

    def __init__(self, socket: ServerConnection, conversing: Conversing) -> None:
        self._socket = socket
        self._conversing = conversing
        self._codec = conversing.codec(socket.subprotocol)
        self._driver = Driver(
            conversing.session(self._codec.first_mode, conversing.new_seed()),
            conversing.open_sequence(),
            conversing.sampling,
            self,
            speaking=conversing.speaking,
        )
        self._seed: int | None = None  # of the next new session, where the client gave it
        self._slices = 0  # slices of this conversation that were read
        self._reported = 0  # those of them that were reported
        self._loop = asyncio.get_running_loop()
        self._unsent: asyncio.Queue[str] = asyncio.Queue(MAX_UNSENT)
        self._slice_over = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None
        self._speech = Speech(conversing.assume_wpm) if conversing.assume_wpm else None

    async def run(self) -> None:
        """Serve the client until it leaves."""
        writer = asyncio.create_task(self._write())
        try:
            async for frame in self._socket:
                if not isinstance(frame, str):
                    await self._socket.close(1003, "text frames only")
                    return
                self._guarded(partial(self._read, frame))
                # Frames that have arrived already are read without a pause: others have turns too.
                await asyncio.sleep(0)
                while self._driver.session.waiting >= MAX_WAITING and self._closing is None:
                    self._slice_over.clear()
                    await self._slice_over.wait()
        except ConnectionClosed:
            pass  # without a closing handshake; an ordinary way to leave
        finally:
            self._driver.close()
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
            if self._closing is not None:
                await self._closing

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._socket.send(await self._unsent.get())

    def _read(self, frame: str) -> None:
        try:
            meaning = self._codec.decode(frame)
        except FrameError as error:
            self._close(1008, str(error))
            return
        if meaning is None or self._closing is not None:
            return
        if isinstance(meaning, Seed):
            self._seed = meaning.seed
            return
        if isinstance(meaning, Mode):
            if self._speech:
                self._speech.interrupt(time.monotonic())
            while not self._unsent.empty():
                self._unsent.get_nowait()  # words of the conversation that is forgotten now
            given, self._seed = self._seed, None
            self._slices = self._reported = 0
            self._driver.take(NewSession(meaning, self._conversing.new_seed() if given is None else given))
            return
        if isinstance(meaning, events.UserText):
            unheard = self._speech.interrupt(time.monotonic()) if self._speech else 0
            if unheard:
                self._driver.take(events.Unheard(unheard))
        self._slices += not isinstance(meaning, events.Draft)
        self._driver.take(meaning)
        self._report_slices()

    def _report_slices(self) -> None:
        """Tell who wants to know that all slices are dealt with, where they are: a session asks until then."""
        if not self._driver.busy and self._slices > self._reported:
            self._reported = self._slices
            for frame in self._codec.report(self._slices):
                self._send(frame)

    def say(self, output: Output) -> None:
        """Called by the driver: send what the session says."""
        if isinstance(output, Say) and self._speech:
            self._speech.said(output.text, time.monotonic())
        for frame in self._codec.encode(output):
            self._send(frame)

    def over(self) -> None:
        """Called by the driver: nothing waits for the slice that ended."""
        self._report_slices()
        self._slice_over.set()

    def fail(self, failure: Failure) -> None:
        """Called by the driver: without an answer there is no going on."""
        self._close(1013 if failure in (Failure.FULL, Failure.BUSY) else 1011, failure.value)
        self._slice_over.set()

    def _send(self, frame: str) -> None:
        try:
            self._unsent.put_nowait(frame)
        except asyncio.QueueFull:
            self._close(1008, "too slow: the client does not read what is sent to it")

    def _close(self, code: int, reason: str) -> None:
        if self._closing is None:
            _log.warning("closing the connection from %s: %s", self._socket.remote_address, reason)
            self._closing = self._loop.create_task(close_or_abort(self._socket, code, reason))

    def _guarded(self, step: Callable[[], None]) -> None:
        """A defect must not leave the client waiting for an answer that never comes."""
        try:
            step()
        except Exception:
            _log.exception("a session failed")
            self.fail(Failure.SESSION)
