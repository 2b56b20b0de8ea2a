"""The engine thread's work: which jobs are begun, what they share each decode call with, and what comes of it.

Knows jobs, slots and the context. Everything here but the `Board` belongs to the engine's thread; see `engine.py` for
the rules.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace

from edge_server.context import Context, EngineError, PoolFull
from edge_server.generation import Finish, Generated, Generation
from edge_server.jobs import Board, Handle, Job
from edge_server.pool import Pool
from edge_server.scheduler import Want, fitting, share
from edge_server.sequence import decode

_CANCELLED = Generated((), Finish.CANCELLED, None, 0, 0)

_log = logging.getLogger(__name__)


class Rounds:
    """The jobs that came in and are not finished. Call `run` over and over."""

    def __init__(self, context: Context, pool: Pool, board: Board, *, chunk: int, ration: int) -> None:
        self._context = context
        self._pool = pool
        self._board = board
        self._chunk = chunk
        self._ration = ration
        self._waiting: deque[Job] = deque()  # to be begun
        self._active: list[Job] = []  # begun, in the order of their turns
        self._releasing: set[Handle] = set()  # to be released when their job is finished
        self._alone: dict[Job, int] = {}  # had a part in a call that failed; each decodes by itself what it fed so far

    @property
    def jobs(self) -> list[Job]:
        """Every job that is not finished."""
        return [*self._waiting, *self._active]

    def take(self, job: Job) -> None:
        """A job has come in."""
        self._waiting.append(job)

    def release(self, handle: Handle) -> None:
        """Takes slot and cells of a handle, as soon as it has no unfinished job."""
        if any(job.handle is handle and not job.ahead for job in self.jobs):
            self._releasing.add(handle)
        else:
            self._release(handle)

    def abandon(self, error: EngineError) -> None:
        """Answers every job with an error and touches nothing else."""
        for job in self.jobs:
            with self._board.wake:
                job.handle.job = None
            self._answer(job, error)

    def run(self) -> None:
        """Finishes what was cancelled, begins what can be begun, makes one decode call at most."""
        self._sweep()
        self._admit()
        self._sweep()  # who gave its slot may have had something begun
        self._round()

    def _sweep(self) -> None:
        """Finishes what was cancelled. What lost its cells is given up or, if it was asked for, begins anew."""
        for job in self.jobs:
            if job not in self.jobs:
                continue  # it was released together with one before it
            sequence, generation = job.handle.sequence, job.generation
            lost = job.begun and (sequence is None or (generation is not None and generation.sequence is not sequence))
            if job.cancelled:
                self._finish(job, _CANCELLED if generation is None else generation.result(Finish.CANCELLED))
            elif lost and not self._give_up(job):
                self._put_back(job)
                self._waiting.appendleft(job)

    def _put_back(self, job: Job) -> None:
        """Takes a job from those that were begun."""
        self._active.remove(job)
        job.begun = job.promised = False

    def _give_up(self, job: Job) -> bool:
        """Ends a job that nobody has asked for. False: somebody has."""
        with self._board.wake:
            if not job.ahead:
                return False
            job.cancelled = True
        self._finish(job, _CANCELLED)
        return True

    def _admit(self) -> None:
        """Begins the jobs that wait, in order, as far as there are slots and cells."""
        asked = [job for job in self._active if not job.ahead]
        promised = sum(self._needs(job) for job in asked if job.promised)
        for job in asked:
            if not job.promised:  # it was prepared: then nothing is kept for it
                needs = self._needs(job)
                if promised + needs <= self._context.cells:
                    job.promised = True
                    promised += needs
                else:
                    self._put_back(job)
                    self._waiting.append(job)
        for job in list(self._waiting):
            handle = job.handle
            if job.ahead:
                if self._pool.admit(handle, speaking_too=False, reclaim=False):
                    self._begin(job)
                else:
                    self._give_up(job)
                continue
            needs = self._needs(job)
            if len(job.request.tokens) > self._context.cells:
                self._finish(job, replace(_CANCELLED, finish=Finish.FULL))
            elif promised + needs > self._context.cells:
                return  # nobody passes it, or it might wait for ever
            elif self._pool.admit(handle, speaking_too=handle.known):
                self._begin(job)
                job.promised = True
                promised += needs
            elif not handle.known:
                self._finish(job, replace(_CANCELLED, finish=Finish.BUSY))

    def _needs(self, job: Job) -> int:
        """How many cells a job's session may have before it is finished."""
        request = job.request
        return min(len(request.tokens) + request.max_new, self._context.cells)

    def _begin(self, job: Job) -> None:
        job.handle.known = job.begun = True
        if job.generation is not None and job.generation.sequence is not job.handle.sequence:
            job.generation = None  # it was begun before, and lost its cells
        self._waiting.remove(job)
        self._active.append(job)
        self._pool.touch(job.handle)

    def _round(self) -> None:
        """One decode call for the most pressing kind of jobs, and what comes of it."""
        rank = min((job.rank for job in self._active), default=0)
        jobs = [job for job in self._active if job.rank == rank]
        jobs = [job for job in jobs if job in self._alone][:1] or jobs
        jobs = [job for job in jobs if self._start(job) and self._goes_on(job)][: self._chunk]
        wants = [Want(job.generation.missing, urgent=job.request.urgent) for job in jobs if job.generation]
        grants = share(wants, batch=self._chunk, ration=self._ration)
        if rank and not self._pool.has_room(sum(grants)):
            for job in jobs:
                self._give_up(job)
            return
        if not rank and not self._pool.make_room(sum(grants)):
            grants = fitting(grants, self._pool.free_cells)
            if jobs and not any(grants):
                if all(job.promised or job.ahead for job in self._active):  # else one of them will be put back
                    self._end(jobs, Finish.FULL)
                return
        for job, grant in zip(jobs, grants, strict=True):
            job.feed = job.generation.feed(grant) if grant and job.generation else None
        jobs = [job for job in jobs if job.feed]
        if jobs and self._decode(jobs, rank):
            self._active = [job for job in self._active if job not in jobs] + jobs
            for job in jobs:
                self._goes_on(job)

    def _start(self, job: Job) -> bool:
        """Makes a job's generation, if there is none yet. False: it failed, or was cancelled meanwhile."""
        if job.generation is not None:
            return True
        handle = job.handle
        with self._board.wake:
            if job.cancelled:
                return False
            forgotten, handle.forgotten = handle.forgotten, []
            if job.ahead and job.request.max_new:
                job.guessed = True
                self._board.count(guesses=1)
        try:
            assert handle.sequence is not None, "a job that was begun has a slot"
            job.generation = Generation(self._context, handle.sequence, job.request, forgotten, job.told)
        except Exception as error:
            self._fail(job, error)
            return False
        return True

    def _goes_on(self, job: Job) -> bool:
        """Samples where all is decoded, and finishes what has its last token. False: the job is finished."""
        assert job.generation is not None, "only what was started goes on"
        try:
            finish = job.generation.take()
            self._count_ahead(job)
            if finish is None:
                job.tell()
        except Exception as error:
            self._fail(job, error)
            return False
        if finish is not None:
            self._finish(job, job.generation.result(finish))
        return finish is None

    def _count_ahead(self, job: Job) -> None:
        """Notes what was sampled while nobody had asked for it: it will be used or dropped, and told of as that."""
        if not job.guessed or job.generation is None:
            return
        with self._board.wake:
            more = len(job.generation.sampled) - job.head_start
            if job.ahead and more:
                job.head_start += more
                self._board.count(tokens_ahead=more)

    def _decode(self, jobs: list[Job], rank: int) -> bool:
        """One decode call for all `jobs`. False: none was made, or it failed."""
        with self._board.wake:
            arrived = [item for item in self._board.inbox if isinstance(item, Job)]
            if any(job.rank < rank for job in [*arrived, *self._active]) or all(job.cancelled for job in jobs):
                return False
            # The flag is taken back here and set only for what runs: no job is stopped by another's cancel.
            self._context.resume()
            self._board.running = jobs
        try:
            generations = [job.generation for job in jobs if job.generation is not None]
            decode([generation.sequence for generation in generations], [job.feed for job in jobs if job.feed])
            for job in jobs:
                if job.generation is not None and len(job.generation.sequence) >= self._alone.get(job, 0):
                    self._alone.pop(job, None)
        except PoolFull as error:
            _log.error("the pool is fuller than it should be: %s", error)
            self._end(jobs, Finish.FULL)
            return False
        except Exception as error:
            if len(jobs) == 1:
                self._fail(jobs[0], error)
            else:  # whose fault it is shows when each repeats it by itself
                for job in jobs:
                    if job.handle.sequence is not None and job.feed is not None:
                        self._alone[job] = max(self._alone.get(job, 0), job.feed.position + len(job.feed.tokens))
                        job.handle.sequence.release()
            return False
        finally:
            with self._board.wake:
                self._board.running = []
        return True

    def _end(self, jobs: list[Job], finish: Finish) -> None:
        for job in jobs:
            if job.generation is not None:
                self._finish(job, job.generation.result(finish))

    def _fail(self, job: Job, error: Exception) -> None:
        """After a failure nothing is certain of the cells but that they can all be dropped."""
        if not isinstance(error, EngineError):  # a defect must not take every other session down
            _log.error("a job failed", exc_info=error)
            error = EngineError(f"the engine failed: {error!r}")
        self._pool.release(job.handle)
        self._finish(job, error)

    def _release(self, handle: Handle) -> None:
        for job in self.jobs:
            if job.handle is handle:
                self._finish(job, _CANCELLED)
        self._pool.release(handle)

    def _finish(self, job: Job, result: Generated | EngineError) -> None:
        handle, generation = job.handle, job.generation
        if job in self._active:
            self._active.remove(job)
        else:
            self._waiting.remove(job)
        self._alone.pop(job, None)
        if generation is not None and isinstance(result, Generated):
            self._board.count(
                tokens_prefilled=result.prefilled,
                tokens_decoded=generation.decoded,
                tokens_reused=result.reused,
                tokens_decoded_twice=generation.decoded_twice,
                rollbacks=generation.rolled_back,
                rollback_seconds=generation.rollback_seconds,
            )
        if handle in self._releasing and not job.ahead:
            self._releasing.discard(handle)
            self._release(handle)
        with self._board.wake:
            finish = result.finish if isinstance(result, Generated) else None
            if not job.ahead:
                handle.job = None
                if finish in (Finish.STOP, Finish.CAP, Finish.CANCELLED):
                    job.dropped, handle.dropped = handle.dropped, 0
                else:
                    handle.dropped += job.head_start
            elif finish in (Finish.STOP, Finish.CAP) and handle.prepared is job:
                job.result = result if isinstance(result, Generated) else None
            else:
                handle.dropped += job.head_start
                if handle.prepared is job:
                    handle.prepared = None
            asked = not job.ahead
        if asked:
            self._answer(job, result)

    def _answer(self, job: Job, result: Generated | EngineError) -> None:
        try:
            if job.on_done is not None:
                job.on_done(result)
        except Exception:
            _log.exception("on_done failed")
