"""The engine: one thread that owns the llama.cpp context and generates for many sessions.

Knows jobs and their turns; what a job decodes is `sequence.py`'s business, who shares a call `scheduler.py`'s, who has
slots and cells `pool.py`'s. Does not know llama.cpp (it is given a `Context`), the event loop, or what the tokens mean.

The rules:
- A session has a `Handle`, which costs nothing until its first job. One thread, the engine's, touches the context;
  handles and jobs may be used from any thread.
- All sessions' jobs share each decode call.
- What a session will probably ask for next is prepared (`Handle.prepare`) while nobody has asked for anything. It is
  the very request, so if it is asked for, the answer is at hand or goes on being made; if another is, one rollback
  takes the guess back. It takes nothing from anybody: cells that are wanted it gives up first.
- A job is begun when the cells that it may need at most are there beside those of all that were begun, so none that was
  begun lacks any. Until then it waits, in order.
- A session that had no cells yet is refused (BUSY) where every slot belongs to a session that is speaking; one that was
  parked waits for its turn between two slices of another.
- `on_done` is called exactly once for each job, also when everything is being closed.
"""

from __future__ import annotations

import atexit
import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from edge_server.context import Context, EngineError, Sampling
from edge_server.generation import Finish, Generated, Request
from edge_server.jobs import Board, Counters, Errand, Handle, Job
from edge_server.parking import Parking
from edge_server.pool import Pool
from edge_server.rounds import Rounds
from edge_server.tokens import common_prefix

if TYPE_CHECKING:
    from collections import abc

    from edge_server.jobs import Answer, Listener, Ranges

__all__ = [
    "Context",
    "Counters",
    "Engine",
    "EngineError",
    "Finish",
    "Generated",
    "Handle",
    "Job",
    "Request",
    "Sampling",
]

_log = logging.getLogger(__name__)
RATION = 16  # tokens of prefill, all sessions together, in a call that others decode in


class Engine:
    """Runs jobs on a context, which must not be used by anyone else until `close` has returned."""

    def __init__(
        self, context: Context, *, chunk: int = 64, ration: int = RATION, parking: Parking | None = None
    ) -> None:
        """`chunk`: the most tokens in one decode call; at most the context's `batch`. `ration`: see `scheduler.share`.

        `parking`: where sessions wait whose slot others need; it is closed with the engine. None: half a GiB of memory.
        """
        if not 0 < chunk <= context.batch:
            raise EngineError(f"chunk is {chunk}; this context decodes 1 to {context.batch} tokens in a call")
        self._context = context
        self._thread: threading.Thread | None = None
        self._board = Board()
        self._wake = self._board.wake
        self._parking = parking or Parking(2**29)
        self._pool = Pool(context, self._parking, chunk=chunk)
        self._rounds = Rounds(context, self._pool, self._board, chunk=chunk, ration=ration)

    @property
    def counters(self) -> Counters:
        """A snapshot, from any thread; a job counts when it finishes."""
        return replace(self._board.counters, parked=self._pool.parked, restored=self._pool.restored)

    @property
    def alive(self) -> bool:
        """Whether jobs are being run. From any thread."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Starts the thread. Afterwards you must call `close`."""
        with self._wake:
            if self._thread is not None or self._board.closing:
                raise EngineError("an engine starts once")
            # A daemon: a process that dies without `close` must not hang. atexit ends it before the context goes.
            self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
            self._thread.start()
        atexit.register(self.close)

    def close(self) -> None:
        """Cancels every job, calls their `on_done`, gives all cells back and ends the thread. May be called again."""
        with self._wake:
            self._board.closing = True
            if self._board.running:
                self._context.abort()
            self._wake.notify_all()
        atexit.unregister(self.close)
        if self._thread is None:
            self._parking.close()
        elif self._thread is not threading.current_thread():
            self._thread.join()

    def between(self, work: abc.Callable[[], None]) -> None:
        """Calls `work` on the engine's thread between two decode calls, and waits for it; raises what it raises.

        What was submitted and released before has been taken in then. Raises `EngineError` where the engine is closed.
        """
        errand = Errand(work)
        with self._wake:
            if self._board.closing or self._thread is None:
                raise EngineError("the engine is not running")
            self._board.inbox.append(errand)
            self._wake.notify_all()
        errand.wait()

    def open(self) -> Handle:
        """A new session's handle. It costs nothing: slot and cells come with the first job."""
        return Handle(self)

    # --- called by handles and jobs, from any thread ---

    def submit(
        self,
        handle: Handle,
        request: Request,
        on_done: Answer,
        forget: Ranges,
        on_tokens: Listener | None,
    ) -> Job:
        with self._wake:
            if handle.closed:
                raise EngineError("this handle is closed")
            if handle.job is not None:
                raise EngineError("this handle has an unfinished job")
            if self._board.closing or self._thread is None:
                raise EngineError("the engine is not running")
            handle.forgotten += forget
            job = handle.prepared
            if job is not None and job.request == request and not job.cancelled:
                handle.prepared = None
                if job.guessed:
                    self._board.count(guesses_used=1)
                if job.result is None:
                    handle.job = job  # first: what is asked for is busy and keeps its cells
                    job.on_done, job.on_tokens = on_done, on_tokens
                    self._make_way(job)
                    return job
                job.dropped, handle.dropped = handle.dropped, 0
            else:
                handle.drop()
                job = handle.job = Job(handle, request)
                job.on_done, job.on_tokens = on_done, on_tokens
                self._board.inbox.append(job)
                self._make_way(job)
                self._wake.notify_all()
                return job
        on_done(job.result)
        return job

    def prepare(self, handle: Handle, request: Request, forget: Ranges) -> None:
        with self._wake:
            if handle.job is not None:
                raise EngineError("this handle has an unfinished job")
            handle.forgotten += forget
            before = handle.prepared
            if handle.closed or self._board.closing or (before is not None and before.request == request):
                return
            handle.drop()
            job = handle.prepared = Job(handle, request)
            self._board.inbox.append(job)
            self._make_way(job)
            self._wake.notify_all()

    def _make_way(self, job: Job) -> None:
        """Aborts the decode call that runs where nobody has asked for what it makes, and `job` has no use for it."""
        for running in self._board.running:
            feed = running.feed
            if feed is None or not running.ahead or (job.ahead and job.handle is not running.handle):
                return
            end = feed.position + len(feed.tokens)
            if running.handle is job.handle and common_prefix(running.request.tokens, job.request.tokens) >= end:
                return
        if self._board.running:
            self._context.abort()

    def cancel(self, job: Job) -> None:
        with self._wake:
            job.cancelled = True
            # An abort stops every sequence of the call, so it waits for those of others that somebody asked for.
            if job in self._board.running and all(other.cancelled or other.ahead for other in self._board.running):
                self._context.abort()
            self._wake.notify_all()

    def withdraw(self, job: Job) -> bool:
        """Cancels a job that was prepared, unless it is finished. False: somebody has asked for it."""
        with self._wake:
            if job.ahead and job.result is None:
                job.cancelled = True
            return job.ahead

    def release(self, handle: Handle) -> None:
        with self._wake:
            handle.drop()
            handle.forgotten.clear()
            self._board.inbox.append(handle)
            self._wake.notify_all()

    def close_handle(self, handle: Handle) -> None:
        with self._wake:
            handle.closed = True
            if handle.job is not None:
                self.cancel(handle.job)
            self.release(handle)

    # --- on the engine's thread ---

    def _run(self) -> None:
        try:
            while self._receive():
                self._rounds.run()
        except Exception as error:  # a defect: nobody may wait for ever, and /healthz tells
            _log.exception("the engine has ended")
            with self._wake:
                self._board.closing = True
                left = list(self._board.inbox)
                self._board.inbox.clear()
            ended = EngineError(f"the engine has ended: {error!r}")
            for item in left:
                if isinstance(item, Job):
                    self._rounds.take(item)
                elif isinstance(item, Errand):
                    item.fail(ended)
            self._rounds.abandon(ended)
        else:
            self._pool.close()
        finally:
            self._parking.close()

    def _receive(self) -> bool:
        """Waits for something to do and takes what came in. False: everything is done and the engine is closing."""
        board, rounds = self._board, self._rounds
        with self._wake:
            while not (board.inbox or rounds.jobs or board.closing):
                self._wake.wait()
            closing = board.closing
        while (item := self._next()) is not None:  # what fails leaves the rest where `_run` finds it
            if isinstance(item, Job):
                rounds.take(item)
            elif isinstance(item, Errand):
                item.run()
            else:
                rounds.release(item)
        if closing:
            for job in rounds.jobs:
                job.cancelled = True
        return not closing or bool(rounds.jobs)

    def _next(self) -> Job | Handle | Errand | None:
        with self._wake:
            return self._board.inbox.popleft() if self._board.inbox else None
