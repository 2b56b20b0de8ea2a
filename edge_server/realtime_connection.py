"""JSON sessions and the connections to them: a session outlives its connection for a while, and can be come back to.

Lives on the event loop. Frames in, the session's events out, the clock; what they mean is `realtime.py`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from edge_server.connection import MAX_WAITING, SPEAKING, close_or_abort
from edge_server.context import Sampling
from edge_server.conversation import Conversation
from edge_server.driver import Driver, Failure
from edge_server.engine import Handle
from edge_server.events import Output
from edge_server.realtime import Realtime
from edge_server.realtime_floor import wire_error
from edge_server.realtime_log import EventLog, Lost, event_number
from edge_server.realtime_params import About
from edge_server.realtime_wire import WireError, parse

MAX_DETACHED = 64  # sessions that nobody is connected to; the oldest is forgotten for another
MAX_DETACHED_BYTES = 64 * 2**20  # of their events, together
NO_SESSION = 4004  # close code: what was to be resumed is not there any more
TAKEN_OVER = 4001  # close code: the session was resumed on another connection
MAX_NAME = 64  # characters of what a client calls a connection
ENDED = (1000, 1005)  # close codes by which a client ends its session; 1005: it gave none, as pages may
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Realtiming:
    """What every JSON session of a port is made with. ``resume_window``: seconds."""

    session: Callable[[int], Conversation]  # seed; streaming, in ordinary mode
    open_sequence: Callable[[], Handle]
    sampling: Sampling
    new_seed: Callable[[], int]
    model: str
    duplex: bool
    slice_ms: int
    resume_window: float
    idle_bias: float = 0.0
    speaking: float = SPEAKING


class Live:
    """One session: its state, its events, its clock. After use you must call `close`."""

    def __init__(self, made_with: Realtiming) -> None:
        self.token = secrets.token_urlsafe(24)
        self.log = EventLog()
        self.socket: ServerConnection | None = None
        self.failed = False
        """By a defect: it is not gone on with."""
        self.slice_over = asyncio.Event()
        self.last_client_event: str | None = None
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        number = secrets.token_hex(8)
        about = About(
            f"sess_{number}",
            f"conv_{number}",
            made_with.model,
            made_with.new_seed(),
            made_with.sampling,
            duplex=made_with.duplex,
            slice_ms=made_with.slice_ms,
            idle_bias=made_with.idle_bias,
            resume_token=self.token,
            resume_window=made_with.resume_window,
        )
        self._began = self._loop.time()
        self.realtime = Realtime(about, self._send, self._loop.time)
        self._driver = Driver(
            made_with.session(about.seed),
            made_with.open_sequence(),
            made_with.sampling,
            self,
            speaking=made_with.speaking,
            streaming=True,
        )
        self.realtime.use(self._driver)
        self.realtime.start()

    def _send(self, event: dict[str, Any]) -> None:
        """Notes an event; in duplex with the time, since it may come again long afterwards."""
        if self.realtime.in_duplex:
            event = {**event, "at_ms": round((self._loop.time() - self._began) * 1000)}
        self.log.append(event)

    def read(self, frame: str | bytes) -> None:
        """A client's frame."""
        self._guarded(partial(self._receive, frame))

    def _receive(self, frame: str | bytes) -> None:
        event_id = None
        try:
            if not isinstance(frame, str):
                raise WireError("invalid_json", "events are text frames, not binary ones")
            event = parse(frame)
            event_id = event.event_id
            self.realtime.receive(event)
        except WireError as error:
            event_id = event_id or error.event_id
            self._send(wire_error(error.code, error.message, error.param, event_id))
        self.last_client_event = event_id or self.last_client_event

    @property
    def waiting(self) -> int:
        """How many texts wait for the slice that runs."""
        return self._driver.session.waiting

    def listen(self, *, listening: bool) -> None:
        """Whether somebody is connected."""
        if listening:
            self.realtime.go_on()
        else:
            self.realtime.pause()
        self._wind()

    def close(self) -> None:
        """Give everything back."""
        if self._timer is not None:
            self._timer.cancel()
        self._driver.close()

    # --- the driver's listener

    def say(self, output: Output) -> None:
        """See `driver.Listener`."""
        self._guarded(partial(self.realtime.say, output))

    def over(self) -> None:
        """See `driver.Listener`."""
        self._guarded(self.realtime.over)
        self.slice_over.set()

    def fail(self, failure: Failure) -> None:
        """See `driver.Listener`."""
        if failure is Failure.SESSION:
            self._break()
        else:
            self._guarded(partial(self.realtime.fail, failure))
        self.slice_over.set()

    # --- the clock

    def _wind(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        deadline = None if self.failed else self.realtime.deadline
        self._timer = None if deadline is None else self._loop.call_at(deadline, self._guarded, self.realtime.tick)

    def _guarded(self, step: Callable[[], None]) -> None:
        """Take a step, and wind the clock anew. A session that failed by a defect is not gone on with."""
        if self.failed:
            return
        try:
            step()
        except Exception:
            _log.exception("a session failed")
            self._break()
        self._wind()

    def _break(self) -> None:
        if not self.failed:
            self.failed = True
            self._send(wire_error("server_error", Failure.SESSION.value, kind="server_error"))
        self.slice_over.set()


class Registry:
    """The sessions of one port: those that somebody is connected to, and those that may be come back to."""

    def __init__(self, made_with: Realtiming) -> None:
        self._made_with = made_with
        self._live: dict[str, Live] = {}
        self._leaving: dict[Live, asyncio.TimerHandle] = {}  # oldest first
        self._closing: set[asyncio.Task[None]] = set()

    def open(self) -> Live:
        """A new session."""
        live = Live(self._made_with)
        self._live[live.token] = live
        return live

    def find(self, token: str) -> Live | None:
        """The session that a token is of."""
        return self._live.get(token)

    def leave(self, live: Live) -> None:
        """Nobody is connected to a session: it may be come back to for a while."""
        live.listen(listening=False)
        window = self._made_with.resume_window
        if window <= 0:
            self.forget(live)
            return
        self._leaving[live] = asyncio.get_running_loop().call_later(window, self.forget, live)
        while len(self._leaving) > MAX_DETACHED or self._kept_for_nobody() > MAX_DETACHED_BYTES:
            self.forget(next(iter(self._leaving)))

    def _kept_for_nobody(self) -> int:
        """Bytes of the events of all sessions that nobody is connected to."""
        return sum(live.log.size for live in self._leaving)

    def forget(self, live: Live) -> None:
        """A session is over."""
        self._stay(live)
        self._live.pop(live.token, None)
        live.close()

    def _stay(self, live: Live) -> None:
        if (timer := self._leaving.pop(live, None)) is not None:
            timer.cancel()

    def take_over(self, live: Live, socket: ServerConnection) -> None:
        """A session goes on on another connection; the one that it has, if any, may be dead without knowing."""
        self._stay(live)
        before, live.socket = live.socket, socket
        if before is not None:
            _log.info("a session is resumed on another connection")
            closing = asyncio.create_task(
                close_or_abort(before, TAKEN_OVER, "the session goes on on another connection")
            )
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    def close(self) -> None:
        """Every session is over."""
        for live in list(self._live.values()):
            self.forget(live)


class RealtimeConnection:
    """One client of the JSON protocol. Call `run` once; it returns when the client is gone."""

    def __init__(self, socket: ServerConnection, registry: Registry) -> None:
        self._socket = socket
        self._registry = registry
        self._position = 0  # the number of the newest event that was sent

    async def run(self) -> None:
        """Serve the client until it leaves."""
        request = self._socket.request
        query = parse_qs(urlsplit("" if request is None else request.path).query, keep_blank_values=True)
        tokens, seen = query.get("resume"), query.get("after")
        if tokens is None:
            live = self._registry.open()
        else:
            found = self._registry.find(tokens[-1])
            number = event_number(seen[-1]) if seen else 0
            if found is None or number is None or not found.log.holds(number):
                await self._refuse()
                return
            live, self._position = found, number
        self._registry.take_over(live, self._socket)
        if tokens is not None:
            names = query.get("connection")
            live.realtime.resumed(live.last_client_event, names[-1][:MAX_NAME] if names else None)
            live.listen(listening=True)
        await self._serve(live)

    async def _serve(self, live: Live) -> None:
        tasks = [asyncio.create_task(self._write(live)), asyncio.create_task(self._let_go(live))]
        try:
            async for frame in self._socket:
                if live.socket is not self._socket:
                    continue  # taken over: the client was told which of its events had come until then
                live.read(frame)
                # Frames that have arrived already are read without a pause: others have turns too.
                await asyncio.sleep(0)
                while live.waiting >= MAX_WAITING and not live.failed:
                    live.slice_over.clear()
                    await live.slice_over.wait()
        except ConnectionClosed:
            pass  # without a closing handshake; it may come back
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if live.socket is self._socket:
                live.socket = None
                if live.failed or self._socket.close_code in ENDED:
                    self._registry.forget(live)
                else:
                    self._registry.leave(live)

    async def _write(self, live: Live) -> None:
        with contextlib.suppress(ConnectionClosed, Lost):
            while not (live.failed and self._position == live.log.last):
                await live.log.wait(self._position)
                await self._socket.send(live.log.after(self._position))
                self._position += 1
                await asyncio.sleep(0)  # thousands may come again, and sending need not wait: others have turns too
            await close_or_abort(self._socket, 1011, Failure.SESSION.value)

    async def _let_go(self, live: Live) -> None:
        """Close the connection once it is so far behind that what it needs is gone; writing may wait for the client."""
        await live.log.outrun(lambda: self._position)
        _log.warning("closing the connection from %s: it does not read", self._socket.remote_address)
        await close_or_abort(self._socket, 1008, "too slow: the client does not read what is sent to it")

    async def _refuse(self) -> None:
        text = "there is no such session any more, or not all events since: connect without resume"
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(json.dumps(wire_error("session_not_found", text, "resume")))
            await self._socket.close(NO_SESSION, "no such session")
