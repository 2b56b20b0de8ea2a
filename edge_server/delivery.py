"""What the assistant says: which tokens of the transcript went out as text, what waits, and what is taken back.

Knows the transcript and the pieces of its tokens; decides nothing about slices. No I/O.
"""

from __future__ import annotations

from typing import Protocol

from edge_server.transcript import Pair, Transcript
from edge_server.wording import count_heard, count_held, count_incomplete, incomplete_tail

LONGEST_CHARACTER = 4  # bytes, and so pieces, and so pairs


class Pieces(Protocol):
    """What tokens are made of; `settings.Vocabulary` has more."""

    @property
    def eos(self) -> int: ...

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """The bytes that a token stands for; a control token stands for nothing unless ``special``."""


class Delivery:
    """The words of one conversation."""

    def __init__(self, pieces: Pieces, transcript: Transcript, silence: list[int]) -> None:
        """``silence``: the tokens of a slice without words, but for its ``</s>``."""
        self._vocabulary = pieces
        self._transcript = transcript
        self._silence = silence
        self._held: list[bytes] = []  # what waits for the rest of its word; the tokens may have slid away

    @property
    def waits(self) -> bool:
        """Whether something waits."""
        return bool(self._held)

    def text(self, tokens: list[int]) -> str:
        """What tokens read."""
        return b"".join(self._pieces(tokens)).decode("utf-8", "ignore")

    def reply(self, words: list[int]) -> str:
        """What the words of a slice read, with the character that waits for its end in them."""
        waits = b"".join(self._held)
        begun = waits[len(waits) - incomplete_tail(waits) :]
        return b"".join([begun, *self._pieces(words)]).decode("utf-8", "ignore")

    def say(self, words: list[int], following: int | None = None, *, more: bool) -> str:
        """The text of what waited and of these words of the newest pair, but for what has to wait in turn.

        ``following``: the likeliest next token; without one, only characters wait. ``more``: whether the model has more
        to say; else nothing waits.
        """
        new = self._pieces(words)
        pieces = [*self._held, *new]
        held = 0
        if more:
            after = None if following is None else self._vocabulary.piece(following)
            held = count_held(b"".join(self._held), new, after)
            held += count_incomplete(pieces[: len(pieces) - held])
        end = len(pieces) - held
        self._held = pieces[end:]
        if words:
            self._transcript.last.words += len(words)
        for pair in reversed(self._transcript.pairs[-LONGEST_CHARACTER:]):  # what waits may have begun in any of them
            pair.delivered = max(0, pair.words - held)
            held -= pair.words - pair.delivered
        return b"".join(pieces[:end]).decode("utf-8", "ignore")

    def close(self) -> None:
        """End the newest pair."""
        if self._transcript.tokens[-1] != self._vocabulary.eos:
            self._transcript.extend([self._vocabulary.eos])

    def cut(self, keep: int) -> None:
        """Keep the first ``keep`` delivered words of the newest pair and close it; with none it is a silent reply."""
        if keep == 0 and self._transcript.last.silent_user:
            self._transcript.drop_last()
            return
        self._transcript.cut_reply(keep)
        self._transcript.extend([] if keep else self._silence)
        self.close()

    def take_back(self, unheard: int) -> None:
        """Remove what waits, and the last ``unheard`` characters that went out, from the newest turn's reply."""
        self._held = []
        pairs = self._transcript.pairs
        while pairs and pairs[-1].delivered < pairs[-1].words:
            self.cut(pairs[-1].delivered)
        if not unheard:
            return
        reply: list[Pair] = [pair for pair in pairs if pair.turn == pairs[-1].turn]
        words = [token for pair in reply for token in self._transcript.delivered(pair)]
        gone = len(words) - self.heard(words, unheard)
        for pair in reversed(reply):
            if gone <= 0:
                break
            keep = max(0, pair.delivered - gone)
            gone -= pair.delivered
            self.cut(keep)

    def heard(self, words: list[int], unheard: int) -> int:
        """How many of some words stay if the last ``unheard`` characters of them go."""
        return count_heard(self._pieces(words), unheard)

    def _pieces(self, tokens: list[int]) -> list[bytes]:
        return [self._vocabulary.piece(token) for token in tokens]
