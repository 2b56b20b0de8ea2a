"""Who holds slots and cells, who gives them up first, and that coming back is as if one had never left."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_server.parking import Parking
from edge_server.pool import Pool
from edge_server.sequence import Sequence
from tests.fakes import FakeContext

LONG = tuple((7 * index * index + 3) % 50 for index in range(40))


class Session:
    """A `pool.Holder` whose guess is all behind the first `known` tokens."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.sequence: Sequence | None = None
        self.busy = False
        self.speaking = False
        self.known = 10**6

    def __repr__(self) -> str:
        return self.name

    def give_guess(self) -> bool:
        if self.sequence is None or len(self.sequence) <= self.known:
            return False
        self.sequence.truncate(self.known)
        return True

    def hold(self, tokens: tuple[int, ...]) -> None:
        assert self.sequence is not None
        self.sequence.truncate(self.sequence.matching(tokens))
        self.sequence.extend(tokens[len(self.sequence) :])

    @property
    def cells(self) -> tuple[int, ...]:
        return () if self.sequence is None else self.sequence.tokens


@pytest.fixture
def pool() -> Iterator[Pool]:
    """60 cells, 3 slots."""
    parking = Parking(2**20)
    pool = Pool(FakeContext(cells=60, slots=3, batch=8), parking, chunk=8)
    yield pool
    pool.close()
    parking.close()


def admitted(pool: Pool, *lengths: int) -> list[Session]:
    """Sessions with a slot each, least recently active first."""
    sessions = [Session("abcdef"[number]) for number in range(len(lengths))]
    for session, length in zip(sessions, lengths, strict=True):
        assert pool.admit(session, speaking_too=False)
        session.hold(LONG[:length])
    return sessions


# --- who gives up a slot ---


def test_the_least_recently_active_session_gives_its_slot(pool: Pool) -> None:
    a, b, c = admitted(pool, 4, 4, 4)
    pool.touch(a)
    assert pool.holders == [b, c, a]
    assert pool.admit(Session("d"), speaking_too=False)
    assert (b.sequence, (b in pool._parking), pool.parked) == (None, True, 1)
    assert pool.admit(Session("e"), speaking_too=False)
    assert (c.sequence, (c in pool._parking), pool.parked) == (None, True, 2)
    assert a.cells == LONG[:4]


def test_those_who_speak_give_last_and_only_to_one_that_may_ask_for_it(pool: Pool) -> None:
    a, b, c = admitted(pool, 4, 4, 4)
    a.speaking = True
    c.busy = True
    d = Session("d")
    assert pool.admit(d, speaking_too=True)
    assert ((b in pool._parking), a.cells) == (True, LONG[:4])
    d.speaking = True
    assert not pool.admit(Session("e"), speaking_too=False)
    assert pool.admit(b, speaking_too=True)
    assert ((a in pool._parking), b.cells) == (True, LONG[:4])


def test_nobody_who_is_busy_gives_anything(pool: Pool) -> None:
    sessions = admitted(pool, 20, 20, 20)
    for session in sessions:
        session.busy = True
    late = Session("late")
    assert not pool.admit(late, speaking_too=True)
    assert not pool.make_room(1)
    assert (late.sequence, pool.parked, pool.free_cells) == (None, 0, 0)


def test_without_reclaiming_only_a_free_slot_is_taken(pool: Pool) -> None:
    a, _, _ = admitted(pool, 4, 4, 4)
    late = Session("late")
    assert not pool.admit(late, speaking_too=True, reclaim=False)
    assert pool.parked == 0
    pool.release(a)
    assert pool.admit(late, speaking_too=True, reclaim=False)


# --- who gives up cells ---


def test_guesses_go_first_then_the_silent_then_those_who_speak(pool: Pool) -> None:
    a, b, c = admitted(pool, 20, 20, 20)
    a.speaking, c.known = True, 15
    assert pool.make_room(5)
    assert (len(a.cells), len(b.cells), len(c.cells), pool.parked) == (20, 20, 15, 0)
    assert pool.make_room(6)
    assert ((b in pool._parking), pool.parked) == (True, 1)
    assert pool.make_room(40)
    assert ((c in pool._parking), pool.parked) == (True, 2), "c is silent"
    assert pool.make_room(60)
    assert ((a in pool._parking), pool.free_cells) == (True, 60)
    assert not pool.make_room(61)


def test_what_is_parked_is_without_the_guess(pool: Pool) -> None:
    a, _, _ = admitted(pool, 20, 1, 1)
    a.known = 12
    assert pool.admit(Session("d"), speaking_too=False)
    assert a in pool._parking
    assert pool.admit(a, speaking_too=False)
    assert a.cells == LONG[:12]


def test_an_empty_session_is_parked_as_nothing(pool: Pool) -> None:
    (a,) = admitted(pool, 0)
    assert pool.make_room(60)
    for name in "bcd":
        assert pool.admit(Session(name), speaking_too=False)
    assert a not in pool._parking


# --- coming back, and leaving for good ---


def test_one_that_comes_back_has_its_cells_again(pool: Pool) -> None:
    a, b = admitted(pool, 20, 30)
    assert pool.make_room(30)
    assert (a.sequence, b.cells) == (None, LONG[:30])
    assert pool.admit(a, speaking_too=False)
    assert (a.cells, pool.restored, (a in pool._parking)) == (LONG[:20], 1, False)


def test_one_whose_cells_have_no_room_comes_back_without_them(pool: Pool) -> None:
    a, b = admitted(pool, 20, 30)
    assert pool.make_room(30)
    b.hold(LONG)
    b.hold((*LONG, 1))
    b.busy = True
    assert pool.admit(a, speaking_too=False)
    assert (a.cells, pool.restored, (a in pool._parking)) == ((), 0, False)
    assert (a in pool.holders, b.cells) == (True, (*LONG, 1))


def test_a_restore_that_the_context_refuses_leaves_a_session_without_cells(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (a,) = admitted(pool, 20)
    assert pool.make_room(60)
    monkeypatch.setattr(pool._context, "restore", lambda *_: False)
    assert pool.admit(a, speaking_too=False)
    assert (a.cells, pool.restored) == ((), 0)


def test_released_is_released_also_while_it_is_parked(pool: Pool) -> None:
    a, b, c = admitted(pool, 4, 4, 4)
    d = Session("d")
    assert pool.admit(d, speaking_too=False)
    assert a in pool._parking
    for session in (a, b, c, d):
        pool.release(session)
        pool.release(session)
    assert a not in pool._parking
    assert (pool.free_cells, pool.holders) == (60, [])
    assert {session.sequence.slot for session in admitted(pool, 1, 1, 1) if session.sequence} == {0, 1, 2}


# --- restored is never left ---

moves = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from(["grow", "grow", "grow", "cut", "release", "speak", "guess"]),
        st.integers(1, 12),
    ),
    max_size=40,
)


@given(moves=moves, slots=st.integers(1, 4), cells=st.integers(40, 120), memory=st.sampled_from([0, 3000, 10**9]))
@settings(max_examples=25)
def test_any_interleaving_holds_the_cells_of_sessions_that_never_left(
    moves: list[tuple[int, str, int]], slots: int, cells: int, memory: int
) -> None:
    with contextlib.closing(Parking(memory)) as parking:
        _interleave(moves, slots, cells, parking)


def _interleave(moves: list[tuple[int, str, int]], slots: int, cells: int, parking: Parking) -> None:
    context, roomy = FakeContext(cells=cells, slots=slots, batch=8), FakeContext(cells=2000, slots=5, batch=8)
    pool = Pool(context, parking, chunk=8)
    sessions = [Session("abcde"[number]) for number in range(5)]
    twins = [Sequence(roomy, slot, chunk=8) for slot in range(5)]
    lists: list[list[int]] = [[] for _ in sessions]
    for step, (which, move, count) in enumerate(moves):
        session, tokens = sessions[which], lists[which]
        if move == "speak":
            session.speaking = not session.speaking
            continue
        if move == "release":
            pool.release(session)
            tokens.clear()
        elif move == "cut":
            del tokens[-count:]
        elif len(tokens) + count <= 40:
            tokens += [(which * 10 + step + index) % 50 for index in range(count)]
        if not tokens:
            continue
        assert pool.admit(session, speaking_too=True)
        pool.touch(session)
        session.busy, session.known = True, 10**6
        assert session.sequence is not None
        session.sequence.truncate(session.sequence.matching(tokens))
        assert pool.make_room(len(tokens) - len(session.cells))
        session.hold(tuple(tokens))
        session.busy = False
        twins[which].truncate(twins[which].matching(tokens))
        twins[which].extend(tokens[len(twins[which]) :])
        assert context.digests(session.sequence.slot) == roomy.digests(twins[which].slot)
        if move == "guess" and pool.has_room(3):
            session.known = len(tokens)
            session.sequence.extend([1, 2, 3])
        assert pool.free_cells == cells - context.used
        assert len(pool.holders) <= slots
    pool.close()
    pool.close()
    assert context.used == 0
