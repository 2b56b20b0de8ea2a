"""How messages and user slices are written in tokens, and what the shipped tokenizer is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st
from pieces import PIECES
from slices import HERE, SHORTEST_OPEN_SLICE, SLICE_TOKENS, DuplexTokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping


TOKENIZER = DuplexTokenizer()


@pytest.fixture
def tokenizer() -> DuplexTokenizer:
    return TOKENIZER


@pytest.fixture(scope="module")
def pieces() -> sentencepiece.SentencePieceProcessor:
    return sentencepiece.SentencePieceProcessor(model_file=str(HERE / "tokenizer.model"))


def _json(name: str) -> Mapping[str, object]:
    content: dict[str, object] = json.loads((HERE / name).read_text("utf-8"))
    return content


def test_the_slices_of_a_message_are_its_tokens(tokenizer: DuplexTokenizer) -> None:
    for piece in PIECES:
        joined = tuple(token for part in tokenizer.message(piece.text) for token in part)
        assert joined == tokenizer.encode(piece.text)
        assert tokenizer.decode(joined) == piece.text


@given(text=st.text(alphabet="abcd ,.12é", min_size=1, max_size=200))
def test_only_the_last_slice_of_a_message_can_end_it(text: str) -> None:
    *open_slices, last = TOKENIZER.message(text)
    assert all(SHORTEST_OPEN_SLICE <= len(part) <= SLICE_TOKENS for part in open_slices)
    assert 1 <= len(last) <= SLICE_TOKENS


def test_a_silent_user_slice_is_the_idle_token_between_the_markers(tokenizer: DuplexTokenizer) -> None:
    said, silent = tokenizer.user_slice("hello"), tokenizer.user_slice(None)
    assert silent.count(tokenizer.idle) == 1
    assert tokenizer.idle not in said
    assert tokenizer.decode(said) == "<用户>hello<AI>"


def test_the_tokenizer_leaves_spaces_as_they_are(pieces: sentencepiece.SentencePieceProcessor) -> None:
    for text in (" a", "a", "a  b ", "a\nb", "a\tb", "7+5", "naïve 🦊 €"):
        assert pieces.decode(pieces.encode(text)) == text
    assert [pieces.id_to_piece(i) for i in range(3)] == ["<unk>", "<s>", "</s>"]


def test_numbers_are_single_pieces(pieces: sentencepiece.SentencePieceProcessor) -> None:
    for number in range(100):
        assert len(pieces.encode(str(number))) == 1
        assert len(pieces.encode(f" {number}")) == 1


def test_added_tokens_follow_the_pieces_and_the_embedding_has_a_row_for_each(
    tokenizer: DuplexTokenizer, pieces: sentencepiece.SentencePieceProcessor
) -> None:
    count = pieces.get_piece_size()
    assert 2000 <= count <= 8000
    names = ("<idle>", "<s0>", "<s1>", "<s2>", "<s3>", "<s4>", "<s5>")
    assert _json("added_tokens.json") == {name: count + i for i, name in enumerate(names)}
    assert tokenizer.idle == count
    assert _json("config.json")["vocab_size"] == tokenizer.vocab_size == count + len(names)


def test_the_checkpoint_is_a_small_minicpm() -> None:
    config = _json("config.json")
    assert config["architectures"] == ["MiniCPMForCausalLM"]
    assert config["max_position_embeddings"] == 1024
    assert config["torch_dtype"] == "bfloat16"
    for name in ("hidden_size", "intermediate_size"):
        size = config[name]
        assert isinstance(size, int)
        assert size % 256 == 0, "llama.cpp's k-quants take rows of whole blocks of 256"
    assert (HERE / "model.safetensors").stat().st_size < 16e6
