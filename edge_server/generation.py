"""A run of generation on a sequence: what was asked for, how far it is, what came of it.

Knows token lists and positions, and how a token is drawn; everything here is synchronous and belongs to the one thread
that owns the context. Does not know llama.cpp, threads, sessions or what a token means. What a sequence keeps, and what
is decoded, is `sequence.py`'s.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from edge_server.context import Context, Feed, Sampler, Sampling
from edge_server.sequence import Sequence
from edge_server.tokens import Forgotten

if TYPE_CHECKING:
    from collections import abc


@dataclass(frozen=True)
class Request:
    """A transcript up to where generation starts, and how to generate.

    tokens: never empty. max_new: at most so many tokens are sampled; 0 only prefills. stop: generation ends after one
    of these, which is part of the result. peek: after a cap, decode the last token too and report the likeliest next
    one. cuts: positions in rising order; a decode call ends at each, so that it makes no difference how far the tokens
    were prefilled beforehand. urgent: its prefill goes before others'.
    """

    tokens: tuple[int, ...]
    max_new: int
    stop: frozenset[int]
    sampling: Sampling
    peek: bool = False
    cuts: tuple[int, ...] = ()
    urgent: bool = False

    def __post_init__(self) -> None:
        if not self.tokens:
            raise ValueError("a request needs at least one token")
        if self.max_new < 0:
            raise ValueError(f"max_new must be 0 or more, not {self.max_new}")
        if list(self.cuts) != sorted(self.cuts) or any(not 0 <= cut <= len(self.tokens) for cut in self.cuts):
            raise ValueError(f"cuts must rise from 0 to the {len(self.tokens)} tokens at most, not {self.cuts}")


class Finish(Enum):
    """Why a generation ended."""

    STOP = "stop"
    """A token of `Request.stop` was sampled."""
    CAP = "cap"
    """`Request.max_new` tokens were sampled."""
    CANCELLED = "cancelled"
    FULL = "full"
    """The pool does not hold as many tokens."""
    BUSY = "busy"
    """Nothing was begun: every slot belongs to a session that is speaking."""


@dataclass(frozen=True)
class Generated:
    """What came of a request: the sampled tokens (also those before a cancel) and what it cost.

    reused: tokens of the request that were found in the cache. prefilled: tokens of the request that were decoded.
    """

    tokens: tuple[int, ...]
    finish: Finish
    likeliest_next: int | None
    reused: int
    prefilled: int


class Generation:
    """A request on its way: `take` until it returns a finish, with a decode call of `feed` before each further one.

    The transcript is the request's tokens and what was sampled after them. The last sampled token is not decoded:
    whatever comes next is decoded together with it.
    """

    def __init__(
        self,
        context: Context,
        sequence: Sequence,
        request: Request,
        forget: abc.Sequence[Forgotten] = (),
        told: abc.Sequence[int] = (),
    ) -> None:
        """`forget`: what left the transcript since the last generation; it leaves the cached list first, in order, each
        in the positions of its own moment. What of it is not cached is nothing.

        `told`: the first tokens of this request, where it was begun before, lost its cells, and somebody was told them.
        They are drawn again, for the random stream's sake, and come out the same: other calls may round otherwise.
        """
        self._context = context
        self.sequence = sequence
        self._request = request
        self._told = tuple(told)
        self._sampler: Sampler | None = None
        self._transcript = list(request.tokens)
        self._likeliest_next: int | None = None
        for forgotten in forget:
            sequence.forget(forgotten)
        matching = sequence.matching(request.tokens)
        at_hand = matching == len(sequence) and sequence.logits_row is not None
        if matching == len(request.tokens) and (request.max_new or request.peek) and not at_hand:
            matching -= 1
        self.rolled_back = matching < len(sequence)
        started = time.perf_counter()
        sequence.truncate(matching)
        self.rollback_seconds = time.perf_counter() - started if self.rolled_back else 0.0
        self._decoded_twice = sequence.decoded_twice
        self._reused = len(sequence)  # less than what matched where the cells had to be dropped

    @property
    def missing(self) -> int:
        """How many tokens have to be decoded before the next one can be sampled."""
        return len(self._transcript) - len(self.sequence)

    def feed(self, limit: int) -> Feed:
        """What the next decode call should get, at most `limit` tokens; something must be missing."""
        request = self._request
        stop = next((cut for cut in request.cuts if cut > len(self.sequence)), len(self._transcript))
        return self.sequence.feed(self._transcript, stop, limit, logits=request.max_new > 0 or request.peek)

    def take(self) -> Finish | None:
        """Samples a token where nothing is missing. None: something is missing (now)."""
        request = self._request
        if self.missing:
            return None
        sampled = len(self._transcript) - len(request.tokens)
        if sampled == request.max_new:
            if request.peek:
                self._likeliest_next = self._context.likeliest(self._row)
            return Finish.CAP
        if self._sampler is None:
            self._sampler = self._context.sampler(request.sampling)
        token = self._sampler.sample(self._row)
        if sampled < len(self._told):
            token = self._told[sampled]
        self._transcript.append(token)
        if token in request.stop:
            return Finish.STOP
        return Finish.CAP if sampled + 1 == request.max_new and not request.peek else None

    @property
    def _row(self) -> int:
        row = self.sequence.logits_row
        assert row is not None, "sampled where the last decode call left no logits"
        return row

    @property
    def sampled(self) -> tuple[int, ...]:
        """The tokens sampled so far."""
        return tuple(self._transcript[len(self._request.tokens) :])

    @property
    def decoded_twice(self) -> int:
        """See `Sequence.decoded_twice`; since this generation began."""
        return self.sequence.decoded_twice - self._decoded_twice

    @property
    def decoded(self) -> int:
        """How many sampled tokens were decoded."""
        return max(0, len(self.sequence) - len(self._request.tokens))

    def result(self, finish: Finish) -> Generated:
        request = self._request
        return Generated(
            tokens=self.sampled,
            finish=finish,
            likeliest_next=self._likeliest_next,
            reused=self._reused,
            prefilled=max(0, min(len(self.sequence), len(request.tokens)) - self._reused),
        )
