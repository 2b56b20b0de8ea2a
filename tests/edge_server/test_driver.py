"""A conversation joined with its sequence: what the listener is told, in order, and what each slice took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from edge_server.context import Sampling
from edge_server.conversation import Conversation
from edge_server.driver import Driver, Failure, request_for
from edge_server.engine import Engine
from edge_server.events import Generate, Mode, Output, Say, Silence, SliceKind, SliceOver, UserText
from edge_server.session import DuplexSession
from edge_server.settings import Settings
from tests.edge_server.serving import ASSISTANT, FIRST_BYTE, USER, ByteVocabulary, Gate, parrot
from tests.edge_server.stepping import SERVED
from tests.fakes import FakeContext

PATIENCE = 20  # seconds; nothing but a failure takes so long


class Ear:
    """Listens to one driver on an engine of its own choice."""

    def __init__(self, engine: Engine, *, streaming: bool = True, speaking: float = 0) -> None:
        settings = Settings(USER, ASSISTANT, ctx=512, slice_tokens=15, look_ahead=False)
        session = DuplexSession(ByteVocabulary(), settings, Mode.DUPLEX, 1, streaming=streaming)
        self.driver: Driver[Conversation] = Driver(
            session, engine.open(), SERVED, self, speaking=speaking, streaming=streaming
        )
        self.told: list[Output | Failure | str] = []
        self.defect = False
        self._something = asyncio.Event()

    def say(self, output: Output) -> None:
        if self.defect:
            raise RuntimeError("a defect")
        self._tell(output)

    def over(self) -> None:
        self._tell("over")

    def fail(self, failure: Failure) -> None:
        self._tell(failure)

    def _tell(self, what: Output | Failure | str) -> None:
        self.told.append(what)
        self._something.set()

    async def until(self, what: Output | Failure | str) -> None:
        async def wait() -> None:
            while what not in self.told:
                self._something.clear()
                await self._something.wait()

        await asyncio.wait_for(wait(), PATIENCE)

    async def ask(self, text: str) -> str:
        """What is said in the slice that answers."""
        self.told.clear()
        self.driver.take(UserText(text))
        await self.until("over")
        return "".join(self.words)

    @property
    def words(self) -> list[str]:
        return [output.text for output in self.told if isinstance(output, Say)]


def context(**fields: Any) -> FakeContext:
    reply = parrot(lambda text: f"You said {text}.")
    return FakeContext(**{"cells": 2048, "slots": 4, "n_vocab": FIRST_BYTE + 256, "reply": reply, **fields})


@pytest.fixture
def started() -> Iterator[Callable[[FakeContext], Engine]]:
    """Starts engines, and closes them whatever becomes of the test."""
    engines: list[Engine] = []

    def start(context: FakeContext) -> Engine:
        engines.append(Engine(context))
        engines[-1].start()
        return engines[-1]

    yield start
    for engine in engines:
        engine.close()


Started = Callable[[FakeContext], Engine]


def test_a_request_has_the_sessions_seed_and_bias_and_the_servers_sampling() -> None:
    asked = Generate((1, 2), 5, frozenset({2}), 77, peek=False, cuts=(1,), urgent=True, first_bias=(3, 1.5))
    request = request_for(asked, Sampling(0.5, 40, 0.9, seed=0))
    assert (request.tokens, request.max_new, request.stop) == ((1, 2), 5, frozenset({2}))
    assert request.sampling == Sampling(0.5, 40, 0.9, seed=77, first_bias=(3, 1.5))


async def test_words_are_told_as_they_are_sampled_and_then_what_the_slice_was(started: Started) -> None:
    ear = Ear(started(context()))
    assert await ear.ask("hello") == "You said h"
    assert ear.words == list("You said h")
    assert ear.told[-2:] == [SliceOver(SliceKind.SPEECH, more=True), "over"]
    assert not ear.driver.busy


async def test_without_streaming_they_are_told_at_the_end(started: Started) -> None:
    ear = Ear(started(context()), streaming=False)
    assert await ear.ask("hello") == "You said h"
    assert ear.words == ["You said h"]


async def test_each_slice_says_what_it_took(started: Started) -> None:
    gate = Gate()
    ear = Ear(started(context(on_decode=gate)))
    gate.shut()
    ear.driver.take(UserText("hello"))
    await asyncio.to_thread(gate.entered.wait, PATIENCE)
    assert ear.driver.busy
    assert ear.driver.cost is None
    gate.open()
    await ear.until("over")
    first = ear.driver.cost
    assert first is not None
    assert (first.reused, first.guessed, first.sampled) == (0, 0, 11)
    assert first.first_token is not None
    assert 0 < first.first_token <= first.total
    ear.told.clear()
    ear.driver.take(Silence())
    await ear.until("over")
    second = ear.driver.cost
    assert second is not None
    assert second.reused >= first.prefilled + first.sampled - 1
    assert 0 < second.prefilled < first.prefilled


async def test_who_has_more_to_say_counts_as_speaking_for_a_while(started: Started) -> None:
    ear = Ear(started(context()), speaking=100.0)
    await ear.ask("hello")
    assert ear.driver._sequence.speaking_until > time.monotonic() + 50
    while ear.driver.session.engaged:
        ear.told.clear()
        ear.driver.take(Silence())
        await ear.until("over")
    assert ear.driver._sequence.speaking_until == 0


async def test_a_closed_driver_tells_nothing_and_keeps_no_cells(started: Started) -> None:
    gate = Gate()
    pool = context(on_decode=gate)
    engine = started(pool)
    ear = Ear(engine)
    gate.shut()
    ear.driver.take(UserText("hello"))
    await asyncio.to_thread(gate.entered.wait, PATIENCE)
    ear.driver.close()
    ear.driver.close()
    gate.open()
    other = Ear(engine)
    assert await other.ask("bye") == "You said b"
    other.driver.close()
    assert ear.told == []
    engine.close()
    assert pool.used == 0


async def test_a_slice_that_the_model_fails_is_told_and_given_up(started: Started) -> None:
    ear = Ear(started(context(fail={1})))
    ear.driver.take(UserText("hello"))
    await ear.until(Failure.MODEL)
    assert ear.driver.cost is None
    assert not ear.driver.busy
    ear.driver.give_up()
    assert await ear.ask("bye") == "You said b"


async def test_a_full_pool_and_busy_slots_are_told_apart(started: Started) -> None:
    full = Ear(started(context(cells=20)))
    full.driver.take(UserText("hello"))
    await full.until(Failure.FULL)
    engine = started(context(slots=1))
    speaking, other = Ear(engine, speaking=100.0), Ear(engine)
    await speaking.ask("hello")
    other.driver.take(UserText("bye"))
    await other.until(Failure.BUSY)
    other.driver.give_up()
    speaking.driver.close()
    assert await other.ask("bye") == "You said b"


async def test_a_defect_of_who_listens_is_told_as_one(started: Started, caplog: pytest.LogCaptureFixture) -> None:
    ear = Ear(started(context()))
    ear.defect = True
    ear.driver.take(UserText("hello"))
    await ear.until(Failure.SESSION)
    assert "a defect" in caplog.text
