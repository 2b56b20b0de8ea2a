"""What of the assistant's words is delivered, what waits, and what is taken back: rules 6 and 7 of `session.py`."""

from __future__ import annotations

import pytest

from edge_server.events import Say
from tests.edge_server.peers import (
    EOS,
    TEN,
    VOCABULARY,
    duplex,
    speaking,
)

# --- 6. words and characters are delivered whole


def test_a_piece_waits_for_the_rest_of_its_word() -> None:
    peer = duplex(slice_tokens=3)
    peer.text("hello")
    assert peer.reply(" one two wor", following="ld") == [Say(" one two")]
    peer.tick()
    assert peer.reply("ld two</s>") == [Say(" world two")]
    assert peer.pairs == [("hello", " one two wor"), ("<idle>", "ld two")]


@pytest.mark.parametrize("following", [" two", ".", ",", "</s>", "<idle>", "我"])
def test_nothing_waits_where_the_word_is_over(following: str) -> None:
    peer = duplex(slice_tokens=3)
    peer.text("hello")
    assert peer.reply(" one two wor", following=following) == [Say(" one two wor")]


def test_an_apostrophe_does_not_end_a_word() -> None:
    peer = duplex(slice_tokens=2)
    peer.text("hello")
    assert peer.reply(" onedon", following="'t") == []
    peer.tick()
    assert peer.reply("'t.", following=" one") == [Say(" onedon't.")]


def test_a_word_of_several_pieces_waits_as_one() -> None:
    peer = duplex(slice_tokens=4)
    peer.text("hello")
    assert peer.reply(" one wording", following="s") == [Say(" one")]


def test_nothing_waits_where_the_model_ended_its_slice_itself() -> None:
    peer = duplex()
    peer.text("hello")
    assert peer.reply(TEN + " wor</s>") == [Say(TEN + " wor")]


def test_a_piece_waits_for_one_slice_at_most() -> None:
    peer = duplex(slice_tokens=2)
    peer.text("hello")
    assert peer.reply("ab", following="c") == []
    peer.tick()
    assert peer.reply("cd", following="e") == [Say("abcd")]
    peer.tick()
    assert peer.reply("e</s>") == [Say("e")]
    assert [reply for _, reply in peer.pairs] == ["ab", "cd", "e"]


def test_what_waits_goes_out_when_the_model_falls_silent() -> None:
    peer = duplex(slice_tokens=3)
    peer.text("hello")
    peer.reply(" one two wor", following="ld")
    peer.tick()
    assert peer.reply("<idle>") == [Say(" wor")]
    assert peer.pairs == [("hello", " one two wor")]
    peer.text("a")
    assert peer.pairs[0] == ("hello", " one two wor")


def test_what_waits_leaves_the_transcript_if_text_comes_first() -> None:
    peer = duplex(slice_tokens=3)
    peer.text("hello")
    peer.reply(" one two wor", following="ld")
    peer.text("stop")
    assert peer.pairs == [("hello", " one two"), ("stop", "")]
    assert peer.reply(" one</s>") == [Say(" one")]


def test_what_waits_leaves_also_if_the_text_interrupts_the_next_slice() -> None:
    peer = duplex(slice_tokens=3)
    peer.text("hello")
    peer.reply(" one two wor", following="ld")
    peer.tick()
    peer.text("stop")
    peer.reply("ld one two", following=" two")
    assert peer.pairs == [("hello", " one two"), ("stop", "")]
    assert peer.said == [" one two"]


def test_a_slice_of_which_everything_waits_leaves_as_silence_if_text_comes_first() -> None:
    peer = speaking(slice_tokens=11)
    peer.tick()
    assert peer.reply("abcdefghijk", following="l") == []
    peer.text("stop")
    assert peer.pairs == [("hello", TEN), ("stop", "")]
    assert peer.reply("abcdefghijk", following="l") == []
    peer.text("please")
    assert peer.pairs == [("hello", TEN), ("stop", "<idle>"), ("please", "")]


def test_every_chinese_character_is_a_word() -> None:
    peer = duplex(slice_tokens=3)
    peer.text("你好")
    assert peer.reply("我你好", following="我") == [Say("我你好")]


def test_an_emoji_across_two_slices_comes_out_whole() -> None:
    peer = duplex(slice_tokens=3)
    peer.text("hello")
    assert peer.sample(VOCABULARY.tokenize(" one😀", parse_special=False)[:3], 0xF0) == [Say(" one")]
    peer.tick()
    rest = VOCABULARY.tokenize("😀 two", parse_special=False)[2:]
    assert peer.sample(rest, None) == [Say("😀 two")]


def test_a_character_that_is_longer_than_a_slice_comes_out_whole() -> None:
    peer = duplex(slice_tokens=1)
    peer.text("hello")
    for token in VOCABULARY.tokenize("😀", parse_special=False):
        peer.sample([token])
        peer.tick()
    assert peer.said == ["😀"]


def test_a_word_waits_with_the_character_that_it_goes_on_with() -> None:
    peer = duplex(slice_tokens=4)
    peer.text("hello")
    ends_in_half_a_letter = VOCABULARY.tokenize(" naï", parse_special=False)
    assert peer.sample(ends_in_half_a_letter[:4], ends_in_half_a_letter[4]) == [Say(" ")]
    peer.tick()
    assert peer.sample([ends_in_half_a_letter[4], *VOCABULARY.tokenize("ve ", parse_special=False)]) == [Say("naïve ")]


def test_a_character_that_is_never_completed_is_never_heard() -> None:
    peer = duplex()
    peer.text("hello")
    assert peer.sample([*VOCABULARY.tokenize(" one😀", parse_special=False)[:3], EOS]) == [Say(" one")]


# --- 7. unheard words


def test_unheard_words_leave_when_text_interrupts() -> None:
    peer = speaking()
    assert peer.unheard(4) == []
    assert peer.pairs == [("hello", TEN)]
    peer.text("stop")
    assert peer.pairs == [("hello", " one two three one two three"), ("stop", "")]


def test_unheard_words_leave_from_several_slices_of_a_message() -> None:
    peer = speaking()
    peer.tick()
    peer.reply(" one two<idle>")
    peer.unheard(5)
    peer.text("stop")
    assert peer.pairs == [("hello", " one two three one two three one"), ("stop", "")]


def test_an_unheard_word_goes_whole_also_if_two_slices_share_it() -> None:
    peer = duplex(slice_tokens=3)
    peer.text("hello")
    peer.reply(" one two wor", following="ld")
    peer.tick()
    peer.reply("ld.</s>")
    peer.unheard(1)
    peer.text("stop")
    assert peer.pairs == [("hello", " one two"), ("stop", "")]


@pytest.mark.parametrize("words", [3, 4, 99])
def test_if_nothing_was_heard_the_message_becomes_silence_and_those_before_it_stay(words: int) -> None:
    peer = speaking()
    peer.text("and")
    peer.reply(" one two three</s>")
    peer.unheard(words)
    peer.text("stop")
    assert peer.pairs == [("hello", TEN), ("and", "<idle>"), ("stop", "")]


def test_what_waits_was_not_heard_and_does_not_count() -> None:
    peer = duplex(slice_tokens=3)
    peer.text("hello")
    peer.reply(" one two wor", following="ld")
    peer.unheard(1)
    peer.text("stop")
    assert peer.pairs == [("hello", " one"), ("stop", "")]


def test_the_report_is_used_up_by_the_text_that_interrupts() -> None:
    peer = speaking()
    peer.unheard(1)
    peer.text("stop")
    peer.reply(" one two three</s>")
    peer.text("go on")
    assert peer.pairs[1] == ("stop", " one two three")
