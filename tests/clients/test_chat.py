"""What a conversation promises, whoever shows it: the frames it sends, the words it cuts, who is speaking."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.chat import (
    CONTROL_FRAMES,
    DOUBLE_PRESS_SECONDS,
    DRAFT,
    END,
    FULL_NOTE,
    IDLE,
    NEW_ORDINARY_SESSION,
    NEW_SESSION,
    QUIET_TICKS,
    TOO_LONG,
    Action,
    Chat,
    Mark,
    Mode,
    Press,
    Send,
    Show,
    Slice,
    Speaker,
)
from clients.words import SLICE_BYTES, clean
from tests.clients.properties import a_few, texts


def opened(mode: Mode = Mode.DUPLEX) -> Chat:
    chat = Chat(mode)
    chat.opened()
    return chat


def sent(actions: list[Action]) -> list[str]:
    return [action.frame for action in actions if isinstance(action, Send)]


def shown(actions: list[Action]) -> list[Slice]:
    return [action.slice for action in actions if isinstance(action, Show)]


def hears(chat: Chat, words: str) -> list[Action]:
    """What is done when `words` are said and nothing crosses them."""
    actions = chat.say(words)
    return [*actions, *(done for action in actions if isinstance(action, Mark) for done in chat.passed(action.number))]


# Frames


@pytest.mark.parametrize(("mode", "frame"), [(Mode.DUPLEX, NEW_SESSION), (Mode.CHAT, NEW_ORDINARY_SESSION)])
def test_a_connection_begins_with_a_new_session(mode: Mode, frame: str) -> None:
    assert Chat(mode).opened() == [Send(frame)]


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
    chat = Chat(Mode.DUPLEX)
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


# What crosses


class Wire:
    """A server and a network between it and a chat: what is sent arrives in order, and when a test says so.

    `truth` is the conversation as the server has it: words when it has read them, replies when it has sent them.
    """

    def __init__(self) -> None:
        self.chat = opened()
        self.shown: list[tuple[Speaker, str]] = []
        self.truth: list[tuple[Speaker, str]] = []
        self._out: list[Action] = []
        self._in: list[int | str] = []

    def do(self, actions: list[Action]) -> None:
        self.shown += [(slice_.speaker, slice_.text) for slice_ in shown(actions)]
        self._out += [action for action in actions if not isinstance(action, Show)]

    def read(self) -> None:
        """The server reads a mark with what follows it."""
        while self._out:
            action = self._out.pop(0)
            if isinstance(action, Mark):
                self._in.append(action.number)
            elif isinstance(action, Send):
                if action.frame == NEW_SESSION:
                    self.truth.append((Speaker.NOTE, "A new conversation."))
                else:
                    self.truth.append((Speaker.YOU, action.frame))
                return

    def speak(self, text: str) -> None:
        self._in.append(text)
        self.truth.append((Speaker.ASSISTANT, text))

    def receive(self) -> None:
        if self._in:
            item = self._in.pop(0)
            self.do(self.chat.passed(item) if isinstance(item, int) else self.chat.hear(item))

    @property
    def settled(self) -> bool:
        return not self._out and not self._in


@a_few
@given(st.lists(st.sampled_from(["say", "say", "renew", "read", "speak", "receive", "receive"]), max_size=30))
def test_what_is_shown_is_in_the_order_in_which_the_server_had_it(steps: list[str]) -> None:
    wire = Wire()
    for number, step in enumerate(steps):
        if step == "say":
            wire.do(wire.chat.say(f"words {number}"))
        elif step == "renew":
            wire.do(wire.chat.renew())
        elif step == "speak":
            wire.speak(f" reply {number}")
        elif step == "read":
            wire.read()
        else:
            wire.receive()
        showing = [*wire.shown, *((slice_.speaker, slice_.text) for slice_ in wire.chat.unheard)]
        said = [number for number, step in enumerate(steps[: number + 1]) if step == "say"]
        assert [text for speaker, text in showing if speaker is Speaker.YOU] == [f"words {n}" for n in said]
    while not wire.settled:
        wire.read()
        wire.receive()
    assert wire.shown == wire.truth
    assert wire.chat.unheard == []


def test_a_slice_that_crosses_words_may_finish_the_sentence_that_they_would_have_cut() -> None:
    chat = opened()
    hears(chat, "tell me a story")
    chat.hear(" It was")
    (mark, *_) = chat.say("wait")
    assert chat.unheard == [Slice(Speaker.YOU, "wait", interrupts=True)]
    assert not chat.speaking
    assert not chat.silent
    chat.hear(" very old.")
    assert chat.unheard == [Slice(Speaker.YOU, "wait", interrupts=False)]
    assert isinstance(mark, Mark)
    assert chat.passed(mark.number) == [Show(Slice(Speaker.YOU, "wait", interrupts=False))]


def test_one_answer_stands_for_the_marks_before_it() -> None:
    chat = opened()
    for words in ("one", "two", "three"):
        chat.say(words)
    assert [slice_.text for slice_ in shown(chat.passed(2))] == ["one", "two"]
    assert [slice_.text for slice_ in chat.unheard] == ["three"]


def test_in_chat_mode_the_end_of_the_reply_before_does_not_end_the_next() -> None:
    chat = opened(Mode.CHAT)
    hears(chat, "tell me a story")
    chat.hear("Once upon a")
    (mark, *_) = chat.say("stop")
    chat.hear(END)
    assert not chat.silent
    assert isinstance(mark, Mark)
    chat.passed(mark.number)
    assert not chat.silent
    chat.hear(END)
    assert chat.silent


def test_words_that_were_on_their_way_when_the_connection_broke_are_shown() -> None:
    chat = opened()
    chat.say("are you there?")
    assert shown(chat.lost()) == [Slice(Speaker.YOU, "are you there?")]
    assert chat.unheard == []
    assert chat.lost() == []


# Drafts


def drafting() -> Chat:
    chat = Chat(Mode.DUPLEX)
    chat.opened(takes_drafts=True)
    return chat


def test_what_is_typed_is_a_draft_once_whenever_it_changes() -> None:
    chat = drafting()
    assert chat.draft("") == []
    assert chat.draft("what  is") == [Send(DRAFT + "what is")]
    assert chat.draft("what is ") == [], "a space at the end would not be sent"
    assert chat.draft("what was") == [Send(DRAFT + "what was")]
    assert chat.draft(" ") == [Send(DRAFT)]
    assert chat.draft("") == []


@pytest.mark.parametrize("end", [lambda chat: chat.tick(), lambda chat: chat.say("what"), lambda chat: chat.renew()])
def test_a_slice_ends_the_draft(end: Callable[[Chat], object]) -> None:
    chat = drafting()
    chat.draft("is")
    end(chat)
    assert chat.draft("is") == [Send(DRAFT + "is")]
    end(chat)
    assert chat.draft("") == [], "there is none to be withdrawn"


def test_a_server_that_did_not_agree_is_sent_no_draft() -> None:
    chat = drafting()
    chat.lost()
    assert chat.draft("hello") == []
    chat.opened()
    assert chat.draft("hello") == []
    chat = Chat(Mode.CHAT)
    chat.opened(takes_drafts=True)
    assert chat.draft("hello") == [], "in turns there are no slices to prepare"


@a_few
@given(texts)
def test_a_draft_is_what_enter_would_send(line: str) -> None:
    chat = drafting()
    drafts = sent(chat.draft(line))
    frames = sent(chat.say(line))
    assert drafts == [DRAFT + frame for frame in frames[:1]]


def test_a_draft_of_more_than_a_slice_is_the_first_slice() -> None:
    chat = drafting()
    drafts = sent(chat.draft("word " * SLICE_BYTES))
    assert drafts == [DRAFT + sent(chat.say("word " * SLICE_BYTES))[0]]
    assert len(drafts[0].encode()) <= 64 * 1024


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
