"""What a draft says: where its last whole word ends, and whether it asks for nothing. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from edge_server.wording import continues_word


def whole_words(draft: str) -> str:
    """The beginning of a draft that ends in a whole word; empty where there is none."""
    end = len(draft)
    while end and continues_word(draft[:end], "a"):
        end -= 1
    return draft[:end] if draft[:end].strip() else ""


def false_alarm(words: str, back_channels: Sequence[str]) -> str | None:
    """Why words in the middle of speech interrupt nothing: "empty", "back_channel"; None: they do.

    Compared without case and punctuation; several back-channels are one.
    """
    known = {_plain(each) for each in back_channels}
    plain = _plain(words)
    if not plain:
        return "empty"
    return "back_channel" if plain in known or all(word in known for word in plain.split()) else None


def _plain(words: str) -> str:
    return " ".join(re.findall(r"[\w'’-]+", words.casefold()))
