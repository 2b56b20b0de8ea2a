"""What a conversation promises, whoever shows it: the frames it sends, the words it cuts, who is speaking."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.chat import DOUBLE_PRESS_SECONDS, FULL_NOTE, Mark, Mode, Press, Send, Show, Slice, Speaker
from clients.chat_text import (
    CONTROL_FRAMES,
    DRAFT,
    END,
    IDLE,
    NEW_ORDINARY_SESSION,
    NEW_SESSION,
    QUIET_TICKS,
    TOO_LONG,
    TextChat,
)
from clients.words import clean
from tests.clients.chats import hears, opened, sent, shown
from tests.clients.properties import a_few, texts

# Frames


@pytest.mark.parametrize(("mode", "frame"), [(Mode.DUPLEX, NEW_SESSION), (Mode.CHAT, NEW_ORDINARY_SESSION)])
def test_a_connection_begins_with_a_new_session(mode: Mode, frame: str) -> None:
    assert TextChat(mode).opened() == [Send(frame)]


def test_a_tick_without_words_is_a_silent_slice_in_duplex_mode_only() -> None:
    assert opened().tick() == [Send(IDLE)]
    assert opened(Mode.CHAT).tick() == []


def test_words_are_sent_and_shown_without_the_spaces_around_them() -> None:
    chat = opened()
    assert chat.say(" what  is the ") == [Mark(1), Send("what is the")]
    assert chat.unheard == [Slice(Speaker.YOU, "what is the")]
    assert chat.passed(1) == [Show(Slice(Speaker.YOU, "what is the"))]
    assert chat.unheard == []
    assert chat.passed(1) == chat.say("  ") == []


def test_nothing_is_sent_without_a_connection() -> None:
    chat = TextChat(Mode.DUPLEX)
    assert chat.say("hello") == chat.tick() == []
    assert sent(chat.renew()) == []
    chat.opened()
    chat.lost()
    assert chat.say("hello") == chat.tick() == []


@pytest.mark.parametrize("frame", [*sorted(CONTROL_FRAMES), DRAFT, DRAFT + "words"])
def test_a_person_cannot_type_a_control_frame(frame: str) -> None:
    for out in sent(opened().say(frame)):
        assert out not in CONTROL_FRAMES
        assert not out.startswith(DRAFT)
    assert opened().say(frame)[1:] != []


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
    hears(chat, "hello?")
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
    hears(chat, "tell me a story")
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
    hears(chat, "hello")
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
    hears(chat, "hello")
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
    hears(chat, "tell me a story")
    chat.hear(reply)
    assert [slice_.interrupts for slice_ in shown(hears(chat, "wait"))] == [interrupts]
    assert [slice_.interrupts for slice_ in shown(hears(chat, "a moment"))] == [False], "one sentence is cut once"


def test_words_long_after_a_sentence_broke_off_interrupt_nothing() -> None:
    chat = opened()
    hears(chat, "tell me a story")
    chat.hear(" once upon a")
    for _ in range(QUIET_TICKS):
        chat.tick()
    assert not shown(hears(chat, "and then?"))[0].interrupts


# Ctrl-C


def test_ctrl_c_stops_who_speaks_and_otherwise_clears_the_line() -> None:
    chat = opened()
    assert chat.press(0.0) is Press.CLEAR
    hears(chat, "tell me a story")
    chat.hear(" once upon a")
    assert chat.press(10.0) is Press.STOP


@a_few
@given(st.floats(0, 1e6), st.floats(0, 10))
def test_ctrl_c_twice_in_a_short_time_leaves(first: float, between: float) -> None:
    chat = opened()
    assert chat.press(first) is Press.CLEAR
    second = first + between
    assert (chat.press(second) is Press.LEAVE) == (second - first <= DOUBLE_PRESS_SECONDS)
