"""Sequences: lists of tokens that are mirrored by cells of the KV cache, and a run of generation on one of them.

Knows token lists, positions and what has to be decoded; everything here is synchronous and belongs to the one thread
that owns the context. Does not know llama.cpp, threads, sessions or what a token means.

The rules:
- The cells of a sequence's slot are exactly `Sequence.tokens`, at positions 0, 1, 2, ... without a hole. An operation
  that fails leaves that true: where the context gives no guarantee, all cells of the sequence are dropped.
- What is kept is never decoded twice. A new list keeps the cells of the common prefix; only the rest is decoded. The
  one exception: logits exist only for the last decode call, so a list that is cached whole has its last token decoded
  again where that call was another.
- The sizes of the decode calls follow from positions alone (`chunk_end`), never from timing: batch shape changes
  rounding, and the same lists must give the same words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from edge_server.context import Context, EngineError, PoolFull, Sampler, Sampling

if TYPE_CHECKING:
    from collections import abc


@dataclass(frozen=True)
class Request:
    """A transcript up to where generation starts, and how to generate.

    tokens: never empty. max_new: at most so many tokens are sampled; 0 only prefills. stop: generation ends after one
    of these, which is part of the result. forget: [start, stop) ranges of the *cached* list that left the transcript
    since the last request and whose rest is shifted in place; applied in order, whatever the finish, before `tokens`
    is compared with what is cached (ranges beyond the cached list do nothing). peek: after a cap, decode the last
    token too and report the likeliest next one.
    """

    tokens: tuple[int, ...]
    max_new: int
    stop: frozenset[int]
    sampling: Sampling
    forget: tuple[tuple[int, int], ...] = ()
    peek: bool = False

    def __post_init__(self) -> None:
        if not self.tokens:
            raise ValueError("a request needs at least one token")
        if self.max_new < 0:
            raise ValueError(f"max_new must be 0 or more, not {self.max_new}")
        if any(not 0 <= start <= stop for start, stop in self.forget):
            raise ValueError(f"forget needs ranges [start, stop) with 0 <= start <= stop, not {self.forget}")


class Finish(Enum):
    """Why a generation ended."""

    STOP = "stop"
    """A token of `Request.stop` was sampled."""
    CAP = "cap"
    """`Request.max_new` tokens were sampled."""
    CANCELLED = "cancelled"
    FULL = "full"
    """The pool has no cells left, although everything that could be evicted was."""


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


@dataclass(frozen=True)
class SavedSequence:
    """A copy of a sequence's tokens and cells. Real models: about 360 KiB a token."""

    tokens: tuple[int, ...]
    state: bytes | bytearray


def chunk_end(position: int, total: int, chunk: int) -> int:
    """Where the decode call that starts at `position` of a list of `total` tokens ends: at most `chunk` tokens later.

    A long rest is cut at multiples of `chunk`, so continuing after an abort makes the calls that were still to be made;
    a rest that fits into one call is not cut, since every call reads all weights once.
    """
    return total if total - position <= chunk else (position // chunk + 1) * chunk


def common_prefix(left: abc.Sequence[int], right: abc.Sequence[int]) -> int:
    """How many tokens two lists share from the start."""
    for index, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return index
    return min(len(left), len(right))


class Sequence:
    """A list of tokens and its cells in one slot of a context. After use you must call `release`."""

    def __init__(self, context: Context, slot: int, *, chunk: int = 64) -> None:
        if not 0 < chunk <= context.batch:
            raise EngineError(f"chunk is {chunk}; this context decodes 1 to {context.batch} tokens in a call")
        self.slot = slot
        self._context = context
        self._chunk = chunk
        self._tokens: list[int] = []
        self._logits_call: int | None = None

    @property
    def tokens(self) -> tuple[int, ...]:
        return tuple(self._tokens)

    def __len__(self) -> int:
        return len(self._tokens)

    @property
    def has_logits(self) -> bool:
        """Whether the context's logits are those that follow `tokens`."""
        return self._logits_call == self._context.calls

    def matching(self, tokens: abc.Sequence[int]) -> int:
        """How many tokens from the start are cached as they stand in `tokens`."""
        return common_prefix(self._tokens, tokens)

    def decode_next(self, transcript: abc.Sequence[int]) -> bool:
        """One decode call towards `transcript`, of which this sequence must hold a proper prefix. False: aborted."""
        start = len(self._tokens)
        tokens = transcript[start : chunk_end(start, len(transcript), self._chunk)]
        try:
            kept = self._context.decode(self.slot, start, tokens)
        except PoolFull:
            raise
        except EngineError:
            self.release()
            raise
        self._tokens += tokens[:kept]
        self._logits_call = self._context.calls if kept == len(tokens) else None
        return kept == len(tokens)

    def extend(self, tokens: abc.Sequence[int]) -> int:
        """Appends tokens. Returns how many: all of them, unless the context's `abort` came. Raises `PoolFull`."""
        transcript = [*self._tokens, *tokens]
        before = len(self._tokens)
        while len(self._tokens) < len(transcript) and self.decode_next(transcript):
            pass
        return len(self._tokens) - before

    def truncate(self, length: int) -> None:
        """Drops the tokens from `length` on; nothing happens where there are none."""
        if length >= len(self._tokens):
            return
        if length <= 0 or not self._context.remove(self.slot, length):
            self.release()  # dropping all never fails; what should have stayed is decoded again when it is needed
        del self._tokens[max(length, 0) :]
        self._logits_call = None

    def forget(self, start: int, stop: int) -> None:
        """Drops the tokens [start, stop) and moves the rest to the left without decoding it anew.

        What stays has attended to what left, so it differs from a fresh decode of the shorter list (measured on the
        real shape: 4.7 % in the logits). Where the model cannot shift, the rest is dropped as well.
        """
        stop = min(stop, len(self._tokens))
        if start >= stop:
            return
        if stop == len(self._tokens) or not self._context.can_shift:
            self.truncate(start)
        elif self._context.remove(self.slot, start, stop):
            self._context.shift(self.slot, stop, start - stop)
            del self._tokens[start:stop]
            self._logits_call = None
        else:
            self.release()

    def save(self) -> SavedSequence:
        """A copy of this sequence as it is, for `restore` on any sequence of the same context."""
        if self._context.shift_pending and self._tokens:
            # The pending rotation is done by a decode call; the last token's is the cheapest that changes nothing.
            tokens = self.tokens
            self.truncate(len(tokens) - 1)
            self.extend(tokens[len(self._tokens) :])
            if self._context.shift_pending or len(self._tokens) < len(tokens):
                raise EngineError("the sequence was not saved: the decode call before it was aborted")
        return SavedSequence(self.tokens, self._context.save(self.slot))

    def restore(self, saved: SavedSequence) -> None:
        """Holds what `saved` held. Raises `PoolFull` where that does not fit; the sequence is empty then."""
        self.release()
        if saved.tokens and not self._context.restore(self.slot, saved.state):
            self.release()
            raise PoolFull(f"no room for a saved sequence of {len(saved.tokens)} tokens")
        self._tokens = list(saved.tokens)

    def generate(
        self,
        max_new: int,
        stop: frozenset[int],
        sampling: Sampling,
        *,
        peek: bool = False,
        tokens: tuple[int, ...] = (),
    ) -> Generated:
        """Generates after what this sequence holds plus `tokens`, without a pause. See `Request` and `Generated`."""
        generation = Generation(self._context, self, Request(self.tokens + tokens, max_new, stop, sampling, peek=peek))
        try:
            while (finish := generation.step()) is None:
                pass
        except PoolFull:
            finish = Finish.FULL
        finally:
            generation.close()
        return generation.result(finish)

    def release(self) -> None:
        """Gives all cells back."""
        self._context.remove(self.slot, 0)
        self._tokens.clear()
        self._logits_call = None


class Generation:
    """A request on its way: `step` until it returns a finish, `result`, and in any case `close`.

    The transcript is the request's tokens and what was sampled after them. A step makes one decode call for what the
    cells lack of it and, where nothing is lacking, samples one token. The last sampled token is not decoded: whatever
    comes next is decoded together with it.
    """

    def __init__(self, context: Context, sequence: Sequence, request: Request) -> None:
        self._context = context
        self._sequence = sequence
        self._request = request
        self._sampler: Sampler | None = None
        self._transcript = list(request.tokens)
        self._likeliest_next: int | None = None
        for start, stop in request.forget:
            sequence.forget(start, stop)
        matching = sequence.matching(request.tokens)
        at_hand = matching == len(sequence) and sequence.has_logits
        if matching == len(request.tokens) and (request.max_new or request.peek) and not at_hand:
            matching -= 1
        self.rolled_back = matching < len(sequence)
        sequence.truncate(matching)
        self._reused = len(sequence)  # less than what matched where the cells had to be dropped

    def step(self) -> Finish | None:
        """One decode call at most, and one token where it completes the transcript; None means: call again.

        Raises `PoolFull` having changed nothing, so that it can be called again once there is room. An abort by the
        context ends the generation as cancelled.
        """
        request, sequence = self._request, self._sequence
        if len(sequence) < len(self._transcript):
            if not sequence.decode_next(self._transcript):
                return Finish.CANCELLED
            if len(sequence) < len(self._transcript):
                return None
        sampled = len(self._transcript) - len(request.tokens)
        if sampled == request.max_new:
            if request.peek:
                self._likeliest_next = self._context.likeliest()
            return Finish.CAP
        if self._sampler is None:
            self._sampler = self._context.sampler(request.sampling)
        token = self._sampler.sample()
        self._transcript.append(token)
        if token in request.stop:
            return Finish.STOP
        return Finish.CAP if sampled + 1 == request.max_new and not request.peek else None

    @property
    def decoded(self) -> int:
        """How many sampled tokens were decoded."""
        return max(0, len(self._sequence) - len(self._request.tokens))

    def result(self, finish: Finish) -> Generated:
        request = self._request
        return Generated(
            tokens=tuple(self._transcript[len(request.tokens) :]),
            finish=finish,
            likeliest_next=self._likeliest_next,
            reused=self._reused,
            prefilled=max(0, min(len(self._sequence), len(request.tokens)) - self._reused),
        )

    def close(self) -> None:
        """Frees the sampler. A second call does nothing."""
        if self._sampler is not None:
            self._sampler.close()
            self._sampler = None
