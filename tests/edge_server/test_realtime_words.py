"""Where a draft's whole words end, and which words ask for nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_server.realtime_wire import BACK_CHANNELS
from edge_server.realtime_words import false_alarm, whole_words


@pytest.mark.parametrize(
    ("draft", "whole"),
    [
        ("", ""),
        ("   ", ""),
        ("hel", ""),
        ("hello ", "hello "),
        ("hello the", "hello "),
        ("hello, ther", "hello, "),
        ("what?", "what?"),
        ("  two wor", "  two "),
        ("don't", ""),
        ("a\nb", "a\n"),
    ],
)
def test_what_may_still_grow_is_no_whole_word(draft: str, whole: str) -> None:
    assert whole_words(draft) == whole


def test_where_no_blanks_part_words_a_sentence_ends_them() -> None:
    assert whole_words("你好。") == "你好。"


@given(st.text(max_size=40))
def test_whole_words_begin_a_draft_and_say_something(draft: str) -> None:
    whole = whole_words(draft)
    assert draft.startswith(whole)
    assert whole == "" or whole.strip()


@given(st.text(max_size=20), st.text(max_size=20))
def test_what_is_whole_stays_whole_whatever_is_typed_behind_it(draft: str, more: str) -> None:
    assert whole_words(draft + more).startswith(whole_words(draft))


@pytest.mark.parametrize(
    "words",
    ["ok", "OK", "Okay.", "uh-huh", "Uh huh!", "yeah yeah", "mhm, right", "I see...", "嗯", "好的。", "  go on  "],
)
def test_back_channels_are_known_without_case_and_punctuation(words: str) -> None:
    assert false_alarm(words, BACK_CHANNELS) == "back_channel"


@pytest.mark.parametrize("words", ["no", "okay stop", "right there", "what", "我", "I", "see", "ok?!x", "go"])
def test_other_words_interrupt(words: str) -> None:
    assert false_alarm(words, BACK_CHANNELS) is None


def test_a_clients_own_back_channels_count_alone() -> None:
    assert false_alarm("Oh là là", ["oh là là"]) == "back_channel"
    assert false_alarm("ok", ["oh là là"]) is None
    assert false_alarm("", [""]) == "empty", "nothing is no back-channel"
    assert false_alarm("ok", []) is None


@pytest.mark.parametrize("words", ["", " ", "...", "?!", "。"])
def test_nothing_but_punctuation_is_empty(words: str) -> None:
    assert false_alarm(words, BACK_CHANNELS) == "empty"
