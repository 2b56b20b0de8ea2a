"""Texts are cut at tokens that are taken whole, as SentencePiece does it, in a time that grows with the text alone."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_server.vocabulary import WholeTokens, tokenize_whole_first

REAL = Path(__file__).resolve().parents[3] / "shared" / "minicpm-duplex"
WHOLE = WholeTokens({"\n": 1, "<td>": 2, "---": 3, "-->": 4, "--": 5})


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("plain", ["plain"]),
        ("\n\n", [1, 1]),
        ("a\nb<td>", ["a", 1, "b", 2]),
        ("---", [3]),
        ("----", [3, "-"]),
        ("---->", [3, "->"]),  # the leftmost, not the one that a sort puts first
        ("--x-->", [5, "x", 4]),
        ("<td", ["<td"]),
    ],
)
def test_the_leftmost_token_is_taken_and_of_those_the_longest(text: str, parts: list[str | int]) -> None:
    assert list(WHOLE.cut(text)) == parts


def test_without_such_tokens_a_text_stays_one() -> None:
    assert list(WholeTokens({}).cut("a\nb")) == ["a\nb"]
    assert list(WholeTokens({"": 7}).cut("ab")) == ["ab"]


@given(st.text(alphabet="ab\n<td>-"))
def test_nothing_is_lost(text: str) -> None:
    names = {1: "\n", 2: "<td>", 3: "---", 4: "-->", 5: "--"}
    assert "".join(part if isinstance(part, str) else names[part] for part in WHOLE.cut(text)) == text


def test_what_is_found_first_is_not_looked_into_again() -> None:
    special = WholeTokens({"<\n>": 9})
    assert tokenize_whole_first("a<\n>\n", (special, WHOLE), lambda text: [100 + ord(char) for char in text]) == [
        100 + ord("a"),
        9,
        1,
    ]


@pytest.fixture(scope="module")
def real_vocabulary_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model with MiniCPM-duplex's own tokenizer."""
    from convert.conversion import Options, convert
    from convert.progress import Progress
    from tests.convert.models import config, write_folder

    if not REAL.is_dir():
        pytest.skip(f"MiniCPM-duplex's tokenizer is not at {REAL}")
    folder = tmp_path_factory.mktemp("real")
    model = write_folder(folder / "model", settings=config(vocab_size=122760), dtype="bf16")
    for name in ("tokenizer.model", "tokenizer_config.json", "added_tokens.json"):
        (model / name).write_bytes((REAL / name).read_bytes())
    with (folder / "progress").open("w") as progress:
        convert(Options(str(model), "bf16", folder / "model.gguf"), Progress(progress))
    return folder / "model.gguf"


@pytest.mark.real
def test_the_servers_tokens_are_sentencepieces_own(real_vocabulary_gguf: Path) -> None:
    from sentencepiece import SentencePieceProcessor

    from convert.sentencepiece_model import PieceType, read_model
    from edge_server.llama import Model

    reference = SentencePieceProcessor(model_file=str(REAL / "tokenizer.model"))
    pieces = read_model(REAL / "tokenizer.model").pieces
    defined = [piece.text for piece in pieces if piece.kind is PieceType.USER_DEFINED]
    assert len(defined) == 1086
    chance = random.Random(3)
    words = ["the", " capital", " of", "France", ",", "你好", " ", "<", "-", ">", "🙂", "<用户>", "<AI>", "x=1"]
    with Model.load(real_vocabulary_gguf, vocabulary_only=True) as model:
        for _ in range(600):
            text = "".join(chance.choices([*defined, *words], k=chance.randint(1, 8)))
            assert model.tokenize(text, parse_special=False) == reference.encode(text), repr(text)
        assert model.tokenize("<用户><idle><AI>", parse_special=True) == [
            95396,
            4194,
            95388,
            122753,
            95396,
            10850,
            95388,
        ]
        assert 122753 not in model.tokenize("<用户><idle><AI>", parse_special=False)
        # The largest frame, of what llama.cpp alone would take minutes for.
        for piece in ("\n", "\ta\n", "<td>x</td>"):
            text = piece * (65536 // len(piece))
            assert model.tokenize(text, parse_special=False) == reference.encode(text)
