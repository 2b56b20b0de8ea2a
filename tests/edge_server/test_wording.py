"""What the small facts about text are."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from edge_server.wording import (
    continues_word,
    count_heard,
    count_held,
    count_incomplete,
    count_words,
    defuse,
    incomplete_tail,
    may_be_silence,
    says_nothing,
)

MARKERS = ("<用户>", "<AI>")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("wor", "ld"),
        ("don", "'t"),
        ("don'", "t"),
        ("don’", "t"),
        ("4", "2"),
        ("na", "ï"),
        ("e", "\u0301"),
        ("при", "вет"),
    ],
)
def test_letters_digits_marks_and_apostrophes_go_on_with_a_word(before: str, after: str) -> None:
    assert continues_word(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("wor", " ld"),
        ("word", "."),
        ("word", "-"),
        ("word.", "net"),
        ("word ", "word"),
        ("a\n", "b"),
        ("我", "你"),
        ("ok", "我"),
        ("我", "ok"),
        ("ひ", "ら"),
        ("ก", "ข"),
        ("ok", "😀"),
        ("", "a"),
        ("a", ""),
    ],
)
def test_spaces_punctuation_and_unspaced_scripts_end_a_word(before: str, after: str) -> None:
    assert not continues_word(before, after)


@examples(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.text("aé我😀", max_size=8), cut=st.integers(0, 3))
def test_the_incomplete_tail_is_what_is_missing_to_whole_characters(text: str, cut: int) -> None:
    data = text.encode()
    data = data[: max(0, len(data) - cut)]
    whole = data.decode("utf-8", "ignore").encode()
    assert incomplete_tail(data) == len(data) - len(whole)


@pytest.mark.parametrize("data", [b"a\x80", b"\x80\x80\x80\x80", b"\xff", b"\xf0\x9f\x98\x80\x80", b""])
def test_bytes_that_can_never_become_a_character_are_not_waited_for(data: bytes) -> None:
    assert incomplete_tail(data) == 0


def held(waited: str, pieces: str, following: str | None) -> list[str]:
    """The pieces, given with bars between them, that wait."""
    split = [piece.encode() for piece in pieces.split("|")] if pieces else []
    count = count_held(waited.encode(), split, None if following is None else following.encode())
    return [piece.decode() for piece in split[len(split) - count :]]


def test_nothing_waits_without_a_piece_that_follows() -> None:
    assert held("", " one| wor", None) == []


def test_the_last_word_waits_with_all_its_pieces() -> None:
    assert held("", " one| wo|r|l", "d") == [" wo", "r", "l"]


def test_nothing_waits_where_the_next_piece_begins_something_else() -> None:
    assert held("", " one| word", " two") == []
    assert held("", " one| word", ".") == []


def test_a_piece_that_begins_with_a_space_is_where_the_word_begins() -> None:
    assert held("", "a| b", "c") == [" b"]


def test_a_slice_that_is_one_piece_of_a_word_waits_whole_but_for_one_slice_only() -> None:
    assert held("", "wor", "ld") == ["wor"]
    assert held("wor", "ld", "ly") == []


def test_a_word_that_begins_behind_what_waited_waits_itself() -> None:
    assert held("wor", "ld| ag", "ain") == [" ag"]
    assert held("wor.", "ag", "ain") == ["ag"]
    assert held("wor", " ag", "ain") == [" ag"]


def test_pieces_of_an_incomplete_character_wait() -> None:
    emoji = "😀".encode()
    assert count_held(b"", [b" one", emoji[:2], emoji[2:3]], None) == 2
    assert count_held(b"", [b" one" + emoji[:2]], None) == 1
    assert count_held(emoji[:2], [emoji[2:]], None) == 0
    assert count_held(emoji[:1], [emoji[1:2]], None) == 1


def test_a_word_waits_with_all_bytes_of_its_characters() -> None:
    assert count_held(b"", [b" one", b" na", b"\xc3", b"\xaf"], b"ve") == 3
    assert count_held(b"", [b" one", b" na", b"\xc3", b"\xaf"], b" two") == 0


def test_all_pieces_of_an_incomplete_character_are_counted() -> None:
    emoji = [bytes([byte]) for byte in "😀".encode()]
    assert [count_incomplete([b" one", *emoji[:count]]) for count in range(5)] == [0, 1, 2, 3, 0]
    assert count_incomplete([b" one" + emoji[0], emoji[1]]) == 2
    assert count_incomplete([b"one", b"\x80"]) == 0
    assert count_incomplete([]) == 0


@examples(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    waited=st.sampled_from(["", "a", " a", "a.", "我"]),
    pieces=st.lists(st.sampled_from([" a", "b", "'", ".", "我", "é", "c d"]), max_size=6),
    following=st.sampled_from(["a", " a", ".", None]),
)
def test_what_goes_out_ends_at_a_word_or_has_waited(waited: str, pieces: list[str], following: str | None) -> None:
    split = [piece.encode() for piece in pieces]
    count = count_held(waited.encode(), split, None if following is None else following.encode())
    out, rest = "".join(pieces[: len(pieces) - count]), "".join([*pieces[len(pieces) - count :], following or ""])
    if following is None:
        assert count == 0
    elif continues_word(out, rest):
        assert count == 0
        assert waited
        assert all(continues_word(before, after) for before, after in pairwise([waited, *pieces, following]))


@pytest.mark.parametrize(
    ("pieces", "unheard", "stays"),
    [
        (" one| two| three", 6, " one| two"),
        (" one| two| three", 5, " one| two"),
        (" one| two| three", 1, " one| two"),
        (" one| two| three|.", 1, " one| two| three"),
        (" one| wor|ld", 3, " one"),
        (" one| wor|ld", 2, " one| wor"),
        (" one| two", 8, ""),
        (" one| two", 99, ""),
        ("\n| one", 4, ""),
        (" one|,| two", 4, " one|,"),
        ("\n", 1, ""),
        (" one", 0, " one"),
    ],
)
def test_unheard_characters_go_from_the_end_with_their_pieces(pieces: str, unheard: int, stays: str) -> None:
    split = [piece.encode() for piece in pieces.split("|")]
    keep = count_heard(split, unheard)
    assert "|".join(piece.decode() for piece in split[:keep]) == stays


def test_of_a_character_whose_end_was_not_heard_nothing_stays() -> None:
    first, second = "😀".encode()[:2], "😀".encode()[2:]
    assert count_heard([b" a", first, second], 1) == 1
    assert count_heard([b" a", first, second, b"!"], 1) == 3


@pytest.mark.parametrize(
    ("text", "last", "characters"),
    [
        (" one two", 0, 0),
        (" one two", 1, 4),
        (" one two. ", 1, 6),
        (" one two", 2, 8),
        (" one", 9, 4),
        ("", 1, 0),
        ("\n ", 1, 2),
    ],
)
def test_the_last_words_of_a_text_have_so_many_characters(text: str, last: int, characters: int) -> None:
    assert count_words(text, last) == characters


@pytest.mark.parametrize("text", ["", " ", "\n", "idle", " idle\n"])
def test_silence(text: str) -> None:
    assert says_nothing(text)


@pytest.mark.parametrize("text", ["a", ".", "idle.", "not idle"])
def test_no_silence(text: str) -> None:
    assert not says_nothing(text)


@pytest.mark.parametrize(("text", "may"), [("", True), ("\n", True), (" i", True), ("idle ", True), ("idles", False)])
def test_what_begins_a_silent_reply_may_be_silence(text: str, may: bool) -> None:
    assert may_be_silence(text) == may


@pytest.mark.parametrize("text", ["", " ", "\n", "idle", " idle\n"])
def test_whatever_begins_a_silent_reply_may_be_silence(text: str) -> None:
    assert all(may_be_silence(text[:end]) for end in range(len(text) + 1))


@examples(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(parts=st.lists(st.sampled_from([*MARKERS, "<", ">", "用户", "AI", " ", "a", "<用", "I>"]), max_size=10))
def test_no_marker_is_left_and_nothing_else_changes(parts: list[str]) -> None:
    text = "".join(parts)
    safe = defuse(text, MARKERS)
    assert not any(marker in safe for marker in MARKERS)
    assert safe.replace(" ", "") == text.replace(" ", "")
    if not any(marker in text for marker in MARKERS):
        assert safe == text


def test_a_marker_gets_a_space_after_its_first_character() -> None:
    assert defuse("<AI> or <用户>", MARKERS) == "< AI> or < 用户>"
