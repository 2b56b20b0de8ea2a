"""What a conversation promises, whoever shows it: the frames it sends, the words it cuts, who is speaking."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.chat import (
    CONTROL_FRAMES,
    DOUBLE_PRESS_SECONDS,
    END,
    FULL_NOTE,
    IDLE,
    NEW_ORDINARY_SESSION,
    NEW_SESSION,
    QUIET_TICKS,
    TOO_LONG,
    Action,
    Chat,
    Mode,
    Press,
    Send,
    Show,
    Slice,
    Speaker,
    clean,
    cut_words,
    in_slices,
)
from tests.clients.properties import a_few

# What makes a difference somewhere: spaces, line ends, controls, invisible characters, scripts, widths.
texts = st.text('ab./<>!?" \t\r\n\x00\x1b\x07\x7f\x85\x9b\u00ad\u200b\u200d\u202e\u2028\ud800é你。안👩\ufe0f')


def opened(mode: Mode = Mode.DUPLEX) -> Chat:
    chat = Chat(mode)
    chat.opened()
    return chat


def sent(actions: list[Action]) -> list[str]:
    return [action.frame for action in actions if isinstance(action, Send)]


def shown(actions: list[Action]) -> list[Slice]:
    return [action.slice for action in actions if isinstance(action, Show)]


# Words


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


# Frames


@pytest.mark.parametrize(("mode", "frame"), [(Mode.DUPLEX, NEW_SESSION), (Mode.CHAT, NEW_ORDINARY_SESSION)])
def test_a_connection_begins_with_a_new_session(mode: Mode, frame: str) -> None:
    assert Chat(mode).opened() == [Send(frame)]


def test_a_tick_without_words_is_a_silent_slice_in_duplex_mode_only() -> None:
    assert opened().tick() == [Send(IDLE)]
    assert opened(Mode.CHAT).tick() == []


def test_words_are_sent_and_shown_without_the_spaces_around_them() -> None:
    assert opened().say(" what  is the ") == [Send("what is the"), Show(Slice(Speaker.YOU, "what is the"))]
    assert opened().say("  ") == []


def test_nothing_is_sent_without_a_connection() -> None:
    chat = Chat(Mode.DUPLEX)
    assert chat.say("hello") == chat.tick() == []
    assert sent(chat.renew()) == []
    chat.opened()
    chat.lost()
    assert chat.say("hello") == chat.tick() == []


@pytest.mark.parametrize("frame", sorted(CONTROL_FRAMES))
def test_a_person_cannot_type_a_control_frame(frame: str) -> None:
    assert not CONTROL_FRAMES & set(sent(opened().say(frame)))


@a_few
@given(texts, st.sampled_from(Mode))
def test_whatever_the_server_sends_is_clean_when_shown(frame: str, mode: Mode) -> None:
    for slice_ in shown(opened(mode).hear(frame)):
        assert clean(slice_.text) == slice_.text
        assert IDLE not in slice_.text


def test_a_reply_keeps_its_leading_space() -> None:
    assert shown(opened().hear(" is Paris")) == [Slice(Speaker.ASSISTANT, " is Paris")]


def test_the_newline_after_a_sentence_is_a_space_in_duplex_mode_and_kept_in_chat_mode() -> None:
    frame = " in a wood.\nHe said “yes.”\nThen\n"
    assert shown(opened().hear(frame))[0].text == " in a wood. He said “yes.” Then\n"
    assert shown(opened(Mode.CHAT).hear(frame))[0].text == frame


def test_a_reply_of_nothing_is_not_shown() -> None:
    chat = opened()
    assert chat.hear(IDLE) == chat.hear("\n") == chat.hear("") == []
    assert not chat.speaking


def test_a_full_context_is_said_once_until_words_are_said_again() -> None:
    chat = opened()
    assert shown(chat.hear(TOO_LONG)) == [Slice(Speaker.NOTE, FULL_NOTE)]
    assert chat.full
    chat.tick()
    assert chat.hear(TOO_LONG) == []
    chat.say("hello?")
    assert shown(chat.hear(TOO_LONG)) == [Slice(Speaker.NOTE, FULL_NOTE)]
    assert sent(chat.renew()) == [NEW_SESSION]
    assert not chat.full


def test_after_a_lost_connection_it_says_that_the_conversation_begins_anew() -> None:
    chat = opened()
    chat.lost()
    actions = chat.opened()
    assert sent(actions) == [NEW_SESSION]
    assert "anew" in shown(actions)[0].text


# Who is speaking


def test_the_assistant_speaks_until_ticks_pass_without_a_reply() -> None:
    chat = opened()
    chat.say("tell me a story")
    assert not chat.speaking
    for _ in range(3):
        chat.hear(" once upon")
        chat.tick()
        assert chat.speaking
        assert not chat.silent
    for _ in range(QUIET_TICKS - 1):
        chat.tick()
    assert not chat.speaking
    assert chat.silent


def test_in_chat_mode_the_reply_is_over_at_its_end_frame() -> None:
    chat = opened(Mode.CHAT)
    assert chat.silent
    chat.say("hello")
    assert chat.speaking
    for _ in range(5 * QUIET_TICKS):
        chat.tick()
    assert chat.speaking, "a slow first piece is no end"
    chat.hear("Hi.")
    assert chat.speaking
    chat.hear(END)
    assert chat.silent


def test_in_chat_mode_a_server_without_end_frames_is_not_waited_for_for_ever() -> None:
    chat = opened(Mode.CHAT)
    chat.say("hello")
    chat.hear("Hi.")
    for _ in range(QUIET_TICKS):
        chat.tick()
    assert chat.silent


@pytest.mark.parametrize(
    ("reply", "interrupts"),
    [(" once upon a", True), (" it was old. ", False), (" he said: “no.”\n", False), (" It was\n", False)],
)
def test_words_in_the_middle_of_a_sentence_interrupt_it(reply: str, interrupts: bool) -> None:
    chat = opened()
    chat.say("tell me a story")
    chat.hear(reply)
    assert [slice_.interrupts for slice_ in shown(chat.say("wait"))] == [interrupts]
    assert [slice_.interrupts for slice_ in shown(chat.say("a moment"))] == [False], "one sentence is cut once"


def test_words_long_after_a_sentence_broke_off_interrupt_nothing() -> None:
    chat = opened()
    chat.say("tell me a story")
    chat.hear(" once upon a")
    for _ in range(QUIET_TICKS):
        chat.tick()
    assert not shown(chat.say("and then?"))[0].interrupts


# Ctrl-C


def test_ctrl_c_stops_who_speaks_and_otherwise_clears_the_line() -> None:
    chat = opened()
    assert chat.press(0.0) is Press.CLEAR
    chat.say("tell me a story")
    chat.hear(" once upon a")
    assert chat.press(10.0) is Press.STOP


@a_few
@given(st.floats(0, 1e6), st.floats(0, 10))
def test_ctrl_c_twice_in_a_short_time_leaves(first: float, between: float) -> None:
    chat = opened()
    assert chat.press(first) is Press.CLEAR
    second = first + between
    assert (chat.press(second) is Press.LEAVE) == (second - first <= DOUBLE_PRESS_SECONDS)
