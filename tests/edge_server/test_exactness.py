"""Looking ahead changes no word: a real model, a conversation, and any timing.

The same conversation is held with look-ahead and without it, on a context of its own each, as the server makes it. The
words are equal, and so is every token that was sampled for a slice: equal calls in equal shapes give equal bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edge_server.backend import ModelVocabulary
from edge_server.context import Feed, Sampler, Sampling
from edge_server.engine import Counters
from edge_server.events import Event, IdleBias, Silence, UserText
from edge_server.llama import Context, Model
from tests.edge_server.stepping import SteppedEngine, Talker

pytestmark = pytest.mark.real

CTX, SLICE, CHUNK = 128, 5, 8
TEXTS = ("hello", "what is the capital of France?", ": > <")


@dataclass(frozen=True)
class Turn:
    """One slice of the user, and when it comes: after so many steps of what is prepared, between two or inside one.

    A number in place of its text is no slice: from then on it is the bias of silence.
    """

    text: str | float | None
    after: int
    inside: bool

    @property
    def event(self) -> Event:
        if self.text is None:
            return Silence()
        return UserText(self.text) if isinstance(self.text, str) else IdleBias(self.text)


def lists(*texts: str | float | None) -> st.SearchStrategy[list[Turn]]:
    times = st.integers(0, 9) | st.just(99)
    return st.lists(st.builds(Turn, st.sampled_from(texts), times, st.booleans()), min_size=6, max_size=40)


turns = lists(*TEXTS, *[None] * 7)


@pytest.fixture(scope="module", autouse=True)
def model(tiny_gguf: Path) -> Iterator[Model]:
    with Model.load(tiny_gguf, gpu_layers=0) as loaded:
        _shared.append(loaded)
        yield loaded
    _shared.clear()


_shared: list[Model] = []  # hypothesis calls a test many times: it may have no fixture


def hold(
    conversation: list[Turn], *, look_ahead: bool, ctx: int = CTX, idle_bias: float = 0.0
) -> tuple[Talker, Counters]:
    """Plays a conversation, each event after the slice before it was delivered."""
    model = _shared[0]
    vocabulary = ModelVocabulary(model, model.n_vocab - 1)
    with Context(model, cells=256, slots=1, threads=1, batch=CHUNK) as context:
        interrupted, draws = Interrupted(context), Draws(context)
        engine = SteppedEngine(context, chunk=CHUNK)
        talk = Talker(
            engine,
            ctx=ctx,
            look_ahead=look_ahead,
            slice_tokens=SLICE,
            seed=11,
            vocabulary=vocabulary,
            idle_bias=idle_bias,
        )
        for turn in conversation:
            event = turn.event
            for _ in range(turn.after):
                engine.step()
            if turn.inside:
                interrupted.inside = partial(talk.send, event)
                while interrupted.inside is not None and engine.step():
                    pass
            if not turn.inside or interrupted.inside is not None:  # or no call was left for it to come in
                interrupted.inside = None
                talk.send(event)
            while talk.waits:
                talk.deliver()
        engine.run()
        counters = engine.counters
        # Whatever was drawn is in a slice or was dropped, and whatever was drawn ahead is told of once.
        assert draws.count == sum(map(len, talk.slices)) + talk.dropped + talk.untold
        assert counters.tokens_ahead == talk.guessed + talk.dropped + talk.untold
        assert look_ahead or counters.tokens_ahead == 0
        engine.close()
    assert talk.refused is None
    return talk, counters


class Interrupted:
    """Calls `inside`, once, at the beginning of a decode call of `context`: as if it came from another thread."""

    def __init__(self, context: Context) -> None:
        self.inside: Callable[[], None] | None = None
        self._decode = context.decode
        context.decode = self.decode  # type: ignore[method-assign]

    def decode(self, feeds: Sequence[Feed]) -> list[int]:
        inside, self.inside = self.inside, None
        if inside is not None:
            inside()
        return self._decode(feeds)


class Draws:
    """Counts the tokens that are drawn on `context`."""

    def __init__(self, context: Context) -> None:
        self.count = 0
        self._sampler = context.sampler
        context.sampler = self.sampler  # type: ignore[method-assign, assignment]

    def sampler(self, sampling: Sampling) -> Sampler:
        return Draw(self, self._sampler(sampling))


@dataclass
class Draw:
    """A sampler whose draws are counted."""

    counted: Draws
    sampler: Sampler

    def sample(self, row: int) -> int:
        self.counted.count += 1
        return self.sampler.sample(row)


def spoken(*texts: str | float | None) -> list[Turn]:
    return [Turn(text, 99, inside=False) for text in texts]


@given(turns, st.sampled_from([0.0, 0.0, 5.0, -5.0]))
# Found: a text that makes the transcript forget shifted cells that had been prepared, or had not.
@example(spoken(TEXTS[2], TEXTS[1], *[TEXTS[0]] * 5, TEXTS[1]), 0.0)
@example(spoken(TEXTS[1], TEXTS[2], None, None, *[TEXTS[0]] * 4), 0.0)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_words_are_the_same_with_and_without_look_ahead_for_any_timing(
    conversation: list[Turn], idle_bias: float
) -> None:
    ahead, counters = hold(conversation, look_ahead=True, idle_bias=idle_bias)
    plain, _ = hold([Turn(turn.text, 0, False) for turn in conversation], look_ahead=False, idle_bias=idle_bias)
    assert ahead.slices == plain.slices
    assert ahead.said == plain.said
    assert ahead.actions == plain.actions  # so the same requests, seeds and all
    assert counters.tokens_decoded_twice == 0


@given(lists(*TEXTS, *[None] * 7, 5.0, -5.0, 0.0))
@example([Turn(TEXTS[0], 99, False), Turn(-5.0, 99, False), Turn(None, 3, False), Turn(5.0, 2, True), *spoken(None)])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nor_does_a_guess_that_was_made_under_another_bias(conversation: list[Turn]) -> None:
    ahead, counters = hold(conversation, look_ahead=True)
    changes = sum(isinstance(turn.text, float) for turn in conversation)
    plain, _ = hold([Turn(turn.text, 0, False) for turn in conversation], look_ahead=False)
    assert ahead.slices == plain.slices
    assert ahead.said == plain.said
    assert ahead.actions == plain.actions
    # The logits that a guess was drawn from are gone with the first token behind them: its silent slice is read again.
    assert counters.tokens_decoded_twice <= changes * 2 * CHUNK


def test_a_guess_is_made_again_under_the_bias_that_holds_now() -> None:
    """Else the test above would hold for a server that drops every guess."""
    said = spoken(TEXTS[0], None, -20.0, None, None, 20.0, None)
    ahead, counters = hold(said, look_ahead=True)
    idle = _shared[0].n_vocab - 1
    *speaking, silent = ahead.slices
    assert silent == (idle,)
    assert all(tokens[0] != idle for tokens in speaking[-2:])
    assert counters.guesses_used == len(ahead.slices) - 1, "every slice but the one that answers words was guessed"
    assert counters.guesses == counters.guesses_used + 2, "and one dropped for each change"
