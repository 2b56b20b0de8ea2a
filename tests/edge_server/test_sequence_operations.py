"""Any order of operations on three sequences leaves what a fresh sequence would have: cells, words, logits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from edge_server.context import Context, PoolFull
from edge_server.generation import Finish
from edge_server.sequence import SavedSequence, Sequence
from tests.edge_server.sequences import (
    DEFAULT_TOLERANCE,
    DRAWN,
    TOLERANCE,
    generate,
    next_logits,
    real_context,
)
from tests.edge_server.stepping import CHUNK
from tests.fakes import FakeContext

if TYPE_CHECKING:
    from edge_server.llama import Model

tokens_of_length = st.lists(st.integers(0, 49), min_size=1, max_size=20)


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
        done = generate(self.sequences[which], new, frozenset({3}), DRAWN, tokens=tuple(tokens))
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
            assert generate(fresh, new, frozenset({3}), DRAWN, tokens=tuple(transcript)).tokens == got

        @invariant()
        def cells_are_mirrored(self) -> None:
            assert [list(self.context.held(slot)) for slot in range(3)] == self.lists

    run_machine(OnFake, examples=15, steps=12)


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
