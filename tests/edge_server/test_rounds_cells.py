"""What the engine's rounds do where slots and cells are fewer than are wanted, step by step on the fake context."""

from __future__ import annotations

import pytest

from edge_server.engine import Counters, Finish, Generated, Sampling
from tests.edge_server.stepping import LONG, Asker, Stepped, alone, ask, within_a_call
from tests.fakes import FakeSampler

# --- cells that two want ---


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_a_guess_that_is_asked_for_while_its_session_is_being_parked_is_answered(stepped: Stepped, steps: int) -> None:
    engine = stepped(slots=1)
    parking, other = Asker(engine), Asker(engine)
    other.submit(ask(LONG[:4], 0))
    engine.run()
    parking.submit(ask(LONG[:9], 0))
    engine.run()
    parking.handle.prepare(ask(LONG[:12], 5, cuts=(10,)))
    for _ in range(steps):
        engine.step()
    save = engine.context.save

    def asking(slot: int) -> bytes:
        engine.context.save = save  # type: ignore[method-assign]
        parking.submit(ask(LONG[:12], 5, cuts=(10,)))
        return save(slot)

    engine.context.save = asking  # type: ignore[method-assign]
    other.submit(ask(LONG[:6], 2))
    engine.run()
    assert other.last.tokens == alone(ask(LONG[:6], 2))
    assert parking.last.tokens == alone(ask(LONG[:12], 5))
    assert len(parking.results) == 2


def test_a_guess_takes_no_cells_of_anybody(stepped: Stepped) -> None:
    engine = stepped(cells=60)
    quiet, asker = Asker(engine), Asker(engine)
    quiet.submit(ask(LONG, 0))
    engine.run()
    asker.handle.prepare(ask(LONG[:15], 20))
    engine.run()
    assert (quiet.cells, engine.counters.parked) == (LONG, 0)
    assert engine.context.used <= 60
    asker.submit(ask(LONG[:15], 20))
    engine.run()
    assert asker.last.tokens == alone(ask(LONG[:15], 20))
    assert engine.counters.parked == 1


def test_a_guess_that_was_given_away_in_the_round_is_not_asked_for(stepped: Stepped) -> None:
    engine = stepped(cells=60)
    asker, other = Asker(engine), Asker(engine)
    guess = ask(LONG[:20], 15, cuts=(18,))
    asker.handle.prepare(guess)
    for _ in range(12):
        engine.step()
    held = len(asker.cells)
    assert held > 20
    other.submit(ask(LONG[: 60 - held + 1], 1))
    while len(asker.cells) == held:
        within_a_call(engine.context, lambda: asker.submit(guess) if len(asker.cells) < held else None)
        engine.step()
    engine.run()
    assert (asker.last.finish, asker.last.tokens) == (Finish.CAP, alone(guess))


def test_a_large_job_is_not_passed_by_small_ones_for_ever(stepped: Stepped) -> None:
    engine = stepped(cells=60)
    small, large, restless = Asker(engine), Asker(engine), Asker(engine)
    small.submit(ask(LONG[:20], 5))
    engine.step()
    large.submit(ask(LONG, 15))
    finished: list[int] = []

    def again(_result: object) -> None:
        finished.append(len(large.results))
        if len(finished) < 20:
            restless.handle.submit(ask(LONG[:9], 2), again)

    restless.handle.submit(ask(LONG[:9], 2), again)
    engine.run()
    assert large.last.tokens == alone(ask(LONG, 15))
    assert all(finished), "none of the small ones that came later was first"


def test_more_sessions_than_a_call_has_tokens_take_turns(stepped: Stepped) -> None:
    engine = stepped(slots=20, cells=1000)
    askers = [Asker(engine) for _ in range(20)]
    for number, asker in enumerate(askers):
        asker.submit(ask((number,), 4))
    engine.run()
    shares = [sum(1 for slot, _, _ in engine.context.decoded[:40] if slot == each) for each in range(20)]
    assert set(shares) == {2}
    assert [asker.last.tokens for asker in askers] == [alone(ask((number,), 4)) for number in range(20)]


def test_a_guess_that_is_asked_for_beside_a_job_that_was_promised_the_cells_waits_for_them(stepped: Stepped) -> None:
    engine = stepped(cells=60)
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


def test_a_guess_that_waits_for_cells_and_keeps_its_own_goes_on_where_it_was(stepped: Stepped) -> None:
    engine = stepped(cells=60)
    one, other = Asker(engine), Asker(engine)
    other.handle.prepare(ask(LONG[:10], 25))
    for _ in range(8):
        engine.step()
    one.submit(ask(LONG[:20], 8))
    engine.step()
    other.submit(ask(LONG[:10], 25))
    engine.run()
    assert (one.last.tokens, other.last.tokens) == (alone(ask(LONG[:20], 8)), alone(ask(LONG[:10], 25)))
    assert engine.counted(guesses=0, guesses_used=0, parked=0) == Counters(10 + 20, 24 + 7, tokens_ahead=7)


def test_a_guess_that_is_asked_for_while_a_round_is_on_takes_no_cells_that_were_promised(stepped: Stepped) -> None:
    engine = stepped(cells=60)
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


def test_a_session_that_comes_back_is_not_sent_away_again_for_its_own_cells(stepped: Stepped) -> None:
    engine = stepped(cells=60, slots=2)
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


def test_a_guess_that_finds_no_room_leaves_what_its_session_has_parked(stepped: Stepped) -> None:
    engine = stepped(cells=60, slots=2)
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
def test_a_guess_that_is_asked_for_while_its_cells_are_taken_is_answered(stepped: Stepped, finished: bool) -> None:
    engine = stepped()
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
