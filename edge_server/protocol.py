"""The reference's text protocol: frames to events, outputs to frames. Sans-I/O; see docs/protocol.md for the frames.

Two dialects: `upstream`, byte for byte, and our own, which the same clients read. Knows the frames only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from edge_server.events import Draft, Mode, Output, Say, Silence, SliceOver, TooLong, UserText
from edge_server.wording import defuse

NEW_SESSION = "<!new_session!>"
NEW_ORDINARY_SESSION = "<!new_ordinary_session!>"
TOO_LONG = "<!too_long!>"
END = "<!end!>"
IDLE = "<idle>"
DRAFT = "<!draft!>"
DRAFTS = "duplex.draft"  # the WebSocket subprotocol in which clients send drafts
SEED = "<!seed!>"
SLICE = "<!slice!>"
REPORTS = "duplex.report"  # the one in which clients are told what was dealt with, and may give seeds
MAX_FRAME_BYTES = 64 * 1024
MAX_SEED = 2**63 - 1

# A sentence ends at its punctuation and what closes behind it, if a space or the slice's end follows; the CJK full
# stops need nothing to follow.
_SENTENCE_END = re.compile(r"([.!?…]+[\"'”’)\]]*)(?:[ \t]+|$)|([。！？]+[”’」』）]*)[ \t]*")


_DECIMAL = re.compile(r"[0-9]{1,19}")  # as long as MAX_SEED: what is longer need not be read


class FrameError(Exception):
    """A frame that the connection's subprotocol does not allow. One line, short enough for a close frame."""


@dataclass(frozen=True)
class Seed:
    """Where the next new session's random numbers come from: 0 to `MAX_SEED`."""

    seed: int


def end_sentences(text: str) -> str:
    """``text`` with a newline after each sentence, in place of the spaces there.

    The demo joins a reply to the one before with a space unless that one ends in a newline, and speaks line by line.
    """
    return _SENTENCE_END.sub(lambda match: (match[1] or match[2]) + "\n", text)


def subprotocols(*, upstream: bool, ordinary_port: bool) -> tuple[str, ...]:
    """What a client of a port may ask for in the handshake."""
    if upstream:
        return ()
    return (DRAFTS,) if ordinary_port else (DRAFTS, REPORTS)


class TextCodec:
    """One connection's frames. ``ordinary_port`` is 8766's wire: pieces as they come, ``<!end!>`` behind the last."""

    def __init__(self, *, upstream: bool = False, ordinary_port: bool = False, subprotocol: str | None = None) -> None:
        """``subprotocol``: what the handshake selected; without it, a frame of its kind is a text."""
        self._upstream = upstream
        self._drafts = subprotocol == DRAFTS
        self._reports = subprotocol == REPORTS
        self._ordinary_port = ordinary_port
        self._mode = self.first_mode
        self._reply: list[str] = []  # ordinary mode on the duplex port: one frame a reply

    @property
    def first_mode(self) -> Mode:
        """The mode of a connection that has not asked for any."""
        return Mode.ORDINARY if self._ordinary_port else Mode.DUPLEX

    def decode(self, frame: str) -> UserText | Draft | Silence | Mode | Seed | None:
        """What a frame means: a slice, a draft of one, a new session in a mode, its seed, or nothing (an empty frame).

        Raises FrameError.
        """
        text = frame.strip()
        if self._drafts and text.startswith(DRAFT):
            return Draft(text[len(DRAFT) :].strip())
        if self._reports and text.startswith(SEED):
            return _seed(text[len(SEED) :])
        if not text:
            return None
        if text in (NEW_SESSION, NEW_ORDINARY_SESSION):
            ordinary = self._ordinary_port or text == NEW_ORDINARY_SESSION
            self._mode = Mode.ORDINARY if ordinary else Mode.DUPLEX
            self._reply.clear()
            return self._mode
        return Silence() if text == IDLE else UserText(text)

    def report(self, slices: int) -> list[str]:
        """The frames that tell a client that so many slices are dealt with: none, unless it has asked for reports."""
        return [f"{SLICE}{slices}"] if self._reports else []

    def encode(self, output: Output) -> list[str]:
        """The frames that deliver an output: none or one."""
        if isinstance(output, TooLong):
            return [TOO_LONG]
        if isinstance(output, Say):
            return self._encode_words(output.text)
        if isinstance(output, SliceOver):
            return []
        if self._ordinary_port:
            return [END]
        whole = "".join(self._reply)
        self._reply.clear()
        return [_as_words(whole)] if whole else []

    def _encode_words(self, text: str) -> list[str]:
        if self._upstream:
            return [text if self._ordinary_port else text.replace(".", "\n")]
        if self._ordinary_port:
            return [_as_words(text)]
        if self._mode is Mode.ORDINARY:
            self._reply.append(text)
            return []
        return [end_sentences(_as_words(text))]


def _as_words(text: str) -> str:
    """A frame's words, such that they are not taken for the server's: the model may say what looks like it."""
    if text.strip() in (TOO_LONG, END) or text.lstrip().startswith(SLICE):
        return defuse(text, (TOO_LONG, END, SLICE))
    return text


def _seed(digits: str) -> Seed:
    if not _DECIMAL.fullmatch(digits) or int(digits) > MAX_SEED:
        raise FrameError(f"{SEED} takes a decimal integer from 0 to 2^63-1, without spaces")
    return Seed(int(digits))
