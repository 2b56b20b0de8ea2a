"""Looking ahead changes no word: sessions through the real engine, step by step, with guesses and without.

What can be equal, and is: the events reach the session in the same order, and each answer is handed to it at the same
place among them, however far the engine has come by then. So a text may come while a slice is being generated, within
a decode call too; what the interrupted slice had come to differs, and the session throws it away in both cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_server.events import Draft, Event, Generate, Mode, NewSession, Silence, Unheard, UserText
from tests.edge_server.peers import ASSISTANT, IDLE, USER, VOCABULARY
from tests.edge_server.stepping import CHUNK, SteppedEngine, Talker, toy_context

TEXTS = ("hi", "one two three", "我你好 stop the dog", "hello, " * 8)
EVENTS: tuple[Event, ...] = (
    *[Silence()] * 4,
    *map(UserText, TEXTS),
    Unheard(1),
    NewSession(Mode.DUPLEX, 3),
)
DRAFTS: tuple[Event, ...] = (Draft("hel"), Draft("hello"), Draft("hello, one"), Draft(""))


@dataclass(frozen=True)
class Steps:
    """The engine goes on."""

    count: int


@dataclass(frozen=True)
class InCall:
    """The event comes in the middle of the next decode call, where there is one."""

    event: Event


@dataclass(frozen=True)
class Deliver:
    """The session is told what became of its slice."""


Move = Event | Steps | InCall | Deliver


def scripts(drafts: tuple[Event, ...], longest: int = 40) -> st.SearchStrategy[list[Move]]:
    happening = st.sampled_from([*EVENTS, *drafts])
    step: st.SearchStrategy[Move] = st.one_of(
        happening, happening.map(InCall), st.integers(1, 12).map(Steps), st.just(Deliver()), st.just(Deliver())
    )
    return st.lists(step, max_size=longest)


def make(talker: Talker, move: Move) -> None:
    engine = talker.engine
    assert isinstance(engine, Watched)
    if isinstance(move, Steps):
        for _ in range(move.count):
            engine.step()
    elif isinstance(move, Deliver):
        talker.deliver()
    elif isinstance(move, InCall):
        waiting = [move.event]
        engine.within_call = lambda: talker.send(waiting.pop())
        engine.step()
        engine.within_call = None
        if waiting:
            talker.send(waiting.pop())
    else:
        talker.send(move)


def play(talker: Talker, move: Move, *, patient: bool) -> None:
    """A move; `patient`: a text does not interrupt."""
    while patient and talker.waits and isinstance(move.event if isinstance(move, InCall) else move, UserText):
        talker.deliver()
    make(talker, move)


class Watched(SteppedEngine):
    """Checks in each decode call that nothing is guessed while somebody has asked for something."""

    def __init__(self, context: Any, **options: Any) -> None:
        super().__init__(context, **options)
        self.within_call: Callable[[], None] | None = None
        context.on_decode = self._in_call

    def _in_call(self) -> None:
        ranks = {job.rank for job in self._board.running}
        assert len(ranks) == 1, "a guess shares a call with what was asked for"
        assert min(ranks) == min(job.rank for job in self._rounds.jobs if job.begun and not job.cancelled), (
            "a guess was made while there was something better to do"
        )
        act, self.within_call = self.within_call, None
        if act is not None:
            act()


def played(script: list[Move], *, look_ahead: bool, ctx: int) -> tuple[Talker, tuple[bytes, ...]]:
    """The conversation at its end, and the digests of its cells; the engine is closed."""
    engine = Watched(toy_context())
    talker = Talker(engine, look_ahead=look_ahead, ctx=ctx)
    talker.send(UserText("hello"))
    for move in script:
        make(talker, move)
    talker.settle()
    sequence = talker.handle.sequence
    digests = () if sequence is None else engine.context.digests(sequence.slot)
    assert not sequence or sequence.tokens == engine.context.held(sequence.slot)
    engine.close()
    return talker, digests


@given(script=st.one_of(scripts(()), scripts(DRAFTS)), ctx=st.sampled_from([64, 96, 4096]))
@settings(max_examples=40)
def test_with_and_without_looking_ahead_the_same_is_asked_said_and_left_in_the_cells(
    script: list[Move], ctx: int
) -> None:
    (ahead, digests), (plain, plain_digests) = (played(script, look_ahead=each, ctx=ctx) for each in (True, False))
    # Every `Generate` is among the actions, with its tokens and the seed of its random numbers. The fake's words follow
    # from the cells, the seed and how many numbers were drawn, so equal words mean equal draws.
    assert ahead.actions == plain.actions
    transcript = ahead.session.transcript
    assert transcript == plain.session.transcript
    if any(isinstance(action, Generate) for action in ahead.actions[-1:]) or len(transcript) > 1:
        assert digests[: len(transcript)] == plain_digests[: len(transcript)]


@given(script=scripts(()))
@settings(max_examples=20)
def test_nothing_is_decoded_twice_whenever_the_guess_is_used_or_not(script: list[Move]) -> None:
    talker, _ = played(script, look_ahead=True, ctx=4096)
    counters = talker.engine.counters
    assert counters.tokens_decoded_twice == 0
    assert counters.guesses_used <= counters.guesses


# --- many sessions, few cells ---


@given(
    moves=st.lists(st.tuples(st.integers(0, 3), scripts(DRAFTS, 5)), max_size=10),
    slots=st.integers(1, 4),
    ctx_and_cells=st.sampled_from([(4096, 300), (4096, 320), (4096, 400), (4096, 1000), (64, 1000)]),
)
@settings(max_examples=20)
def test_each_session_says_what_it_says_alone_however_few_slots_and_cells_there_are(
    moves: list[tuple[int, list[Move]]], slots: int, ctx_and_cells: tuple[int, int]
) -> None:
    # Where the context is small enough to slide, it matters what had been decoded by then: what stays has attended to
    # what left. So there each text waits for the slice before it, and there are cells for all.
    ctx, cells = ctx_and_cells
    engine = Watched(toy_context(cells=cells, slots=slots))
    talkers = [Talker(engine, ctx=ctx, seed=seed) for seed in range(4)]
    for talker in talkers:  # a session that never had a slot could be refused
        talker.send(UserText("hello"))
        talker.settle()
    for which, script in moves:
        for move in script:
            play(talkers[which], move, patient=ctx == 64)
    for talker in talkers:
        talker.settle()
    told = sum(talker.guessed + talker.dropped + talker.untold for talker in talkers)
    assert engine.counters.tokens_ahead == told, "what was sampled ahead was used or dropped"
    engine.close()
    for which, talker in enumerate(talkers):
        alone = Talker(Watched(toy_context()), ctx=ctx, look_ahead=False, seed=which)
        alone.send(UserText("hello"))
        alone.settle()
        for move in (move for each, script in moves if each == which for move in script):
            play(alone, move, patient=ctx == 64)
        alone.settle()
        alone.engine.close()
        assert talker.refused is None
        assert talker.actions == alone.actions


# --- a guess that is asked for, or not ---


@pytest.fixture
def talker() -> Iterator[Talker]:
    """One that has answered and is engaged; what it may guess is not begun."""
    engine = Watched(toy_context())
    talker = Talker(engine, slice_tokens=3)
    engine.context.says = VOCABULARY.tokenize("我你好。", parse_special=False)
    talker.send(UserText("hello"))
    talker.deliver()
    assert talker.session.engaged
    yield talker
    engine.close()


def silent_prompt(talker: Talker) -> tuple[int, ...]:
    tokens = VOCABULARY.tokenize(USER, parse_special=False)
    return (*talker.session.transcript, *tokens, IDLE, *VOCABULARY.tokenize(ASSISTANT, parse_special=False))


def test_a_guess_that_is_finished_answers_from_memory(talker: Talker) -> None:
    talker.engine.run()
    calls, prompt = talker.engine.context.calls, silent_prompt(talker)
    talker.send(Silence())
    talker.deliver()
    assert talker.engine.context.calls == calls
    assert talker.session.transcript[: len(prompt)] == prompt
    assert (talker.engine.counters.guesses, talker.engine.counters.guesses_used) == (1, 1)


@pytest.mark.parametrize("steps", range(6))
def test_a_guess_goes_on_as_the_answer_wherever_it_is_when_it_is_asked_for(talker: Talker, steps: int) -> None:
    for _ in range(steps):
        talker.engine.step()
    calls = talker.engine.context.calls
    talker.send(Silence())
    talker.deliver()
    engine = talker.engine
    assert engine.context.calls - calls == max(0, 5 - steps)  # the marker, the rest of the prompt, three tokens
    assert engine.counted(guesses=0, guesses_used=0).tokens_decoded_twice == 0
    assert engine.counters.rollbacks == 0
    assert engine.counters.guesses == engine.counters.guesses_used == min(steps, 1)


@pytest.mark.parametrize("steps", range(1, 7))
def test_a_text_after_a_guess_costs_one_rollback_and_decodes_nothing_twice(talker: Talker, steps: int) -> None:
    for _ in range(steps):
        talker.engine.step()
    talker.send(UserText("one"))
    talker.deliver()
    counters = talker.engine.counters
    assert counters.rollbacks == (steps > 1)  # until then only the marker was decoded, which stays
    assert counters.tokens_decoded_twice == 0


def test_a_text_in_the_middle_of_a_guessing_call_stops_it(talker: Talker) -> None:
    engine = talker.engine
    for _ in range(3):
        engine.step()
    held, calls = talker.cells, engine.context.calls
    make(talker, InCall(UserText("one")))
    assert engine.context.calls == calls + 1
    assert talker.cells == held, "the call was aborted"
    talker.deliver()
    assert engine.counters.rollbacks == 1


def test_a_silence_in_the_middle_of_a_guessing_call_does_not_stop_it(talker: Talker) -> None:
    for _ in range(3):
        talker.engine.step()
    held = talker.cells
    make(talker, InCall(Silence()))
    assert len(talker.cells) == len(held) + 1
    talker.deliver()
    assert talker.engine.counters.rollbacks == 0


@pytest.mark.parametrize("guessed", [False, True])
def test_a_silence_that_is_answered_with_silence_leaves_nothing_to_decode(talker: Talker, guessed: bool) -> None:
    engine = talker.engine
    engine.context.says = [IDLE]
    transcript = talker.session.transcript
    if guessed:
        engine.run()
    talker.send(Silence())
    talker.deliver()
    assert talker.session.transcript == transcript
    calls = engine.context.calls
    engine.run()
    assert engine.context.calls == calls
    assert talker.cells == (*transcript, *VOCABULARY.tokenize(USER, parse_special=False))


def test_what_is_certain_goes_before_guesses(talker: Talker) -> None:
    engine = talker.engine
    engine.step()
    other = Talker(engine, look_ahead=False)
    other.send(Draft("one two three " * 4))
    while other.handle.prepared is not None and other.handle.prepared.result is None:
        held = talker.cells
        engine.step()
        assert talker.cells == held
    engine.run()
    assert len(talker.cells) > len(held)


def test_a_draft_is_prefilled_and_only_its_last_words_remain_for_the_text(talker: Talker) -> None:
    engine = talker.engine
    for draft in ("o", "one", "one two", "one two three"):
        talker.send(Draft(draft))
        engine.run()
    before = engine.context.decoded[:]
    talker.send(UserText("one two three stop"))
    engine.step()
    ((slot, _, tokens),) = engine.context.decoded[len(before) :]
    assert len(tokens) <= len(VOCABULARY.tokenize(" stop" + ASSISTANT, parse_special=False)) + 1
    assert engine.context.held(slot) == talker.session.transcript


# --- a guess takes nothing from anybody ---


def test_a_guess_parks_nobody_and_ends_where_the_pool_is_full() -> None:
    engine = Watched(toy_context(cells=70))
    engine.context.says = VOCABULARY.tokenize("我你好。", parse_special=False)
    quiet, talker = Talker(engine, look_ahead=False), Talker(engine, slice_tokens=9)
    quiet.send(UserText("x" * 18))
    quiet.settle()
    talker.send(UserText("hi"))
    talker.settle()
    held = quiet.cells
    while talker.engine.counters.parked == 0 and len(talker.cells) + len(held) + 20 < 70:
        talker.send(Silence())
        talker.settle()
    engine.run()
    assert engine.context.used <= 70
    assert (engine.counters.parked, quiet.cells) == (0, held)
    engine.close()


def test_what_is_asked_for_takes_the_cells_of_anothers_guess_first_and_its_words_are_kept() -> None:
    engine = Watched(toy_context(cells=80))
    engine.context.says = VOCABULARY.tokenize("我你好。", parse_special=False)
    talker, other = Talker(engine, slice_tokens=9), Talker(engine, look_ahead=False)
    talker.send(UserText("hi"))
    talker.settle()
    known = len(silent_prompt(talker)) - 1 - len(VOCABULARY.tokenize(ASSISTANT, parse_special=False))
    assert len(talker.cells) > known
    other.send(UserText("x" * (80 - known - 2 * CHUNK - 1)))
    other.deliver()
    assert engine.counters.parked == 0
    assert talker.cells == silent_prompt(talker)[:known]
    calls = engine.context.calls
    engine.run()
    made = engine.context.calls - calls
    talker.send(Silence())
    talker.deliver()
    assert engine.context.calls == calls + made, "the words were at hand"
    assert talker.refused is None
    engine.close()


def test_a_session_that_was_parked_before_it_forgets_finds_its_cells() -> None:
    ends = []
    for slots in (1, 2):
        engine = Watched(toy_context(slots=slots))
        engine.context.says = VOCABULARY.tokenize("我你好。", parse_special=False)
        talker, other = Talker(engine, ctx=96), Talker(engine)
        talker.send(UserText("hi"))
        talker.settle()
        while len(talker.session.transcript) < 60:
            talker.send(UserText("hello"))
            talker.settle()
        other.send(UserText("hi"))
        other.settle()
        talker.send(UserText("one two three " * 10))
        assert isinstance(asked := talker.actions[-1], Generate)
        assert asked.forget
        talker.settle()
        assert talker.handle.sequence is not None
        ends.append(engine.context.digests(talker.handle.sequence.slot))
        assert engine.counters.parked == 3 - slots - (slots == 2)
        engine.close()
    assert ends[0] == ends[1]
