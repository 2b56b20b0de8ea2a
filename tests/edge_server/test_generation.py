"""What a run of generation promises, on the fake context and (marked real) on llama.cpp with a tiny model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from edge_server.context import PoolFull, Sampling
from edge_server.generation import Finish, Generation, Request
from edge_server.sequence import Sequence, decode
from tests.edge_server.sequences import (
    NO_STOP,
    four_slots,
    generate,
    words,
)
from tests.edge_server.stepping import CHUNK, GREEDY, LONG


@pytest.fixture(params=["fake", pytest.param("llama", marks=pytest.mark.real)])
def context(request: pytest.FixtureRequest) -> Iterator[Any]:
    yield from four_slots(request)


def test_generation_starts_with_what_is_missing_and_leaves_the_last_token_undecoded(context: Any) -> None:
    sequence = Sequence(context, 0, chunk=CHUNK)
    sequence.extend(LONG[:10])
    done = generate(sequence, 5, NO_STOP, GREEDY, tokens=tuple(LONG[10:30]))
    assert (done.reused, done.prefilled, len(done.tokens), done.finish) == (10, 20, 5, Finish.CAP)
    assert sequence.tokens == (*LONG[:30], *done.tokens[:-1])


def test_a_stop_token_ends_generation_and_is_part_of_the_result(context: Any) -> None:
    sequence = Sequence(context, 0, chunk=CHUNK)
    sequence.extend(LONG)
    free = words(sequence)
    sequence.truncate(len(LONG))
    done = generate(sequence, 8, frozenset({free[2]}), GREEDY)
    assert done.finish is Finish.STOP
    assert done.tokens == free[: free.index(free[2]) + 1]


def test_peek_reports_the_token_that_would_have_come_next(context: Any) -> None:
    sequence = Sequence(context, 0, chunk=CHUNK)
    sequence.extend(LONG)
    longer = words(sequence, 6)
    sequence.truncate(len(LONG))
    done = generate(sequence, 5, NO_STOP, GREEDY, peek=True)
    assert (done.tokens, done.likeliest_next) == (longer[:5], longer[5])
    assert sequence.tokens == (*LONG, *done.tokens)


def test_nothing_is_peeked_at_after_a_stop(context: Any) -> None:
    sequence = Sequence(context, 0, chunk=CHUNK)
    sequence.extend(LONG)
    everything = frozenset(range(700))
    assert generate(sequence, 5, everything, GREEDY, peek=True).likeliest_next is None


def test_a_request_for_no_tokens_only_prefills(context: Any) -> None:
    sequence = Sequence(context, 0, chunk=CHUNK)
    done = generate(sequence, 0, NO_STOP, GREEDY, tokens=tuple(LONG))
    assert (done.tokens, done.finish, done.prefilled) == ((), Finish.CAP, len(LONG))
    calls = context.calls
    assert generate(sequence, 0, NO_STOP, GREEDY).reused == len(LONG)
    assert context.calls == calls


def test_logits_at_hand_are_used_and_others_cost_one_token(context: Any) -> None:
    one, other = Sequence(context, 0, chunk=CHUNK), Sequence(context, 1, chunk=CHUNK)
    one.extend(LONG)
    calls = context.calls
    first = generate(one, 1, NO_STOP, GREEDY)
    assert (context.calls, first.reused, first.prefilled) == (calls, len(LONG), 0)
    other.extend(LONG[:3])
    again = generate(one, 1, NO_STOP, GREEDY)
    assert (context.calls, again.reused, again.prefilled) == (calls + 2, len(LONG) - 1, 1)
    assert again.tokens == first.tokens


def test_the_same_seed_draws_the_same_tokens_and_another_seed_others(context: Any) -> None:
    def drawn(seed: int) -> tuple[int, ...]:
        sequence = Sequence(context, 0, chunk=CHUNK)
        sequence.extend(LONG)
        tokens = generate(sequence, 8, NO_STOP, Sampling(1.5, 0, 1, seed)).tokens
        sequence.release()
        return tokens

    assert drawn(1) == drawn(1)
    assert len({drawn(seed) for seed in range(8)}) > 1


def test_a_full_pool_ends_generation_and_leaves_cells_and_mirror_equal(context: Any) -> None:
    blocker, sequence = Sequence(context, 0, chunk=CHUNK), Sequence(context, 1, chunk=CHUNK)
    blocker.extend([5] * (context.cells - 12))
    done = generate(sequence, 8, NO_STOP, GREEDY, tokens=tuple(LONG[:10]))
    assert (done.finish, len(done.tokens)) == (Finish.FULL, 3)
    assert sequence.tokens == (*LONG[:10], *done.tokens[:2])
    with pytest.raises(PoolFull, match="no free cells"):
        sequence.extend([1])
    blocker.release()
    expected = words(sequence)
    sequence.release()
    sequence.extend([*LONG[:10], *done.tokens[:2]])
    assert words(sequence) == expected


def test_an_aborted_generation_is_cancelled_with_what_it_had(context: Any) -> None:
    sequence = Sequence(context, 0, chunk=CHUNK)
    generation = Generation(context, sequence, Request(tuple(LONG[:8]), 9, NO_STOP, GREEDY))
    assert generation.take() is None
    assert decode([sequence], [generation.feed(CHUNK)]) == [True]
    assert generation.take() is None
    context.abort()
    assert decode([sequence], [generation.feed(CHUNK)]) == [False]
    context.resume()
    done = generation.result(Finish.CANCELLED)
    assert len(done.tokens) == 1
    assert sequence.tokens == tuple(LONG[:8])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tokens": ()}, "at least one token"),
        ({"max_new": -1}, "max_new"),
        ({"cuts": (2,)}, "cuts"),
        ({"tokens": (1, 2), "cuts": (2, 1)}, "cuts"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(change: dict[str, Any], message: str) -> None:
    fields: dict[str, Any] = {"tokens": (1,), "max_new": 1, "stop": NO_STOP, "sampling": GREEDY}
    with pytest.raises(ValueError, match=message):
        Request(**{**fields, **change})


@pytest.mark.parametrize("change", [{"temperature": -1}, {"temperature": float("nan")}, {"top_k": -1}, {"top_p": 0}])
def test_sampling_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        Sampling(**{"temperature": 0.8, "top_k": 0, "top_p": 0.8, "seed": 0, **change})
