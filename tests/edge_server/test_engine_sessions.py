"""What the engine promises to sessions that share its slots and cells, on the fake context and on llama.cpp."""

from __future__ import annotations

import math
import queue
from typing import Any

from edge_server.engine import Finish, Generated
from tests.edge_server.stepping import CHUNK, LONG, alone, ask
from tests.edge_server.threaded import PATIENCE, Caller, Gate, Result
from tests.fakes import FakeContext

# --- many sessions ---


def test_all_jobs_share_each_decode_call(started: Any) -> None:
    context = FakeContext(batch=CHUNK, on_decode=(gate := Gate()))
    engine = started(context)
    callers = [Caller(engine) for _ in range(3)]
    callers[0].submit(ask(LONG[:5], 9))
    gate.wait_for_call()
    for caller in callers[1:]:
        caller.submit(ask(LONG[:6], 8))
    gate.let_all_go()
    assert [len(caller.result().tokens) for caller in callers] == [9, 8, 8]
    assert context.shapes[0] == [5]
    assert all(len(shape) == 3 for shape in context.shapes[1:8]), context.shapes


def test_sessions_do_not_change_each_others_words(context: Any, started: Any) -> None:
    engine = started(context)
    one, other = Caller(engine), Caller(engine)
    expected = one.run(ask()).tokens
    one.submit(ask((*LONG, 1)))
    other.submit(ask(LONG))
    one.result()
    assert other.result().tokens == expected


def test_an_idle_session_costs_no_slot(context: Any, started: Any) -> None:
    engine = started(context)
    lingering = [Caller(engine) for _ in range(5)]
    one, other = Caller(engine), Caller(engine)
    first, second = one.run(ask()), other.run(ask(LONG[:9]))
    assert one.run(ask((*LONG, *first.tokens))).reused
    assert other.run(ask((*LONG[:9], *second.tokens))).reused
    assert engine.counters.parked == 0
    for caller in lingering:
        caller.handle.close()


def test_the_least_recently_active_session_gives_its_slot_and_comes_back_without_prefill(
    context: Any, started: Any
) -> None:
    engine = started(context)
    first, second, third = Caller(engine), Caller(engine), Caller(engine)
    expected = first.run(ask()).tokens
    said = second.run(ask(LONG[:9])).tokens
    first.run(ask())  # now the second is the older one
    third.run(ask(LONG[:7]))
    assert engine.counters.parked == 1
    assert first.run(ask()).reused == len(LONG) - 1
    back = second.run(ask((*LONG[:9], *said)))
    assert (back.reused, back.prefilled) == (9 + len(said) - 1, 1)
    assert (engine.counters.parked, engine.counters.restored) == (2, 1)
    assert first.run(ask()).tokens == expected


def test_a_new_session_is_refused_at_once_where_every_slot_speaks(started: Any) -> None:
    context = FakeContext(slots=1, batch=CHUNK, on_decode=(gate := Gate()))
    engine = started(context)
    first, second = Caller(engine), Caller(engine)
    first.submit(ask())
    gate.wait_for_call()
    second.submit(ask(LONG[:9]))
    gate.let_go()
    assert second.result() == Generated((), Finish.BUSY, None, 0, 0)
    gate.let_all_go()
    assert first.result().tokens == alone(ask())
    first.handle.speaking_until = math.inf
    assert second.run(ask(LONG[:9])).finish is Finish.BUSY
    first.handle.speaking_until = 0
    assert second.run(ask(LONG[:9])).tokens == alone(ask(LONG[:9]))
    assert engine.counters.parked == 1


def test_a_parked_session_waits_for_its_turn_between_two_slices_of_another(started: Any) -> None:
    context = FakeContext(slots=1, batch=CHUNK, on_decode=(gate := Gate()))
    gate.open = True
    engine = started(context)
    first, second = Caller(engine), Caller(engine)
    first.run(ask(LONG, 1))
    second.run(ask(LONG[:9], 1))
    second.handle.speaking_until = math.inf
    gate.open = False
    second.submit(ask(LONG[:10], 1))
    gate.wait_for_call()
    first.submit(ask((*LONG, 1), 1))
    gate.let_all_go()
    assert second.result().tokens == alone(ask(LONG[:10], 1))
    assert first.result().reused == len(LONG)
    assert second.run(ask(LONG[:11], 1)).reused == 10


def test_a_waiting_job_can_be_cancelled(started: Any) -> None:
    context = FakeContext(slots=1, batch=CHUNK, on_decode=(gate := Gate()))
    engine = started(context)
    first, second = Caller(engine), Caller(engine)
    first.submit(ask())
    gate.wait_for_call()
    second.submit(ask()).cancel()
    gate.let_go()
    assert second.result() == Generated((), Finish.CANCELLED, None, 0, 0)
    gate.let_all_go()
    assert first.result().finish is Finish.CAP


def test_a_session_that_submits_at_once_again_does_not_keep_others_waiting(started: Any) -> None:
    context = FakeContext(slots=1, batch=CHUNK, on_decode=(gate := Gate()))
    gate.open = True
    engine = started(context)
    patient = Caller(engine)
    patient.run(ask(LONG[:5]))
    gate.open = False
    rounds: queue.Queue[Result] = queue.Queue()
    greedy_handle = engine.open()

    def again(result: Result) -> None:
        rounds.put(result)
        if rounds.qsize() < 50:
            greedy_handle.submit(ask(LONG[:9]), again)

    greedy_handle.submit(ask(LONG[:9]), again)
    gate.wait_for_call()
    rounds_before: queue.Queue[int] = queue.Queue()
    patient.handle.submit(ask(), lambda _result: rounds_before.put(rounds.qsize()))
    gate.let_all_go()
    assert rounds_before.get(timeout=PATIENCE) == 1


# --- a full pool ---


def test_cells_are_taken_from_the_session_that_was_idle_longest(context: Any, started: Any) -> None:
    engine = started(context)
    one, other = Caller(engine), Caller(engine)
    one.run(ask(LONG * 4))
    done = other.run(ask(LONG * 5))
    assert (done.finish, engine.counters.parked) == (Finish.CAP, 1)
    assert one.run(ask(LONG)).reused == len(LONG) - 1
    assert engine.counters.restored == 1


def test_a_session_that_fills_the_pool_alone_is_told_so_and_can_go_on_shorter(context: Any, started: Any) -> None:
    caller = Caller(started(context))
    full = tuple(LONG * 7)[:254]
    done = caller.run(ask(full, 9))
    assert (done.finish, len(done.tokens)) == (Finish.FULL, 3)
    assert caller.run(ask(full[:250], 3)).finish is Finish.CAP


def test_a_request_longer_than_the_pool_parks_nobody(context: Any, started: Any) -> None:
    engine = started(context)
    one, other = Caller(engine), Caller(engine)
    one.run(ask())
    assert other.run(ask(LONG * 7)).finish is Finish.FULL
    assert engine.counters.parked == 0


def test_a_job_whose_cells_are_not_there_waits_until_they_are(started: Any) -> None:
    context = FakeContext(cells=60, batch=CHUNK, on_decode=(gate := Gate()))
    engine = started(context)
    one, other = Caller(engine), Caller(engine)
    one.submit(ask(LONG, 9))
    gate.wait_for_call()
    other.submit(ask(LONG, 9))
    gate.let_all_go()
    assert one.result().tokens == other.result().tokens == alone(ask(LONG, 9))
    assert context.calls == len(context.shapes), "a call found the pool full"
