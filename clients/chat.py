"""A conversation over text frames, as its client knows it: what to send, what to show, who is speaking.

Pure: knows no socket, no screen and no clock. Whatever happens is a call (`opened`, `tick`, `say`, `hear`, ...),
and what is to be done about it comes back as a list of actions, to be carried out in their order.

The frames are the text protocol's. Going out: one user slice a frame, `<idle>` for a silent one, and a frame that
begins a new session. Coming in: a piece of the reply, with the space it begins with; `<!too_long!>`, the context is
full; and in turn-based mode `<!end!>`, the reply is complete.

A server that agreed to it is also told what is being typed and is not final: `<!draft!>` and the words so far.

The duplex protocol does not say when the assistant has finished. A machine that keeps up answers a tick before the
next one comes, so `QUIET_TICKS` ticks without a reply are taken for silence.

Nor does it say what a reply answers, and one may be on its way already when the user speaks: it crosses the words.
So they are sent behind a `Mark`. What comes before its answer (`passed`) was said before the words were heard, and
only then they are shown, in their place.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, replace
from enum import Enum

from clients.words import clean, in_slices

IDLE = "<idle>"
NEW_SESSION = "<!new_session!>"
NEW_ORDINARY_SESSION = "<!new_ordinary_session!>"
TOO_LONG = "<!too_long!>"
END = "<!end!>"
DRAFT = "<!draft!>"  # what a frame begins with that carries a draft
DRAFT_SUBPROTOCOL = "duplex.draft"  # agreed to in the handshake by a server that takes drafts
CONTROL_FRAMES = frozenset({IDLE, NEW_SESSION, NEW_ORDINARY_SESSION, TOO_LONG, END})

QUIET_TICKS = 2
STOP_WORD = "stop"
DOUBLE_PRESS_SECONDS = 1.5

FULL_NOTE = (
    "That did not fit into the model's context and was not heard: say less, or /new begins another conversation."
)

_SENTENCE_END = re.compile(r"([.!?…。！？][\"'”’»)\]]*|\n)\s*$")
_SENTENCE_NEWLINE = re.compile(r"([.!?…。！？][\"'”’»)\]]*)\n")


class Mode(str, Enum):
    """How turns are taken: in time slices, or one whole line and one whole reply after the other."""

    DUPLEX = "duplex"
    CHAT = "chat"

    @property
    def new_session(self) -> str:
        return NEW_SESSION if self is Mode.DUPLEX else NEW_ORDINARY_SESSION

    @property
    def default_url(self) -> str:
        return "ws://localhost:8765" if self is Mode.DUPLEX else "ws://localhost:8766"


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
class Show:
    slice: Slice


Action = Send | Mark | Show


@dataclass(frozen=True)
class _Sent:
    """What was sent behind a mark and is to be shown when the server has come so far."""

    mark: int
    slices: list[Slice]
    words: bool  # not a new conversation


class Press(Enum):
    """What a press of Ctrl-C means."""

    STOP = "stop the assistant"
    CLEAR = "clear the input line"
    LEAVE = "leave"


def as_frames(words: str) -> list[tuple[str, str]]:
    """The frames that say `words`, each with what is shown of it: none if they are blank."""
    parts = in_slices(" ".join(clean(words).split()))
    # Only the client itself gives orders: typed by a person, they are words.
    return [(f"< {part[1:]}" if part in CONTROL_FRAMES or part.startswith(DRAFT) else part, part) for part in parts]


class Chat:
    """The state of one conversation. After `opened`, and of `lost`, carry out every action that a call returns."""

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self._full = False
        self._sent: deque[_Sent] = deque()
        self._marks = 0
        self.takes_drafts = False  # the server does, on this connection
        self._draft = ""  # what the server holds
        self._open = False
        self._opened_before = False
        self._replies = 0  # since the user's last words
        self._quiet_ticks = 0  # since anyone's last words
        self._answering = False  # turn-based mode: words were sent and no <!end!> has come
        self._sentence_open = False
        self._pressed_at: float | None = None

    @property
    def listening(self) -> bool:
        """Whether words can be sent now."""
        return self._open

    @property
    def full(self) -> bool:
        """Whether the last words, or the conversation, did not fit into the model's context."""
        return self._full and not self._sent

    @property
    def unheard(self) -> list[Slice]:
        """What was said and is not shown yet, because what the server says now may have crossed it."""
        slices = [slice_ for sent in self._sent for slice_ in sent.slices]
        return [replace(slices[0], interrupts=self._cuts(self._sent[0])), *slices[1:]] if slices else []

    @property
    def speaking(self) -> bool:
        """Whether the assistant is in the middle of something, as far as a client can tell."""
        if self._sent:
            return self.mode is Mode.CHAT  # else words have just interrupted it
        return self._in_reply

    @property
    def _in_reply(self) -> bool:
        if self.mode is Mode.CHAT:
            # Not every server sends <!end!>: the duplex port's turn-based mode does not.
            return self._answering and (self._replies == 0 or self._quiet_ticks < QUIET_TICKS)
        return self._replies > 0 and self._quiet_ticks < QUIET_TICKS

    @property
    def silent(self) -> bool:
        """Whether nothing more is to be expected: the reply is complete, or ticks have passed without one."""
        if self._sent:
            return False
        if self.mode is Mode.CHAT:
            return not self.speaking
        return self._quiet_ticks >= QUIET_TICKS

    def opened(self, *, takes_drafts: bool = False) -> list[Action]:
        """A connection is there: begins a session, and says so if there was another before.

        Args:
            takes_drafts: Whether the server has agreed to be sent drafts.
        """
        self._open = True
        self.takes_drafts = takes_drafts and self.mode is Mode.DUPLEX
        self._draft = ""
        self._begin_turn()
        actions: list[Action] = [Send(self.mode.new_session)]
        if self._opened_before:
            actions.append(_note("Connected again: the conversation begins anew."))
        self._opened_before = True
        return actions

    def lost(self) -> list[Action]:
        """The connection is no more; also to be called at the end, to show what would be shown later."""
        self._open = False
        actions = self.passed(self._marks)
        self._begin_turn()
        return actions

    def renew(self) -> list[Action]:
        """The user wants a new conversation on this connection."""
        if not self._open:
            return [_note("Not connected: a new conversation begins when the server is back.")]
        return self._send([self.mode.new_session], [_note("A new conversation.").slice], words=False)

    def tick(self) -> list[Action]:
        """A tick has passed and the user has said nothing. In turn-based mode nothing is sent."""
        self._quiet_ticks += 1
        if self.mode is not Mode.DUPLEX or not self.listening:
            return []
        self._draft = ""
        return [Send(IDLE)]

    def say(self, words: str) -> list[Action]:
        """The user says `words`: nothing if they are blank or nobody listens (`listening`)."""
        parts = as_frames(words)
        if not parts or not self.listening:
            return []
        slices = [Slice(Speaker.YOU, part) for _, part in parts]
        return self._send([frame for frame, _ in parts], slices, words=True)

    def draft(self, line: str) -> list[Action]:
        """`line` is what `say` would be given now, and not final: tells a server that takes drafts, if it has changed.

        What the server is told is what the next slice would be. A slice ends the draft: what is still in the line
        after one is a draft anew.
        """
        if not self.takes_drafts or not self.listening:
            return []
        parts = as_frames(line)
        text = parts[0][0] if parts else ""
        if text == self._draft:
            return []
        self._draft = text
        return [Send(DRAFT + text)]

    def passed(self, number: int) -> list[Action]:
        """The server has answered the `Mark` of this number: what it says from now on, it says after what followed."""
        actions: list[Action] = []
        while self._sent and self._sent[0].mark <= number:
            actions += [Show(slice_) for slice_ in self.unheard[: len(self._sent[0].slices)]]
            words = self._sent.popleft().words
            self._begin_turn()
            self._answering = words
        return actions

    def hear(self, frame: str) -> list[Action]:
        """A frame has come from the server; its text is cleaned before it is shown."""
        if frame == TOO_LONG:
            return self._fill()
        if frame == END:
            self._answering = False
            return []
        text = clean(frame.replace(IDLE, ""))
        if self.mode is Mode.DUPLEX:
            # The server ends a sentence with a newline for clients that speak it; in print a space does.
            text = _SENTENCE_NEWLINE.sub(r"\1 ", text)
        if not text or (text.isspace() and not self._replies):
            return []
        self._full = False
        self._replies += 1
        self._quiet_ticks = 0
        self._answering = True
        self._sentence_open = not _SENTENCE_END.search(text)
        return [Show(Slice(Speaker.ASSISTANT, text))]

    def press(self, now: float) -> Press:
        """Ctrl-C was pressed at `now` (seconds of any clock). On `STOP`, say `STOP_WORD`."""
        again = self._pressed_at is not None and now - self._pressed_at <= DOUBLE_PRESS_SECONDS
        self._pressed_at = now
        if again:
            return Press.LEAVE
        return Press.STOP if self.speaking and self.listening else Press.CLEAR

    def _send(self, frames: list[str], slices: list[Slice], *, words: bool) -> list[Action]:
        self._draft = ""
        self._marks += 1
        self._sent.append(_Sent(self._marks, slices, words))
        return [Mark(self._marks), *map(Send, frames)]

    def _cuts(self, sent: _Sent) -> bool:
        return sent.words and self._in_reply and self._sentence_open

    def _begin_turn(self) -> None:
        self._full = False
        self._replies = 0
        self._quiet_ticks = 0
        self._answering = False
        self._sentence_open = False

    def _fill(self) -> list[Action]:
        self._answering = False
        if self._full:
            return []  # silent slices are answered like that too: it is said once
        self._full = True
        return [_note(FULL_NOTE)]


def _note(text: str) -> Show:
    return Show(Slice(Speaker.NOTE, text))
