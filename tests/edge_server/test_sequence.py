"""What a sequence promises, on the fake context and (marked real) on llama.cpp with a tiny model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_server.context import EngineError, PoolFull
from edge_server.sequence import Sequence, chunk_end
from edge_server.tokens import Forgotten
from tests.edge_server.sequences import (
    NO_STOP,
    TOLERANCE,
    four_slots,
    generate,
    next_logits,
    real_context,
    words,
)
from tests.edge_server.stepping import CHUNK, GREEDY, LONG
from tests.fakes import FakeContext

if TYPE_CHECKING:
    from edge_server.llama import Model

LIST = list(range(10, 19))


@pytest.fixture(params=["fake", pytest.param("llama", marks=pytest.mark.real)])
def context(request: pytest.FixtureRequest) -> Iterator[Any]:
    yield from four_slots(request)


# --- cutting and comparing ---


@given(st.integers(0, 300), st.integers(1, 300), st.integers(1, 64))
def test_a_list_is_cut_into_calls_of_at_most_a_chunk(position: int, rest: int, chunk: int) -> None:
    end = chunk_end(position, position + rest, chunk)
    assert position < end <= position + rest
    assert end - position <= chunk


@given(st.integers(0, 100), st.integers(1, 300), st.integers(1, 64))
def test_continuing_after_an_abort_makes_the_calls_that_were_still_to_be_made(
    start: int, rest: int, chunk: int
) -> None:
    total = start + rest
    cuts = [start]
    while cuts[-1] < total:
        cuts.append(chunk_end(cuts[-1], total, chunk))
    for index, cut in enumerate(cuts[:-1]):
        assert chunk_end(cut, total, chunk) == cuts[index + 1]


def test_a_rest_that_fits_into_one_call_is_not_cut() -> None:
    assert chunk_end(60, 68, 64) == 68
    assert chunk_end(60, 130, 64) == 64


# --- one promise at a time, on both contexts ---


def test_the_same_list_gives_the_same_words_however_it_came_about(context: Any) -> None:
    one, other = Sequence(context, 0, chunk=CHUNK), Sequence(context, 1, chunk=CHUNK)
    one.extend(LONG)
    other.extend([*LONG[:20], 1, 2, 3])
    other.truncate(20)
    other.extend(LONG[20:])
    assert words(one) == words(other)


def test_what_is_forgotten_leaves_and_the_rest_moves_without_being_decoded(context: Any) -> None:
    sequence, twin = Sequence(context, 0, chunk=CHUNK), Sequence(context, 1, chunk=CHUNK)
    for each in (sequence, twin):
        each.extend(LONG)
        each.extend([9])  # no call between the two has another shape
    calls = context.calls
    for each in (sequence, twin):
        each.forget(Forgotten(4, 16, 99))
    assert context.calls == calls
    assert sequence.tokens == (*LONG[:4], *LONG[16:], 9)
    assert generate(twin, 1, NO_STOP, GREEDY).prefilled == 1, "the logits were those of the list before"
    assert words(sequence) == words(twin)


def test_what_stays_after_forgetting_still_knows_what_left(context: Any) -> None:
    slid, fresh = Sequence(context, 0, chunk=CHUNK), Sequence(context, 1, chunk=CHUNK)
    slid.extend(LONG)
    slid.forget(Forgotten(0, 16, 99))
    fresh.extend(LONG[16:])
    if isinstance(context, FakeContext):
        assert context.state(0) != context.state(1)
    else:
        expected = next_logits(fresh, context)
        assert abs(next_logits(slid, context) - expected).max() > 100 * TOLERANCE * abs(expected).max()


def test_forgetting_beyond_the_list_takes_what_is_there(context: Any) -> None:
    sequence = Sequence(context, 0, chunk=CHUNK)
    sequence.extend(LONG)
    sequence.forget(Forgotten(30, 99, 99))
    assert sequence.tokens == tuple(LONG[:30])
    sequence.forget(Forgotten(30, 99, 99))
    sequence.forget(Forgotten(5, 5, 99))
    assert sequence.tokens == tuple(LONG[:30])


def test_a_sequence_saved_while_a_shift_is_pending_is_saved_right(context: Any) -> None:
    sequence, twin, copy = (Sequence(context, slot, chunk=CHUNK) for slot in range(3))
    for each in (sequence, twin):
        each.extend(LONG)
        each.forget(Forgotten(4, 16, 99))
    saved = sequence.save()
    assert saved.tokens == twin.tokens
    copy.restore(saved)
    assert words(copy) == words(twin)


def test_a_saved_sequence_outlives_what_happens_to_the_original(context: Any) -> None:
    sequence, other = Sequence(context, 0, chunk=CHUNK), Sequence(context, 1, chunk=CHUNK)
    sequence.extend(LONG)
    saved = sequence.save()
    expected = words(sequence)
    sequence.truncate(3)
    sequence.extend([8] * 20)
    other.extend([6])
    other.restore(saved)
    assert (other.tokens, words(other)) == (tuple(LONG), expected)


def test_a_saved_sequence_that_does_not_fit_leaves_an_empty_one(context: Any) -> None:
    sequence, blocker = Sequence(context, 0, chunk=CHUNK), Sequence(context, 1, chunk=CHUNK)
    sequence.extend(LONG)
    saved = sequence.save()
    sequence.release()
    blocker.extend([5] * (context.cells - 20))
    with pytest.raises(PoolFull, match="40 tokens"):
        sequence.restore(saved)
    assert sequence.tokens == ()
    sequence.extend(LONG[:20])


def test_an_aborted_prefill_keeps_whole_calls_and_goes_on_exactly(context: Any) -> None:
    sequence, twin = Sequence(context, 0, chunk=CHUNK), Sequence(context, 1, chunk=CHUNK)
    sequence.extend(LONG[:16])
    context.abort()
    assert sequence.extend(LONG[16:]) == 0
    assert sequence.tokens == tuple(LONG[:16])
    context.resume()
    sequence.extend(LONG[16:])
    twin.extend(LONG)
    assert words(sequence) == words(twin)


def test_an_abort_while_a_shift_is_pending_does_not_shift_twice(context: Any) -> None:
    sequence, twin = Sequence(context, 0, chunk=CHUNK), Sequence(context, 1, chunk=CHUNK)
    for each in (sequence, twin):
        each.extend(LONG)
        each.forget(Forgotten(4, 16, 99))
        if each is sequence:
            context.abort()
        each.extend(LONG[:3])  # the call that shifts is not aborted
        context.resume()
    assert sequence.tokens == twin.tokens
    assert words(sequence) == words(twin)


# --- what only the fake can show ---


def test_where_the_model_cannot_shift_what_follows_is_dropped() -> None:
    context = FakeContext(can_shift=False)
    sequence = Sequence(context, 0)
    sequence.extend(LONG)
    sequence.forget(Forgotten(4, 16, 99))
    assert sequence.tokens == context.held(0) == tuple(LONG[:4])


@pytest.mark.parametrize("take_back", [lambda each: each.truncate(10), lambda each: each.forget(Forgotten(4, 16, 99))])
def test_where_cells_cannot_be_removed_all_are_dropped(take_back: Callable[[Sequence], None]) -> None:
    context = FakeContext(fail_remove=True)
    sequence = Sequence(context, 0)
    sequence.extend(LONG)
    take_back(sequence)
    assert sequence.tokens == context.held(0) == ()
    done = generate(sequence, 2, NO_STOP, GREEDY, tokens=tuple(LONG))
    assert (done.reused, done.prefilled) == (0, len(LONG))


def test_a_failed_call_drops_all_cells_of_its_sequence_and_no_others() -> None:
    context = FakeContext(batch=CHUNK, fail={4})
    sequence, other = Sequence(context, 0, chunk=CHUNK), Sequence(context, 1, chunk=CHUNK)
    other.extend(LONG[:5])
    with pytest.raises(EngineError, match="failed"):
        sequence.extend(LONG)
    assert sequence.tokens == context.held(0) == ()
    assert other.tokens == context.held(1) == tuple(LONG[:5])


def test_a_chunk_must_fit_into_a_call() -> None:
    with pytest.raises(EngineError, match="1 to 64"):
        Sequence(FakeContext(batch=64), 0, chunk=65)


# --- bits ---


@pytest.mark.real
def test_equal_calls_give_equal_bits_also_after_a_rollback(model: Model) -> None:
    def run(detour: bool) -> bytes:
        with real_context(model, slots=1) as context:
            sequence = Sequence(context, 0, chunk=CHUNK)
            sequence.extend(LONG)
            if detour:
                sequence.extend([4] * 30)
                sequence.truncate(len(LONG))
            sequence.extend([1, 2, 3])
            answer: bytes = next_logits(sequence, context).tobytes()
            return answer

    assert run(detour=False) == run(detour=False) == run(detour=True)


@pytest.mark.real
def test_an_abort_leaves_no_trace_in_the_bits(model: Model) -> None:
    def run(abort: bool) -> bytes:
        with real_context(model, slots=1) as context:
            sequence = Sequence(context, 0, chunk=CHUNK)
            sequence.extend(LONG[:16])
            if abort:
                context.abort()
                sequence.extend(LONG[16:])
                context.resume()
            sequence.extend(LONG[16:])
            answer: bytes = next_logits(sequence, context).tobytes()
            return answer

    assert run(abort=True) == run(abort=False)


# --- counting what is decoded twice ---


@pytest.mark.parametrize(
    ("lengths", "again", "twice"),
    [
        ([4], LIST[4:], 5),
        ([6, 3], LIST[3:], 6),
        ([4], [*LIST[4:6], 49, *LIST[7:]], 2),
        ([4], [49, *LIST[5:]], 0),
        ([4], [*[49] * 4, *LIST[4:]], 0),
        ([-1], LIST, 9),
        ([9], [1, 2], 0),
    ],
)
def test_what_is_decoded_again_behind_the_same_tokens_is_counted(
    lengths: list[int], again: list[int], twice: int
) -> None:
    sequence = Sequence(FakeContext(batch=CHUNK), 0, chunk=CHUNK)
    sequence.extend(LIST)
    for length in lengths:
        sequence.truncate(length)
    sequence.extend(again)
    assert sequence.decoded_twice == twice


def test_what_has_to_be_decoded_again_since_cells_could_not_be_removed_is_counted() -> None:
    sequence = Sequence(FakeContext(batch=CHUNK, fail_remove=True), 0, chunk=CHUNK)
    sequence.extend(LIST)
    sequence.truncate(6)
    sequence.extend(LIST)
    assert sequence.decoded_twice == len(LIST)


def test_what_is_decoded_behind_other_tokens_is_not_decoded_twice() -> None:
    sequence = Sequence(FakeContext(batch=CHUNK), 0, chunk=CHUNK)
    sequence.extend(LIST)
    sequence.truncate(6)
    sequence.forget(Forgotten(1, 3, 6))
    sequence.extend(LIST[6:])
    assert sequence.decoded_twice == 0


def test_logits_that_are_gone_cost_a_token_that_is_counted() -> None:
    context = FakeContext(batch=CHUNK)
    sequence, other = (Sequence(context, slot, chunk=CHUNK) for slot in range(2))
    sequence.extend(LIST)
    other.extend(LIST)
    generate(sequence, 0, NO_STOP, GREEDY)
    assert sequence.decoded_twice == 0, "nothing is sampled"
    generate(sequence, 1, NO_STOP, GREEDY)
    assert sequence.decoded_twice == 1
