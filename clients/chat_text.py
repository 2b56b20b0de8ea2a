"""A conversation over the text protocol, as its client knows it. Pure, as `chat.py` says.

Frames going out: one user slice a frame, `<idle>` for a silent one, and a frame that begins a new session. Coming in: a
piece of the reply, with the space it begins with; `<!too_long!>`, the context is full; and in turn-based mode
`<!end!>`, the reply is complete.

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

from clients.chat import (
    FULL_NOTE,
    Action,
    Mark,
    Mode,
    Press,
    Presses,
    Replied,
    Send,
    Show,
    Slice,
    Speaker,
    in_sentence,
    note,
)
from clients.words import clean, in_slices

IDLE = "<idle>"
NEW_SESSION = "<!new_session!>"
NEW_ORDINARY_SESSION = "<!new_ordinary_session!>"
TOO_LONG = "<!too_long!>"
END = "<!end!>"
DRAFT = "<!draft!>"  # what a frame begins with that carries a draft
DRAFT_SUBPROTOCOL = "duplex.draft"  # agreed to in the handshake by a server that takes drafts
_NEW = {Mode.DUPLEX: NEW_SESSION, Mode.CHAT: NEW_ORDINARY_SESSION}
CONTROL_FRAMES = frozenset({IDLE, NEW_SESSION, NEW_ORDINARY_SESSION, TOO_LONG, END})

QUIET_TICKS = 2
STOP_WORD = "stop"
_SENTENCE_NEWLINE = re.compile(r"([.!?…。！？][\"'”’»)\]]*)\n")


@dataclass(frozen=True)
class _Sent:
    """What was sent behind a mark and is to be shown when the server has come so far."""

    mark: int
    slices: list[Slice]
    words: bool  # not a new conversation


def as_frames(words: str) -> list[tuple[str, str]]:
    """The frames that say `words`, each with what is shown of it: none if they are blank."""
    parts = in_slices(" ".join(clean(words).split()))
    # Only the client itself gives orders: typed by a person, they are words.
    return [(f"< {part[1:]}" if part in CONTROL_FRAMES or part.startswith(DRAFT) else part, part) for part in parts]


class TextChat:
    """One conversation, as `chat.Chat`: it begins anew with every connection."""

    slice_seconds: float | None = None  # it is the client that keeps the clock
    status: tuple[str, ...] = ()
    waiting = False  # the protocol has no such thing

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
        self._presses = Presses()

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

    def query(self) -> str:
        return ""

    def opened(self, subprotocol: str | None = None) -> list[Action]:
        """Begins a session, and says so if there was another before."""
        self._open = True
        self.takes_drafts = subprotocol == DRAFT_SUBPROTOCOL and self.mode is Mode.DUPLEX
        self._draft = ""
        self._begin_turn()
        actions: list[Action] = [Send(_NEW[self.mode])]
        if self._opened_before:
            actions.append(note("Connected again: the conversation begins anew."))
        self._opened_before = True
        return actions

    def lost(self) -> list[Action]:
        self._open = False
        actions = self.passed(self._marks)
        self._begin_turn()
        return actions

    def ended(self) -> list[Action]:
        return self.lost()

    def renew(self) -> list[Action]:
        """The user wants a new conversation on this connection."""
        if not self._open:
            return [note("Not connected: a new conversation begins when the server is back.")]
        return self._send([_NEW[self.mode]], [note("A new conversation.").slice], words=False)

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

    def stop(self) -> list[Action]:
        """The protocol has no word for it but words."""
        return self.say(STOP_WORD)

    def heard(self, item: str, characters: int) -> list[Action]:
        return []  # what was sent counts as heard

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
        self._sentence_open = in_sentence(text)
        return [Show(Slice(Speaker.ASSISTANT, text)), Replied()]

    def press(self, now: float) -> Press:
        return self._presses.meaning(now, stoppable=self.speaking and self.listening)

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
        return [note(FULL_NOTE)]
