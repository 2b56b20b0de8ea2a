"""Lines are as wide as they may be, lose nothing, and once followed by another never change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from clients.chat import CUT_MARK, Slice, Speaker
from clients.paragraphs import Line, Page, join, wrap
from tests.clients.properties import a_few

WIDE = 1000
texts = st.text("abc \n,-é首都👩", max_size=60)
widths = st.integers(2, 12)


@a_few
@given(texts, widths)
def test_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert "".join(lines) == text
    assert all(get_cwidth(line.rstrip()) <= width for line in lines)


@a_few
@given(texts, texts, widths)
def test_a_line_that_is_followed_by_another_never_changes(text: str, more: str, width: int) -> None:
    assert wrap(text + more, width)[: len(wrap(text, width)) - 1] == wrap(text, width)[:-1]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("the capital of France", ["the ", "capital ", "of ", "France"]),
        ("abcdefghij kl", ["abcdefg", "hij kl"]),
        ("法国的首都", ["法国的", "首都"]),
        ("a\n\nb", ["a\n", "\n", "b"]),
    ],
)
def test_lines_break_between_words_where_they_can(text: str, lines: list[str]) -> None:
    assert wrap(text, 7) == lines


def test_pieces_are_joined_by_the_space_they_bring() -> None:
    assert join("is Pa", "ris") == "is Paris"
    assert join("is", " Paris") == "is Paris"
    assert join("Paris. ", " It") == "Paris. It"
    assert join("", " The") == "The"


def said(text: str, interrupts: bool = False) -> Slice:
    return Slice(Speaker.YOU, text, interrupts)


def heard(text: str) -> Slice:
    return Slice(Speaker.ASSISTANT, text)


def note(text: str) -> Slice:
    return Slice(Speaker.NOTE, text)


slices = st.lists(
    st.builds(said, texts.filter(str.strip), st.booleans()) | st.builds(heard, texts) | st.builds(note, texts),
    max_size=8,
)


@a_few
@given(slices, st.lists(widths, min_size=8, max_size=8))
def test_every_word_is_printed_once_and_in_order_at_any_widths(spoken: list[Slice], screen: list[int]) -> None:
    page, printed = Page(), ""
    for slice_, width in zip(spoken, screen, strict=False):
        page.add(slice_)
        printed += "".join(line.text for line in page.take_finished(width))
        assert len(page.growing(width)) <= 1, "only one line has to be kept up to date"
    printed += "".join(line.text for line in page.take_all(screen[0]))
    assert page.take_all(screen[0]) == []
    whole = "".join(slice_.text for slice_ in spoken)
    assert "".join(printed.replace(CUT_MARK.strip(), "").split()) == "".join(whole.split())


def test_what_one_speaker_says_is_one_paragraph() -> None:
    page = Page()
    for slice_ in (said("what is the"), said("capital of france?"), heard(" The capital"), heard(" is Paris")):
        page.add(slice_)
    assert page.take_finished(WIDE) == [Line(Speaker.YOU, "what is the capital of france?", first=True)]
    assert page.growing(WIDE) == [Line(Speaker.ASSISTANT, "The capital is Paris", first=True)]
    page.add(heard(".\n"))
    assert page.take_finished(WIDE) == []
    assert page.growing(WIDE) == [Line(Speaker.ASSISTANT, "The capital is Paris.", first=True)]


def test_an_interruption_shows_where_the_assistant_was_cut() -> None:
    page = Page()
    page.add(heard(" Once upon a "))
    page.add(said("stop", interrupts=True))
    assert page.take_finished(WIDE) == [Line(Speaker.ASSISTANT, f"Once upon a{CUT_MARK}", first=True)]


def test_notes_are_printed_at_once_and_only_the_first_line_bears_a_name() -> None:
    page = Page()
    page.add(note("one two"))
    assert page.take_finished(4) == [Line(Speaker.NOTE, "one", first=True), Line(Speaker.NOTE, "two", first=False)]
    assert page.growing(4) == []
