"""An engine without a thread, and clients on it: the test says who goes when, so that any interleaving can be had.

A step of the engine takes what came in and makes at most one decode call; a client gets the engine's answer when the
test hands it over. What has to happen in the middle of a call happens in `FakeContext.on_decode`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from edge_server import events
from edge_server.context import Context
from edge_server.driver import request_for
from edge_server.engine import Counters, Engine, EngineError, Finish, Generated, Job, Request, Sampling
from edge_server.events import Action, Cancel, Event, Generate, Mode, Prepare, Release, Say, SliceDone
from edge_server.session import DuplexSession
from edge_server.settings import Settings, Vocabulary
from edge_server.tokens import Forgotten
from tests.edge_server.peers import ASSISTANT, EOS, IDLE, USER, VOCABULARY
from tests.fakes import FakeContext

if TYPE_CHECKING:
    from collections.abc import Sequence

CHUNK = 8
STEPS = 2000  # an engine that is not through after so many never will be
GREEDY = Sampling(temperature=0, top_k=0, top_p=1, seed=0)
SERVED = Sampling(temperature=0.8, top_k=0, top_p=0.8, seed=0)  # by default
LONG = tuple((7 * index * index + 3) % 50 for index in range(40))

# What the toy model says: a slice goes on, ends, or ends its message.
SAYS = (*VOCABULARY.tokenize(" one two three hello. dog", parse_special=False), IDLE, IDLE, EOS)
_N_VOCAB = 1 + max(VOCABULARY.tokenize(chr(0xFF) + "> ><", parse_special=False))


def ask(tokens: Sequence[int] = LONG, new: int = 4, **fields: Any) -> Request:
    """A request in the fake's plain vocabulary."""
    return Request(tuple(tokens), new, frozenset(), GREEDY, **fields)


def toy_context(cells: int = 4096, slots: int = 4, **fields: Any) -> FakeContext:
    """A fake that speaks the toy vocabulary."""
    return FakeContext(cells=cells, slots=slots, batch=CHUNK, n_vocab=_N_VOCAB, says=SAYS, **fields)


class SteppedEngine(Engine):
    """Call `step` where the thread would run. After use you must call `close`."""

    def __init__(self, context: Context, **options: Any) -> None:
        super().__init__(context, **{"chunk": CHUNK, **options})
        self.context = cast(FakeContext, context)  # or a real one, to tests that know it
        self._thread = threading.current_thread()

    def step(self) -> bool:
        """Takes what came in, makes one decode call at most. False: there was nothing to do."""
        if not (self._board.inbox or self._rounds.jobs):
            return False
        self._receive()
        self._rounds.run()
        return True

    def run(self) -> None:
        """Steps until there is nothing to do."""
        for _ in range(STEPS):
            if not self.step():
                return
        raise AssertionError(f"not through after {STEPS} steps: {self._rounds.jobs}")

    def counted(self, **changes: float) -> Counters:
        """The counters, but for the time that rollbacks took."""
        return Counters(**{**vars(self.counters), "rollback_seconds": 0.0, **changes})

    def close(self) -> None:
        """As `Engine.close`, here and now."""
        super().close()
        while self._receive():
            self._rounds.run()
        self._pool.close()
        self._parking.close()
        if isinstance(self.context, FakeContext):
            assert self.context.used == 0, "cells were left behind"
            assert not self.context.complaints


Stepped = Callable[..., SteppedEngine]
"""Makes an engine, given what a `FakeContext` is given: the fixture `stepped`."""


def within_a_call(context: FakeContext, act: Callable[[], object]) -> None:
    """`act` in the middle of the next decode call."""

    def once() -> None:
        context.on_decode = None
        act()

    context.on_decode = once


def alone(request: Request) -> tuple[int, ...]:
    """What the fake answers to a request that has a context for itself."""
    engine = SteppedEngine(FakeContext(batch=CHUNK))
    asker = Asker(engine)
    asker.submit(request)
    engine.run()
    engine.close()
    return asker.last.tokens


class Asker:
    """A session of plain requests: collects what `on_done` brings."""

    def __init__(self, engine: Engine) -> None:
        self.handle = engine.open()
        self.results: list[Generated | EngineError] = []
        self.told: list[tuple[int, ...]] = []

    def submit(self, request: Request, *forget: Forgotten) -> Job:
        """Hands a request in."""
        return self.handle.submit(request, self.results.append, forget=forget, on_tokens=self.told.append)

    @property
    def last(self) -> Generated:
        """The newest answer, which is no error."""
        assert isinstance(self.results[-1], Generated), self.results[-1]
        return self.results[-1]

    @property
    def cells(self) -> tuple[int, ...]:
        """What its sequence holds."""
        return () if self.handle.sequence is None else self.handle.sequence.tokens


class Talker:
    """A duplex client: a real session on a real handle, as `edge_server.connection` joins them."""

    def __init__(
        self,
        engine: SteppedEngine,
        *,
        ctx: int = 4096,
        look_ahead: bool = True,
        slice_tokens: int = 6,
        seed: int = 0,
        vocabulary: Vocabulary = VOCABULARY,
        idle_bias: float = 0.0,
    ) -> None:
        settings = Settings(USER, ASSISTANT, ctx, slice_tokens, look_ahead=look_ahead, idle_bias=idle_bias)
        self.engine = engine
        self.session = DuplexSession(vocabulary, settings, Mode.DUPLEX, seed)
        self.handle = engine.open()
        self.actions: list[Action] = []
        """What it did, but for what it only prepared."""
        self.prepared: list[Generate] = []
        self.slices: list[tuple[int, ...]] = []
        """What was sampled in each slice that it was told of."""
        self.guessed = self.dropped = 0
        """What its slices say of the tokens that were sampled before they were asked for."""
        self.waits = False
        """Whether the session has not been told yet what became of its slice."""
        self.refused: Finish | EngineError | None = None
        self._job: Job | None = None
        self._done: SliceDone | None = None

    @property
    def said(self) -> str:
        """All its words."""
        return "".join(action.text for action in self.actions if isinstance(action, Say))

    def send(self, event: Event) -> None:
        """One event for the session; carries its actions out."""
        if self.refused is not None:
            return
        for action in self.session.receive(event):
            if not isinstance(action, Prepare):
                self.actions.append(action)
            if isinstance(action, Generate):
                self.waits = True
                self._job = self.handle.submit(request_for(action, SERVED), self._on_done, forget=action.forget)
            elif isinstance(action, Prepare):
                self.prepared.append(action.next)
                self.handle.prepare(request_for(action.next, SERVED), forget=action.next.forget)
            elif isinstance(action, Cancel):
                assert self._job is not None
                self._job.cancel()
            elif isinstance(action, Release):
                self.handle.release()

    def deliver(self) -> None:
        """Lets the engine finish what the session waits for, and tells it."""
        if not self.waits or self.refused is not None:
            return
        for _ in range(STEPS):
            if self._done is not None or self.refused is not None:
                break
            assert self.engine.step(), "an answer is missing and the engine has nothing to do"
        done, self._done, self.waits = self._done, None, False
        if done is not None:
            assert self._job is not None
            self.guessed += self._job.head_start
            self.dropped += self._job.dropped
            self.slices.append(done.tokens)
            self.send(done)

    @property
    def untold(self) -> int:
        """Tokens that were sampled ahead and that no slice has told of yet."""
        prepared = self.handle.prepared
        return self.handle.dropped + (0 if prepared is None else prepared.head_start)

    @property
    def cells(self) -> tuple[int, ...]:
        """What its sequence holds."""
        return () if self.handle.sequence is None else self.handle.sequence.tokens

    def settle(self) -> None:
        """Until nothing is asked and all that could be prepared is."""
        for _ in range(STEPS):
            if not self.waits:
                break
            self.deliver()
        self.engine.run()

    def _on_done(self, result: Generated | EngineError) -> None:
        assert self._done is None, "answered twice"
        if isinstance(result, EngineError):
            self.refused = result
        elif result.finish in (Finish.FULL, Finish.BUSY):
            self.refused = result.finish
            self.handle.close()
        else:
            self._done = SliceDone(result.tokens, events.Finish(result.finish.value), result.likeliest_next)
