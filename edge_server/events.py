"""What a session is told, what it asks for and what it says: the vocabulary between wire, session and engine.

Knows nothing of frames, clocks, threads or llama.cpp. Every value is immutable.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from edge_server.tokens import Forgotten


class Mode(Enum):
    """How a conversation is held."""

    DUPLEX = "duplex"  # slice by slice, at the client's ticks
    ORDINARY = "ordinary"  # turn by turn: one text, one whole reply


# --- what comes in -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NewSession:
    """Forget everything and start over; ``seed`` is where this conversation's random numbers come from."""

    mode: Mode
    seed: int


@dataclass(frozen=True)
class UserText:
    """One user slice that has words in it. ``turn``: the number of the turn that it begins; None: one more."""

    text: str
    turn: int | None = None


@dataclass(frozen=True)
class Draft:
    """What has been typed or recognised so far in this slice; it may still change. Empty: nothing any more."""

    text: str


@dataclass(frozen=True)
class Silence:
    """One user slice with nothing in it: a tick."""


@dataclass(frozen=True)
class Unheard:
    """The last ``characters`` characters that were delivered did not reach the user's ears."""

    characters: int


@dataclass(frozen=True)
class Speak:
    """The assistant is asked to speak, or to go on, without words of the user. ``turn``: as `UserText` has it.

    Means nothing while a slice runs.
    """

    turn: int | None = None


@dataclass(frozen=True)
class Stop:
    """The assistant is to say no more until it is spoken to: also not to texts that came before this."""


@dataclass(frozen=True)
class Limit:
    """From now on a reply has at most ``tokens`` tokens (1 or more), the present one too; None: as the mode has it."""

    tokens: int | None


@dataclass(frozen=True)
class IdleBias:
    """From the next slice on the logit of ``<idle>`` gets ``bias`` at a slice's first token, in duplex mode."""

    bias: float


@dataclass(frozen=True)
class Kept:
    """A turn that stays as it is, but for what is taken out of it.

    ``user``: whether the user's words stay. ``characters``: how many of the reply's; None: all.
    """

    turn: int
    user: bool = True
    characters: int | None = None


@dataclass(frozen=True)
class Told:
    """A turn that was not held here: the user's words and the reply, either of which may be empty."""

    turn: int
    user: str
    reply: str


@dataclass(frozen=True)
class Rewrite:
    """The conversation consists of these turns, behind these instructions. Not while a slice runs."""

    turns: tuple[Kept | Told, ...]
    instructions: str = ""


@dataclass(frozen=True)
class Sampled:
    """Tokens of the unanswered `Generate`, as they are sampled: each once, in order. Its `SliceDone` has them all."""

    tokens: tuple[int, ...]


class Finish(Enum):
    """Why a slice's generation ended."""

    STOP = "stop"  # a stop token was sampled; it is the last of the tokens
    CAP = "cap"  # as many tokens as were asked for
    CANCELLED = "cancelled"  # taken back; the tokens are those sampled until then


@dataclass(frozen=True)
class SliceDone:
    """The engine's answer to a `Generate`: the tokens sampled, and after a cap the likeliest next token."""

    tokens: tuple[int, ...]
    finish: Finish
    likeliest_next: int | None = None


Event = (
    NewSession | UserText | Draft | Silence | Unheard | Speak | Stop | Limit | IdleBias | Rewrite | Sampled | SliceDone
)


# --- what is to be done --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Generate:
    """Run the model on ``tokens`` and report a `SliceDone`; at most one is unanswered at a time.

    ``cuts``: positions up to which the tokens were, or may have been, known before the rest was, in rising order.
    ``urgent``: it answers words, not silence. ``first_bias``: a token, and what is added to its logit where the first
    token is drawn.
    ``forget`` lists what left the front of the transcript since the last action that had such, in order, each in the
    positions of its own moment; what followed it there is kept and moves up. Everything else that changed shows in
    ``tokens``.
    """

    tokens: tuple[int, ...]
    max_new: int
    stop: frozenset[int]
    seed: int
    peek: bool
    cuts: tuple[int, ...] = ()
    urgent: bool = False
    first_bias: tuple[int, float] | None = None
    forget: tuple[Forgotten, ...] = ()


@dataclass(frozen=True)
class Prepare:
    """``next`` is what will probably be asked for next; with ``max_new`` 0 it is only how that will begin.

    It may be carried out as long as nothing else is asked, and takes the place of the one before.
    """

    next: Generate


@dataclass(frozen=True)
class Cancel:
    """Stop the unanswered `Generate` at the next token; its `SliceDone` still comes."""


@dataclass(frozen=True)
class Release:
    """Nothing of the transcript is left: its cells in the KV cache may go."""


# --- what goes out -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Say:
    """Words of the assistant, to be delivered now."""

    text: str


@dataclass(frozen=True)
class ReplyEnd:
    """The reply to this turn is complete (ordinary mode)."""


@dataclass(frozen=True)
class TooLong:
    """What came does not fit into the context."""


class SliceKind(Enum):
    """What the assistant's half of a slice was."""

    SPEECH = "speech"  # words, and there may be more
    SILENCE = "silence"  # no words
    END = "end"  # the last words of a message
    LIMIT = "limit"  # the last words that the reply may have
    INTERRUPTED = "interrupted"  # it was cut off


@dataclass(frozen=True)
class SliceOver:
    """A slice that the model was run for is over; its words went out before. ``more``: whether there is more to say."""

    kind: SliceKind
    more: bool


Output = Say | ReplyEnd | TooLong | SliceOver
Action = Generate | Prepare | Cancel | Release | Say | ReplyEnd | TooLong | SliceOver


class Session(Protocol):
    """A conversation: events in, actions out, in order. No I/O, no clock."""

    @property
    def waiting(self) -> int:
        """How many events wait for the unanswered `Generate`. The caller must not let them grow without end."""
        ...

    @property
    def engaged(self) -> bool:
        """Whether the model has more to say."""
        ...

    def receive(self, event: Event) -> list[Action]:
        """Take one event; return what is to be done now, first things first."""
        ...
