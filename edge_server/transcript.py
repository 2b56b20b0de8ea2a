"""The transcript: the list of tokens that a conversation consists of, and where its slice pairs lie in it.

It is the truth of which the KV cache is a cache. Taking something back is shortening the list. Knows no text, no model.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Pair:
    """One slice pair: where it starts, where its reply starts, whether the user said anything in it."""

    start: int
    reply: int
    silent_user: bool
    delivered: list[int] = field(default_factory=list)  # the reply's tokens that went out


class Transcript:
    """``<s>`` and whole slice pairs, at most ``room`` tokens before a reply is made. Lengths are in tokens."""

    def __init__(self, bos: int, room: int, forget_at_least: int | None) -> None:
        """``forget_at_least``: how much a full transcript forgets at a time; None: it does not forget."""
        self.tokens: list[int] = [bos]
        self.pairs: list[Pair] = []
        self._room = room
        self._forget_at_least = forget_at_least
        self._forgotten: list[tuple[int, int]] = []

    @property
    def last(self) -> Pair:
        """The newest pair; there must be one."""
        return self.pairs[-1]

    def append(self, user: list[int], *, silent: bool) -> bool:
        """Open a pair with the user's half, forgetting the oldest pairs if need be; False, and no change: no room."""
        excess = len(self.tokens) + len(user) - self._room
        if excess > 0:
            if self._forget_at_least is None or 1 + len(user) > self._room:
                return False
            self._forget(max(excess, self._forget_at_least))
        start = len(self.tokens)
        self.tokens += user
        self.pairs.append(Pair(start, len(self.tokens), silent))
        return True

    def set_reply(self, tokens: list[int]) -> None:
        """Make ``tokens`` the newest pair's reply."""
        self.tokens[self.last.reply :] = tokens

    def drop_last(self) -> None:
        """Take the newest pair out."""
        del self.tokens[self.pairs.pop().start :]

    def take_forgotten(self) -> tuple[tuple[int, int], ...]:
        """The [start, stop) ranges forgotten since this was last asked, each in the positions of its own moment."""
        forgotten, self._forgotten = tuple(self._forgotten), []
        return forgotten

    def _forget(self, wanted: int) -> None:
        starts = [pair.start for pair in self.pairs[1:]] + [len(self.tokens)]
        stop = next((start for start in starts if start - 1 >= wanted), starts[-1])
        del self.tokens[1:stop]
        self.pairs = [pair for pair in self.pairs if pair.start >= stop]
        for pair in self.pairs:
            pair.start -= stop - 1
            pair.reply -= stop - 1
        self._forgotten.append((1, stop))
