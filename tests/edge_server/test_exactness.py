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
from edge_server.context import Feed
from edge_server.engine import Counters
from edge_server.events import Event, Silence, UserText
from edge_server.llama import Context, Model
from tests.edge_server.stepping import SteppedEngine, Talker

pytestmark = pytest.mark.real

CTX, SLICE, CHUNK = 128, 5, 8
TEXTS = ("hello", "what is the capital of France?", ": > <")


@dataclass(frozen=True)
class Turn:
    """One slice of the user, and when it comes: after so many steps of what is prepared, between two or inside one."""

    text: str | None
    after: int
    inside: bool


turns = st.lists(
    st.builds(Turn, st.sampled_from([*TEXTS, *[None] * 7]), st.integers(0, 9) | st.just(99), st.booleans()),
    min_size=6,
    max_size=40,
)


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
        interrupted = Interrupted(context)
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
            event: Event = Silence() if turn.text is None else UserText(turn.text)
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
        counters = engine.counters
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


def spoken(*texts: str | None) -> list[Turn]:
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
