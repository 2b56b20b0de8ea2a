"""The duplex text format in tokens: how user and assistant slices are written, and where a message is cut.

Knows the tokenizer; knows nothing of what is said.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sentencepiece

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE: Final = Path(__file__).resolve().parent
USER_MARK: Final = "<用户>"
ASSISTANT_MARK: Final = "<AI>"
BOS: Final = 1
EOS: Final = 2
SLICE_TOKENS: Final = 10
# `</s>` among the first six tokens of a slice ends the message in the server: a slice that is not the last has more.
SHORTEST_OPEN_SLICE: Final = 7


class DuplexTokenizer:
    """`tokenizer.model` and the id of `<idle>`, which is the first id after its pieces."""

    def __init__(self, path: Path = HERE / "tokenizer.model") -> None:
        self._pieces = sentencepiece.SentencePieceProcessor(model_file=str(path))
        self.num_pieces = int(self._pieces.get_piece_size())
        self.idle = self.num_pieces
        # Six more, <s0> to <s5>, follow it; nothing here uses them.
        self.vocab_size = self.num_pieces + 7
        self._opens_word = [self._pieces.id_to_piece(i).startswith("▁") for i in range(self.num_pieces)]
        pieces = (str(self._pieces.id_to_piece(i)) for i in range(self.num_pieces))
        self.inner_pieces = tuple(p for p in pieces if 2 <= len(p) <= 4 and p.isascii() and p.isalpha() and p.islower())
        """What stands inside of words, in letters."""
        self.encode = lru_cache(maxsize=200_000)(self._encode)
        self.message = lru_cache(maxsize=20_000)(self._message)

    def _encode(self, text: str) -> tuple[int, ...]:
        return tuple(self._pieces.encode(text))

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of `tokens`; control and added tokens have none."""
        return str(self._pieces.decode([t for t in tokens if 2 < t < self.num_pieces]))

    def user_slice(self, text: str | None) -> tuple[int, ...]:
        """What stands before an assistant slice; `None` is a silent user slice."""
        if text is None:
            return (*self.encode(USER_MARK), self.idle, *self.encode(ASSISTANT_MARK))
        return self.encode(USER_MARK + text + ASSISTANT_MARK)

    def _message(self, text: str) -> tuple[tuple[int, ...], ...]:
        """The slices of a message. Their concatenation is its tokens; words are split only where they are long.

        Every slice but the last has `SHORTEST_OPEN_SLICE` to `SLICE_TOKENS` tokens.
        """
        rest = self.encode(text)
        slices = []
        while len(rest) > SLICE_TOKENS:
            ends = range(SLICE_TOKENS, SHORTEST_OPEN_SLICE - 1, -1)
            end = next((n for n in ends if self._opens_word[rest[n]]), SLICE_TOKENS)
            slices.append(rest[:end])
            rest = rest[end:]
        return (*slices, rest)
