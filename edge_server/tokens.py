"""Lists of tokens: what they share, and what leaves their front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Forgotten(NamedTuple):
    """Tokens [start, stop) that leave a list of `length` tokens, whose rest moves up."""

    start: int
    stop: int
    length: int


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """How many tokens two lists share from the start."""
    for index, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return index
    return min(len(left), len(right))
