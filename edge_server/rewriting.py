"""A conversation written anew: turns that stay, shortened or not, and turns that were never held here, as slice pairs.

Pure: token lists in, token lists out. What is kept keeps its tokens, so the KV cache still holds what leads up to the
first change.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from edge_server.delivery import Delivery
from edge_server.events import Kept, Told
from edge_server.settings import Vocabulary
from edge_server.transcript import Pair, Transcript, Written
from edge_server.wording import defuse


class Rewriter:
    """Writes turns as pairs. ``silence``: the tokens of a half without words; ``cap``: the most words in a slice.

    Where there are no tokens of silence, a reply is one slice.
    """

    def __init__(self, vocabulary: Vocabulary, markers: tuple[str, str], silence: list[int], cap: int) -> None:
        """``markers``: the user's and the assistant's."""
        self._tokenize = partial(vocabulary.tokenize, parse_special=False)
        self._markers = markers
        self._eos = vocabulary.eos
        self._silence = silence
        self._cap = cap

    def user(self, text: str) -> list[int]:
        """The user's half of a pair that has words in it."""
        user, assistant = self._markers
        return self._tokenize(user + defuse(text, self._markers) + assistant)

    def begun(self, draft: str) -> list[int]:
        """The user's half as far as it is typed."""
        return self._tokenize(self._markers[0] + defuse(draft, self._markers))

    def plain(self, text: str) -> list[int]:
        """Text that forges no marker."""
        return self._tokenize(defuse(text, self._markers)) if text else []

    @property
    def silent_user(self) -> list[int]:
        """The user's half of a silent pair."""
        user, assistant = self._markers
        return [*self._tokenize(user), *self._silence, *self._tokenize(assistant)]

    def ends_alike(self, turns: tuple[Kept | Told, ...], transcript: Transcript) -> bool:
        """Whether the last of ``turns`` is the last of the transcript, as it is; those no longer there do not count."""
        there = {pair.turn for pair in transcript.pairs}
        named = [turn for turn in turns if isinstance(turn, Told) or turn.turn in there]
        return bool(named and there) and named[-1] == Kept(transcript.last.turn)

    def newest(self, turns: tuple[Kept | Told, ...], transcript: Transcript, delivery: Delivery) -> list[Written]:
        """The pairs of the newest turns; not those in front of more than a transcript has room for."""
        room, written = max(transcript.room, len(transcript.tokens)), []
        for turn in reversed(turns):
            written.append(self.pairs(turn, transcript, delivery))
            room -= sum(len(pair.user) + len(pair.reply) for pair in written[-1])
            if room < 0:
                break  # a client may bring far more than fits, and cutting it into tokens holds up others
        return [pair for pairs in reversed(written) for pair in pairs]

    def pairs(self, turn: Kept | Told, transcript: Transcript, delivery: Delivery) -> list[Written]:
        """The pairs of a turn; one that is kept and no longer there has none."""
        return self._told(turn) if isinstance(turn, Told) else self._kept(turn, transcript, delivery)

    def _kept(self, turn: Kept, transcript: Transcript, delivery: Delivery) -> list[Written]:
        pairs = [transcript.written(pair) for pair in transcript.pairs if pair.turn == turn.turn]
        if turn.characters is not None:
            words = [token for written in pairs for token in written.reply[: written.pair.delivered]]
            left = delivery.heard(words, len(delivery.text(words)) - turn.characters)
            shorter = []
            for written in pairs:
                keep = min(left, written.pair.delivered)
                left -= keep
                whole = keep == written.pair.words
                reply = written.reply if whole else [*(written.reply[:keep] or self._silence), self._eos]
                shorter.append(replace(written, reply=reply, pair=replace(written.pair, words=keep, delivered=keep)))
            pairs = shorter
        if pairs and not turn.user:
            pairs[0] = replace(pairs[0], user=self.silent_user, pair=replace(pairs[0].pair, silent_user=True))
        return [written for written in pairs if written.pair.words or not written.pair.silent_user]

    def _told(self, turn: Told) -> list[Written]:
        if not turn.user and not turn.reply:
            return []
        words = self.plain(turn.reply)
        cap = self._cap if self._silence else max(1, len(words))
        slices = [words[start : start + cap] for start in range(0, len(words), cap)] or [[]]
        pairs = []
        for index, reply in enumerate(slices):
            silent = index > 0 or not turn.user
            user = self.silent_user if silent else self.user(turn.user)
            pair = Pair(0, 0, silent, turn.turn, len(reply), len(reply))
            pairs.append(Written(user, [*(reply or self._silence), self._eos], pair))
        return pairs
