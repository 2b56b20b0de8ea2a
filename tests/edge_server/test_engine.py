"""What the engine promises to sessions, on the fake context and (marked real) on llama.cpp with a tiny model.

No test waits for time to pass: jobs are held inside a decode call, by the fake context, until the test lets them go.
"""

from __future__ import annotations

import math
import queue
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_server.engine import Counters, Engine, EngineError, Finish, Generated, Handle, Job, Request, Sampling
from edge_server.tokens import Forgotten
from tests.fakes import FakeContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GREEDY = Sampling(temperature=0, top_k=0, top_p=1, seed=0)
DRAWN = Sampling(temperature=0.8, top_k=0, top_p=0.8, seed=7)
NO_STOP: frozenset[int] = frozenset()
CHUNK = 8
PATIENCE = 30  # seconds until a test that hangs fails; none that passes waits for it
LONG = tuple((7 * index * index + 3) % 50 for index in range(40))

Result = Generated | EngineError


def ask(tokens: tuple[int, ...] = LONG, new: int = 4, **fields: Any) -> Request:
    return Request(tokens, new, NO_STOP, GREEDY, **fields)


class Caller:
    """One session: submits, and collects what `on_done` brings."""

    def __init__(self, engine: Engine) -> None:
        self.handle: Handle = engine.open()
        self.results: queue.Queue[Result] = queue.Queue()
        self.threads: set[str] = set()

    def submit(self, request: Request, *forget: Forgotten) -> Job:
        return self.handle.submit(request, self.on_done, forget=forget)

    def on_done(self, result: Result) -> None:
        self.threads.add(threading.current_thread().name)
        self.results.put(result)

    def result(self) -> Generated:
        result = self.results.get(timeout=PATIENCE)
        assert isinstance(result, Generated), result
        return result

    def error(self) -> EngineError:
        result = self.results.get(timeout=PATIENCE)
        assert isinstance(result, EngineError), result
        return result

    def run(self, request: Request, *forget: Forgotten) -> Generated:
        self.submit(request, *forget)
        return self.result()


class Gate:
    """Holds the engine inside a decode call: `FakeContext.on_decode`."""

    def __init__(self) -> None:
        self._entered = threading.Semaphore(0)
        self._go = threading.Semaphore(0)
        self.open = False

    def __call__(self) -> None:
        if not self.open:
            self._entered.release()
            assert self._go.acquire(timeout=PATIENCE)

    def wait_for_call(self) -> None:
        assert self._entered.acquire(timeout=PATIENCE)

    def let_go(self) -> None:
        self._go.release()

    def let_all_go(self) -> None:
        self.open = True
        self._go.release()


@pytest.fixture
def started() -> Iterator[Callable[[Any], Engine]]:
    """Starts engines, and closes them whatever becomes of the test."""
    engines: list[Engine] = []

    def start(context: Any) -> Engine:
        engine = Engine(context, chunk=CHUNK)
        engines.append(engine)
        engine.start()
        return engine

    yield start
    for engine in engines:
        if isinstance(engine._context, FakeContext) and isinstance(engine._context.on_decode, Gate):
            engine._context.on_decode.let_all_go()
        engine.close()


@pytest.fixture(params=["fake", pytest.param("llama", marks=pytest.mark.real)])
def context(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A context of 256 cells and 2 slots."""
    if request.param == "fake":
        yield FakeContext(cells=256, slots=2, batch=CHUNK)
    else:
        from edge_server.llama import Context, Model

        path: Path = request.getfixturevalue("tiny_gguf")
        with (
            Model.load(path, gpu_layers=0) as model,
            Context(model, cells=256, slots=2, batch=CHUNK, threads=1, kv_type="f32", flash_attention=False) as real,
        ):
            yield real


def alone(request: Request) -> tuple[int, ...]:
    """What the fake answers to a request that has the context for itself."""
    engine = Engine(FakeContext(batch=CHUNK), chunk=CHUNK)
    engine.start()
    tokens = Caller(engine).run(request).tokens
    engine.close()
    return tokens


# --- one session ---


def test_a_request_is_answered_on_the_engine_thread(context: Any, started: Any) -> None:
    caller = Caller(started(context))
    done = caller.run(ask())
    assert (len(done.tokens), done.finish, done.reused, done.prefilled) == (4, Finish.CAP, 0, len(LONG))
    assert caller.threads == {"engine"}


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
