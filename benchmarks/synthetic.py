"""A made-up vocabulary of any size, for a model file whose weights are random anyway. Knows no weights and no server.

Like MiniCPM-duplex's it is SentencePiece-like with byte fallback, puts no space before a text, has the two markers'
pieces (three tokens a marker) and `<idle>`, `<s0>`…`<s5>` at the end. Everyday English takes a token a word; the rest
are made-up words of syllables.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from convert.sentencepiece_model import Piece, PieceType
from convert.vocabulary import MINICPM_MARKERS, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE = "▁"
_ADDED = ("<idle>", *(f"<s{number}>" for number in range(6)))
_COMMON = (
    "the of and to in is you that it he was for on are as with his they at be this have from or one had by word "
    "but not what all were we when your can said there use an each which she do how their if will up other about "
    "out many then them these so some her would make like him into time has look two more write go see number no "
    "way could people my than first water been call who oil its now find long down day did get come made may part "
    "over new sound take only little work know place year live me back give most very after thing our just name "
    "good sentence man think say great where help through much before line right too mean old any same tell boy "
    "follow came want show also around form three small set put end does another well large must big even such "
    "because turn here why ask went men read need land different home us move try kind hand picture again change "
    "off play spell air away animal house point page letter mother answer found study still learn should world "
    "capital story river"
)
_CONSONANTS, _VOWELS = "bdfghjklmnprstvwyz", "aeiou"


def words() -> list[str]:
    """The English words that are a token each."""
    return _COMMON.split()


def synthetic_vocabulary(size: int) -> Vocabulary:
    """Exactly `size` tokens. Raises ValueError where the indispensable ones alone are more."""
    fixed = [Piece("<unk>", 0.0, PieceType.UNKNOWN), *(Piece(text, 0.0, PieceType.CONTROL) for text in ("<s>", "</s>"))]
    fixed += [Piece(f"<0x{byte:02X}>", 0.0, PieceType.BYTE) for byte in range(256)]
    single = [_SPACE, *(chr(code) for code in range(0x21, 0x7F)), *"用户，。"]
    # Byte-pair merges need every prefix of a word to be a piece.
    prefixes = sorted(
        {text[:end] for word in words() for text in (word, _SPACE + word) for end in range(1, len(text) + 1)}
    )
    needed = list(dict.fromkeys([*single, "用户", "AI", *prefixes]))
    room = size - len(fixed) - len(needed) - len(_ADDED)
    if room < 0:
        raise ValueError(f"a vocabulary of {size:,} is too small: give at least {size - room:,} tokens")
    taken = set(needed)
    texts = [*needed, *itertools.islice((word for word in _made_up() if word not in taken), room)]
    pieces = [*fixed, *(Piece(text, float(len(text)), PieceType.NORMAL) for text in texts)]
    added = {text: len(pieces) + number for number, text in enumerate(_ADDED)}
    pieces += [Piece(text, -1000.0, PieceType.CONTROL) for text in _ADDED]
    user, assistant = MINICPM_MARKERS
    return Vocabulary(
        pieces=pieces,
        added=added,
        bos_id=1,
        eos_id=2,
        unknown_id=0,
        adds_bos=True,
        adds_eos=False,
        adds_space_prefix=False,
        chat_template=None,
        user_marker=user,
        assistant_marker=assistant,
    )


def _made_up() -> Iterator[str]:
    syllables = [consonant + vowel for consonant in _CONSONANTS for vowel in _VOWELS]
    for count in itertools.count(2):
        for chosen in itertools.product(syllables, repeat=count):
            yield _SPACE + "".join(chosen)
