"""A corpus is read strictly, and a conversation is laid out as the server would have it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convert.errors import InputError
from convert.quality_corpus import (
    SHIPPED,
    Conversation,
    DuplexFormat,
    Pair,
    default_corpus,
    digest,
    find_corpus,
    lay_out,
    measured_half,
    other_half,
    read_corpus,
)

BOS, EOS, IDLE = 1, 2, 3
METADATA: dict[str, Any] = {
    "general.architecture": "minicpm",
    "minicpm.context_length": 100,
    "duplex.user_marker": "U",
    "duplex.assistant_marker": "A",
    "duplex.idle_token_id": IDLE,
    "tokenizer.ggml.bos_token_id": BOS,
    "tokenizer.ggml.eos_token_id": EOS,
}
FORM = DuplexFormat.read(METADATA, "m")


def letters(text: str) -> list[int]:
    return [ord(letter) for letter in text]


def told(tokens: tuple[int, ...]) -> str:
    return "".join({BOS: "^", EOS: "$", IDLE: "_"}.get(token, chr(token)) for token in tokens)


def laid_out(*pairs: Pair, context: int = 100) -> list[tuple[str, str, str, bool]]:
    """For each run: its text, what of it is scored, what begins a slice, and whether it is kept."""
    form = DuplexFormat("U", "A", BOS, EOS, IDLE, context)
    runs, _ = lay_out(Conversation(1, pairs), form, letters)
    return [
        (
            told(run.tokens),
            told(tuple(run.tokens[index] for index in run.scored)),
            told(tuple(run.tokens[index] for index in sorted(run.first))),
            run.kept,
        )
        for run in runs
    ]


def test_pairs_follow_each_other_as_the_model_reads_them() -> None:
    assert laid_out(("a?", None), ("b", "x"), (None, " y")) == [("^Ua?A_$UbAx$U_A y$", "_x$ y$", "_x ", True)]


def test_a_pair_silent_on_both_sides_is_scored_and_leaves() -> None:
    assert laid_out(("a", "x"), (None, None), (None, None), ("b", "y")) == [
        ("^UaAx$", "x$", "x", True),
        ("U_A_$", "_", "_", False),
        ("U_A_$", "_", "_", False),
        ("UbAy$", "y$", "y", True),
    ]


def test_words_are_tokenised_with_their_markers() -> None:
    seen = []

    def tokenize(text: str) -> list[int]:
        seen.append(text)
        return letters(text)

    lay_out(Conversation(1, (("a", "x"), (None, " y"))), FORM, tokenize)
    assert seen == ["U", "A", "UaA", "x", " y"]


def test_a_conversation_is_cut_at_the_last_pair_that_fits() -> None:
    pairs: list[Pair] = [("a", "x"), (None, None), ("b", "y"), ("c", "z")]
    whole = laid_out(*pairs, context=16)
    assert "".join(text for text, _, _, kept in whole if kept) == "^UaAx$UbAy$UcAz$"
    assert [text for text, *_ in laid_out(*pairs, context=15)] == ["^UaAx$", "U_A_$", "UbAy$"]
    form = DuplexFormat("U", "A", BOS, EOS, IDLE, 15)
    assert lay_out(Conversation(1, tuple(pairs)), form, letters)[1]
    assert not lay_out(Conversation(1, tuple(pairs)), FORM, letters)[1]


slices = st.one_of(st.none(), st.text("abc ", min_size=1, max_size=8))


def test_a_conversation_whose_first_pair_does_not_fit_is_nothing() -> None:
    assert laid_out(("a" * 100, "x"), ("b", "y")) == []
    assert laid_out((None, None), ("a" * 100, "x")) == [("^", "", "", True), ("U_A_$", "_", "_", False)]


@given(st.lists(st.tuples(slices, slices), min_size=1, max_size=12), st.integers(10, 120))
def test_every_layout_keeps_to_the_context_and_scores_what_is_sampled(pairs: list[Pair], context: int) -> None:
    runs = laid_out(*pairs, context=context)
    held = ""
    for text, scored, first, kept in runs:
        assert len(held + text) <= context
        assert len(first) == text.count("A")
        assert scored == "".join(
            "_" if half[:1] == "_" else half for half in (part.partition("A")[2] for part in text.split("U"))
        )
        held += text if kept else ""
    assert held.startswith("^") or not held


def test_halves_share_no_conversation() -> None:
    talks = [Conversation(line, ()) for line in range(1, 8)]
    assert [talk.line for talk in measured_half(talks)] == [2, 4, 6]
    assert [talk.line for talk in other_half(talks)] == [1, 3, 5, 7]


def test_a_digest_changes_with_any_word_and_not_with_lines_between() -> None:
    one, other = Conversation(1, (("a", None),)), Conversation(1, ((None, "a"),))
    assert digest([one]) == digest([Conversation(9, one.pairs)])
    assert len({digest([one]), digest([other]), digest([one, one])}) == 3


@pytest.mark.parametrize("key", [key for key in METADATA if key != "general.architecture"])
def test_a_model_without_silence_is_refused(key: str) -> None:
    with pytest.raises(InputError, match="m: no duplex model"):
        DuplexFormat.read({name: value for name, value in METADATA.items() if name != key}, "m")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "a conversation is"),
        ('{"pairs": []}', "at least one pair"),
        ('{"pairs": [["a"]]}', "pair 1 is not two slices"),
        ('{"pairs": [["a", null], ["a", 3]]}', "pair 2 is not two slices"),
        ('{"pairs": [["a", " "]]}', "pair 1 has an empty slice; write null"),
    ],
)
def test_a_line_that_is_no_conversation_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"pairs": [["a", null]]}\n\n' + line + "\n")
    with pytest.raises(InputError, match=r"c\.jsonl:3: ") as refusal:
        read_corpus(path)
    assert message in str(refusal.value)


def test_what_splits_lines_elsewhere_may_stand_in_a_text(tmp_path: Path) -> None:
    texts = ("a\u2028b", "a\x85b")
    lines = [json.dumps({"pairs": [[text, None]]}, ensure_ascii=False) for text in texts]
    (tmp_path / "c.jsonl").write_bytes("\r\n".join(lines).encode())
    assert [(talk.line, talk.pairs) for talk in read_corpus(tmp_path / "c.jsonl")] == [
        (number, ((text, None),)) for number, text in enumerate(texts, 1)
    ]


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b'{"pairs": [["caf\xe9", null]]}')
    with pytest.raises(InputError, match="latin: not UTF-8"):
        read_corpus(tmp_path / "latin")
    with pytest.raises(InputError, match="cannot be read"):
        read_corpus(tmp_path)
    with pytest.raises(
        InputError, match="--corpus nothing: there is no such file, and the shipped ones are duplex, pocket"
    ):
        find_corpus("nothing")
    with pytest.raises(InputError, match="there is no such file"):
        find_corpus("../data/duplex")


@pytest.mark.parametrize("name", ["duplex", "pocket"])
def test_the_shipped_corpora_are_duplex_conversations(name: str) -> None:
    talks = read_corpus(find_corpus(name))
    assert find_corpus(name).parent == SHIPPED
    assert len(talks) >= 40
    assert default_corpus("pocket") == "pocket"
    assert default_corpus("models/some") == "duplex"
    for half in (measured_half(talks), other_half(talks)):
        pairs = [pair for talk in half for pair in talk.pairs]
        kinds = {(user is None, assistant is None) for user, assistant in pairs}
        assert kinds == {(True, True), (True, False), (False, True), (False, False)}
        assert len(pairs) > 150
    assert len({json.dumps(talk.pairs) for talk in talks}) == len(talks)
