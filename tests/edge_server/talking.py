"""An engine without its thread: a test makes every step, so that it decides what arrives when, inside a call too."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from edge_server.context import Context, Feed
from edge_server.engine import Engine, EngineError, Generated, Job, Request, Sampling
from edge_server.events import Action, Cancel, Event, Finish, Generate, Prepare, Release, Say, Session, SliceDone


class Stepper:
    """Runs `engine`, which is not started, on the calling thread."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        engine._thread = threading.current_thread()

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.engine._board.inbox or self.engine._rounds.jobs)

    def step(self) -> None:
        """What the engine's thread does between two looks at what came in: one decode call at most."""
        if not self.idle:
            self.engine._receive()
            self.engine._rounds.run()

    def close(self) -> None:
        """Ends all jobs and gives everything back."""
        self.engine.close()
        while self.engine._receive():
            self.engine._rounds.run()
        self.engine._pool.close()


class Interrupted:
    """Calls `inside`, once, at the beginning of a decode call of `context`: as if it came from another thread."""

    def __init__(self, context: Context) -> None:
        self.inside: Callable[[], None] | None = None
        self._decode = context.decode
        context.decode = self.decode  # type: ignore[method-assign]

    def decode(self, feeds: Sequence[Feed]) -> list[int]:
        inside, self.inside = self.inside, None
        if inside is not None:
            inside()
        return self._decode(feeds)


class Talk:
    """A session joined with an engine as `edge_server.connection` does it."""

    def __init__(self, session: Session, stepper: Stepper, *, temperature: float = 0.8) -> None:
        self.session = session
        self.handle = stepper.engine.open()
        self.slices: list[tuple[int, ...]] = []  # what was sampled in each slice that was delivered
        self.said: list[str] = []
        self.asked: list[Generate] = []
        self._stepper = stepper
        self._temperature = temperature
        self._job: Job | None = None
        self._results: list[Generated | EngineError] = []

    @property
    def waits(self) -> bool:
        """Whether a slice is unanswered."""
        return self._job is not None

    def receive(self, event: Event) -> None:
        """An event has come."""
        if isinstance(event, SliceDone) and event.finish is not Finish.CANCELLED:
            self.slices.append(event.tokens)
        actions = self.session.receive(event)
        for action in actions:
            self._do(action)

    def settle(self) -> None:
        """Steps until every slice is answered."""
        while self.waits:
            self.collect()
            if self.waits:
                self._stepper.step()

    def collect(self) -> None:
        """Takes what the engine has answered, as the event loop does when it comes round to it."""
        while self._results:
            result = self._results.pop(0)
            assert isinstance(result, Generated), result
            self._job = None
            self.receive(SliceDone(result.tokens, Finish(result.finish.value), result.likeliest_next))

    def _do(self, action: Action) -> None:
        if isinstance(action, Generate):
            self.asked.append(action)
            # Its answer may come before `submit` returns, but is taken only by `collect`.
            self._job = self.handle.submit(self._request(action), self._results.append, forget=action.forget)
        elif isinstance(action, Prepare):
            self.handle.prepare(self._request(action.next), forget=action.next.forget)
        elif isinstance(action, Cancel):
            assert self._job is not None
            self._job.cancel()
        elif isinstance(action, Release):
            self.handle.release()
        elif isinstance(action, Say):
            self.said.append(action.text)

    def _request(self, asked: Generate) -> Request:
        sampling = Sampling(self._temperature, 0, 0.8, asked.seed)
        return Request(asked.tokens, asked.max_new, asked.stop, sampling, asked.peek, asked.cuts, asked.urgent)
