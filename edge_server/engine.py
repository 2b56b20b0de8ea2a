"""The engine: one thread that owns the llama.cpp context and generates for many sessions.

Knows jobs, slots and who has to give way; what a job decodes is `sequence.py`'s business. Does not know llama.cpp (it
is given a `Context`), the event loop, or what the tokens mean.

The rules:
- A session has a `Handle`, which costs nothing until its first job. One thread, the engine's, touches the context;
  handles and jobs may be used from any thread.
- Jobs take turns, one decode call each (a chunk of a prefill or one token), so nobody waits for another's whole slice.
- Cells are a cache of the transcript. Where slots or cells are lacking, the least recently used handle without an
  unfinished job loses its cells and is prefilled again when it comes back. Nobody left to evict: a job without a slot
  waits for another to finish; a job without cells waits too, unless all jobs do: then one of them ends as FULL.
- `on_done` is called exactly once for each job, on the engine's thread, also when everything is being closed.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge_server.context import Context, EngineError, PoolFull, Sampling
from edge_server.sequence import Finish, Generated, Generation, Request, SavedSequence, Sequence

if TYPE_CHECKING:
    from collections import abc

__all__ = [
    "Context",
    "Counters",
    "Engine",
    "EngineError",
    "Finish",
    "Generated",
    "Handle",
    "Job",
    "PoolFull",
    "Request",
    "Sampling",
    "SavedSequence",
    "Sequence",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Counters:
    """What the engine has done since it was made; each number only grows."""

    tokens_prefilled: int = 0
    """Tokens of requests that were decoded."""
    tokens_decoded: int = 0
    """Sampled tokens that were decoded, one in a call."""
    tokens_reused: int = 0
    """Tokens of requests that were found in the cache."""
    rollbacks: int = 0
    """Requests that took cached tokens back."""
    evictions: int = 0
    """Handles that lost their cells to another."""


class Job:
    """A request on its way through the engine. Made by `Handle.submit`."""

    def __init__(
        self, handle: Handle, request: Request, on_done: abc.Callable[[Generated | EngineError], None]
    ) -> None:
        self._handle = handle
        self.request = request
        self.on_done = on_done
        self.cancelled = False
        self.stalled = False
        """Whether its last turn found no free cells."""
        self.generation: Generation | None = None

    def cancel(self) -> None:
        """Ends the job at the next token; a prefill also within a decode call where the backend can abort one.

        From any thread, any number of times. `on_done` gets what was generated before, with `Finish.CANCELLED`; a job
        that was at its end already finishes as if nothing had happened.
        """
        self._handle.engine._cancel(self)


class Handle:
    """One session's access to the engine. From any thread. After use you must call `close`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.job: Job | None = None
        """The unfinished job."""
        self.sequence: Sequence | None = None
        """Its tokens and cells, while it has a slot. Only the engine's thread touches it."""
        self.closed = False

    def submit(self, request: Request, on_done: abc.Callable[[Generated | EngineError], None]) -> Job:
        """Generates for `request`; `on_done` is called once, on the engine's thread, and must not block.

        Raises `EngineError` where the handle has an unfinished job, or it or the engine is closed.
        """
        return self.engine._submit(self, request, on_done)

    def release(self) -> None:
        """Gives slot and cells back, as soon as no job of this handle is unfinished. It may submit again later."""
        self.engine._post(self)

    def close(self) -> None:
        """Releases for good; an unfinished job is cancelled. A second call does nothing."""
        self.engine._close(self)


class Engine:
    """Runs jobs on a context, which must not be used by anyone else until `close` has returned."""

    def __init__(self, context: Context, *, chunk: int = 64) -> None:
        """`chunk`: the most tokens in one decode call; at most the context's `batch`."""
        if not 0 < chunk <= context.batch:
            raise EngineError(f"chunk is {chunk}; this context decodes 1 to {context.batch} tokens in a call")
        self._context = context
        self._chunk = chunk
        self._counters = Counters()
        self._thread: threading.Thread | None = None
        self._wake = threading.Condition()
        # Guarded by _wake:
        self._inbox: deque[Job | Handle] = deque()  # jobs to run, handles to release, in order
        self._running: Job | None = None  # whose decode call runs now
        self._closing = False
        # The engine thread's own:
        self._free_slots = list(range(context.slots))
        self._holders: dict[Handle, None] = {}  # handles with a slot, least recently used first
        self._releasing: set[Handle] = set()  # to be released when their job is finished
        self._waiting: deque[Job] = deque()  # for a slot
        self._active: deque[Job] = deque()  # in order of their turns

    @property
    def counters(self) -> Counters:
        """A snapshot, from any thread; a job counts when it finishes."""
        return self._counters

    @property
    def alive(self) -> bool:
        """Whether jobs are being run. From any thread."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Starts the thread. Afterwards you must call `close`."""
        with self._wake:
            if self._thread is not None or self._closing:
                raise EngineError("an engine starts once")
            # A daemon: a process that dies without `close` must not hang. atexit ends it before the context goes.
            self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
            self._thread.start()
        atexit.register(self.close)

    def close(self) -> None:
        """Cancels every job, calls their `on_done`, gives all cells back and ends the thread. May be called again."""
        with self._wake:
            self._closing = True
            if self._running is not None:
                self._context.abort()
            self._wake.notify_all()
        atexit.unregister(self.close)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def open(self) -> Handle:
        """A new session's handle. It costs nothing: slot and cells come with the first job."""
        return Handle(self)

    # --- called by handles and jobs, from any thread ---

    def _submit(self, handle: Handle, request: Request, on_done: abc.Callable[[Generated | EngineError], None]) -> Job:
        with self._wake:
            if handle.closed:
                raise EngineError("this handle is closed")
            if handle.job is not None:
                raise EngineError("this handle has an unfinished job")
            if self._closing or self._thread is None:
                raise EngineError("the engine is not running")
            job = handle.job = Job(handle, request, on_done)
            self._inbox.append(job)
            self._wake.notify_all()
        return job

    def _cancel(self, job: Job) -> None:
        with self._wake:
            job.cancelled = True
            if self._running is job:
                self._context.abort()
            self._wake.notify_all()

    def _post(self, handle: Handle) -> None:
        with self._wake:
            self._inbox.append(handle)
            self._wake.notify_all()

    def _close(self, handle: Handle) -> None:
        with self._wake:
            handle.closed = True
            if handle.job is not None:
                self._cancel(handle.job)
            self._post(handle)

    # --- on the engine's thread ---

    def _run(self) -> None:
        while self._receive():
            self._admit()
            if self._active:
                self._turn(self._active.popleft())
        for handle in list(self._holders):
            self._release(handle)

    def _receive(self) -> bool:
        """Waits for something to do and takes what came in. False: everything is done and the engine is closing."""
        with self._wake:
            while not (self._inbox or self._waiting or self._active or self._closing):
                self._wake.wait()
            arrived = list(self._inbox)
            self._inbox.clear()
            closing = self._closing
        for item in arrived:
            if isinstance(item, Job):
                self._waiting.append(item)
            elif any(job._handle is item for job in [*self._waiting, *self._active]):
                self._releasing.add(item)
            else:
                self._release(item)
        if closing:
            for job in [*self._waiting, *self._active]:
                job.cancelled = True
        return not closing or bool(self._waiting or self._active)

    def _admit(self) -> None:
        """Gives waiting jobs, in order, a slot and thereby turns."""
        for _ in range(len(self._waiting)):
            job = self._waiting.popleft()
            handle = job._handle
            if handle.sequence is None and not job.cancelled:
                if not self._free_slots and not self._evict(queued=True):
                    self._waiting.append(job)
                    continue
                handle.sequence = Sequence(self._context, self._free_slots.pop(0), chunk=self._chunk)
            if handle.sequence is None:
                self._finish(job, Generated((), Finish.CANCELLED, None, 0, 0))
                continue
            self._holders.pop(handle, None)
            self._holders[handle] = None
            self._active.append(job)

    def _turn(self, job: Job) -> None:
        """Lets a job make one decode call, and sees to what comes of it."""
        sequence = job._handle.sequence
        assert sequence is not None, "an active job's handle has a slot"
        try:
            if job.generation is None:
                job.generation = Generation(self._context, sequence, job.request)
            finish = self._step(job, job.generation)
            if finish is None:
                self._active.append(job)
            else:
                self._finish(job, job.generation.result(finish))
        except EngineError as error:
            self._fail(job, error)
        except Exception as error:  # a defect here must not take every other session down
            logger.exception("a job failed")
            self._fail(job, EngineError(f"the engine failed: {error!r}"))

    def _step(self, job: Job, generation: Generation) -> Finish | None:
        if len(job.request.tokens) > self._context.cells:
            return Finish.FULL
        with self._wake:
            if job.cancelled:
                return Finish.CANCELLED
            # The flag is taken back here and set only for the job that runs: no job is stopped by another's cancel.
            self._context.resume()
            self._running = job
        job.stalled = False
        try:
            return generation.step()
        except PoolFull:
            job.stalled = True
        finally:
            with self._wake:
                self._running = None
        # Where nobody can be evicted this job waits for those that still get on. If none does, it has to give way.
        if self._evict() or any(not other.stalled for other in self._active):
            return None
        return Finish.FULL

    def _evict(self, *, queued: bool = False) -> bool:
        """Takes slot and cells from the least recently used handle that has no unfinished job.

        With `queued` also from one whose job has not begun, so that sessions which submit again at once do not keep
        their slots for ever while another waits.
        """
        idle = [handle for handle in self._holders if handle.job is None]
        if queued and not idle:
            begun = {job._handle for job in self._active}
            idle = [handle for handle in self._holders if handle not in begun]
        if not idle:
            return False
        self._release(idle[0])
        self._counters = replace(self._counters, evictions=self._counters.evictions + 1)
        return True

    def _release(self, handle: Handle) -> None:
        if handle.sequence is not None:
            handle.sequence.release()
            self._free_slots.append(handle.sequence.slot)
            handle.sequence = None
            del self._holders[handle]

    def _fail(self, job: Job, error: EngineError) -> None:
        """After a failure nothing is certain of the cells but that they can all be dropped."""
        self._release(job._handle)
        self._finish(job, error)

    def _finish(self, job: Job, result: Generated | EngineError) -> None:
        handle, generation = job._handle, job.generation
        if generation is not None:
            generation.close()
        if generation is not None and isinstance(result, Generated):
            counters = self._counters
            self._counters = Counters(
                tokens_prefilled=counters.tokens_prefilled + result.prefilled,
                tokens_decoded=counters.tokens_decoded + generation.decoded,
                tokens_reused=counters.tokens_reused + result.reused,
                rollbacks=counters.rollbacks + generation.rolled_back,
                evictions=counters.evictions,
            )
        if handle in self._releasing:
            self._releasing.discard(handle)
            self._release(handle)
        with self._wake:
            handle.job = None
        try:
            job.on_done(result)
        except Exception:
            logger.exception("on_done failed")
