"""The made-up vocabulary."""

from __future__ import annotations

import pytest

from benchmarks.synthetic import synthetic_vocabulary, words
from convert.sentencepiece_model import PieceType


@pytest.mark.parametrize("size", [2000, 20_000])
def test_it_has_as_many_tokens_as_asked_for_and_none_twice(size: int) -> None:
    vocabulary = synthetic_vocabulary(size)
    texts = [piece.text for piece in vocabulary.pieces]
    assert len(texts) == len(set(texts)) == size
    assert [texts[token] for token in (vocabulary.unknown_id, vocabulary.bos_id, vocabulary.eos_id)] == [
        "<unk>", "<s>", "</s>",
    ]  # fmt: skip
    assert vocabulary.idle_id == size - 7  # as in MiniCPM-duplex: <s0>...<s5> follow
    assert texts[vocabulary.idle_id] == "<idle>"
    assert sum(piece.kind is PieceType.BYTE for piece in vocabulary.pieces) == 256


def test_every_word_can_be_merged_from_its_characters() -> None:
    texts = {piece.text for piece in synthetic_vocabulary(2000).pieces}
    for word in words():
        for text in (word, "▁" + word):
            assert all(text[:end] in texts and text[end - 1] in texts for end in range(1, len(text) + 1))


def test_a_vocabulary_too_small_for_the_indispensable_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a vocabulary of 300 is too small: give at least [\d,]+ tokens"):
        synthetic_vocabulary(300)
