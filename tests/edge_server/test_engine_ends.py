"""Giving back, closing and failing: every job is answered exactly once, and no cells are left behind."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_server.engine import Engine, EngineError, Finish, Generated, Job, Request, Sampling
from tests.edge_server.stepping import CHUNK, LONG, alone, ask
from tests.edge_server.threaded import PATIENCE, Caller, Gate, Result
from tests.fakes import FakeContext

NO_STOP: frozenset[int] = frozenset()
DRAWN = Sampling(temperature=0.8, top_k=0, top_p=0.8, seed=7)


# --- giving back ---


def test_a_released_handle_holds_no_cells_and_may_submit_again(started: Any) -> None:
    context = FakeContext(batch=CHUNK)
    engine = started(context)
    caller, other = Caller(engine), Caller(engine)
    caller.run(ask())
    caller.handle.release()
    other.run(ask((1,), 1))  # the engine has taken the release before this
    assert context.used == 1
    assert caller.run(ask()).reused == 0


def test_a_release_during_a_job_comes_after_it(started: Any) -> None:
    context = FakeContext(batch=CHUNK, on_decode=(gate := Gate()))
    engine = started(context)
    caller = Caller(engine)
    caller.submit(ask())
    gate.wait_for_call()
    caller.handle.release()
    gate.let_all_go()
    assert caller.result().finish is Finish.CAP
    assert context.used == 0


def test_a_release_before_a_job_does_not_come_after_it(started: Any) -> None:
    context = FakeContext(batch=CHUNK, on_decode=(gate := Gate()))
    engine = started(context)
    caller, other = Caller(engine), Caller(engine)
    other.submit(ask())
    gate.wait_for_call()
    caller.handle.release()
    caller.submit(ask(LONG, 1))
    gate.let_all_go()
    caller.result()
    assert caller.run(ask((*LONG, 1))).reused == len(LONG)


def test_a_closed_handle_cancels_its_job_gives_back_and_takes_no_more(started: Any) -> None:
    context = FakeContext(batch=CHUNK, on_decode=(gate := Gate()))
    engine = started(context)
    caller, other = Caller(engine), Caller(engine)
    caller.submit(ask())
    gate.wait_for_call()
    caller.handle.close()
    caller.handle.close()
    gate.let_all_go()
    assert caller.result().finish is Finish.CANCELLED
    other.run(ask((1,), 1))
    assert context.used == 1
    with pytest.raises(EngineError, match="closed"):
        caller.submit(ask())


def test_closing_the_engine_finishes_every_job_and_ends_the_thread(started: Any) -> None:
    context = FakeContext(slots=2, batch=CHUNK, on_decode=(gate := Gate()))
    engine = started(context)
    callers = [Caller(engine) for _ in range(4)]
    for caller in callers:
        caller.submit(ask())
    gate.wait_for_call()
    closing = threading.Thread(target=engine.close)
    closing.start()
    gate.let_all_go()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    finishes = [caller.results.get_nowait().finish for caller in callers]  # type: ignore[union-attr]
    assert set(finishes) <= {Finish.CANCELLED, Finish.BUSY}
    assert all(caller.results.empty() for caller in callers)
    assert context.used == 0
    assert all(thread.name != "engine" for thread in threading.enumerate())
    engine.close()
    with pytest.raises(EngineError, match="not running"):
        callers[0].submit(ask())


def test_an_engine_that_was_never_started_takes_no_jobs_and_closes() -> None:
    engine = Engine(FakeContext(batch=CHUNK), chunk=CHUNK)
    with pytest.raises(EngineError, match="not running"):
        Caller(engine).submit(ask())
    engine.close()
    with pytest.raises(EngineError, match="starts once"):
        engine.start()


def test_a_handle_has_one_unfinished_job_at_most(started: Any) -> None:
    context = FakeContext(batch=CHUNK, on_decode=(gate := Gate()))
    caller = Caller(started(context))
    caller.submit(ask())
    gate.wait_for_call()
    with pytest.raises(EngineError, match="unfinished"):
        caller.submit(ask())
    gate.let_all_go()
    caller.result()
    assert caller.results.empty()


def test_the_engine_can_be_closed_from_a_callback(started: Any) -> None:
    engine = started(FakeContext(batch=CHUNK))
    closed = threading.Event()

    def close(_result: Result) -> None:
        engine.close()
        closed.set()

    engine.open().submit(ask(), close)
    assert closed.wait(PATIENCE)


# --- failures ---


def test_a_failed_call_is_reported_and_costs_only_its_own_cells(started: Any) -> None:
    context = FakeContext(batch=CHUNK, fail={2, 3})
    engine = started(context)
    other, caller = Caller(engine), Caller(engine)
    other.run(ask(LONG[:8], 1))
    caller.submit(ask())
    assert "failed" in str(caller.error())
    assert context.used == 8
    caller.submit(ask())
    assert "failed" in str(caller.error())
    assert caller.run(ask()).tokens == alone(ask())
    assert other.run(ask((*LONG[:8], 1), 1)).reused == 8


def test_a_callback_that_raises_does_not_stop_the_engine(started: Any, caplog: pytest.LogCaptureFixture) -> None:
    engine = started(FakeContext(batch=CHUNK))

    def broken(_result: Result) -> None:
        raise RuntimeError("broken callback")

    engine.open().submit(ask(), broken)
    assert Caller(engine).run(ask()).finish is Finish.CAP
    assert "broken callback" in caplog.text


def test_a_defect_in_a_job_is_reported_to_its_session_alone(started: Any, caplog: pytest.LogCaptureFixture) -> None:
    engine = started(FakeContext(batch=CHUNK, n_vocab=50))
    caller, other = Caller(engine), Caller(engine)
    caller.submit(ask((99,)))  # the fake asserts that tokens are in its vocabulary
    assert "the engine failed" in str(caller.error())
    assert other.run(ask()).finish is Finish.CAP
    assert "a job failed" in caplog.text


def test_an_errand_is_done_on_the_engines_thread_behind_what_came_before(started: Any) -> None:
    context = FakeContext(batch=CHUNK)
    engine = started(context)
    caller = Caller(engine)
    caller.run(ask())
    caller.handle.release()
    seen: list[tuple[str, int]] = []
    engine.between(lambda: seen.append((threading.current_thread().name, context.used)))
    assert seen == [("engine", 0)]
    with pytest.raises(ZeroDivisionError):
        engine.between(lambda: print(1 / 0))
    assert caller.run(ask()).finish is Finish.CAP
    engine.close()
    with pytest.raises(EngineError, match="not running"):
        engine.between(lambda: None)


def test_a_defect_that_ends_the_engine_is_told_to_everybody_and_leaves_nobody_waiting(
    started: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    context = FakeContext(batch=CHUNK, on_decode=(gate := Gate()))
    engine = started(context)
    caller, other, leaving = Caller(engine), Caller(engine), Caller(engine)
    gate.open = True
    leaving.run(ask())
    gate.open = False
    engine.open().submit(ask(), lambda _result: [][1])  # one whose callback fails, too, is in nobody's way
    gate.wait_for_call()
    caller.submit(ask())
    other.submit(ask())
    leaving.handle.close()
    monkeypatch.setattr(context, "remove", lambda *_: 1 / 0)
    gate.let_all_go()
    for each in (caller, other):
        assert "the engine has ended" in str(each.error())
    assert engine._thread is not None
    engine._thread.join(PATIENCE)
    assert not engine.alive
    with pytest.raises(EngineError, match="not running"):
        caller.submit(ask())
    assert "ZeroDivisionError" in caplog.text


def test_a_defect_in_a_release_leaves_nobody_waiting_who_came_behind_it(
    started: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = FakeContext(batch=CHUNK, on_decode=(gate := Gate()))
    engine = started(context)
    gate.open = True
    leaving, first, behind = Caller(engine), Caller(engine), Caller(engine)
    leaving.run(ask())
    gate.open = False
    first.submit(ask())
    gate.wait_for_call()
    leaving.handle.close()
    behind.submit(ask())
    monkeypatch.setattr(context, "remove", lambda *_: 1 / 0)
    gate.let_all_go()
    for each in (first, behind):
        assert "the engine has ended" in str(each.error())


@pytest.mark.parametrize("context", [pytest.param("llama", marks=pytest.mark.real)], indirect=True)
def test_a_token_that_llama_refuses_is_an_error_of_its_session_alone(context: Any, started: Any) -> None:
    engine = started(context)
    caller, other = Caller(engine), Caller(engine)
    caller.submit(ask((10**6,)))
    assert "code -1" in str(caller.error())
    assert other.run(ask()).finish is Finish.CAP


def test_a_chunk_must_fit_into_a_call() -> None:
    with pytest.raises(EngineError, match="1 to 8"):
        Engine(FakeContext(batch=8), chunk=9)


# --- any interleaving ---

moves = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["submit", "cancel", "release", "step", "step", "close"])),
    max_size=30,
)


@given(moves)
@settings(max_examples=20, deadline=None)
def test_every_job_is_answered_exactly_once_in_any_interleaving(moves: list[tuple[int, str]]) -> None:
    gate = Gate()
    context = FakeContext(cells=100, slots=2, batch=CHUNK, on_decode=gate)
    engine = Engine(context, chunk=CHUNK)
    engine.start()
    callers = [Caller(engine) for _ in range(4)]
    jobs: list[tuple[Caller, Job]] = []
    for number, (which, move) in enumerate(moves):
        caller = callers[which]
        if move == "submit":
            try:
                jobs.append((caller, caller.submit(Request(LONG[: number + 3], 3, NO_STOP, DRAWN))))
            except EngineError as error:
                assert "unfinished" in str(error) or "closed" in str(error)  # noqa: PT017
        elif move == "cancel" and jobs:
            jobs[which % len(jobs)][1].cancel()
        elif move == "release":
            caller.handle.release()
        elif move == "close":
            caller.handle.close()
        elif move == "step":
            gate.let_go()
    gate.let_all_go()
    engine.close()
    for caller in callers:
        assert caller.results.qsize() == sum(1 for owner, _ in jobs if owner is caller)
        while not caller.results.empty():
            assert isinstance(caller.results.get(), Generated)
    assert context.used == 0
