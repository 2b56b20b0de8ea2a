"""What holds for every conversation of a server, what a conversation needs of a tokenizer, and its random streams."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

from edge_server.delivery import Pieces
from edge_server.events import Mode
from edge_server.transcript import Transcript

MESSAGE_ENDS_WITHIN = 6  # tokens, the closing one included
FORGET = 0.25  # `models/pocket/README.md` compares it with others
ORDINARY_TOKENS = 512  # the longest reply of ordinary mode, as in the reference's duplex server


class Vocabulary(Pieces, Protocol):
    """What a session needs of a tokenizer. Token ids are ints; ``idle`` is None for a model that is not duplex."""

    @property
    def bos(self) -> int: ...

    @property
    def idle(self) -> int | None: ...

    def tokenize(self, text: str, *, parse_special: bool) -> list[int]:
        """The tokens of ``text`` as one string, without BOS; control tokens in it are parsed only if asked."""


@dataclass(frozen=True)
class Settings:
    """What holds for every conversation of a server. Lengths are in tokens.

    ``forget``: the share of the context that a full transcript forgets at least (above 0, below 1). ``idle_bias``: what
    the logit of ``<idle>`` gets at the first token of a slice; not in ordinary mode, which waits for nothing.
    """

    user_marker: str
    assistant_marker: str
    ctx: int
    slice_tokens: int = 15
    slide: bool = True
    look_ahead: bool = True
    forget: float = FORGET
    idle_bias: float = 0.0

    def transcript(self, bos: int) -> Transcript:
        """An empty transcript that leaves room for a reply and its ``</s>``."""
        at_least = int(self.ctx * self.forget) if self.slide else None
        return Transcript(bos, self.ctx - self.slice_tokens - 1, at_least)

    def first_bias(self, mode: Mode, idle: int | None) -> tuple[int, float] | None:
        """The bias of a slice's first token in a mode, as `Generate` has it."""
        return (idle, self.idle_bias) if self.idle_bias and mode is Mode.DUPLEX and idle is not None else None


def slice_seed(seed: int, number: int) -> int:
    """The 32-bit seed of one slice's random stream, from the conversation's seed and the slice's number."""
    return int.from_bytes(hashlib.blake2b(f"{seed}:{number}".encode(), digest_size=4).digest(), "little")
