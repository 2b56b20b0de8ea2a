"""Small facts about text that sessions need: where a word or a character ends, what counts as silence, what is forged.

Pure functions on strings and bytes; knows no tokens and no model.
"""

from __future__ import annotations

import re
import unicodedata

# Upstream's list of replies that mean "nothing said", compared after these characters are stripped from both ends.
SILENCE_PADDING = " .\n,"
SILENT_REPLIES = frozenset({"<idle>", "<idle></s>", "</s>", "idle", "idle</s>"})

# Scripts written without spaces: every character is a word of its own, so speech may be cut anywhere.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # CJK radicals
    (0x3005, 0x3007),
    (0x3040, 0x312F),  # kana, bopomofo
    (0x31A0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


def continues_word(before: str, after: str) -> bool:
    """Whether ``after`` goes on with the word that ``before`` ends in.

    Spaces, punctuation and every character of an unspaced script end a word; an apostrophe does not.
    """
    return bool(before) and bool(after) and _in_word(before[-1]) and _in_word(after[0])


def _in_word(char: str) -> bool:
    if char in "'’":
        return True
    if any(low <= ord(char) <= high for low, high in _UNSPACED):
        return False
    return unicodedata.category(char)[0] in "LMN"


def incomplete_tail(data: bytes) -> int:
    """How many bytes at the end of ``data`` begin a UTF-8 character that is not complete yet (0 to 3)."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        needed = 2 if byte >> 5 == 0b110 else 3 if byte >> 4 == 0b1110 else 4 if byte >> 3 == 0b11110 else 1
        return back if needed > back else 0
    return 0


def count_incomplete(pieces: list[bytes]) -> int:
    """How many of the last pieces have to wait for the rest of their character."""
    incomplete = incomplete_tail(b"".join(pieces))
    held = 0
    while held < len(pieces) and len(b"".join(pieces[len(pieces) - held :])) < incomplete:
        held += 1
    return held


def count_held(waited: bytes, pieces: list[bytes], following: bytes | None) -> int:
    """How many of a slice's last pieces have to wait for the rest of their character, or of their word.

    ``waited`` is what the slice before held back; it goes out now, and a word that it began does not wait again.
    ``following`` is the likeliest next piece; None where no word can go on.
    """
    held = min(len(pieces), count_incomplete([waited, *pieces]))
    if following is None:
        return held
    characters = held
    after = _text([*pieces[len(pieces) - held :], following])
    while held < len(pieces) and continues_word(_text(pieces[: len(pieces) - held]), after):
        held += 1
        held += count_incomplete(pieces[: len(pieces) - held])
        after = _text(pieces[len(pieces) - held :])
    return characters if held == len(pieces) and continues_word(_text([waited]), after) else held


def count_heard(pieces: list[bytes], unheard: int) -> int:
    """How many pieces stay if the last ``unheard`` characters of them go.

    Of a piece, or a character, whose end was not heard nothing stays; nor does anything without a word in it.
    """
    if unheard <= 0:
        return len(pieces)
    keep, heard = len(pieces), len(_text(pieces)) - unheard
    while keep and (len(_text(pieces[:keep])) > heard or incomplete_tail(b"".join(pieces[:keep]))):
        keep -= 1
    return keep if _text(pieces[:keep]).strip() else 0


def count_words(text: str, last: int) -> int:
    """How many characters the ``last`` words of a text have, with the spaces before each."""
    ends = [0, *(match.end() for match in re.finditer(r"\S+", text))]
    return len(text) - ends[max(0, len(ends) - 1 - last)] if last > 0 else 0


def _text(pieces: list[bytes]) -> str:
    return b"".join(pieces).decode("utf-8", "ignore")


def says_nothing(text: str) -> bool:
    """Whether a reply (control tokens not in it) is silent. Unlike upstream, a lone full stop is something said."""
    return text.strip() in {"", "idle"}


def may_be_silence(text: str) -> bool:
    """Whether a reply that begins like this may still turn out to say nothing."""
    return "idle".startswith(text.strip())


def defuse(text: str, markers: tuple[str, ...]) -> str:
    """User text in which no marker stands: one that does gets a space after its first character."""
    for marker in markers:
        text = text.replace(marker, f"{marker[:1]} {marker[1:]}")
    return text
