"""Jobs and the handles that submit them: what is adopted, what is withdrawn, what is forgotten, what is counted."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import fields, replace

import pytest

from edge_server.context import Sampling
from edge_server.engine import EngineError, Finish, Generated, Request
from edge_server.jobs import Board, Counters, Job
from edge_server.tokens import Forgotten
from tests.edge_server.stepping import LONG, Asker, SteppedEngine, ask
from tests.fakes import FakeContext


@pytest.fixture
def engine() -> Iterator[SteppedEngine]:
    """256 cells, 2 slots."""
    engine = SteppedEngine(FakeContext(slots=2, batch=8))
    yield engine
    engine.close()


@pytest.fixture
def asker(engine: SteppedEngine) -> Asker:
    return Asker(engine)


# --- what is asked for, and what was prepared ---


def test_what_was_prepared_and_finished_is_answered_before_submit_returns(engine: SteppedEngine, asker: Asker) -> None:
    asker.handle.prepare(ask())
    engine.run()
    calls = engine.context.calls
    asker.submit(ask())
    assert (asker.last.finish, asker.last.prefilled) == (Finish.CAP, len(LONG))
    assert engine.context.calls == calls
    assert asker.handle.job is None
    asker.submit(ask((*LONG, *asker.last.tokens), 1))
    engine.run()
    assert asker.last.prefilled == 1


@pytest.mark.parametrize(
    "other",
    [
        ask((*LONG[:-1], 1)),
        ask(new=5),
        ask(peek=True),
        ask(urgent=True),
        ask(cuts=(3,)),
        replace(ask(), stop=frozenset({1})),
        replace(ask(), sampling=Sampling(0.5, 0, 1, 1)),
    ],
)
@pytest.mark.parametrize("steps", [0, 2, 99])
def test_only_the_very_request_that_was_prepared_is_answered_by_it(
    engine: SteppedEngine, asker: Asker, other: Request, steps: int
) -> None:
    twin = Asker(engine)
    twin.submit(other)
    engine.run()
    asker.handle.prepare(ask())
    for _ in range(steps):
        engine.step()
    asker.submit(other)
    engine.run()
    assert asker.last.tokens == twin.last.tokens
    assert engine.counters.guesses_used == 0


def test_a_new_preparation_takes_the_place_of_the_one_before(engine: SteppedEngine, asker: Asker) -> None:
    asker.handle.prepare(ask(LONG[:30]))
    engine.step()
    asker.handle.prepare(ask((*LONG[:20], 1)))
    engine.run()
    assert asker.cells[:21] == (*LONG[:20], 1)
    assert sum(len(tokens) for _, _, tokens in engine.context.decoded) == 8 + 13 + 3
    asker.handle.prepare(ask((*LONG[:20], 1)))
    assert not engine.step(), "it is there already"


def test_nothing_is_prepared_beside_a_job_or_after_the_end(engine: SteppedEngine, asker: Asker) -> None:
    asker.submit(ask())
    with pytest.raises(EngineError, match="unfinished"):
        asker.handle.prepare(ask())
    engine.run()
    asker.handle.close()
    asker.handle.prepare(ask())
    engine.run()
    assert engine.context.used == 0


def test_a_released_session_forgets_what_was_prepared(engine: SteppedEngine, asker: Asker) -> None:
    asker.handle.prepare(ask())
    engine.run()
    asker.handle.release()
    asker.submit(ask())
    assert not asker.results
    engine.run()
    assert asker.last.reused == 0
    assert engine.counters.guesses_used == 0


def test_what_is_cancelled_though_it_was_prepared_is_answered_as_cancelled(engine: SteppedEngine, asker: Asker) -> None:
    asker.handle.prepare(ask())
    engine.step()
    asker.submit(ask()).cancel()
    engine.run()
    assert asker.last == Generated((), Finish.CANCELLED, None, 0, 8)


# --- what leaves the front ---


@pytest.mark.parametrize("started", [False, True])
def test_what_a_preparation_forgot_is_not_lost_with_it(engine: SteppedEngine, asker: Asker, started: bool) -> None:
    asker.submit(ask(LONG, 0))
    engine.run()
    rest = (*LONG[:1], *LONG[9:])
    asker.handle.prepare(ask((*rest, 1)), forget=[Forgotten(1, 9, len(LONG))])
    if started:
        engine.step()
    asker.submit(ask((*rest, 2), 1))
    engine.run()
    assert (asker.last.reused, asker.last.prefilled) == (len(rest), 1)


def test_what_is_forgotten_is_forgotten_once(engine: SteppedEngine, asker: Asker) -> None:
    asker.submit(ask(LONG, 0))
    engine.run()
    rest = (*LONG[:1], *LONG[9:])
    asker.submit(ask(rest, 0), Forgotten(1, 9, len(LONG)))
    engine.run()
    assert (asker.last.reused, asker.last.prefilled) == (len(rest), 0)
    asker.submit(ask((*rest, 1), 1))
    engine.run()
    assert (asker.last.reused, asker.last.prefilled) == (len(rest), 1)


def test_a_guess_that_is_not_started_gives_nothing_of_a_list_that_is_still_to_forget(
    engine: SteppedEngine, asker: Asker
) -> None:
    asker.submit(ask(LONG, 0))
    engine.run()
    rest = (*LONG[:1], *LONG[31:])
    asker.handle.prepare(ask((*rest, 1), cuts=(len(rest),)), forget=[Forgotten(1, 31, len(LONG))])
    assert not asker.handle.give_guess()
    assert asker.cells == LONG
    asker.submit(ask((*rest, 2), 1))
    engine.run()
    assert asker.last.reused == len(rest)


# --- giving a guess away ---


def test_a_guess_gives_what_is_behind_the_last_cut_and_keeps_its_words(engine: SteppedEngine, asker: Asker) -> None:
    guess = ask(LONG[:20], 9, cuts=(4, 15))
    asker.handle.prepare(guess)
    engine.run()
    assert len(asker.cells) == 20 + 8
    assert asker.handle.give_guess()
    assert asker.cells == LONG[:15]
    assert not asker.handle.give_guess()
    asker.submit(guess)
    assert len(asker.last.tokens) == 9


def test_a_guess_that_is_being_made_is_not_asked_for_once_it_was_given_away(
    engine: SteppedEngine, asker: Asker
) -> None:
    guess = ask(LONG[:20], 9, cuts=(15,))
    asker.handle.prepare(guess)
    for _ in range(3):
        engine.step()
    assert asker.handle.give_guess()
    asker.submit(guess)
    engine.run()
    assert (asker.last.finish, len(asker.last.tokens)) == (Finish.CAP, 9)


def test_what_was_prepared_without_cuts_or_asked_for_is_no_guess(engine: SteppedEngine, asker: Asker) -> None:
    assert not asker.handle.give_guess()
    asker.handle.prepare(ask(LONG[:20], 9))
    engine.run()
    assert not asker.handle.give_guess()
    asker.submit(ask(LONG[:9], 9, cuts=(4,)))
    for _ in range(4):
        engine.step()
    assert not asker.handle.give_guess()


# --- small things ---


def test_who_goes_first(asker: Asker) -> None:
    asked = Job(asker.handle, ask())
    asked.on_done = asker.results.append
    assert [asked.rank, Job(asker.handle, ask(new=0)).rank, Job(asker.handle, ask()).rank] == [0, 1, 2]
    assert (asked.ahead, Job(asker.handle, ask()).ahead) == (False, True)


def test_a_session_speaks_until_the_time_that_was_told(asker: Asker) -> None:
    assert not asker.handle.speaking
    asker.handle.speaking_until = math.inf
    assert asker.handle.speaking


def test_a_session_is_busy_from_when_its_job_is_begun(engine: SteppedEngine, asker: Asker) -> None:
    asker.handle.prepare(ask())
    engine.step()
    assert not asker.handle.busy
    asker.submit(ask())
    assert asker.handle.busy
    engine.run()
    assert not asker.handle.busy
    asker.submit(ask((1, 2)))
    assert not asker.handle.busy
    engine.step()
    assert asker.handle.busy


def test_counters_add_up_from_any_thread() -> None:
    board = Board()

    def count() -> None:
        for _ in range(200):
            board.count(rollbacks=1, rollback_seconds=0.5)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert board.counters == Counters(rollbacks=800, rollback_seconds=400.0)


def test_every_counter_only_grows(engine: SteppedEngine, asker: Asker) -> None:
    seen = [engine.counters]
    for number in range(30):
        request = ask((*LONG[: 20 - number % 7], number), 2, cuts=(3,))
        if number % 3 == 0:
            asker.handle.prepare(request if number % 2 else ask((*LONG, 1), 2))
            for _ in range(number % 5):
                engine.step()
        job = asker.submit(request)
        if number % 5 == 0:
            engine.step()
            job.cancel()
        engine.run()
        seen.append(engine.counters)
    for field in fields(Counters):
        values = [getattr(counters, field.name) for counters in seen]
        assert values == sorted(values)
    assert seen[-1].guesses > seen[-1].guesses_used > 0
