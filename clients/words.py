"""What is typed and what is shown, as text: where words end, what fits into a slice, what a terminal may be sent.

Pure: knows no conversation, and no screen.
"""

from __future__ import annotations

import re
import unicodedata

SLICE_BYTES = 32 * 1024  # half of what the server accepts in a frame

# Scripts written without spaces: each of their characters, and the punctuation that goes with them, ends a word.
_CJK = "\u3000-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff60\U00020000-\U0003ffff"
_WHOLE_WORDS = re.compile(rf".*[\s{_CJK}]", re.DOTALL)
JOINERS = "\u200c\u200d"  # they shape Persian and join emoji; other invisible format characters are dropped


def clean(text: str) -> str:
    """`text` with nothing in it that could steer a terminal: no control or invisible format characters but newlines."""
    kept = []
    for character in text.replace("\r\n", "\n"):
        category = unicodedata.category(character)
        if character in "\n\r\u2028\u2029\x85":
            kept.append("\n")
        elif character == "\t":
            kept.append(" ")
        elif category not in ("Cc", "Cf", "Cs") or character in JOINERS:
            kept.append(character)
    return "".join(kept)


def cut_words(line: str, cursor: int) -> tuple[str, str]:
    """Divides `line` into the words that are finished and the rest; the two joined are `line`.

    A word is finished when a space follows it, or when it is a CJK character, before the `cursor` (an index into
    `line`): what is being typed at the cursor, and what follows it, stays in the rest.
    """
    match = _WHOLE_WORDS.match(line[:cursor])
    if match is None or not match[0].strip():
        return "", line
    return match[0], line[match.end() :]


def in_slices(words: str, limit: int = SLICE_BYTES) -> list[str]:
    """`words` as slices of at most `limit` UTF-8 bytes (4 or more), divided between words where there is a space."""
    slices = []
    while len(encoded := words.encode()) > limit:
        head = encoded[:limit].decode(errors="ignore")
        if (space := words.rfind(" ", 0, len(head) + 1)) > 0:
            head = words[:space]
        slices.append(head)
        words = words[len(head) :].lstrip()
    return [*slices, words] if words else slices
