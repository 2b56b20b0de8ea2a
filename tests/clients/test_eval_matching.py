"""What is heard against what is expected: pure."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.eval_matching import begins_alike, continuation, holds, repeats, rest_of, squeeze, take
from clients.eval_scenarios import Check
from tests.clients.scenes import FOX

CHINESE = "从前有一只年轻的狐狸，来到一条很宽的河边。它整天沿着河岸走来走去。"
TEXTS = st.sampled_from([FOX, CHINESE])


def as_upstream(text: str) -> str:
    """What the reference's server makes of it."""
    return text.replace(".", "\n")


CHANGES: list[Callable[[str], str]] = [str, str.strip, as_upstream, lambda text: " ".join(text.split())]


@given(TEXTS, st.data())
def test_a_message_and_its_rest_are_found_again_wherever_it_is_cut(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)))
    change = data.draw(st.sampled_from(CHANGES))
    rest = rest_of(text, change(text[:cut]))
    assert rest is not None
    assert squeeze(rest) == squeeze(text[cut:])
    assert squeeze(take(text, len(squeeze(text[:cut]))) + rest) == squeeze(text)


@given(TEXTS, st.data())
def test_other_words_are_not_its_beginning(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)))
    assert rest_of(text, text[:cut] + "#") is None
    assert rest_of(text, text + "And more.") is None


@given(TEXTS, st.data())
def test_a_continuation_is_found_behind_an_opening_and_counted(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text) - 8))
    until = data.draw(st.integers(cut + 8, len(text)))
    opening = data.draw(st.sampled_from(["", "Let me go on where I stopped. ", "好的，我接着说。"]))
    # An opening needs a few words behind it to be told from something else.
    if len(squeeze(text[cut:until])) < 12:
        opening = ""
    rest = text[cut:]
    assert continuation(rest, opening + as_upstream(text[cut:until])) == len(squeeze(text[cut:until]))
    assert continuation(rest, opening + rest + " Anything else?") == len(squeeze(rest))


def test_what_is_said_again_or_else_is_no_continuation() -> None:
    rest = "All day she walked along the bank."
    assert continuation(rest, "A young fox came to a wide river") is None
    assert continuation(rest, "All right, what is it?") is None
    assert continuation(rest, "  \n ") is None
    assert continuation("  . ", "words") is None
    # It begins as the rest does, more than once.
    assert continuation("one two three four five", "one two three! one two three four") == len("onetwothreefour")


def test_texts_begin_alike_that_agree_as_far_as_they_go_or_for_three_words() -> None:
    assert begins_alike("All day she walked", "All day")
    assert begins_alike("All day she walked", "All day she walks along")
    assert begins_alike("它整天沿着河岸走", "它整天沿着河边")
    assert not begins_alike("All day she walked", "All the best")
    assert not begins_alike("它整天沿着河岸走", "它整个")
    assert not begins_alike("words", " ")


@pytest.mark.parametrize(
    ("check", "heard", "found"),
    [
        (Check(has=("paris", "France")), "The capital of france is PARIS\n", True),
        (Check(has=("paris", "spain")), "The capital of france is Paris", False),
        (Check(any=("lisbon", "paris")), "Paris.", True),
        (Check(any=("lisbon", "madrid")), "Paris.", False),
        (Check(lacks=("sorry",)), "Sorry, I do not know.", False),
        (Check(lacks=("sorry",)), "", True),
        (Check(has=("two cups",)), "take two\n cups of flour", True),
        (Check(has=("5",)), "2 plus 3 is 5.", True),
        (Check(has=("5",)), "that is 15", False),
        (Check(has=("5",)), "that is 5,000 or 0.5", False),
        (Check(has=("5",)), "on page 5, line 3", True),
        (Check(has=("3.5",)), "it is 3.5 meters.", True),
        (Check(has=("3.5",)), "it is 3\n5 meters\n", True),
        (Check(has=("3.5",)), "it is 345 meters.", False),
        (Check(has=("是巴黎。",)), "法国的首都是巴黎", True),
        (Check(has=("bake",)), "it is baked", True),
        (Check(has=("八大",)), "太阳系有八大行星。", True),
        (Check(any=("8",)), "太阳系有８颗行星", True),
        (Check(has=("st. petersburg",)), "St Petersburg", True),
    ],
)
def test_lists_find_words_whatever_their_case_and_numbers_as_a_whole(check: Check, heard: str, found: bool) -> None:
    assert holds(check, heard) is found


def test_a_repetition_is_five_words_in_a_row_or_eight_characters() -> None:
    assert repeats(FOX, "As I said, a young fox came to the sea")
    assert not repeats(FOX, "a young fox came and went")
    assert repeats(CHINESE, "一只年轻的狐狸，来到海边")
    assert not repeats(CHINESE, "年轻的狐狸去看海")


def test_what_the_message_says_twice_itself_is_no_repetition() -> None:
    heard, rest = "One two three four five.", "Again: one two three four five."
    assert repeats(heard, rest)
    assert not repeats(heard, rest, rest)
