"""Reads `tokenizer.model`. Knows the few fields of SentencePiece's protobuf message that decide how text is cut; does
not know Hugging Face's additions.

The `sentencepiece` package tokenises but does not say what a piece's type or the normaliser's settings are, and its
message classes need a protobuf runtime that it does not bring. Field numbers: sentencepiece_model.proto in
https://github.com/google/sentencepiece.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from convert.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PIECES, _TRAINER, _NORMALIZER = 1, 2, 3
_BPE = 2
_ALGORITHMS = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}


class PieceType(IntEnum):
    """SentencePiece's types of pieces; GGUF's token types have the same numbers."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass(frozen=True)
class Piece:
    """One piece: `score` decides which merge comes first (higher is earlier)."""

    text: str
    score: float
    kind: PieceType


@dataclass(frozen=True)
class SentencePieceModel:
    """The pieces in the order of their ids, and whether the model puts a space before a text."""

    pieces: list[Piece]
    adds_space_prefix: bool


def read_model(path: Path) -> SentencePieceModel:
    """Reads and checks `tokenizer.model`.

    Raises `InputError` for a damaged file, and, naming the setting and its value, for a model that llama.cpp's
    tokenizer could not reproduce.
    """
    pieces: list[Piece] = []
    trainer: dict[int, int | bytes] = {}
    normalizer: dict[int, int | bytes] = {}
    try:
        for number, value in _fields(path.read_bytes()):
            if number == _PIECES:
                pieces.append(_piece(_message(value)))
            elif number == _TRAINER:
                trainer.update(_fields(_message(value)))
            elif number == _NORMALIZER:
                normalizer.update(_fields(_message(value)))
    except (ValueError, IndexError, struct.error) as error:
        raise InputError(f"{path}: not a SentencePiece model, or damaged ({error}); download it again") from error
    if not pieces:
        raise InputError(f"{path}: not a SentencePiece model (it has no pieces); download it again")

    # The numbers after `get` are the fields' defaults in the message definition.
    algorithm = _number(trainer.get(3, 1))
    refused = {
        "model_type": (algorithm != _BPE, _ALGORITHMS.get(algorithm, str(algorithm))),
        "byte_fallback": (not trainer.get(35, 0), "false"),
        "treat_whitespace_as_suffix": (trainer.get(24, 0), "true"),
        "precompiled_charsmap": (normalizer.get(2, b""), f"present ({_text(normalizer.get(1, b''))})"),
        "remove_extra_whitespaces": (normalizer.get(4, 1), "true"),
        "escape_whitespaces": (not normalizer.get(5, 1), "false"),
    }
    for name, (unsupported, shown) in refused.items():
        if unsupported:
            raise InputError(f"{path}: {name} is {shown}, which llama.cpp's SentencePiece tokenizer cannot do")
    return SentencePieceModel(pieces, adds_space_prefix=bool(normalizer.get(3, 1)))


def with_space_prefix(data: bytes, adds_space_prefix: bool) -> bytes:
    """A serialised model with the given `add_dummy_prefix`: protobuf merges what is appended into what is there."""
    setting = bytes([3 << 3, adds_space_prefix])
    return data + bytes([_NORMALIZER << 3 | 2, len(setting)]) + setting


def _piece(data: bytes) -> Piece:
    content = dict(_fields(data))
    score = content.get(2, b"\0\0\0\0")
    if not isinstance(score, bytes):
        raise ValueError("a piece's score is no number")
    return Piece(_text(content.get(1, b"")), struct.unpack("<f", score)[0], PieceType(_number(content.get(3, 1))))


def _message(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("a number where a message belongs")
    return value


def _number(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise ValueError("bytes where a number belongs")
    return value


def _text(value: int | bytes) -> str:
    return _message(value).decode("utf-8")


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Protobuf's wire format: number and value of each field; a varint as int, everything else as its bytes."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        wire = key & 7
        if wire == 0:
            number, position = _varint(data, position)
            yield key >> 3, number
            continue
        if wire == 2:
            size, position = _varint(data, position)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if position + size > len(data):
            raise ValueError("it ends in the middle of a field")
        yield key >> 3, data[position : position + size]
        position += size


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 127) << shift
        position += 1
        shift += 7
        if byte < 128:
            return value, position
        if shift > 63:
            raise ValueError("a number that is too long")
