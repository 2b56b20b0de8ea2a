"""What the engine promises to one session, on the fake context and (marked real) on llama.cpp with a tiny model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_server.engine import Counters, EngineError, Finish
from edge_server.tokens import Forgotten
from tests.edge_server.stepping import CHUNK, LONG, alone, ask
from tests.edge_server.threaded import Caller, Gate
from tests.fakes import FakeContext


def test_a_request_is_answered_on_the_engine_thread(context: Any, started: Any) -> None:
    caller = Caller(started(context))
    done = caller.run(ask())
    assert (len(done.tokens), done.finish, done.reused, done.prefilled) == (4, Finish.CAP, 0, len(LONG))
    assert caller.threads == {"engine"}


def test_who_waits_gets_the_answer_or_the_error(started: Any) -> None:
    engine = started(FakeContext(batch=CHUNK, fail={1}))
    handle = engine.open()
    with pytest.raises(EngineError, match="failed"):
        handle.run(ask())
    done = handle.run(ask())
    assert done.tokens == alone(ask())
    longer = (*LONG, *done.tokens)
    assert handle.run(ask(longer[8:]), forget=[Forgotten(0, 8, len(longer) - 1)]).reused == len(longer) - 8 - 1
    handle.close()
    with pytest.raises(EngineError, match="closed"):
        handle.run(ask())


def test_what_was_cached_is_not_decoded_again(context: Any, started: Any) -> None:
    caller = Caller(started(context))
    first = caller.run(ask())
    longer = (*LONG, *first.tokens, 1, 2)
    done = caller.run(ask(longer))
    # The last sampled token is the one that was not decoded: it comes with the two new ones.
    assert (done.reused, done.prefilled) == (len(longer) - 3, 3)


def test_what_left_the_transcript_is_taken_back(context: Any, started: Any) -> None:
    engine = started(context)
    caller, twin = Caller(engine), Caller(engine)
    caller.run(ask((*LONG, 1, 2, 3)))
    done = caller.run(ask((*LONG[:30], 9)))
    assert (done.reused, done.prefilled) == (30, 1)
    assert twin.run(ask((*LONG[:30], 9))).tokens == done.tokens


def test_ranges_to_forget_leave_the_cells_and_the_rest_moves(context: Any, started: Any) -> None:
    caller = Caller(started(context))
    caller.run(ask(LONG, 0))
    calls = context.calls
    done = caller.run(ask((*LONG[:4], *LONG[12:20], *LONG[24:], 9), 1), Forgotten(4, 12, 40), Forgotten(12, 16, 32))
    assert (done.reused, done.prefilled) == (len(LONG) - 12, 1)
    assert context.calls == calls + 1


def test_ranges_to_forget_of_an_evicted_handle_do_nothing(context: Any, started: Any) -> None:
    caller = Caller(started(context))
    caller.run(ask(LONG, 0))
    caller.handle.release()
    done = caller.run(ask(LONG[12:]), Forgotten(0, 12, 40))
    assert (done.reused, done.prefilled) == (0, len(LONG) - 12)


def test_ranges_to_forget_count_as_forgotten_when_their_job_is_cancelled(started: Any) -> None:
    context = FakeContext(batch=CHUNK, on_decode=(gate := Gate()))
    engine = started(context)
    caller, other = Caller(engine), Caller(engine)
    gate.open = True
    caller.run(ask(LONG, 0))
    gate.open = False
    other.submit(ask())
    gate.wait_for_call()
    caller.submit(ask(LONG[12:]), Forgotten(0, 12, 40)).cancel()
    gate.let_all_go()
    assert caller.result().finish is Finish.CANCELLED
    assert caller.run(ask((*LONG[12:], 1))).reused >= len(LONG) - 12 - 1


def test_peek_reports_the_likeliest_next_token(context: Any, started: Any) -> None:
    caller = Caller(started(context))
    longer = caller.run(ask(LONG, 5)).tokens
    done = caller.run(ask(LONG, 4, peek=True))
    assert (*done.tokens, done.likeliest_next) == longer


def test_the_counters_add_up(context: Any, started: Any) -> None:
    engine = started(context)
    caller = Caller(engine)
    first = caller.run(ask())
    assert engine.counters == Counters(tokens_prefilled=len(LONG), tokens_decoded=3)
    caller.run(ask((*LONG, *first.tokens, 1), 1))
    caller.run(ask((*LONG[:20], 2), 1))
    prefilled, reused = len(LONG) + 2 + 1, len(LONG) + 3 + 20
    counters = engine.counters
    assert counters.rollback_seconds > 0
    assert replace(counters, rollback_seconds=0) == Counters(prefilled, 3, reused, rollbacks=1)


# --- cancelling ---


def test_a_cancel_inside_a_prefill_stops_it_and_the_rest_is_exact(started: Any) -> None:
    context = FakeContext(batch=CHUNK, on_decode=(gate := Gate()))
    caller = Caller(started(context))
    job = caller.submit(ask())
    for _ in range(2):
        gate.wait_for_call()
        gate.let_go()
    gate.wait_for_call()
    job.cancel()
    gate.let_go()
    done = caller.result()
    assert (done.tokens, done.finish, done.prefilled) == ((), Finish.CANCELLED, 2 * CHUNK)
    gate.let_all_go()
    again = caller.run(ask())
    assert (again.reused, again.prefilled) == (2 * CHUNK, len(LONG) - 2 * CHUNK)
    assert again.tokens == alone(ask())
    assert context.decoded[:5] == [(0, at, LONG[at : at + CHUNK]) for at in range(0, 40, CHUNK)]


def test_a_cancel_between_tokens_gives_what_there_was(started: Any) -> None:
    context = FakeContext(batch=CHUNK, on_decode=(gate := Gate()))
    caller = Caller(started(context))
    job = caller.submit(ask(LONG[:5], 9))
    gate.wait_for_call()  # the prefill: one token is sampled after it
    gate.let_go()
    gate.wait_for_call()  # that token
    job.cancel()
    job.cancel()
    gate.let_go()
    done = caller.result()
    assert (done.tokens, done.finish) == (alone(ask(LONG[:5], 1)), Finish.CANCELLED)


def test_a_cancel_stops_only_its_own_job(started: Any) -> None:
    context = FakeContext(batch=CHUNK, on_decode=(gate := Gate()))
    engine = started(context)
    one, other = Caller(engine), Caller(engine)
    job = one.submit(ask(LONG[:5], 9))
    gate.wait_for_call()
    other.submit(ask(LONG[:8]))
    gate.let_go()
    gate.wait_for_call()  # the other's, since turns alternate
    job.cancel()
    gate.let_all_go()
    assert one.result().finish is Finish.CANCELLED
    assert other.result().tokens == alone(ask(LONG[:8]))


def test_a_cancel_after_the_end_changes_nothing(context: Any, started: Any) -> None:
    caller = Caller(started(context))
    job = caller.submit(ask())
    done = caller.result()
    job.cancel()
    assert caller.run(ask((*LONG, *done.tokens))).finish is Finish.CAP
    assert caller.results.empty()


@pytest.mark.real
def test_a_long_prefill_on_llama_is_aborted_and_goes_on_exactly(tiny_gguf: Path, started: Any) -> None:
    from edge_server.llama import Context, Model

    tokens = LONG * 12
    with (
        Model.load(tiny_gguf, gpu_layers=0) as model,
        Context(model, cells=600, slots=2, batch=CHUNK, threads=1) as context,
    ):
        engine = started(context)
        caller, twin = Caller(engine), Caller(engine)
        finishes: list[Finish] = []
        while not finishes or finishes[-1] is Finish.CANCELLED:
            job = caller.submit(ask(tokens))
            if len(finishes) < 3:
                job.cancel()
            done = caller.result()
            finishes.append(done.finish)
        assert finishes[-1] is Finish.CAP
        assert twin.run(ask(tokens)).tokens == done.tokens
        engine.close()
