"""What tests of sequences share: contexts for them, and generation on one without a pause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from edge_server.context import PoolFull, Sampling
from edge_server.generation import Finish, Generated, Generation, Request
from edge_server.sequence import Sequence, decode
from tests.edge_server.stepping import CHUNK, GREEDY
from tests.fakes import FakeContext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_server.llama import Model

DRAWN = Sampling(temperature=0.8, top_k=0, top_p=0.8, seed=7)
NO_STOP: frozenset[int] = frozenset()

# Calls of other shapes, and other sequences in the pool, change rounding. On the tiny model, over 180 sequences, the
# largest difference as a share of the largest logit: 1.6e-6 with f32 cells and no flash attention, 2.9e-3 as the server
# runs by default (f16 cells, flash attention, which sums in f16); the likeliest token was the same every time.
TOLERANCE = 2e-5
DEFAULT_TOLERANCE = 2e-2


def generate(
    sequence: Sequence,
    max_new: int,
    stop: frozenset[int],
    sampling: Sampling,
    *,
    peek: bool = False,
    tokens: tuple[int, ...] = (),
) -> Generated:
    """Generates after what a sequence holds plus `tokens`. See `Request` and `Generated`."""
    request = Request(sequence.tokens + tokens, max_new, stop, sampling, peek=peek)
    generation = Generation(sequence._context, sequence, request)
    try:
        while (finish := generation.take()) is None:
            if not decode([sequence], [generation.feed(CHUNK)])[0]:
                finish = Finish.CANCELLED
                break
    except PoolFull:
        finish = Finish.FULL
    return generation.result(finish)


def words(sequence: Sequence, count: int = 8) -> tuple[int, ...]:
    """What a sequence says next, greedily."""
    return generate(sequence, count, NO_STOP, GREEDY).tokens


def four_slots(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The contexts of a fixture with the parameters fake and llama; the latter's model is the fixture `model`."""
    if request.param == "fake":
        yield FakeContext(batch=CHUNK, n_vocab=600)
    else:
        with real_context(request.getfixturevalue("model"), slots=4) as context:
            yield context


def real_context(model: Model, *, slots: int = 3, exact: bool = True) -> Any:
    """A context of 256 cells, with the smallest rounding errors if `exact`, else as the server makes it."""
    from edge_server.llama import Context

    choice: dict[str, Any] = {"kv_type": "f32", "flash_attention": False} if exact else {}
    return Context(model, cells=256, slots=slots, batch=CHUNK, threads=1, **choice)


def next_logits(sequence: Sequence, context: Any, probe: int = 17) -> Any:
    from tests.tiny import logits

    sequence.extend([probe])
    return logits(context)
