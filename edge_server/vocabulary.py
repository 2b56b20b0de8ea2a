"""Tokens that are taken whole: cuts a text at them, from left to right, the longest first. Pure; knows no model.

llama.cpp does this too, but copies the whole text for every match: 64 KiB of newlines (such a token in MiniCPM)
would take minutes. And where two overlap it takes the longer one first wherever it stands; SentencePiece, so the
reference, takes the leftmost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping


class WholeTokens:
    """A set of texts that are one token each."""

    def __init__(self, tokens: Mapping[str, int]) -> None:
        self._tokens = {text: token for text, token in tokens.items() if text}
        longest_first = sorted(self._tokens, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def cut(self, text: str) -> Iterator[str | int]:
        """The tokens found in ``text``, and the stretches of text between them, in order; no stretch is empty."""
        end = 0
        for match in self._pattern.finditer(text):
            if match.start() > end:
                yield text[end : match.start()]
            yield self._tokens[match[0]]
            end = match.end()
        if end < len(text):
            yield text[end:]


def tokenize_whole_first(text: str, wholes: tuple[WholeTokens, ...], tokenize: Callable[[str], list[int]]) -> list[int]:
    """The tokens of ``text``: it is cut at each of ``wholes`` in turn, and what is left goes to ``tokenize``."""
    if not wholes:
        return tokenize(text)
    tokens: list[int] = []
    for part in wholes[0].cut(text):
        tokens += [part] if isinstance(part, int) else tokenize_whole_first(part, wholes[1:], tokenize)
    return tokens
