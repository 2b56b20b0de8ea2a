"""What the engine's rounds do with jobs that meet, step by step on the fake context: nothing is left to timing."""

from __future__ import annotations

import math

import pytest

from edge_server.engine import EngineError, Finish, Generated
from tests.edge_server.stepping import LONG, Asker, Stepped, alone, ask, within_a_call

# --- jobs that end at an unlucky moment ---


def test_a_client_that_leaves_with_a_guess_and_a_question_on_the_way_is_finished_once(stepped: Stepped) -> None:
    engine = stepped()
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


def test_a_release_behind_a_job_that_is_cancelled_takes_the_guess_before_it_too(stepped: Stepped) -> None:
    engine = stepped()
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


def test_a_guess_that_ends_does_not_take_the_session_that_is_to_be_released_with_it(stepped: Stepped) -> None:
    engine = stepped()
    asker = Asker(engine)
    asker.handle.prepare(ask(LONG[:20], 9))
    engine.step()

    def act() -> None:
        asker.submit(ask(LONG[1:9], 3))
        asker.handle.release()

    within_a_call(engine.context, act)
    engine.run()
    assert asker.last.tokens == alone(ask(LONG[1:9], 3))
    assert engine.context.used == 0


# --- what stops a call, and what does not ---


def test_a_cancel_in_a_shared_call_does_not_stop_it_for_the_others(stepped: Stepped) -> None:
    engine = stepped()
    one, other = Asker(engine), Asker(engine)
    job = one.submit(ask(LONG[:20], 3))
    other.submit(ask(LONG[:20], 3))
    engine.step()
    within_a_call(engine.context, job.cancel)
    engine.step()
    assert len(other.cells) == 8, "4 tokens each, in two calls"
    engine.run()
    assert (one.last.finish, other.last.tokens) == (Finish.CANCELLED, alone(ask(LONG[:20], 3)))


def test_what_is_asked_for_stops_the_guess_of_another_also_where_it_was_prepared(stepped: Stepped) -> None:
    engine = stepped()
    one, other = Asker(engine), Asker(engine)
    one.handle.prepare(ask(LONG[:20], 3))

    def act() -> None:
        other.handle.prepare(ask(LONG[:9], 2))
        other.submit(ask(LONG[:9], 2))

    within_a_call(engine.context, act)
    engine.step()
    assert one.cells == ()
    engine.run()
    assert len(one.cells) == 22
    assert other.last.tokens == alone(ask(LONG[:9], 2))


def test_what_another_session_prepares_stops_no_guess(stepped: Stepped) -> None:
    engine = stepped()
    one, other = Asker(engine), Asker(engine)
    one.handle.prepare(ask(LONG[:20], 3))
    within_a_call(engine.context, lambda: other.handle.prepare(ask(LONG[:9], 0)))
    engine.step()
    assert one.cells == LONG[:8]


def test_a_call_that_makes_what_is_asked_for_goes_on(stepped: Stepped) -> None:
    engine = stepped()
    asker = Asker(engine)
    asker.handle.prepare(ask(LONG[:20], 0))
    engine.step()
    within_a_call(engine.context, lambda: asker.submit(ask((*LONG[:17], 1, 2), 1)))
    engine.step()
    assert asker.cells == LONG[:16], "its 8 tokens are the new request's too"
    within_a_call(engine.context, lambda: asker.handle.prepare(ask(LONG[:3], 0)) if not asker.handle.job else None)
    engine.run()
    assert (asker.last.reused, asker.last.prefilled) == (16, 3)


def test_a_call_that_makes_one_token_too_much_stops(stepped: Stepped) -> None:
    engine = stepped()
    asker = Asker(engine)
    asker.handle.prepare(ask(LONG[:20], 0))
    engine.step()
    within_a_call(engine.context, lambda: asker.submit(ask((*LONG[:15], 1, 2), 1)))
    engine.step()
    assert asker.cells == LONG[:8]


@pytest.mark.parametrize("what", ["leaves", "asks", "adopts"])
def test_what_comes_while_a_guess_is_being_started_is_seen_before_its_call(stepped: Stepped, what: str) -> None:
    engine = stepped()
    asker, other = Asker(engine), Asker(engine)
    asker.submit(ask(LONG[:9], 0))
    engine.run()
    other.handle.prepare(ask(LONG[:3], 5))
    engine.step()
    calls, remove = engine.context.calls, engine.context.remove

    def arriving(slot: int, start: int, stop: int | None = None) -> bool:
        engine.context.remove = remove  # type: ignore[method-assign]
        if what == "leaves":
            other.handle.close()
            asker.handle.close()
        else:
            other.submit(ask(LONG[:3], 5 if what == "adopts" else 1))
        return remove(slot, start, stop)

    engine.context.remove = arriving  # type: ignore[method-assign]
    asker.handle.prepare(ask((*LONG[:5], 1, 2), 3))  # a rollback
    engine.step()
    assert engine.context.calls == calls
    engine.run()
    if what != "leaves":
        assert other.last.tokens == alone(ask(LONG[:3], 5))[: len(other.last.tokens)]


# --- failures in a call that is shared ---


@pytest.mark.parametrize("place", [0, 7, 8, 20, 29])
def test_a_token_that_the_context_refuses_costs_only_its_own_session(stepped: Stepped, place: int) -> None:
    engine = stepped(refuses={49}, slots=3)
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
def test_a_call_that_fails_once_is_repeated_by_each_session_alone(stepped: Stepped, call: int) -> None:
    engine = stepped(fail={call})
    askers = [Asker(engine) for _ in range(3)]
    requests = [ask([number] * 20, 4) for number in range(3)]
    for asker, request in zip(askers, requests, strict=True):
        asker.submit(request)
    engine.run()
    assert [asker.last.tokens for asker in askers] == [alone(request) for request in requests]


def test_a_guess_that_fails_is_not_heard_of_and_the_question_is_tried_anew(stepped: Stepped) -> None:
    engine = stepped(fail={2})
    asker = Asker(engine)
    asker.handle.prepare(ask())
    engine.run()
    assert (asker.results, engine.context.used) == ([], 0)
    asker.submit(ask())
    engine.run()
    assert asker.last.tokens == alone(ask())


def test_logits_that_nothing_can_be_drawn_from_hurt_only_their_own_session(stepped: Stepped) -> None:
    engine = stepped()
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


def test_no_more_guesses_are_used_than_were_made(stepped: Stepped) -> None:
    engine = stepped()
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


def test_what_a_slice_that_failed_had_guessed_is_told_of_by_the_next(stepped: Stepped) -> None:
    engine = stepped()
    asker = Asker(engine)
    asker.handle.prepare(ask())
    while engine.counters.tokens_ahead < 2:
        engine.step()
    engine.context.fail.add(engine.context.calls + 1)
    failed = asker.submit(ask())
    assert failed.head_start == 2
    engine.run()
    assert isinstance(asker.results[-1], EngineError)
    job = asker.submit(ask())
    engine.run()
    assert (job.head_start, job.dropped) == (0, 2)
    job = asker.submit(ask(LONG[:7]))
    engine.run()
    assert job.dropped == 0, "it is told once"


def test_a_new_session_is_refused_though_all_slots_only_just_began_to_speak(stepped: Stepped) -> None:
    engine = stepped(slots=2)
    speaking = [Asker(engine) for _ in range(2)]
    late = Asker(engine)
    for asker in speaking:
        asker.handle.speaking_until = math.inf
        asker.submit(ask(LONG[:3], 1))
    late.submit(ask())
    engine.run()
    assert late.results == [Generated((), Finish.BUSY, None, 0, 0)]
    assert [asker.last.finish for asker in speaking] == [Finish.CAP, Finish.CAP]
