"""What a session talks to in the pure tier: a toy vocabulary, and an engine that says what the test tells it to say.

Knows no model. The vocabulary has what makes the real one hard: pieces that a marker shares with its neighbours, bytes
for what has no piece, control tokens that text may spell.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from dataclasses import dataclass, replace

from edge_server.conversation import Conversation
from edge_server.events import (
    Action,
    Cancel,
    Event,
    Finish,
    Generate,
    Mode,
    NewSession,
    Prepare,
    Release,
    Rewrite,
    Sampled,
    Say,
    Session,
    Silence,
    SliceDone,
    SliceOver,
    Speak,
    TooLong,
    Unheard,
    UserText,
)
from edge_server.session import DuplexSession
from edge_server.settings import Settings
from edge_server.turns import TurnSession
from edge_server.upstream import UpstreamDuplexSession, UpstreamTurnSession
from edge_server.wording import count_words, defuse

USER, ASSISTANT = "<用户>", "<AI>"
BOS, EOS, IDLE = 1, 2, 3

_CONTROLS = {"<unk>": 0, "<s>": BOS, "</s>": EOS, "<idle>": IDLE}
_CONTROL_BYTES = [name.encode() for name in _CONTROLS]
_FIRST_BYTE = len(_CONTROLS)
_FIRST_PIECE = _FIRST_BYTE + 256
_MERGED = [" <", ",<", '"<', '>"', "><", "> "]  # a marker's ends, together with what stands beside them
_WORDS = ["用户", "AI", "hello", "ld", "ing", "idle", "don", "'t"]
_SPACED = [" hello", " wor", " the", " stop", " one", " two", " three"]
_CHARACTERS = [*string.ascii_letters, *string.digits, *" <>.,!?\"'\n/-", *"我你好。"]
_PIECES: list[str] = [*_CHARACTERS, *_WORDS, *_SPACED, *_MERGED]
_LONGEST_FIRST = {piece: _FIRST_PIECE + index for index, piece in enumerate(_PIECES)}
LONGEST = max(map(len, _PIECES))


class Token(int):
    """A token id with an identity: each one that comes from a text or a reply is an object of its own."""


@dataclass(frozen=True)
class ToyVocabulary:
    """Longest piece first, left to right; what has no piece becomes bytes. Every text comes back as it was."""

    duplex: bool = True
    bos: int = BOS
    eos: int = EOS

    @property
    def idle(self) -> int | None:
        """The id of ``<idle>``."""
        return IDLE if self.duplex else None

    def tokenize(self, text: str, *, parse_special: bool) -> list[int]:
        """See `settings.Vocabulary`."""
        if not parse_special:
            return self._plain(text)
        controls = [name for name in _CONTROLS if self.duplex or name != "<idle>"]
        tokens: list[int] = []
        for stretch in re.split(f"({'|'.join(controls)})", text):
            tokens += [Token(_CONTROLS[stretch])] if stretch in controls else self._plain(stretch)
        return tokens

    def _plain(self, text: str) -> list[int]:
        if text in (USER, ASSISTANT):  # of a silent slice: the same ids, and objects, in each of them
            return [_LONGEST_FIRST[piece] for piece in ("<", text[1:-1], ">")]
        tokens: list[int] = []
        at = 0
        while at < len(text):
            ends = range(min(len(text), at + LONGEST), at, -1)
            end = next((end for end in ends if text[at:end] in _LONGEST_FIRST), None)
            if end is None:
                tokens += [Token(_FIRST_BYTE + byte) for byte in text[at].encode()]
                at += 1
            else:
                tokens.append(Token(_LONGEST_FIRST[text[at:end]]))
                at = end
        return tokens

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """See `settings.Vocabulary`."""
        if token < _FIRST_BYTE:
            return _CONTROL_BYTES[token] if special else b""
        if token < _FIRST_PIECE:
            return bytes([token - _FIRST_BYTE])
        return _PIECES[token - _FIRST_PIECE].encode()

    def text(self, tokens: Iterable[int]) -> str:
        """Tokens as a person reads them, control tokens by name."""
        return b"".join(self.piece(token, special=True) for token in tokens).decode("utf-8", "replace")


VOCABULARY = ToyVocabulary()
CHAT_VOCABULARY = ToyVocabulary(duplex=False)


def settings(ctx: int = 4096, slice_tokens: int = 15, *, slide: bool = True, idle_bias: float = 0.0) -> Settings:
    """Settings with the toy vocabulary's markers."""
    return Settings(USER, ASSISTANT, ctx, slice_tokens, slide, idle_bias=idle_bias)


def byte_pairs(tokens: Iterable[int], instructions: str = "") -> list[tuple[bytes, bytes]]:
    """A transcript read back: (user, assistant) by pair, ``</s>`` left out. Fails on what is not well formed.

    The newest pair may be open: its reply lacks its ``</s>`` then. No text in it may hold a marker.
    """
    data = b"".join(VOCABULARY.piece(token, special=True) for token in tokens)
    first, *parts = data.split(USER.encode())
    assert first == f"<s>{instructions}".encode()
    found: list[tuple[bytes, bytes]] = []
    for part in parts:
        user, reply = part.split(ASSISTANT.encode())
        assert reply.endswith(b"</s>") or len(found) == len(parts) - 1
        found.append((user, reply.removesuffix(b"</s>")))
        assert b"</s>" not in found[-1][1]
    return found


def pairs(tokens: Iterable[int], instructions: str = "") -> list[tuple[str, str]]:
    """The same as text."""
    return [(user.decode(), reply.decode("utf-8", "replace")) for user, reply in byte_pairs(tokens, instructions)]


class Peer:
    """One session and both of its neighbours: send it events, answer what it asks for, look at what it said.

    Checks what holds at any time between a session and its neighbours.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.asked: Generate | None = None  # unanswered
        self.prepared: Generate | None = None  # what is said to come next
        self.cancelled = False
        self.sampled: list[int] = []  # what was streamed of the slice that runs
        self.unforeseen = False  # what is asked for now is no silence of the user
        self.instructions = ""
        self.said: list[str] = []
        self.over: list[SliceOver] = []  # what became of each slice
        self.forgotten: list[tuple[int, int]] = []  # what left the front of the transcript, each in its own positions
        self.cells: list[int] = []  # what the engine has decoded
        self.reused = 0  # cells that the last request found

    def send(self, *events: Event) -> list[Action]:
        """Tell the session; returns what it wants done, but for what it only wants prepared and for `over`."""
        actions: list[Action] = []
        for event in events:
            self.instructions = "" if isinstance(event, NewSession) else self.instructions
            self.unforeseen = isinstance(event, Speak)
            new = self.session.receive(event)
            if isinstance(event, Rewrite) and TooLong() not in new:
                self._change(event)
            assert not any(isinstance(action, Prepare) for action in new[:-1]), "first comes what is to be done now"
            for action in new:
                self._take(action)
            actions += [action for action in new if not isinstance(action, (Prepare, SliceOver))]
            self.over += [action for action in new if isinstance(action, SliceOver)]
        return actions

    def text(self, *texts: str) -> list[Action]:
        """The user says something."""
        return self.send(*(UserText(text) for text in texts))

    def tick(self, count: int = 1) -> list[Action]:
        """The user says nothing, ``count`` times."""
        return self.send(*[Silence()] * count)

    def unheard(self, words: int) -> list[Action]:
        """The client reports that the last words were not heard."""
        return self.send(Unheard(count_words("".join(self.said), words)))

    def new_session(self, mode: Mode = Mode.DUPLEX, seed: int = 0) -> list[Action]:
        """The client starts over."""
        return self.send(NewSession(mode, seed))

    def reply(self, text: str, following: str | None = None) -> list[Action]:
        """The model's answer to what was asked: ``text`` with control tokens in it, up to its end or the cap."""
        after = None if following is None else VOCABULARY.tokenize(following, parse_special=True)[0]
        return self.sample(VOCABULARY.tokenize(text, parse_special=True), after)

    def sample(
        self, tokens: Iterable[int], following: int | None = None, *, decoded: int | None = None
    ) -> list[Action]:
        """The same, in tokens; no stop token at their end and fewer than were asked for: cancelled.

        ``decoded``: how far the engine came, where it did not come to the end of the prompt.
        """
        assert self.asked is not None, "nothing was asked for"
        asked, sampled = self.asked, tuple(tokens)
        assert len(sampled) <= asked.max_new
        assert not asked.stop.intersection(sampled[:-1])
        finish = Finish.CANCELLED
        if sampled and sampled[-1] in asked.stop:
            finish = Finish.STOP
        elif len(sampled) == asked.max_new:
            finish = Finish.CAP
        self.asked, self.cancelled, self.sampled = None, False, []
        self.cells = [*asked.tokens, *sampled[:-1]][:decoded]
        return self.send(SliceDone(sampled, finish, following if finish is Finish.CAP and asked.peek else None))

    def begin(self, text: str) -> list[Action]:
        """Words that the model has sampled so far, one token at a time."""
        tokens = VOCABULARY.tokenize(text, parse_special=True)
        self.sampled += tokens
        return self.send(*(Sampled((token,)) for token in tokens))

    def end(self, text: str = "") -> list[Action]:
        """The answer to what was asked: what was streamed, and this."""
        return self.sample([*self.sampled, *VOCABULARY.tokenize(text, parse_special=True)])

    def cancel(self) -> list[Action]:
        """The answer to a `Cancel` that came before any token."""
        return self.sample([])

    @property
    def transcript(self) -> tuple[int, ...]:
        """The session's tokens."""
        assert isinstance(self.session, Conversation)
        return self.session.transcript

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The session's transcript, read back."""
        return pairs(self.transcript, self.instructions)

    @property
    def history(self) -> tuple[str, ...]:
        """The session's texts, in the reference's profile."""
        assert isinstance(self.session, UpstreamDuplexSession | UpstreamTurnSession)
        return self.session.history

    @property
    def engaged(self) -> bool:
        """Whether a tick would run the model."""
        assert isinstance(self.session, Conversation | UpstreamDuplexSession)
        return self.session.engaged

    def _take(self, action: Action) -> None:
        if isinstance(action, Generate):
            assert self.asked is None, "a second request while one is unanswered"
            foreseen = self.prepared is not None and self.prepared.max_new > 0 and not self.unforeseen
            if foreseen and not action.urgent and not action.forget:
                assert self.prepared == action, "silence was foreseen, but not like this"
            self.asked, self.prepared = action, None
            self._decode(action)
        elif isinstance(action, Prepare):
            assert self.asked is None, "something is unanswered"
            assert replace(action.next, forget=()) != self.prepared, "prepared twice"
            self.prepared = replace(action.next, forget=())
            self._forget(action.next)
        elif isinstance(action, Cancel):
            assert self.asked is not None, "there is nothing to cancel"
            assert not self.cancelled, "cancelled twice"
            self.cancelled = True
        elif isinstance(action, Release):
            assert self.asked is None, "released while it is in use"
            self.cells, self.prepared = [], None
        elif isinstance(action, Say):
            assert action.text
            self.said.append(action.text)

    def _decode(self, asked: Generate) -> None:
        """What the engine does first; what is kept must not have to be decoded again."""
        self._forget(asked)
        known = {id(cell) for cell in self.cells if isinstance(cell, Token)}
        kept = [index for index, token in enumerate(asked.tokens) if id(token) in known]
        same = [cell == token for cell, token in zip(self.cells, asked.tokens, strict=False)]
        self.reused = [*same, False].index(False)
        assert self.reused > max(kept, default=-1)
        self.cells = list(asked.tokens)

    def _change(self, event: Rewrite) -> None:
        """What stands behind the first change has to be decoded anew."""
        self.instructions = defuse(event.instructions, (USER, ASSISTANT))
        changed = [cell is not token for cell, token in zip(self.cells, self.transcript, strict=False)]
        first = [*changed, True].index(True)
        self.cells[first:] = [int(cell) for cell in self.cells[first:]]

    def _forget(self, asked: Generate) -> None:
        for start, stop, length in asked.forget:
            assert 1 <= start < stop <= length
            del self.cells[start:stop]
            self.forgotten.append((start, stop))


TEN = " one two three one two three one two three one"  # ten tokens: a slice that is not its message's last
SEED = 7


def duplex(
    ctx: int = 4096,
    slice_tokens: int = 15,
    *,
    slide: bool = True,
    mode: Mode = Mode.DUPLEX,
    streaming: bool = False,
) -> Peer:
    """A new duplex session of our own profile."""
    kept = settings(ctx, slice_tokens, slide=slide)
    return Peer(DuplexSession(VOCABULARY, kept, mode, SEED, streaming=streaming))


def turns(ctx: int = 4096, slice_tokens: int = 3, *, slide: bool = True, streaming: bool = False) -> Peer:
    """A new session turn by turn, with a model that has no idle token."""
    kept = settings(ctx, slice_tokens, slide=slide)
    return Peer(TurnSession(CHAT_VOCABULARY, kept, Mode.ORDINARY, SEED, streaming=streaming))


def speaking(slice_tokens: int = 15, *, streaming: bool = False) -> Peer:
    """One in which the user has said hello, the assistant ``TEN``, and has more to say."""
    peer = duplex(slice_tokens=slice_tokens, streaming=streaming)
    peer.text("hello")
    peer.reply(TEN + "</s>")
    return peer


def greeted(peer: Peer) -> Peer:
    """One in which the user has said hello, and nothing was sampled yet."""
    peer.text("hello")
    return peer


def prompt(peer: Peer) -> str:
    """What the model is asked to go on with."""
    assert peer.asked is not None
    return VOCABULARY.text(peer.asked.tokens)
