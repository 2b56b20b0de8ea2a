"""What the engine needs of a llama.cpp context, as a protocol, and the errors and values that pass between them.

Knows no llama.cpp: `llama.Context` is the real one, tests have one of their own. Standard library only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections import abc


class EngineError(Exception):
    """The context failed, or the engine was used in a way it does not allow. The text is one line."""


class PoolFull(EngineError):  # noqa: N818 - a state of the pool, told as an exception
    """No free cells for a decode call or a restore. Cells and mirror are as they were before it (a restore: empty)."""


@dataclass(frozen=True)
class Sampling:
    """How a token is drawn: temperature, then top-k, then top-p, then a draw from what is left.

    `temperature` 0 takes the likeliest token, `top_k` 0 and `top_p` 1 are off. `seed` (any integer, taken modulo
    2**32 - 1) starts the random stream of one generation: the same seed and the same logits give the same tokens.
    `first_bias`: a token, and what is added to its logit where the first token of a generation is drawn.
    """

    temperature: float
    top_k: int
    top_p: float
    seed: int
    first_bias: tuple[int, float] | None = None

    def __post_init__(self) -> None:
        if not self.temperature >= 0:
            raise ValueError(f"temperature must be 0 or more, not {self.temperature}")
        if self.top_k < 0:
            raise ValueError(f"top_k must be 0 (off) or more, not {self.top_k}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be above 0 and at most 1, not {self.top_p}")
        if self.first_bias is not None and not math.isfinite(self.first_bias[1]):
            raise ValueError(f"a bias must be finite, not {self.first_bias[1]}")


@dataclass(frozen=True)
class Feed:
    """What one slot gets in a decode call: `tokens`, at least one, at `position`, ...

    logits: whether those of the last one are wanted.
    """

    slot: int
    position: int
    tokens: abc.Sequence[int]
    logits: bool = True


class Sampler(Protocol):
    """One random stream."""

    def sample(self, row: int) -> int:
        """Draws from the logits that the last decode call left for its feed number `row`."""


class Context(Protocol):
    """A pool of cells shared by numbered slots. One thread calls it.

    Errors: every method raises `EngineError` where the call underneath failed; `decode` raises `PoolFull` where too few
    cells were left, and then has changed nothing.
    """

    @property
    def cells(self) -> int:
        """How many tokens the pool holds, all slots together."""

    @property
    def slots(self) -> int:
        """How many sequences can have cells at the same time; slots are numbered from 0."""

    @property
    def batch(self) -> int:
        """The most tokens that one decode call takes."""

    @property
    def calls(self) -> int:
        """How many decode calls were made so far."""

    @property
    def can_shift(self) -> bool:
        """Whether `shift` works for this model."""

    def decode(self, feeds: abc.Sequence[Feed]) -> list[int]:
        """Decodes all feeds in one call; each is of another slot, all their tokens together at most `batch`.

        Returns for each how many of its tokens have cells now: all, or fewer where `abort` stopped the call.
        """

    def likeliest(self, row: int) -> int:
        """The token with the highest logit that the last decode call left for its feed number `row`."""

    def sampler(self, sampling: Sampling) -> Sampler: ...

    def remove(self, slot: int, start: int, stop: int | None = None) -> bool:
        """Drops the cells at positions [start, stop), without `stop` all from `start` on. False: it dropped nothing."""

    def shift(self, slot: int, start: int, by: int) -> None:
        """Adds `by` to the positions from `start` on. The cells are rotated by the next decode call of any slot."""

    @property
    def shift_pending(self) -> bool:
        """Whether a shift waits for the next decode call; until then a saved state would be wrong."""

    def save(self, slot: int) -> bytes | bytearray:
        """The cells of `slot`. Only while no shift is pending."""

    def restore(self, slot: int, state: bytes | bytearray) -> bool:
        """Fills the empty `slot` with saved cells. False: it did not fit or was refused, and the slot is empty."""

    def abort(self) -> None:
        """Stops the decode call that runs, or else the next one, as soon as the backend can. From any thread."""

    def resume(self) -> None:
        """Takes `abort` back. Before a decode call that is meant to run you must call this."""
