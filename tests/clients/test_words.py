"""Words are cut and sliced without loss, and nothing that could steer a terminal is left in what is shown."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.words import clean, cut_words, in_slices
from tests.clients.properties import a_few, texts


@a_few
@given(texts, st.data())
def test_cutting_loses_nothing_and_leaves_what_is_at_the_cursor(line: str, data: st.DataObject) -> None:
    cursor = data.draw(st.integers(0, len(line)))
    words, rest = cut_words(line, cursor)
    assert words + rest == line
    assert len(words) <= cursor


@a_few
@given(st.lists(st.tuples(st.text("ab ", max_size=6), st.booleans())))
def test_words_typed_across_ticks_are_sent_once_whole_and_in_order(strokes: list[tuple[str, bool]]) -> None:
    line, sent_words = "", []
    for typed, tick in strokes:
        line += typed
        if tick:
            words, line = cut_words(line, len(line))
            sent_words += words.split()
            assert not line.strip() or not line[:-1].strip().count(" "), "a finished word stayed behind"
    assert sent_words + line.split() == "".join(typed for typed, _ in strokes).split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("what is the capi", "what is the "),
        ("france?", ""),
        ("   ", ""),
        ("法国的首都是", "法国的首都是"),
        ("法国 is Fra", "法国 is "),
        ("안녕 하세", "안녕 "),
    ],
)
def test_a_space_or_a_cjk_character_ends_a_word(line: str, words: str) -> None:
    assert cut_words(line, len(line)) == (words, line[len(words) :])


def test_what_stands_behind_the_cursor_stays() -> None:
    assert cut_words("one two three", 6) == ("one ", "two three")


@a_few
@given(texts.map(clean), st.integers(4, 40))
def test_long_words_are_sent_in_slices_that_fit(text: str, limit: int) -> None:
    words = " ".join(text.split())
    slices = in_slices(words, limit)
    assert all(part and len(part.encode()) <= limit for part in slices)
    assert "".join(slices).replace(" ", "") == words.replace(" ", "")


def test_slices_are_divided_between_words() -> None:
    assert in_slices("aaa bbb ccc", 8) == ["aaa bbb", "ccc"]
    assert in_slices("aaa bbbbbbbbbb", 8) == ["aaa", "bbbbbbbb", "bb"]


@a_few
@given(texts)
def test_nothing_that_could_steer_a_terminal_is_left(text: str) -> None:
    kept = clean(text)
    assert all(c in "\n\u200c\u200d" or unicodedata.category(c) not in ("Cc", "Cf", "Cs") for c in kept)
    assert clean(kept) == kept


def test_cleaning_keeps_what_can_be_read() -> None:
    assert clean("\x1b[31mred\x07 \u202eevil\r\nça va?\tمی\u200cخواهم 👩\u200d🔬\x9b2J") == (
        "[31mred evil\nça va? می\u200cخواهم 👩\u200d🔬2J"
    )
