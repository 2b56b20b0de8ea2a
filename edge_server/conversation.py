"""What the conversations of our own profile share: one slice runs at a time, text wins over it, words stay whole.

Events in, actions out; `session.py` has the rules. No I/O, no clock, no thread, no llama.cpp.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Protocol

from edge_server.events import (
    Action,
    Cancel,
    Draft,
    Event,
    Finish,
    Generate,
    Mode,
    NewSession,
    Prepare,
    Release,
    ReplyEnd,
    Say,
    Silence,
    SliceDone,
    TooLong,
    Unheard,
    UserText,
)
from edge_server.tokens import common_prefix
from edge_server.transcript import Pair, Transcript
from edge_server.wording import count_heard, count_held, defuse, incomplete_tail

MESSAGE_ENDS_WITHIN = 6  # tokens, the closing one included
CUT_PAIRS = 17  # as many as can be opened before one is answered: 16 texts that wait, and the one they interrupted
FORGET = 0.25  # `models/pocket/README.md` compares it with others
ORDINARY_TOKENS = 512  # the longest reply of ordinary mode, as in the reference's duplex server


class Vocabulary(Protocol):
    """What a session needs of a tokenizer. Token ids are ints; ``idle`` is None for a model that is not duplex."""

    @property
    def bos(self) -> int: ...

    @property
    def eos(self) -> int: ...

    @property
    def idle(self) -> int | None: ...

    def tokenize(self, text: str, *, parse_special: bool) -> list[int]:
        """The tokens of ``text`` as one string, without BOS; control tokens in it are parsed only if asked."""

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """The bytes that a token stands for; a control token stands for nothing unless ``special``."""


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


class Run(Enum):
    """What is the matter with the last `Generate`."""

    ANSWERED = auto()  # or there was none
    WANTED = auto()
    INTERRUPTED = auto()  # cancelled, because text came
    FORGOTTEN = auto()  # cancelled, because its conversation is no more


class Conversation(ABC):
    """One conversation. The caller passes every event, and carries out every action, in order."""

    def __init__(self, vocabulary: Vocabulary, settings: Settings, mode: Mode, seed: int) -> None:
        self._vocabulary = vocabulary
        self._settings = settings
        self._silence = [] if vocabulary.idle is None else [vocabulary.idle]  # as a slice: no words
        self._stop = frozenset({vocabulary.eos, *self._silence})
        self._run = Run.ANSWERED
        self._before = vocabulary.tokenize(settings.user_marker, parse_special=False)
        self._start_over(mode, seed)

    def _start_over(self, mode: Mode, seed: int) -> None:
        self._mode = mode
        self._seed = seed
        self._number = 0  # slices that the model was run for
        self._transcript = self._settings.transcript(self._vocabulary.bos)
        self._waiting: list[str] = []
        self._engaged = False
        self._replying = False  # a turn of ordinary mode has not had its `ReplyEnd` yet
        self._ended = False  # the context is full and may not slide
        self._held = b""  # what waits for the rest of its word; its tokens may have slid away
        self._unheard = 0  # words
        self._draft = ""
        self._left = ""  # the draft that stood when the last slice came
        self._prepared: Generate | None = None

    @property
    def waiting(self) -> int:
        """How many texts wait for the slice that runs."""
        return len(self._waiting)

    @property
    def transcript(self) -> tuple[int, ...]:
        """The tokens of the conversation."""
        return tuple(self._transcript.tokens)

    @property
    def engaged(self) -> bool:
        """Whether the model has more to say."""
        return self._engaged

    def receive(self, event: Event) -> list[Action]:
        """Take one event; return what is to be done now, first things first."""
        return [*self._receive(event), *self._prepare()]

    def _receive(self, event: Event) -> list[Action]:
        if isinstance(event, Draft):
            # What was left standing over a slice of silence will probably stand over the next one too.
            self._draft = "" if event.text == self._left else event.text
            return []
        if isinstance(event, (UserText, Silence)):
            self._left, self._draft = self._draft or self._left, ""
        if isinstance(event, UserText):
            return self._on_text(event.text)
        if isinstance(event, SliceDone):
            return self._on_done(event)
        if isinstance(event, NewSession):
            return self._on_new_session(event)
        if isinstance(event, Unheard):
            self._unheard = event.words
            return []
        return self._on_silence()

    # --- events

    def _on_new_session(self, event: NewSession) -> list[Action]:
        ran = self._number > 0
        self._start_over(event.mode, event.seed)
        if self._run is Run.ANSWERED:
            return [Release()] if ran else []
        cancelled, self._run = self._run is not Run.WANTED, Run.FORGOTTEN
        return [] if cancelled else [Cancel()]

    def _on_text(self, text: str) -> list[Action]:
        if self._run is Run.ANSWERED:
            return self._answer([text])
        self._waiting.append(text)
        if self._run is not Run.WANTED:
            return []
        self._run = Run.INTERRUPTED
        return [Cancel()]

    def _on_silence(self) -> list[Action]:
        return []

    def _on_done(self, done: SliceDone) -> list[Action]:
        if self._run is Run.ANSWERED:
            raise ValueError("a slice was reported that was not asked for")
        run, self._run = self._run, Run.ANSWERED
        if run is Run.WANTED and done.finish is not Finish.CANCELLED:
            return self._deliver(done)
        actions: list[Action] = [Release()]
        if run is not Run.FORGOTTEN:
            self._cut_reply(self._transcript.last.delivered)
            self._engaged = run is Run.INTERRUPTED  # what the engine gave up by itself is not tried again
            actions = self._end_reply()
        texts, self._waiting = self._waiting, []
        return [*actions, *(self._answer(texts) if texts else [])]

    @abstractmethod
    def _deliver(self, done: SliceDone) -> list[Action]:
        """A slice ended as it should: put its reply into the transcript, deliver it, go on."""

    # --- slices

    def _answer(self, texts: list[str]) -> list[Action]:
        """Append each text as a slice and run the model for the last one."""
        self._take_back()
        user, assistant = self._settings.user_marker, self._settings.assistant_marker
        slices = [self._tokenize(user + defuse(text, (user, assistant)) + assistant) for text in texts]
        actions: list[Action] = []
        for user_slice in slices[:-1]:
            if self._append(user_slice):
                self._cut_reply(0)
            else:
                actions.append(TooLong())
        self._replying = self._mode is Mode.ORDINARY
        return [*actions, *self._begin(slices[-1])]

    def _tokenize(self, text: str) -> list[int]:
        return self._vocabulary.tokenize(text, parse_special=False)

    def _begin(self, user: list[int], *, silent: bool = False) -> list[Action]:
        """Open a pair with the user's half and run the model for the other."""
        if self._append(user, silent=silent):
            return self._generate()
        return [*(self._say([]) if self._held else []), TooLong(), *self._end_reply()]

    def _append(self, user: list[int], *, silent: bool = False) -> bool:
        fits = not self._ended and self._transcript.append(user, silent=silent)
        if not fits and not self._settings.slide:
            self._ended, self._engaged = True, False
        return fits

    def _generate(self) -> list[Action]:
        self._run = Run.WANTED
        self._engaged = True
        self._prepared = None
        forget = self._transcript.take_forgotten()
        request = self._request(self.transcript, self._cuts())
        self._number += 1
        return [replace(request, urgent=not self._transcript.last.silent_user, forget=forget)]

    def _request(self, tokens: tuple[int, ...], cuts: tuple[int, ...]) -> Generate:
        """What to ask for next, once the transcript is ``tokens``."""
        seed = slice_seed(self._seed, self._number)
        bias = self._settings.first_bias(self._mode, self._vocabulary.idle)
        return Generate(tokens, self._settings.slice_tokens, self._stop, seed, peek=True, cuts=cuts, first_bias=bias)

    def _cuts(self, further: list[int] | None = None) -> tuple[int, ...]:
        """Where the user markers of the newest pairs end, and of a ``further`` one that begins with these tokens.

        Each may have been prepared before what follows it was known. A text in which the marker's end merges with the
        words is cut before it: there a prepared token is taken back.
        """
        tokens, before = self._transcript.tokens, self._before
        ends = [
            pair.start + common_prefix(tokens[pair.start : pair.start + len(before)], before)
            for pair in self._transcript.pairs[-CUT_PAIRS:]
        ]
        if further is not None:
            ends.append(len(tokens) + common_prefix(further, before))
        return tuple(ends[-CUT_PAIRS:])

    def _end_reply(self) -> list[Action]:
        replying, self._replying = self._replying, False
        return [ReplyEnd()] if replying else []

    # --- looking ahead

    def _prepare(self) -> list[Action]:
        """Say what will probably be asked for next, if that is not what was said last."""
        if self._run is not Run.ANSWERED or self._ended or not (self._number or self._draft):
            return []
        following = self._following()
        forget = self._transcript.take_forgotten()
        if following == self._prepared and not forget:
            return []
        self._prepared = following
        return [Prepare(replace(following, forget=forget))]

    def _following(self) -> Generate:
        """How the next slice will begin: the marker, and what is typed so far."""
        begun = self._before
        if self._draft:
            user, assistant = self._settings.user_marker, self._settings.assistant_marker
            begun = self._tokenize(user + defuse(self._draft, (user, assistant)))
        if not self._transcript.fits(len(begun)):
            begun = []
        request = self._request((*self._transcript.tokens, *begun), self._cuts(begun))
        return replace(request, max_new=0, peek=False)

    # --- words

    def _say(self, words: list[int], following: int | None = None) -> list[Action]:
        """Deliver what waited, and these words of the newest pair but for what has to wait in turn.

        ``following``: the likeliest next token. Nothing waits once the model has no more to say.
        """
        pieces = self._pieces(words)
        data = self._held + b"".join(pieces)
        held, end = 0, len(data)
        if self._engaged:
            held = count_held(self._held, pieces, None if following is None else self._vocabulary.piece(following))
            end -= len(b"".join(pieces[len(pieces) - held :]))
            end -= incomplete_tail(data[:end])
        for pair in self._transcript.pairs[-2:]:  # what waited is of the pair before, or of this one
            pair.delivered = pair.words
        self._transcript.last.words += len(words)
        self._transcript.last.delivered = self._transcript.last.words - held
        said, self._held = data[:end].decode("utf-8", "ignore"), data[end:]
        return [Say(said)] if said else []

    def _pieces(self, tokens: list[int]) -> list[bytes]:
        return [self._vocabulary.piece(token) for token in tokens]

    def _close(self) -> None:
        if self._transcript.tokens[-1] != self._vocabulary.eos:
            self._transcript.extend([self._vocabulary.eos])

    # --- taking back

    def _cut_reply(self, keep: int) -> None:
        """Keep the first ``keep`` delivered words of the newest pair and close it; with none it is a silent reply."""
        if keep == 0 and self._transcript.last.silent_user:
            self._transcript.drop_last()
            return
        self._transcript.cut_reply(keep)
        self._transcript.extend([] if keep else self._silence)
        self._close()

    def _take_back(self) -> None:
        """Remove what waits, and the words that were reported as unheard, from the end of the present message."""
        self._held = b""
        unheard, self._unheard = self._unheard, 0
        pairs = self._transcript.pairs
        if pairs and pairs[-1].delivered < pairs[-1].words:
            self._cut_reply(pairs[-1].delivered)
        message: list[Pair] = []
        for pair in reversed(pairs):
            message.append(pair)
            if not pair.silent_user:
                break
        words = [token for pair in reversed(message) for token in self._transcript.delivered(pair)]
        gone = len(words) - count_heard(self._pieces(words), unheard) if unheard else 0
        for pair in message:
            if gone <= 0:
                break
            keep = max(0, pair.delivered - gone)
            gone -= pair.delivered
            self._cut_reply(keep)
