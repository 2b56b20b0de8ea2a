"""What goes through the engine: jobs, the handles that submit them, and the counters of what became of them.

Knows which thread may touch what; decides nothing. Does not know llama.cpp or what the tokens mean.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from edge_server.context import EngineError
from edge_server.generation import Generated, Generation, Request
from edge_server.sequence import Sequence
from edge_server.tokens import Forgotten

if TYPE_CHECKING:
    from collections import abc

    from edge_server.context import Feed

    Answer = abc.Callable[[Generated | EngineError], None]
    Listener = abc.Callable[[tuple[int, ...]], None]
    Ranges = abc.Iterable[Forgotten]


class Desk(Protocol):
    """Where handles hand their wishes in: the engine."""

    def submit(
        self, handle: Handle, request: Request, on_done: Answer, forget: Ranges, on_tokens: Listener | None
    ) -> Job: ...

    def prepare(self, handle: Handle, request: Request, forget: Ranges) -> None: ...

    def cancel(self, job: Job) -> None: ...

    def withdraw(self, job: Job) -> bool: ...

    def release(self, handle: Handle) -> None: ...

    def close_handle(self, handle: Handle) -> None: ...


@dataclass(frozen=True)
class Counters:
    """What the engine has done since it was made; each number only grows."""

    tokens_prefilled: int = 0
    """Tokens of requests that were decoded."""
    tokens_decoded: int = 0
    """Sampled tokens that were decoded."""
    tokens_reused: int = 0
    """Tokens of requests that were found in the cache."""
    tokens_decoded_twice: int = 0
    """Tokens that were decoded again behind the same tokens, after a rollback that need not have taken them."""
    rollbacks: int = 0
    """Requests that took cached tokens back."""
    rollback_seconds: float = 0.0
    """The time that took."""
    guesses: int = 0
    """Silent slices that were begun before they were asked for."""
    guesses_used: int = 0
    """Those of them that were asked for."""
    tokens_ahead: int = 0
    """Tokens that were sampled before they were asked for."""
    parked: int = 0
    """Sessions that gave their cells to another."""
    restored: int = 0
    """Sessions that got them back without prefill."""


class Errand:
    """Something to be done on the engine's thread while another waits for it."""

    def __init__(self, work: abc.Callable[[], None]) -> None:
        self._work = work
        self._error: BaseException | None = None
        self._over = threading.Event()

    def run(self) -> None:
        """Does it; never raises."""
        try:
            self._work()
        except Exception as error:
            self._error = error
        self._over.set()

    def fail(self, error: Exception) -> None:
        """Leaves it undone."""
        self._error = error
        self._over.set()

    def wait(self) -> None:
        """Until it is done. Raises what it raised."""
        self._over.wait()
        if self._error is not None:
            raise self._error


class Board:
    """What handles and the engine's thread share. Guarded by `wake`, which is notified when something changed."""

    def __init__(self) -> None:
        self.wake = threading.Condition()
        self.inbox: deque[Job | Handle | Errand] = deque()
        """Jobs to run, handles to release and errands to do, in order."""
        self.running: list[Job] = []
        """Who shares the decode call that runs now."""
        self.closing = False
        self.counters = Counters()

    def count(self, **more: float) -> None:
        """Adds to counters, by name."""
        with self.wake:
            now = self.counters
            self.counters = replace(now, **{name: getattr(now, name) + number for name, number in more.items()})


class Job:
    """A request on its way through the engine. Made by `Handle.submit`."""

    def __init__(self, handle: Handle, request: Request) -> None:
        self.handle = handle
        self.request = request
        self.on_done: Answer | None = None
        """None: nobody has asked for it yet."""
        self.on_tokens: Listener | None = None
        """Who listens while it is being made."""
        self.told: tuple[int, ...] = ()
        """The sampled tokens that were passed to it."""
        self.cancelled = False
        self.begun = False
        """Whether its session has a slot."""
        self.promised = False
        """Whether the cells that it may need are kept for it."""
        self.guessed = False
        """Whether it was started before anybody asked for it."""
        self.head_start = 0
        """How many tokens were sampled before anybody asked for it. Guarded, as `ahead` is."""
        self.dropped = 0
        """Once it is finished: how many were sampled ahead for its handle and dropped since the job before it."""
        self.generation: Generation | None = None
        self.feed: Feed | None = None
        """What it gets from the decode call that runs."""
        self.result: Generated | None = None
        """Of one that was prepared."""

    @property
    def ahead(self) -> bool:
        """Whether nobody has asked for it yet."""
        return self.on_done is None

    @property
    def rank(self) -> int:
        """Who goes first: what was asked for, then what is certain to be, then what is guessed."""
        return (2 if self.request.max_new else 1) if self.ahead else 0

    def tell(self) -> None:
        """Passes on what was sampled since it was last told."""
        if self.on_tokens is None or self.generation is None:
            return
        sampled = self.generation.sampled
        new, self.told = sampled[len(self.told) :], max(self.told, sampled, key=len)
        if new:
            self.on_tokens(new)

    def cancel(self) -> None:
        """Ends the job at the next token; a prefill also within a decode call where the backend can abort one.

        From any thread, any number of times. `on_done` gets what was generated before, with `Finish.CANCELLED`; a job
        that was at its end already finishes as if nothing had happened.
        """
        self.handle.engine.cancel(self)


class Handle:
    """One session's access to the engine; it is a `pool.Holder`. From any thread. After use you must call `close`."""

    def __init__(self, engine: Desk) -> None:
        self.engine = engine
        self.job: Job | None = None
        """The unfinished job."""
        self.prepared: Job | None = None
        """What will probably be asked for next, unfinished or finished."""
        self.dropped = 0
        """Tokens that were sampled ahead and dropped, which no job has been told of. Guarded."""
        self.speaking_until = 0.0
        """Until when, by `time.monotonic`, its next slice may be expected; whoever drives the session says so."""
        self.known = False
        """Whether it ever had a slot."""
        self.forgotten: list[Forgotten] = []
        """Ranges that left the transcript and are still in the cells."""
        self.sequence: Sequence | None = None
        """Its tokens and cells, while it has a slot. Only the engine's thread touches it."""
        self.closed = False

    def drop(self) -> None:
        """What was prepared is not wanted any more. To be called by who holds `Board.wake`."""
        job, self.prepared = self.prepared, None
        if job is not None:
            job.cancelled = True
            if job.result is not None:  # else it counts when the engine has finished it
                self.dropped += job.head_start

    @property
    def busy(self) -> bool:
        """Whether its job was begun."""
        return self.job is not None and self.job.begun

    @property
    def speaking(self) -> bool:
        """Whether the session is in the middle of a reply."""
        return time.monotonic() < self.speaking_until

    def give_guess(self) -> bool:
        """Drops the cells of what was only guessed; a guess that is finished keeps its words. See `pool.Holder`."""
        job = self.prepared
        if self.sequence is None or job is None or not job.request.cuts or self.forgotten:
            return False
        known = job.request.cuts[-1]
        if len(self.sequence) <= known:
            return False
        if not self.engine.withdraw(job):
            return False
        self.sequence.truncate(known)
        return True

    def submit(
        self,
        request: Request,
        on_done: Answer,
        *,
        forget: Ranges = (),
        on_tokens: Listener | None = None,
    ) -> Job:
        """Generates for `request`; `on_done` is called once and must not block.

        It is called on the engine's thread or, where the answer was prepared, here and now. `forget`: see `Generation`.
        `on_tokens` is called on the engine's thread with tokens as they are sampled, each once and in order, and must
        not block either. It may leave out the last ones: `on_done` gets all, and the same.
        Raises `EngineError` where the handle has an unfinished job, or it or the engine is closed.
        """
        return self.engine.submit(self, request, on_done, forget, on_tokens)

    def run(self, request: Request, *, forget: Ranges = ()) -> Generated:
        """As `submit`, but waits for the answer: not on the engine's thread, nor on an event loop.

        Raises `EngineError`, also where the engine failed.
        """
        answers: queue.SimpleQueue[Generated | EngineError] = queue.SimpleQueue()
        self.submit(request, answers.put, forget=forget)
        result = answers.get()
        if isinstance(result, EngineError):
            raise result
        return result

    def prepare(self, request: Request, *, forget: Ranges = ()) -> None:
        """Tells what will probably be submitted next, in place of what was told before; with `max_new` 0 its beginning.

        Nothing happens where the handle or the engine is closed. Raises `EngineError` where there is an unfinished job.
        """
        self.engine.prepare(self, request, forget)

    def release(self) -> None:
        """Gives slot and cells back, as soon as no job of this handle is unfinished. It may submit again later."""
        self.engine.release(self)

    def close(self) -> None:
        """Releases for good; an unfinished job is cancelled. A second call does nothing."""
        self.engine.close_handle(self)
