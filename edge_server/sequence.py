"""Sequences: lists of tokens that are mirrored by cells of the KV cache.

Knows token lists, positions and what has to be decoded; everything here is synchronous and belongs to the one thread
that owns the context. Does not know llama.cpp, threads, sessions or what a token means.

The rules:
- The cells of a sequence's slot are exactly `Sequence.tokens`, at positions 0, 1, 2, ... without a hole. An operation
  that fails leaves that true: where the context gives no guarantee, all cells of the sequence are dropped.
- What is kept is never decoded twice. A new list keeps the cells of the common prefix; only the rest is decoded. The
  one exception: logits exist only for the last decode call, so a list that is cached whole has its last token decoded
  again where that call was another. `Sequence.decoded_twice` counts.
- Where a sequence decodes alone, the sizes of its calls follow from its list and from positions (`chunk_end`, and a
  request's `cuts`), never from timing: batch shape changes rounding, and the same lists must give the same words.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_server.context import Context, EngineError, Feed, PoolFull
from edge_server.tokens import Forgotten, common_prefix

if TYPE_CHECKING:
    from collections import abc


@dataclass(frozen=True)
class SavedSequence:
    """A copy of a sequence's tokens and cells. Real models: about 360 KiB a token.

    calls: the positions at which the decode calls began that made the cells.
    """

    tokens: tuple[int, ...]
    state: bytes | bytearray
    calls: tuple[int, ...] = (0,)


def chunk_end(position: int, total: int, chunk: int) -> int:
    """Where the decode call that starts at `position` of a list of `total` tokens ends: at most `chunk` tokens later.

    A long rest is cut at multiples of `chunk`, so continuing after an abort makes the calls that were still to be made;
    a rest that fits into one call is not cut, since every call reads all weights once.
    """
    return total if total - position <= chunk else (position // chunk + 1) * chunk


class Sequence:
    """A list of tokens and its cells in one slot of a context. After use you must call `release`."""

    def __init__(self, context: Context, slot: int, *, chunk: int = 64) -> None:
        if not 0 < chunk <= context.batch:
            raise EngineError(f"chunk is {chunk}; this context decodes 1 to {context.batch} tokens in a call")
        self.slot = slot
        self.decoded_twice = 0
        """Tokens that were decoded again behind the very tokens that they had stood behind, after a rollback."""
        self._context = context
        self._chunk = chunk
        self._tokens: list[int] = []
        self._calls: list[int] = []  # the position at which each decode call began
        self._taken_back: list[int] = []  # what the last rollback took from behind the present tokens
        self._logits: tuple[int, int] | None = None  # the decode call that left them, and this sequence's row in it

    @property
    def tokens(self) -> tuple[int, ...]:
        return tuple(self._tokens)

    def __len__(self) -> int:
        return len(self._tokens)

    @property
    def logits_row(self) -> int | None:
        """Where the context has the logits that follow `tokens`; None: nowhere."""
        if self._logits is None or self._logits[0] != self._context.calls:
            return None
        return self._logits[1]

    def matching(self, tokens: abc.Sequence[int]) -> int:
        """How many tokens from the start are cached as they stand in `tokens`."""
        return common_prefix(self._tokens, tokens)

    def feed(self, transcript: abc.Sequence[int], stop: int, limit: int, *, logits: bool = True) -> Feed:
        """What the next decode call should get towards `transcript[:stop]`, of which this holds a proper prefix.

        At most `limit` tokens. `logits`: whether those that follow the transcript are wanted.
        """
        start = len(self._tokens)
        end = min(chunk_end(start, stop, self._chunk), start + limit)
        return Feed(self.slot, start, transcript[start:end], logits and end == len(transcript))

    def fed(self, tokens: abc.Sequence[int], row: int | None) -> None:
        """Notes that a decode call appended `tokens`; `row`: where it left the logits of the last."""
        for token in tokens if self._taken_back else ():
            if not self._taken_back or self._taken_back[0] != token:
                self._taken_back.clear()
                break
            self._taken_back.pop(0)
            self.decoded_twice += 1
        if tokens:
            self._calls.append(len(self._tokens))
        self._tokens += tokens
        self._logits = None if row is None else (self._context.calls, row)

    def extend(self, tokens: abc.Sequence[int]) -> int:
        """Appends tokens. Returns how many: all of them, unless the context's `abort` came. Raises `PoolFull`."""
        transcript = [*self._tokens, *tokens]
        before = len(self._tokens)
        while len(self._tokens) < len(transcript):
            if not decode([self], [self.feed(transcript, len(transcript), self._chunk)])[0]:
                break
        return len(self._tokens) - before

    def truncate(self, length: int) -> None:
        """Drops the tokens from `length` on; nothing happens where there are none."""
        if length >= len(self._tokens):
            return
        if length < 0 or not self._context.remove(self.slot, length):
            length = 0
        taken_back = self._tokens[length:] + self._taken_back
        if length == 0:
            self.release()  # dropping all never fails; what should have stayed is decoded again when it is needed
        self._taken_back = taken_back
        del self._tokens[length:]
        del self._calls[bisect.bisect_left(self._calls, length) :]
        self._logits = None

    def forget(self, forgotten: Forgotten) -> None:
        """Drops the tokens that are forgotten, and moves the rest to the left without decoding it anew.

        What stays has attended to what left, so it differs from a fresh decode of the shorter list (measured on the
        real shape: 4.7 % in the logits). Calls that went beyond `forgotten.length` were only prepared, and are taken
        back whole: whether they were made already must not matter. Where the model cannot shift, all behind the gap is
        dropped.
        """
        if len(self._tokens) > forgotten.length:
            self.truncate(self._calls[bisect.bisect_right(self._calls, forgotten.length) - 1])
        start, stop = forgotten.start, min(forgotten.stop, len(self._tokens))
        if start >= stop:
            return
        if stop == len(self._tokens) or not self._context.can_shift:
            self.truncate(start)
        elif self._context.remove(self.slot, start, stop):
            self._context.shift(self.slot, stop, start - stop)
            del self._tokens[start:stop]
            self._calls = [0, *(call - (stop - start) for call in self._calls if call >= stop)]
            self._taken_back.clear()  # those stood behind other tokens
            self._logits = None
        else:
            self.release()

    def save(self) -> SavedSequence:
        """A copy of this sequence as it is, for `restore` on any sequence of the same context."""
        if self._context.shift_pending and self._tokens:
            # The pending rotation is done by a decode call, and what that fed is taken back: the last token, decoded
            # again where it stands, would have attended to less than it did.
            tokens = self.tokens
            self.extend(tokens[-1:])
            self.truncate(len(tokens))
            self._taken_back.clear()
            if self._context.shift_pending or len(self._tokens) < len(tokens):
                raise EngineError("the sequence was not saved: the decode call before it was aborted")
        return SavedSequence(self.tokens, self._context.save(self.slot), tuple(self._calls))

    def restore(self, saved: SavedSequence) -> None:
        """Holds what `saved` held. Raises `PoolFull` where that does not fit; the sequence is empty then."""
        self.release()
        if saved.tokens and not self._context.restore(self.slot, saved.state):
            self.release()
            raise PoolFull(f"no room for a saved sequence of {len(saved.tokens)} tokens")
        self._tokens = list(saved.tokens)
        self._calls = list(saved.calls)

    def release(self) -> None:
        """Gives all cells back."""
        self._context.remove(self.slot, 0)
        self._tokens.clear()
        self._calls.clear()
        self._taken_back.clear()
        self._logits = None


def decode(sequences: abc.Sequence[Sequence], feeds: abc.Sequence[Feed]) -> list[bool]:
    """One decode call that feeds all sequences, each its own; for each, whether all of its tokens were decoded.

    They were not where the context's `abort` came. Raises `PoolFull` having changed nothing; after any other
    `EngineError` the sequences are empty, since nothing is certain of their cells.
    """
    context = sequences[0]._context
    try:
        kept = context.decode(feeds)
    except PoolFull:
        raise
    except EngineError:
        for sequence in sequences:
            sequence.release()
        raise
    for row, (sequence, feed, count) in enumerate(zip(sequences, feeds, kept, strict=True)):
        whole = count == len(feed.tokens)
        sequence.fed(feed.tokens if whole else feed.tokens[:count], row if whole and feed.logits else None)
    return [count == len(feed.tokens) for feed, count in zip(feeds, kept, strict=True)]
