"""A context without a model: it keeps cells as strictly as llama.cpp and answers from what its cells hold.

A cell remembers a digest of all that stood before it when it was decoded, so a stale, missing or misplaced cell changes
every later word, as it would in a real model. Calls that llama.cpp would refuse, or that would quietly leave it wrong,
raise `AssertionError`.
"""

from __future__ import annotations

import hashlib
import pickle
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_server.context import EngineError, Feed, PoolFull, Sampling

if TYPE_CHECKING:
    from collections import abc


@dataclass(frozen=True)
class Cell:
    """One decoded token, and a digest of what it attended to."""

    token: int
    digest: bytes


class FakeSampler:
    """Draws as a pure function of the cells, the seed, the number of the draw and the first one's bias."""

    def __init__(self, context: FakeContext, sampling: Sampling) -> None:
        self._context = context
        self._sampling = sampling
        self._draws = 0

    def sample(self, row: int) -> int:
        self._draws += 1
        self._context.draws += 1
        salt = b"" if self._sampling.temperature == 0 else b"%d %d" % (self._sampling.seed, self._draws)
        if self._sampling.first_bias is not None and self._draws == 1:
            salt += b" %d %f" % self._sampling.first_bias
        return self._context.answer(row, salt)


@dataclass
class FakeContext:
    """A pool of `cells` cells and `slots` slots over a vocabulary of `n_vocab` tokens.

    reply: what the model says to the token list of a sequence; without it, a number from the digest of its cells.
    says: the tokens that such a number stands for; without it, any of the vocabulary.
    refuses: tokens that make a decode call fail, as llama.cpp refuses what is not in its vocabulary.
    on_decode: called in the middle of each decode call, to act there (cancel, block) without a clock.
    fail: decode calls, counted from 1, that raise `EngineError` and leave cells behind, as a fatal error may.
    fail_remove: makes `remove` of a part return False, as llama.cpp's may; removing all never fails.
    """

    cells: int = 256
    slots: int = 4
    batch: int = 64
    n_vocab: int = 50
    can_shift: bool = True
    reply: abc.Callable[[tuple[int, ...]], int] | None = None
    says: abc.Sequence[int] = ()
    refuses: abc.Set[int] = frozenset()
    on_decode: abc.Callable[[], None] | None = None
    fail: set[int] = field(default_factory=set)
    fail_remove: bool = False
    calls: int = 0
    shift_pending: bool = False
    draws: int = 0
    decoded: list[tuple[int, int, tuple[int, ...]]] = field(default_factory=list)
    """What the decode calls fed: slot, position, tokens."""
    shapes: list[list[int]] = field(default_factory=list)
    """For each decode call that was made, the number of tokens of each slot in it."""
    complaints: list[str] = field(default_factory=list)
    """Why decode calls were no valid ones: the engine takes an `AssertionError` for a failure like others."""

    def __post_init__(self) -> None:
        self._cells: dict[int, dict[int, Cell]] = {slot: {} for slot in range(self.slots)}
        self._logits: dict[int, int] = {}  # the slot of each row of the last decode call
        self._aborted = threading.Event()
        self._thread: int | None = None

    # --- what tests look at ---

    def held(self, slot: int) -> tuple[int, ...]:
        """The tokens that a slot's cells hold, in order of position."""
        cells = self._cells[slot]
        assert sorted(cells) == list(range(len(cells))), f"slot {slot} has holes: {sorted(cells)}"
        return tuple(cells[position].token for position in sorted(cells))

    @property
    def used(self) -> int:
        return sum(map(len, self._cells.values()))

    def state(self, slot: int) -> bytes:
        """A digest of the slot's cells: what the next token depends on."""
        return _digest(*self.digests(slot))

    def digests(self, slot: int) -> tuple[bytes, ...]:
        """For each of the slot's cells, in order, a digest of what it attended to and its token."""
        cells = self._cells[slot]
        return tuple(cells[position].digest for position in sorted(cells))

    def answer(self, row: int, salt: bytes = b"") -> int:
        slot = self._logits.get(row)
        assert slot is not None, "sampled where the last decode call left no logits"
        if self.reply is not None:
            return self.reply(self.held(slot))
        number = int.from_bytes(_digest(self.state(slot), salt)[:4], "big")
        return self.says[number % len(self.says)] if self.says else number % self.n_vocab

    # --- edge_server.context.Context ---

    def decode(self, feeds: abc.Sequence[Feed]) -> list[int]:
        self._check_thread()
        self.calls += 1
        self._logits = {}
        count = sum(len(feed.tokens) for feed in feeds)
        try:
            self._check(feeds, count)
        except AssertionError as complaint:
            self.complaints.append(str(complaint))
            raise
        if self.refuses and any(token in self.refuses for feed in feeds for token in feed.tokens):
            raise EngineError("the context refused a token")
        if self.used + count > self.cells:
            raise PoolFull(f"no free cells for {count} tokens in a pool of {self.cells}")
        if self.on_decode is not None:
            self.on_decode()
        if self._aborted.is_set() and not self.shift_pending:
            return [0] * len(feeds)
        for feed in feeds:
            cells = self._cells[feed.slot]
            for position, token in enumerate(feed.tokens, feed.position):
                before = [cells[index].digest for index in range(position)]
                cells[position] = Cell(token, _digest(*before, b"%d" % token))
        self.shift_pending = False
        if self.calls in self.fail:
            raise EngineError("the decode call failed")
        self.decoded += [(feed.slot, feed.position, tuple(feed.tokens)) for feed in feeds]
        self.shapes.append([len(feed.tokens) for feed in feeds])
        self._logits = {row: feed.slot for row, feed in enumerate(feeds) if feed.logits}
        return [len(feed.tokens) for feed in feeds]

    def _check(self, feeds: abc.Sequence[Feed], count: int) -> None:
        assert 0 < count <= self.batch, f"{count} tokens in a call"
        assert len({feed.slot for feed in feeds}) == len(feeds), "a slot twice in a call"
        for feed in feeds:
            held = sorted(self._cells[feed.slot])
            assert feed.tokens
            assert all(0 <= token < self.n_vocab for token in feed.tokens), feed.tokens
            assert held == list(range(feed.position)), f"position {feed.position} does not continue {held}"

    def likeliest(self, row: int) -> int:
        return self.answer(row)

    def sampler(self, sampling: Sampling) -> FakeSampler:
        return FakeSampler(self, sampling)

    def remove(self, slot: int, start: int, stop: int | None = None) -> bool:
        self._check_thread()
        if self.fail_remove and start > 0:
            return False
        cells = self._cells[slot]
        self._cells[slot] = {at: cells[at] for at in cells if at < start or (stop is not None and at >= stop)}
        self._logits = {row: each for row, each in self._logits.items() if each != slot}
        return True

    def shift(self, slot: int, start: int, by: int) -> None:
        assert self.can_shift, "this model cannot shift"
        moved = {at + by if at >= start else at: cell for at, cell in self._cells[slot].items()}
        assert len(moved) == len(self._cells[slot]), "two cells at one position"
        self._cells[slot] = moved
        self.shift_pending = True

    def save(self, slot: int) -> bytes:
        assert not self.shift_pending, "saved between a shift and the decode call that applies it"
        return pickle.dumps(self._cells[slot])

    def restore(self, slot: int, state: bytes | bytearray) -> bool:
        assert not self._cells[slot], "restored into a slot that is not empty"
        cells: dict[int, Cell] = pickle.loads(state)  # noqa: S301 - written by `save` above
        if self.used + len(cells) > self.cells:
            return False
        self._cells[slot] = cells
        return True

    def abort(self) -> None:
        self._aborted.set()

    def resume(self) -> None:
        self._aborted.clear()

    def _check_thread(self) -> None:
        """One thread owns the context: the first that decodes, as long as it lives."""
        current = threading.current_thread()
        if self._thread is None:
            self._thread = current.ident
        assert self._thread == current.ident, "a second thread used the context"


def _digest(*parts: bytes) -> bytes:
    return hashlib.blake2b(b"|".join(parts), digest_size=8).digest()
