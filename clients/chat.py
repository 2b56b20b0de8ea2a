"""A conversation as its client knows it: what to send, what to show, who is speaking. Whatever the protocol.

Pure: knows no socket, no screen and no clock. Whatever happens is a call (`opened`, `tick`, `say`, `hear`, ...),
and what is to be done about it comes back as a list of actions, to be carried out in their order.

`chat_text.py` is the text protocol's chat, `chat_realtime.py` the JSON protocol's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

DOUBLE_PRESS_SECONDS = 1.5
CUT_MARK = " —"  # behind a sentence of the assistant's that was broken off

FULL_NOTE = (
    "That did not fit into the model's context and was not heard: say less, or /new begins another conversation."
)

_SENTENCE_END = re.compile(r"([.!?…。！？][\"'”’»)\]]*|\n)\s*$")


def in_sentence(text: str) -> bool:
    """Whether `text` stops in the middle of a sentence."""
    return not _SENTENCE_END.search(text)


class Mode(str, Enum):
    """How turns are taken: in time slices, or one whole line and one whole reply after the other."""

    DUPLEX = "duplex"
    CHAT = "chat"


class Speaker(str, Enum):
    YOU = "you"
    ASSISTANT = "assistant"
    NOTE = "note"  # the client itself, about the connection or a command


@dataclass(frozen=True)
class Slice:
    """What someone said at one time. An assistant's text keeps its leading space; it may hold newlines."""

    speaker: Speaker
    text: str
    interrupts: bool = False  # the user's words came in the middle of an assistant's sentence
    continues: bool = False  # it is more of the slice before


@dataclass(frozen=True)
class Send:
    frame: str


@dataclass(frozen=True)
class Mark:
    """The server is to be asked, between the frames around this, to answer as soon as it has come so far.

    When it has, `Chat.passed` is to be told, in the order in which that answer and frames came in.
    """

    number: int


@dataclass(frozen=True)
class Reconnect:
    """The connection is to be closed, and another opened at once."""


@dataclass(frozen=True)
class Show:
    slice: Slice


@dataclass(frozen=True)
class Replied:
    """A slice of the assistant's that has words is over; turn by turn, a reply."""


@dataclass(frozen=True)
class Speak:
    """To be spoken behind what is being spoken: `text`, which begins at character `start` of the reply `item`.

    As it is heard, `Chat.heard` is to be told.
    """

    item: str
    start: int
    text: str


@dataclass(frozen=True)
class Flush:
    """What is to be spoken is whole for now: nothing that belongs to its last phrase follows."""


@dataclass(frozen=True)
class Hush:
    """Nothing more is to be spoken of what is not heard yet."""


Action = Send | Mark | Reconnect | Show | Replied | Speak | Flush | Hush


class Press(Enum):
    """What a press of Ctrl-C means."""

    STOP = "stop the assistant"
    CLEAR = "clear the input line"
    LEAVE = "leave"


class Presses:
    """Tells presses of Ctrl-C apart."""

    def __init__(self) -> None:
        self._last: float | None = None

    def meaning(self, now: float, *, stoppable: bool) -> Press:
        """Of a press at `now` (seconds of any clock), while there is something to be stopped or not."""
        again = self._last is not None and now - self._last <= DOUBLE_PRESS_SECONDS
        self._last = now
        if again:
            return Press.LEAVE
        return Press.STOP if stoppable else Press.CLEAR


class Chat(Protocol):
    """The state of one conversation. Carry out every action that a call returns, in order."""

    mode: Mode

    @property
    def listening(self) -> bool:
        """Whether words can be sent now."""

    @property
    def full(self) -> bool:
        """Whether the last words, or the conversation, did not fit into the model's context."""

    @property
    def unheard(self) -> list[Slice]:
        """What was said and is not shown yet, because the server may still say something that comes before it."""

    @property
    def speaking(self) -> bool:
        """Whether the assistant is in the middle of something, as far as a client can tell."""

    @property
    def waiting(self) -> bool:
        """Whether the assistant holds back what it has to say, because the user has begun to."""

    @property
    def silent(self) -> bool:
        """Whether nothing more is to be expected of the assistant."""

    @property
    def takes_drafts(self) -> bool:
        """Whether the server wants to know what is being typed."""

    @property
    def slice_seconds(self) -> float | None:
        """How long a slice is, if the server has said so."""

    @property
    def status(self) -> tuple[str, ...]:
        """What is known of the last slice, a few words each, the most important first."""

    def query(self) -> str:
        """What goes behind the server's address when the next connection is made."""

    def opened(self, subprotocol: str | None) -> list[Action]:
        """A connection is there, on which the server has selected `subprotocol`."""

    def lost(self) -> list[Action]:
        """The connection is no more."""

    def ended(self) -> list[Action]:
        """The conversation is over: shows what would have been shown later."""

    def renew(self) -> list[Action]:
        """The user wants a new conversation."""

    def tick(self) -> list[Action]:
        """A tick has passed and the user has said nothing."""

    def say(self, words: str) -> list[Action]:
        """The user says `words`: nothing if they are blank or nobody listens (`listening`)."""

    def draft(self, line: str) -> list[Action]:
        """`line` is what `say` would be given now, and not final: tells a server that takes drafts, if it changed."""

    def stop(self) -> list[Action]:
        """The assistant is to stop speaking."""

    def heard(self, item: str, characters: int) -> list[Action]:
        """The user has heard so many characters of a reply."""

    def passed(self, number: int) -> list[Action]:
        """The server has answered the `Mark` of this number: what it says from now on, it says after what followed."""

    def hear(self, frame: str) -> list[Action]:
        """A frame has come from the server; its text is cleaned before it is shown."""

    def press(self, now: float) -> Press:
        """Ctrl-C was pressed at `now` (seconds of any clock). On `STOP`, `stop`."""


def note(text: str) -> Show:
    """The client has something to say itself."""
    return Show(Slice(Speaker.NOTE, text))
