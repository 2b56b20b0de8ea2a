"""What crosses the user's words is shown in its place; what is being typed is a draft, to servers that take any."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.chat import Action, Mark, Mode, Send, Show, Slice, Speaker
from clients.chat_text import DRAFT, DRAFT_SUBPROTOCOL, END, NEW_SESSION, TextChat
from clients.words import SLICE_BYTES
from tests.clients.chats import hears, opened, sent, shown
from tests.clients.properties import a_few, texts

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


def drafting() -> TextChat:
    chat = TextChat(Mode.DUPLEX)
    chat.opened(DRAFT_SUBPROTOCOL)
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
def test_a_slice_ends_the_draft(end: Callable[[TextChat], object]) -> None:
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
    chat = TextChat(Mode.CHAT)
    chat.opened(DRAFT_SUBPROTOCOL)
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
