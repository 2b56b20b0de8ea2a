"""tokenizer.model is read as SentencePiece means it; settings that llama.cpp cannot follow are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor

from convert.errors import InputError
from convert.sentencepiece_model import Piece, PieceType, read_model, with_space_prefix
from tests.convert.models import PIECES, sentencepiece_model


def read(folder: Path, data: bytes) -> list[Piece]:
    path = folder / "tokenizer.model"
    path.write_bytes(data)
    return read_model(path).pieces


def test_pieces_types_and_scores_are_those_that_sentencepiece_sees(tmp_path: Path) -> None:
    pieces = read(tmp_path, sentencepiece_model())
    processor = SentencePieceProcessor(model_file=str(tmp_path / "tokenizer.model"))
    assert [piece.text for piece in pieces] == [processor.id_to_piece(number) for number in range(len(PIECES))]
    assert [piece.score for piece in pieces] == [processor.get_score(number) for number in range(len(PIECES))]
    assert [(piece.text, int(piece.kind)) for piece in pieces] == PIECES
    for number, piece in enumerate(pieces):
        assert (piece.kind is PieceType.CONTROL) == processor.is_control(number)
        assert (piece.kind is PieceType.BYTE) == processor.is_byte(number)
        assert (piece.kind is PieceType.UNKNOWN) == processor.is_unknown(number)


@pytest.mark.parametrize("prefix", [0, 1])
def test_the_space_prefix_is_the_normalisers_and_can_be_replaced(tmp_path: Path, prefix: int) -> None:
    path = tmp_path / "tokenizer.model"
    path.write_bytes(sentencepiece_model(prefix=prefix))
    assert read_model(path).adds_space_prefix is bool(prefix)
    path.write_bytes(with_space_prefix(path.read_bytes(), not prefix))
    assert read_model(path).adds_space_prefix is not bool(prefix)
    first = SentencePieceProcessor(model_file=str(path)).encode("the", out_type=str)
    assert first == (["th", "e"] if prefix else ["▁the"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": 1}, "model_type is unigram"),
        ({"model_type": 9}, "model_type is 9"),
        ({"byte_fallback": 0}, "byte_fallback is false"),
        ({"whitespace_suffix": 1}, "treat_whitespace_as_suffix is true"),
        ({"strip": 1}, "remove_extra_whitespaces is true"),
        ({"escape": 0}, "escape_whitespaces is false"),
    ],
)
def test_settings_that_llama_cpp_cannot_follow_are_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, sentencepiece_model(**changes))


def test_a_normalisation_table_is_refused(tmp_path: Path) -> None:
    table = bytes([3 << 3 | 2, 4, 2 << 3 | 2, 2, 1, 1])  # normalizer_spec { precompiled_charsmap: "\1\1" }
    with pytest.raises(InputError, match=r"precompiled_charsmap is present \(identity\)"):
        read(tmp_path, sentencepiece_model() + table)


@pytest.mark.parametrize("data", [b"", b"<html>Not found</html>", b"\xff" * 20, sentencepiece_model()[:-3]])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError, match="SentencePiece model"):
        read(tmp_path, data)


@settings(max_examples=15, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.model"
    path.write_bytes(data)
    with pytest.raises(InputError):
        read_model(path)
