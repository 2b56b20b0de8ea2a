"""What the engine's rounds do with jobs that meet, step by step on the fake context: nothing is left to timing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from edge_server.engine import Counters, EngineError, Finish, Generated, Request, Sampling
from tests.edge_server.stepping import LONG, Asker, SteppedEngine, ask
from tests.fakes import FakeContext, FakeSampler

Started = Callable[..., SteppedEngine]


@pytest.fixture
def started() -> Iterator[Started]:
    """Makes engines, and closes them whatever becomes of the test."""
    engines: list[SteppedEngine] = []

    def start(**fields: Any) -> SteppedEngine:
        engines.append(SteppedEngine(FakeContext(**{"batch": 8, **fields})))
        return engines[-1]

    yield start
    for engine in engines:
        engine.close()


def alone(request: Request) -> tuple[int, ...]:
    """What the fake answers to a request that has a context for itself."""
    engine = SteppedEngine(FakeContext(batch=8))
    asker = Asker(engine)
    asker.submit(request)
    engine.run()
    engine.close()
    return asker.last.tokens


def within_a_call(context: FakeContext, act: Callable[[], object]) -> None:
    """`act` in the middle of the next decode call."""

    def once() -> None:
        context.on_decode = None
        act()

    context.on_decode = once


# --- jobs that end at an unlucky moment ---


def test_a_client_that_leaves_with_a_guess_and_a_question_on_the_way_is_finished_once(started: Started) -> None:
    engine = started()
    leaving, other = Asker(engine), Asker(engine)
    leaving.submit(ask(LONG[:5], 1))
    engine.run()
    leaving.handle.prepare(ask(LONG[:20], 9))
    engine.step()

    def ask_and_leave() -> None:
        leaving.submit(ask((*LONG[:5], 9), 3))
        leaving.handle.close()

    within_a_call(engine.context, ask_and_leave)
    engine.run()
    assert [result.finish for result in leaving.results if isinstance(result, Generated)] == [
        Finish.CAP,
        Finish.CANCELLED,
    ]
    other.submit(ask())
    engine.run()
    assert other.last.tokens == alone(ask())


def test_a_release_behind_a_job_that_is_cancelled_takes_the_guess_before_it_too(started: Started) -> None:
    engine = started()
    asker = Asker(engine)
    asker.handle.prepare(ask(LONG[:20], 9))
    engine.step()

    def act() -> None:
        job = asker.submit(ask(LONG[1:9], 3))
        asker.handle.release()
        job.cancel()

    within_a_call(engine.context, act)
    engine.run()
    assert asker.last.finish is Finish.CANCELLED
    assert engine.context.used == 0


# --- cells that two want ---


def test_a_guess_that_is_asked_for_beside_a_job_that_was_promised_the_cells_waits_for_them(started: Started) -> None:
    engine = started(cells=60)
    one, other = Asker(engine), Asker(engine)
    other.handle.prepare(ask(LONG[:20], 15))
    for _ in range(4):
        engine.step()
    one.submit(ask(LONG[:30], 15))
    engine.step()
    other.submit(ask(LONG[:20], 15))
    engine.run()
    assert one.last.tokens == alone(ask(LONG[:30], 15))
    assert other.last.tokens == alone(ask(LONG[:20], 15))
    assert engine.context.calls == len(engine.context.shapes), "a call found the pool full"


def test_a_guess_that_waits_for_cells_and_keeps_its_own_goes_on_where_it_was(started: Started) -> None:
    engine = started(cells=60)
    one, other = Asker(engine), Asker(engine)
    other.handle.prepare(ask(LONG[:10], 25))
    for _ in range(8):
        engine.step()
    one.submit(ask(LONG[:20], 8))
    engine.step()
    other.submit(ask(LONG[:10], 25))
    engine.run()
    assert (one.last.tokens, other.last.tokens) == (alone(ask(LONG[:20], 8)), alone(ask(LONG[:10], 25)))
    assert engine.counted(guesses=0, guesses_used=0, parked=0) == Counters(10 + 20, 24 + 7)


def test_a_guess_that_is_asked_for_while_a_round_is_on_takes_no_cells_that_were_promised(started: Started) -> None:
    engine = started(cells=60)
    one, other = Asker(engine), Asker(engine)
    one.submit(ask(LONG[:29], 1))
    engine.run()
    other.handle.prepare(ask(LONG[:25], 15))
    while len(other.cells) < 26:
        assert engine.step()
    one.submit(ask(LONG[:30], 4, peek=True))
    while not one.results[1:]:
        assert engine.step()
    assert engine.context.used == 60, "the pool is full"
    going_on = (*LONG[:30], *one.last.tokens)
    sampler = engine.context.sampler

    def adopting(sampling: Sampling) -> FakeSampler:
        if other.handle.job is None and not other.results:
            other.submit(ask(LONG[:25], 15))
        return sampler(sampling)

    engine.context.sampler = adopting  # type: ignore[method-assign]
    one.submit(ask(going_on, 5))  # its logits are at hand: it samples before its first decode call
    engine.run()
    assert one.last.tokens == alone(ask(going_on, 5))
    assert other.last.tokens == alone(ask(LONG[:25], 15))


def test_a_session_that_comes_back_is_not_sent_away_again_for_its_own_cells(started: Started) -> None:
    engine = started(cells=60, slots=2)
    one, back, third = Asker(engine), Asker(engine), Asker(engine)
    back.submit(ask(LONG[:30], 1))
    engine.run()
    third.submit(ask(LONG[:4], 1))
    engine.run()
    one.submit(ask(LONG[:35], 1))
    engine.run()
    third.handle.release()
    engine.run()
    assert back.cells == ()
    # Until its job is started, `one` still holds all its 35 cells, so the 30 that were parked do not fit.
    one.submit(ask(LONG[:20], 3))
    back.submit(ask((*LONG[:30], 1), 3))
    engine.run()
    assert one.last.tokens == alone(ask(LONG[:20], 3))
    assert back.last.tokens == alone(ask((*LONG[:30], 1), 3))


def test_a_guess_that_finds_no_room_leaves_what_its_session_has_parked(started: Started) -> None:
    engine = started(cells=60, slots=2)
    one, back, third = Asker(engine), Asker(engine), Asker(engine)
    back.submit(ask(LONG[:30], 1))
    engine.run()
    third.submit(ask(LONG[:4], 1))
    engine.run()
    one.submit(ask(LONG[:35], 1))
    engine.run()
    third.handle.release()
    back.handle.prepare(ask((*LONG[:30], 1), 3, cuts=(31,)))
    engine.run()
    assert back.cells == ()
    one.handle.release()
    back.submit(ask((*LONG[:30], 1), 3, cuts=(31,)))
    engine.run()
    assert (back.last.reused, back.last.prefilled) == (30, 1)
    assert engine.counters.restored == 1


@pytest.mark.parametrize("finished", [False, True])
def test_a_guess_that_is_asked_for_while_its_cells_are_taken_is_answered(started: Started, finished: bool) -> None:
    engine = started()
    asker = Asker(engine)
    guess = ask(LONG[:10], 9, cuts=(3,))
    asker.handle.prepare(guess)
    engine.step()
    engine.step()
    if finished:
        engine.run()
    sequence = asker.handle.sequence
    assert sequence is not None

    class AsksWhileMeasured(type(sequence)):  # type: ignore[misc]
        def __len__(self) -> int:
            if not asker.results and asker.handle.job is None:
                asker.submit(guess)
            return int(super().__len__())

    sequence.__class__ = AsksWhileMeasured
    asker.handle.give_guess()
    sequence.__class__ = AsksWhileMeasured.__mro__[1]
    engine.run()
    assert asker.last == Generated(alone(guess), Finish.CAP, None, 0, 10)


# --- failures in a call that is shared ---


@pytest.mark.parametrize("place", [0, 7, 8, 20, 29])
def test_a_token_that_the_context_refuses_costs_only_its_own_session(started: Started, place: int) -> None:
    engine = started(refuses={49}, slots=3)
    askers = [Asker(engine) for _ in range(3)]
    bad = [1] * 30
    bad[place] = 49
    askers[0].submit(ask([2] * 30, 3))
    askers[1].submit(ask(bad, 3))
    askers[2].submit(ask([3] * 12, 5))
    engine.run()
    assert isinstance(askers[1].results[-1], EngineError)
    assert askers[0].last.tokens == alone(ask([2] * 30, 3))
    assert askers[2].last.tokens == alone(ask([3] * 12, 5))
    assert [len(asker.results) for asker in askers] == [1, 1, 1]


@pytest.mark.parametrize("call", range(1, 9))
def test_a_call_that_fails_once_is_repeated_by_each_session_alone(started: Started, call: int) -> None:
    engine = started(fail={call})
    askers = [Asker(engine) for _ in range(3)]
    requests = [ask([number] * 20, 4) for number in range(3)]
    for asker, request in zip(askers, requests, strict=True):
        asker.submit(request)
    engine.run()
    assert [asker.last.tokens for asker in askers] == [alone(request) for request in requests]


def test_a_guess_that_fails_is_not_heard_of_and_the_question_is_tried_anew(started: Started) -> None:
    engine = started(fail={2})
    asker = Asker(engine)
    asker.handle.prepare(ask())
    engine.run()
    assert (asker.results, engine.context.used) == ([], 0)
    asker.submit(ask())
    engine.run()
    assert asker.last.tokens == alone(ask())


def test_logits_that_nothing_can_be_drawn_from_hurt_only_their_own_session(started: Started) -> None:
    engine = started()
    one, other = Asker(engine), Asker(engine)
    broken = [5] * 12

    def answer(tokens: tuple[int, ...]) -> int:
        if list(tokens[: len(broken)]) == broken:
            raise EngineError("no token can be drawn: the highest logit is nan, so the model's output is broken")
        return len(tokens) % 50

    engine.context.reply = answer
    one.submit(ask(broken))
    other.submit(ask([6] * 12))
    engine.run()
    assert "highest logit is nan" in str(one.results[-1])
    assert other.last.tokens == (12, 13, 14, 15)
    assert engine.context.used == 12 + 3


# --- counting guesses ---


def test_no_more_guesses_are_used_than_were_made(started: Started) -> None:
    engine = started()
    busy, asker = Asker(engine), Asker(engine)
    busy.submit(ask())
    engine.step()
    asker.handle.prepare(ask())  # gets a slot, but is not begun: somebody has something to do
    engine.step()
    asker.submit(ask())
    engine.run()
    assert (engine.counters.guesses, engine.counters.guesses_used) == (0, 0)
    asker.handle.prepare(ask(LONG[:7]))
    engine.run()
    asker.submit(ask(LONG[:7]))
    assert (engine.counters.guesses, engine.counters.guesses_used) == (1, 1)


def test_a_new_session_is_refused_though_all_slots_only_just_began_to_speak(started: Started) -> None:
    engine = started(slots=2)
    speaking = [Asker(engine) for _ in range(2)]
    late = Asker(engine)
    for asker in speaking:
        asker.handle.speaking_until = math.inf
        asker.submit(ask(LONG[:3], 1))
    late.submit(ask())
    engine.run()
    assert late.results == [Generated((), Finish.BUSY, None, 0, 0)]
    assert [asker.last.finish for asker in speaking] == [Finish.CAP, Finish.CAP]
