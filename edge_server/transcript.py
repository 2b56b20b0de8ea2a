"""The transcript: the list of tokens that a conversation consists of, and where its slice pairs lie in it.

It is the truth of which the KV cache is a cache. Taking something back is shortening the list. Knows no text, no model.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from edge_server.tokens import Forgotten, common_prefix

CUT_PAIRS = 17  # as many as can be opened before one is answered: 16 texts that wait, and the one they interrupted


@dataclass
class Pair:
    """One slice pair: where it starts, where its reply starts, and how many tokens of the reply are words.

    The words are the reply's first tokens; ``delivered`` of them went out, the rest wait. ``turn``: a number that all
    pairs of a text of the user, and of the reply to it, have in common.
    """

    start: int
    reply: int
    silent_user: bool
    turn: int = 0
    words: int = 0
    delivered: int = 0


@dataclass(frozen=True)
class Written:
    """A pair with its tokens: the user's half, the reply with its ``</s>``. Where it starts is of no meaning."""

    user: list[int]
    reply: list[int]
    pair: Pair


class Transcript:
    """What begins it, and whole slice pairs; at most ``room`` tokens before a reply is made. Lengths are in tokens."""

    def __init__(self, bos: int, room: int, forget_at_least: int | None) -> None:
        """``forget_at_least``: how much a full transcript forgets at a time; None: it does not forget."""
        self.tokens: list[int] = [bos]
        self.pairs: list[Pair] = []
        self._head = 1  # tokens that are never forgotten
        self.room = room
        self._forget_at_least = forget_at_least
        self._forgotten: list[Forgotten] = []

    @property
    def last(self) -> Pair:
        """The newest pair; there must be one."""
        return self.pairs[-1]

    def delivered(self, pair: Pair) -> list[int]:
        """The words of a pair that went out."""
        return self.tokens[pair.reply : pair.reply + pair.delivered]

    def fits(self, tokens: int) -> bool:
        """Whether so many more tokens have room."""
        return len(self.tokens) + tokens <= self.room

    def append(self, user: list[int], *, silent: bool, turn: int) -> bool:
        """Open a pair with the user's half, forgetting the oldest pairs if need be; False, and no change: no room."""
        if not self.make_room(len(user)):
            return False
        start = len(self.tokens)
        self.tokens += user
        self.pairs.append(Pair(start, len(self.tokens), silent, turn))
        return True

    def extend(self, reply: Iterable[int]) -> None:
        """Go on with the newest pair's reply."""
        self.tokens += reply

    def cut_reply(self, keep: int) -> None:
        """Keep the first ``keep`` tokens of the newest pair's reply, which are words that were delivered."""
        self.last.words = self.last.delivered = keep
        del self.tokens[self.last.reply + keep :]

    def drop_last(self) -> None:
        """Take the newest pair out."""
        del self.tokens[self.pairs.pop().start :]

    def make_room(self, tokens: int, *, keep: int = 0) -> bool:
        """Forget the oldest pairs, if need be, until ``tokens`` more fit; False, and no change: they never do.

        The ``keep`` newest pairs are not forgotten.
        """
        excess = len(self.tokens) + tokens - self.room
        if excess <= 0:
            return True
        ends = [*(pair.start for pair in self.pairs[1:]), len(self.tokens)][: len(self.pairs) - keep]
        if self._forget_at_least is None or not ends or ends[-1] - self._head < excess:
            return False
        wanted = max(excess, self._forget_at_least)
        self._forget(next((end for end in ends if end - self._head >= wanted), ends[-1]))
        return True

    def _forget(self, stop: int) -> None:
        self._forgotten.append(Forgotten(self._head, stop, len(self.tokens)))
        del self.tokens[self._head : stop]
        self.pairs = [pair for pair in self.pairs if pair.start >= stop]
        for pair in self.pairs:
            pair.start -= stop - self._head
            pair.reply -= stop - self._head

    def written(self, pair: Pair) -> Written:
        """A pair with its tokens."""
        following = next((other.start for other in self.pairs if other.start > pair.start), len(self.tokens))
        return Written(self.tokens[pair.start : pair.reply], self.tokens[pair.reply : following], replace(pair))

    def rewrite(self, head: list[int], pairs: list[Written]) -> None:
        """Consist of ``head``, which must fit and is never forgotten, and of the newest of ``pairs`` that fit too.

        What is no longer than the present list always fits.
        """
        room, first = max(self.room, len(self.tokens)) - len(head), len(pairs)
        while first and len(pairs[first - 1].user) + len(pairs[first - 1].reply) <= room:
            first -= 1
            room -= len(pairs[first].user) + len(pairs[first].reply)
        self.tokens, self.pairs, self._head = list(head), [], len(head)
        for written in pairs[first:]:
            start = len(self.tokens)
            self.tokens += written.user + written.reply
            self.pairs.append(replace(written.pair, start=start, reply=start + len(written.user)))

    def marker_ends(self, marker: list[int], further: list[int]) -> tuple[int, ...]:
        """Where the user markers of the newest pairs end, and of one that begins with ``further``, if there is one.

        Each may have been prepared before what follows it was known. A text in which the marker's end merges with the
        words is cut before it: there a prepared token is taken back.
        """
        tokens = [*self.tokens, *further]
        starts = [*(pair.start for pair in self.pairs[-CUT_PAIRS:]), *([len(self.tokens)] if further else [])]
        return tuple(
            start + common_prefix(tokens[start : start + len(marker)], marker) for start in starts[-CUT_PAIRS:]
        )

    def take_forgotten(self) -> tuple[Forgotten, ...]:
        """What was forgotten since this was last asked, each in the positions of its own moment."""
        forgotten, self._forgotten = tuple(self._forgotten), []
        return forgotten
