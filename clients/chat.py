"""A conversation over text frames, as its client knows it: what to send, what to show, who is speaking.

Pure: knows no socket, no screen and no clock. Whatever happens is a call (`opened`, `tick`, `say`, `hear`, ...),
and what is to be done about it comes back as a list of actions, to be carried out in their order.

The frames are the text protocol's. Going out: one user slice a frame, `<idle>` for a silent one, and a frame that
begins a new session. Coming in: a piece of the reply, with the space it begins with; `<!too_long!>`, the context is
full; and in turn-based mode `<!end!>`, the reply is complete.

The duplex protocol does not say when the assistant has finished. A machine that keeps up answers a tick before the
next one comes, so `QUIET_TICKS` ticks without a reply are taken for silence.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

IDLE = "<idle>"
NEW_SESSION = "<!new_session!>"
NEW_ORDINARY_SESSION = "<!new_ordinary_session!>"
TOO_LONG = "<!too_long!>"
END = "<!end!>"
CONTROL_FRAMES = frozenset({IDLE, NEW_SESSION, NEW_ORDINARY_SESSION, TOO_LONG, END})

QUIET_TICKS = 2
STOP_WORD = "stop"
DOUBLE_PRESS_SECONDS = 1.5
SLICE_BYTES = 32 * 1024  # half of what the server accepts in a frame

FULL_NOTE = (
    "That did not fit into the model's context and was not heard: say less, or /new begins another conversation."
)

# Scripts written without spaces: each of their characters, and the punctuation that goes with them, ends a word.
_CJK = "\u3000-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff60\U00020000-\U0003ffff"
_WHOLE_WORDS = re.compile(rf".*[\s{_CJK}]", re.DOTALL)
_SENTENCE_END = re.compile(r"([.!?…。！？][\"'”’»)\]]*|\n)\s*$")
_SENTENCE_NEWLINE = re.compile(r"([.!?…。！？][\"'”’»)\]]*)\n")
_JOINERS = "\u200c\u200d"  # they shape Persian and join emoji; other invisible format characters are dropped


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
class Show:
    slice: Slice


Action = Send | Show


class Press(Enum):
    """What a press of Ctrl-C means."""

    STOP = "stop the assistant"
    CLEAR = "clear the input line"
    LEAVE = "leave"


def clean(text: str) -> str:
    """`text` with nothing in it that could steer a terminal: no control or invisible format characters but newlines."""
    kept = []
    for character in text.replace("\r\n", "\n"):
        category = unicodedata.category(character)
        if character in "\n\r\u2028\u2029\x85":
            kept.append("\n")
        elif character == "\t":
            kept.append(" ")
        elif category not in ("Cc", "Cf", "Cs") or character in _JOINERS:
            kept.append(character)
    return "".join(kept)


def cut_words(line: str, cursor: int) -> tuple[str, str]:
    """Divides `line` into the words that are finished and the rest; the two joined are `line`.

    A word is finished when a space follows it, or when it is a CJK character, before the `cursor` (an index into
    `line`): what is being typed at the cursor, and what follows it, stays in the rest.
    """
    match = _WHOLE_WORDS.match(line[:cursor])
    if match is None or not match[0].strip():
        return "", line
    return match[0], line[match.end() :]


def in_slices(words: str, limit: int = SLICE_BYTES) -> list[str]:
    """`words` as slices of at most `limit` UTF-8 bytes (4 or more), divided between words where there is a space."""
    slices = []
    while len(encoded := words.encode()) > limit:
        head = encoded[:limit].decode(errors="ignore")
        if (space := words.rfind(" ", 0, len(head) + 1)) > 0:
            head = words[:space]
        slices.append(head)
        words = words[len(head) :].lstrip()
    return [*slices, words] if words else slices


class Chat:
    """The state of one conversation. After `opened` and until `lost`, carry out every action that a call returns."""

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self.full = False  # the last words, or the conversation, did not fit into the model's context
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
    def speaking(self) -> bool:
        """Whether the assistant is in the middle of something, as far as a client can tell."""
        if self.mode is Mode.CHAT:
            # Not every server sends <!end!>: the duplex port's turn-based mode does not.
            return self._answering and (self._replies == 0 or self._quiet_ticks < QUIET_TICKS)
        return self._replies > 0 and self._quiet_ticks < QUIET_TICKS

    @property
    def silent(self) -> bool:
        """Whether nothing more is to be expected: the reply is complete, or ticks have passed without one."""
        if self.mode is Mode.CHAT:
            return not self.speaking
        return self._quiet_ticks >= QUIET_TICKS

    def opened(self) -> list[Action]:
        """A connection is there: begins a session, and says so if there was another before."""
        self._open = True
        actions = self._begin()
        if self._opened_before:
            actions.append(_note("Connected again: the conversation begins anew."))
        self._opened_before = True
        return actions

    def lost(self) -> None:
        self._open = False
        self._begin_turn()

    def renew(self) -> list[Action]:
        """The user wants a new conversation on this connection."""
        if not self._open:
            return [_note("Not connected: a new conversation begins when the server is back.")]
        return [*self._begin(), _note("A new conversation.")]

    def tick(self) -> list[Action]:
        """A tick has passed and the user has said nothing. In turn-based mode nothing is sent."""
        self._quiet_ticks += 1
        return [Send(IDLE)] if self.mode is Mode.DUPLEX and self.listening else []

    def say(self, words: str) -> list[Action]:
        """The user says `words`: nothing if they are blank or nobody listens (`listening`)."""
        words = " ".join(clean(words).split())
        if not words or not self.listening:
            return []
        interrupts = self.speaking and self._sentence_open
        actions: list[Action] = []
        for part in in_slices(words):
            # Only the client itself gives orders: typed by a person, they are words.
            frame = f"< {part[1:]}" if part in CONTROL_FRAMES else part
            actions += [Send(frame), Show(Slice(Speaker.YOU, part, interrupts))]
            interrupts = False
        self._begin_turn()
        self._answering = True
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
        self.full = False
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

    def _begin(self) -> list[Action]:
        self._begin_turn()
        return [Send(self.mode.new_session)]

    def _begin_turn(self) -> None:
        self.full = False
        self._replies = 0
        self._quiet_ticks = 0
        self._answering = False
        self._sentence_open = False

    def _fill(self) -> list[Action]:
        self._answering = False
        if self.full:
            return []  # silent slices are answered like that too: it is said once
        self.full = True
        return [_note(FULL_NOTE)]


def _note(text: str) -> Show:
    return Show(Slice(Speaker.NOTE, text))
