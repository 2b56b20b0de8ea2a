"""What a sequence promises, on the fake context and (marked real) on llama.cpp with a tiny model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from edge_server.context import Context, EngineError, PoolFull, Sampling
from edge_server.sequence import (
    Finish,
    Generation,
    Request,
    SavedSequence,
    Sequence,
    chunk_end,
    decode,
)
from edge_server.tokens import Forgotten
from tests.fakes import FakeContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_server.llama import Model

GREEDY = Sampling(temperature=0, top_k=0, top_p=1, seed=0)
DRAWN = Sampling(temperature=0.8, top_k=0, top_p=0.8, seed=7)
NO_STOP: frozenset[int] = frozenset()
LIST = list(range(10, 19))
CHUNK = 8

# Calls of other shapes, and other sequences in the pool, change rounding. On the tiny model, over 180 sequences, the
# largest difference as a share of the largest logit: 1.6e-6 with f32 cells and no flash attention, 2.9e-3 as the server
# runs by default (f16 cells, flash attention, which sums in f16); the likeliest token was the same every time.
TOLERANCE = 2e-5
DEFAULT_TOLERANCE = 2e-2

tokens_of_length = st.lists(st.integers(0, 49), min_size=1, max_size=20)


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


# --- any order of operations ---


class Operations(RuleBasedStateMachine):
    """Three sequences in one pool, each beside a plain list that says what it must hold."""

    make_context: Callable[[], Context]

    def __init__(self) -> None:
        super().__init__()
        self.context = self.make_context()
        self.sequences = [Sequence(self.context, slot, chunk=CHUNK) for slot in range(3)]
        self.lists: list[list[int]] = [[], [], []]
        self.saved: list[SavedSequence] = []

    @rule(which=st.integers(0, 2), tokens=tokens_of_length)
    def extend(self, which: int, tokens: list[int]) -> None:
        room = self.context.cells - sum(map(len, self.lists))
        if len(tokens) > room:
            return
        assert self.sequences[which].extend(tokens) == len(tokens)
        self.lists[which] += tokens

    @rule(which=st.integers(0, 2), tokens=st.lists(st.integers(0, 49), max_size=3), new=st.integers(0, 6))
    def generate(self, which: int, tokens: list[int], new: int) -> None:
        room = self.context.cells - sum(map(len, self.lists))
        if len(tokens) + new > room or not self.lists[which] + tokens:
            return
        done = self.sequences[which].generate(new, frozenset({3}), DRAWN, tokens=tuple(tokens))
        assert done.finish is (Finish.STOP if 3 in done.tokens else Finish.CAP)
        assert done.reused + done.prefilled == len(self.lists[which]) + len(tokens)
        self.check_generated([*self.lists[which], *tokens], new, done.tokens)
        self.lists[which] += [*tokens, *done.tokens[:-1]]  # the last one is decoded with what comes next

    def check_generated(self, transcript: list[int], new: int, got: tuple[int, ...]) -> None:
        """Real logits are only nearly those of a fresh sequence, so only the fake's words must be the same."""

    @rule(which=st.integers(0, 2), length=st.integers(-1, 40))
    def truncate(self, which: int, length: int) -> None:
        self.sequences[which].truncate(length)
        del self.lists[which][max(length, 0) :]

    @rule(which=st.integers(0, 2))
    def release(self, which: int) -> None:
        self.sequences[which].release()
        self.lists[which].clear()

    @rule(which=st.integers(0, 2))
    def save(self, which: int) -> None:
        self.saved.append(self.sequences[which].save())

    @precondition(lambda self: self.saved)
    @rule(which=st.integers(0, 2), data=st.data())
    def restore(self, which: int, data: st.DataObject) -> None:
        saved = data.draw(st.sampled_from(self.saved))
        others = sum(len(tokens) for index, tokens in enumerate(self.lists) if index != which)
        if others + len(saved.tokens) > self.context.cells:
            with pytest.raises(PoolFull):
                self.sequences[which].restore(saved)
            self.lists[which] = []
        else:
            self.sequences[which].restore(saved)
            self.lists[which] = list(saved.tokens)

    @invariant()
    def each_holds_its_list(self) -> None:
        assert [list(sequence.tokens) for sequence in self.sequences] == self.lists

    def teardown(self) -> None:
        for sequence, tokens in zip(self.sequences, self.lists, strict=True):
            self.check_like_fresh(sequence, tokens)
        for sequence in self.sequences:
            sequence.release()

    def check_like_fresh(self, sequence: Sequence, tokens: list[int]) -> None:
        raise NotImplementedError


def run_machine(machine: type[Operations], examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_operations_leave_the_cells_of_a_fresh_sequence() -> None:
    class OnFake(Operations):
        context: FakeContext

        @staticmethod
        def make_context() -> Context:
            return FakeContext(cells=90, slots=3, batch=CHUNK)

        def check_like_fresh(self, sequence: Sequence, tokens: list[int]) -> None:
            fresh = FakeContext(cells=90, slots=1, batch=CHUNK)
            Sequence(fresh, 0, chunk=CHUNK).extend(tokens)
            assert self.context.held(sequence.slot) == tuple(tokens)
            assert self.context.state(sequence.slot) == fresh.state(0)

        def check_generated(self, transcript: list[int], new: int, got: tuple[int, ...]) -> None:
            fresh = Sequence(FakeContext(cells=90, slots=1, batch=CHUNK), 0, chunk=CHUNK)
            assert fresh.generate(new, frozenset({3}), DRAWN, tokens=tuple(transcript)).tokens == got

        @invariant()
        def cells_are_mirrored(self) -> None:
            assert [list(self.context.held(slot)) for slot in range(3)] == self.lists

    run_machine(OnFake, examples=15, steps=12)


@pytest.fixture(scope="module")
def model(tiny_gguf: Any) -> Iterator[Model]:
    from edge_server.llama import Model

    with Model.load(tiny_gguf, gpu_layers=0) as model:
        yield model


def real_context(model: Model, *, slots: int = 3, exact: bool = True) -> Any:
    """A context of 256 cells, with the smallest rounding errors if `exact`, else as the server makes it."""
    from edge_server.llama import Context

    choice: dict[str, Any] = {"kv_type": "f32", "flash_attention": False} if exact else {}
    return Context(model, cells=256, slots=slots, batch=CHUNK, threads=1, **choice)


def next_logits(sequence: Sequence, context: Any, probe: int = 17) -> Any:
    from tests.tiny import logits

    sequence.extend([probe])
    return logits(context)


@pytest.mark.real
@pytest.mark.parametrize(("exact", "tolerance"), [(True, TOLERANCE), (False, DEFAULT_TOLERANCE)])
def test_any_operations_leave_the_logits_of_a_fresh_sequence(model: Model, exact: bool, tolerance: float) -> None:
    class OnLlama(Operations):
        @staticmethod
        def make_context() -> Context:
            context: Context = real_context(model, exact=exact)
            return context

        def check_like_fresh(self, sequence: Sequence, tokens: list[int]) -> None:
            with real_context(model, slots=1, exact=exact) as context:
                fresh = Sequence(context, 0, chunk=CHUNK)
                fresh.extend(tokens)
                expected = next_logits(fresh, context)
            got = next_logits(sequence, self.context)
            assert abs(got - expected).max() <= tolerance * abs(expected).max()

        def teardown(self) -> None:
            super().teardown()
            self.context.close()  # type: ignore[attr-defined]

    run_machine(OnLlama, examples=25, steps=20)


# --- one promise at a time, on both contexts ---


@pytest.fixture(params=["fake", pytest.param("llama", marks=pytest.mark.real)])
def context(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "fake":
        yield FakeContext(batch=CHUNK, n_vocab=600)
    else:
        with real_context(request.getfixturevalue("model"), slots=4) as context:
            yield context


def words(sequence: Sequence, count: int = 8) -> tuple[int, ...]:
    """What a sequence says next, greedily."""
    return sequence.generate(count, NO_STOP, GREEDY).tokens


LONG = [(7 * index * index + 3) % 50 for index in range(40)]


def test_generation_starts_with_what_is_missing_and_leaves_the_last_token_undecoded(context: Any) -> None:
    sequence = Sequence(context, 0, chunk=CHUNK)
    sequence.extend(LONG[:10])
    done = sequence.generate(5, NO_STOP, GREEDY, tokens=tuple(LONG[10:30]))
    assert (done.reused, done.prefilled, len(done.tokens), done.finish) == (10, 20, 5, Finish.CAP)
    assert sequence.tokens == (*LONG[:30], *done.tokens[:-1])


def test_the_same_list_gives_the_same_words_however_it_came_about(context: Any) -> None:
    one, other = Sequence(context, 0, chunk=CHUNK), Sequence(context, 1, chunk=CHUNK)
    one.extend(LONG)
    other.extend([*LONG[:20], 1, 2, 3])
    other.truncate(20)
    other.extend(LONG[20:])
    assert words(one) == words(other)


def test_a_stop_token_ends_generation_and_is_part_of_the_result(context: Any) -> None:
    sequence = Sequence(context, 0, chunk=CHUNK)
    sequence.extend(LONG)
    free = words(sequence)
    sequence.truncate(len(LONG))
    done = sequence.generate(8, frozenset({free[2]}), GREEDY)
    assert done.finish is Finish.STOP
    assert done.tokens == free[: free.index(free[2]) + 1]


def test_peek_reports_the_token_that_would_have_come_next(context: Any) -> None:
    sequence = Sequence(context, 0, chunk=CHUNK)
    sequence.extend(LONG)
    longer = words(sequence, 6)
    sequence.truncate(len(LONG))
    done = sequence.generate(5, NO_STOP, GREEDY, peek=True)
    assert (done.tokens, done.likeliest_next) == (longer[:5], longer[5])
    assert sequence.tokens == (*LONG, *done.tokens)


def test_nothing_is_peeked_at_after_a_stop(context: Any) -> None:
    sequence = Sequence(context, 0, chunk=CHUNK)
    sequence.extend(LONG)
    everything = frozenset(range(700))
    assert sequence.generate(5, everything, GREEDY, peek=True).likeliest_next is None


def test_a_request_for_no_tokens_only_prefills(context: Any) -> None:
    sequence = Sequence(context, 0, chunk=CHUNK)
    done = sequence.generate(0, NO_STOP, GREEDY, tokens=tuple(LONG))
    assert (done.tokens, done.finish, done.prefilled) == ((), Finish.CAP, len(LONG))
    calls = context.calls
    assert sequence.generate(0, NO_STOP, GREEDY).reused == len(LONG)
    assert context.calls == calls


def test_logits_at_hand_are_used_and_others_cost_one_token(context: Any) -> None:
    one, other = Sequence(context, 0, chunk=CHUNK), Sequence(context, 1, chunk=CHUNK)
    one.extend(LONG)
    calls = context.calls
    first = one.generate(1, NO_STOP, GREEDY)
    assert (context.calls, first.reused, first.prefilled) == (calls, len(LONG), 0)
    other.extend(LONG[:3])
    again = one.generate(1, NO_STOP, GREEDY)
    assert (context.calls, again.reused, again.prefilled) == (calls + 2, len(LONG) - 1, 1)
    assert again.tokens == first.tokens


def test_the_same_seed_draws_the_same_tokens_and_another_seed_others(context: Any) -> None:
    def drawn(seed: int) -> tuple[int, ...]:
        sequence = Sequence(context, 0, chunk=CHUNK)
        sequence.extend(LONG)
        tokens = sequence.generate(8, NO_STOP, Sampling(1.5, 0, 1, seed)).tokens
        sequence.release()
        return tokens

    assert drawn(1) == drawn(1)
    assert len({drawn(seed) for seed in range(8)}) > 1


def test_a_full_pool_ends_generation_and_leaves_cells_and_mirror_equal(context: Any) -> None:
    blocker, sequence = Sequence(context, 0, chunk=CHUNK), Sequence(context, 1, chunk=CHUNK)
    blocker.extend([5] * (context.cells - 12))
    done = sequence.generate(8, NO_STOP, GREEDY, tokens=tuple(LONG[:10]))
    assert (done.finish, len(done.tokens)) == (Finish.FULL, 3)
    assert sequence.tokens == (*LONG[:10], *done.tokens[:2])
    with pytest.raises(PoolFull, match="no free cells"):
        sequence.extend([1])
    blocker.release()
    expected = words(sequence)
    sequence.release()
    sequence.extend([*LONG[:10], *done.tokens[:2]])
    assert words(sequence) == expected


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
    assert twin.generate(1, NO_STOP, GREEDY).prefilled == 1, "the logits were those of the list before"
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
    done = sequence.generate(2, NO_STOP, GREEDY, tokens=tuple(LONG))
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
    sequence.generate(0, NO_STOP, GREEDY)
    assert sequence.decoded_twice == 0, "nothing is sampled"
    sequence.generate(1, NO_STOP, GREEDY)
    assert sequence.decoded_twice == 1
