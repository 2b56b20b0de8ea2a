"""A session and its sequence in the engine, joined: events in, what the session says out.

Lives on the event loop and never waits for the model: the engine calls back. Knows no frames and no sockets; what is
said, and what fails, goes to whoever listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from edge_server import events
from edge_server.engine import EngineError, Finish, Generated, Handle, Job, Request, Sampling
from edge_server.events import (
    Action,
    Cancel,
    Event,
    Generate,
    Output,
    Prepare,
    Release,
    Sampled,
    Session,
    SliceDone,
)

_FINISH = {
    Finish.STOP: events.Finish.STOP,
    Finish.CAP: events.Finish.CAP,
    Finish.CANCELLED: events.Finish.CANCELLED,
}
SessionT = TypeVar("SessionT", bound=Session)
_log = logging.getLogger(__name__)


class Failure(Enum):
    """Why a slice was not made, or nothing more can be. The text is for the client."""

    MODEL = "the model failed; the server's log says why"
    SESSION = "the session failed; the server's log says why"
    FULL = "no room in the KV cache: start the server with more --kv-cells"
    BUSY = "all --sessions of this server are speaking: try again in a moment"


@dataclass(frozen=True)
class Cost:
    """What a slice took: tokens, and seconds from when it was asked for."""

    reused: int
    prefilled: int
    sampled: int
    guessed: int  # of the sampled ones, those that were there when it was asked for
    dropped: int  # sampled ahead and thrown away since the slice before
    first_token: float | None  # None: none was sampled
    total: float


class Listener(Protocol):
    """Who a driver tells."""

    def say(self, output: Output) -> None:
        """What the session says, in order."""

    def over(self) -> None:
        """What a slice's end led to is done; another one may have begun."""

    def fail(self, failure: Failure) -> None:
        """The slice that runs will have no answer."""


def request_for(asked: Generate, sampling: Sampling) -> Request:
    """What the engine gets for what a session asks; seed and bias of ``sampling`` are the session's to say."""
    sampling = replace(sampling, seed=asked.seed, first_bias=asked.first_bias)
    return Request(asked.tokens, asked.max_new, asked.stop, sampling, asked.peek, asked.cuts, asked.urgent)


class Driver(Generic[SessionT]):
    """After use you must call `close`. Everything but what the engine calls happens on the event loop."""

    def __init__(
        self,
        session: SessionT,
        sequence: Handle,
        sampling: Sampling,
        listener: Listener,
        *,
        speaking: float,
        streaming: bool = False,
    ) -> None:
        """``speaking``: seconds that a session with more to say, and no slice, counts as one that speaks."""
        self.session = session
        self.sampling = sampling
        self.cost: Cost | None = None
        """Of the newest slice that is over; None where it had no answer."""
        self._sequence = sequence
        self._listener = listener
        self._speaking = speaking
        self._streaming = streaming
        self._loop = asyncio.get_running_loop()
        self._job: Job | None = None
        self._asked_at = 0.0
        self._first_token_at: float | None = None
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether a slice is being made."""
        return self._job is not None

    def close(self) -> None:
        """Give everything back; nobody is told anything from now on."""
        self._closed = True
        self._sequence.close()

    def take(self, event: Event) -> None:
        """Pass an event to the session and do what it wants done."""
        actions = self.session.receive(event)
        self._sequence.speaking_until = self.session.engaged * (time.monotonic() + self._speaking)
        for action in actions:
            self._do(action)

    def _do(self, action: Action) -> None:
        if isinstance(action, Generate):
            self._asked_at, self._first_token_at = time.monotonic(), None
            self._job = self._sequence.submit(
                request_for(action, self.sampling),
                partial(self._call, self._on_done),
                forget=action.forget,
                on_tokens=partial(self._call, self._on_tokens) if self._streaming else None,
            )
        elif isinstance(action, Prepare):
            self._sequence.prepare(request_for(action.next, self.sampling), forget=action.next.forget)
        elif isinstance(action, Cancel):
            if self._job is not None:
                self._job.cancel()
        elif isinstance(action, Release):
            self._sequence.release()
        else:
            self._listener.say(action)

    def give_up(self) -> None:
        """Tell the session, behind a `Failure`, that its slice will not be: it goes on without."""
        self.take(SliceDone((), events.Finish.CANCELLED))

    def _call(self, on_loop: Callable[[Any], None], value: object) -> None:
        """From any thread and never at once; in the order of the calls."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server has stopped
            self._loop.call_soon_threadsafe(on_loop, value)

    def _on_tokens(self, tokens: tuple[int, ...]) -> None:
        if self._closed:
            return
        if self._first_token_at is None:
            self._first_token_at = time.monotonic()
        self._guarded(partial(self.take, Sampled(tokens)))

    def _on_done(self, result: Generated | EngineError) -> None:
        job, self._job = self._job, None
        self.cost = None
        if self._closed:
            return
        if isinstance(result, EngineError):
            _log.error("the model failed: %s", result)
            self._listener.fail(Failure.MODEL)
        elif result.finish is Finish.FULL:
            self._listener.fail(Failure.FULL)
        elif result.finish is Finish.BUSY:
            self._listener.fail(Failure.BUSY)
        else:
            self.cost = self._cost(result, job)
            done = SliceDone(result.tokens, _FINISH[result.finish], result.likeliest_next)
            self._guarded(partial(self.take, done))
            self._guarded(self._listener.over)

    def _cost(self, result: Generated, job: Job | None) -> Cost:
        now = time.monotonic()
        first = self._first_token_at
        if first is None and result.tokens:
            first = now
        return Cost(
            result.reused,
            result.prefilled,
            len(result.tokens),
            0 if job is None else job.head_start,
            0 if job is None else job.dropped,
            None if first is None else first - self._asked_at,
            now - self._asked_at,
        )

    def _guarded(self, step: Callable[[], None]) -> None:
        """A defect must not leave the client waiting for an answer that never comes."""
        try:
            step()
        except Exception:
            _log.exception("a session failed")
            self._listener.fail(Failure.SESSION)
