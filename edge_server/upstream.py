"""The reference's conversations, word for word: what `--compat upstream` runs on ports 8765 and 8766.

Source of the behaviour: github.com/thunlp/duplex-model, ``model_server_duplex.py``, ``model_server_normal.py`` and the
``stream_chat``, ``stream_generate``, ``update_history`` and ``chat`` methods of its two ``modeling_minicpm.py``. One
thing differs: there all connections share a history, here each has its own.

The history is text. At every slice it is written out with the markers and tokenised anew as one string with the control
tokens in it parsed (so user text can forge them), and a frame is answered before the next one is read.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import deque

from edge_server.events import (
    Action,
    Event,
    Generate,
    Mode,
    NewSession,
    Release,
    ReplyEnd,
    Say,
    Silence,
    SliceDone,
    TooLong,
    UserText,
)
from edge_server.settings import MESSAGE_ENDS_WITHIN, Settings, Vocabulary, slice_seed
from edge_server.wording import SILENCE_PADDING, SILENT_REPLIES

DUPLEX_LIMIT = 512  # tokens: a prompt this long or longer is too long
ORDINARY_LIMIT = 4096  # tokens: a prompt longer than this is too long
SLICE_TOKENS = 15  # of a slice, unless the settings say otherwise, and of a piece on 8766
IDLE = "<idle>"
END = "</s>"
UNSENT = frozenset({"", IDLE, " " + IDLE, END})  # a reply that reads like one of these, in plain pieces, stays unsent
_BROKEN = re.compile("[\udc80-\udcff]")  # bytes that are no character, as `surrogateescape` writes them


class _HistorySession(ABC):
    """What the two servers share: a queue of frames, a history of texts, a reply that grows by decoded text."""

    def __init__(self, vocabulary: Vocabulary, settings: Settings, mode: Mode, seed: int) -> None:
        self._vocabulary = vocabulary
        self._settings = settings
        self._stop = frozenset({vocabulary.eos} | ({vocabulary.idle} if vocabulary.idle is not None else set()))
        self._queue: deque[Event] = deque()
        self._running = False
        self._start_over(mode, seed)

    def _start_over(self, mode: Mode, seed: int) -> None:
        self._mode = mode
        self._seed = seed
        self._number = 0
        self._history: list[str] = []  # user, assistant, user, ...
        self._tokens: list[int] = []  # the prompt, and what was sampled since it was written
        self._reply = b""  # what was sampled
        self._printed = 0  # characters of it that the reference has counted

    @property
    def waiting(self) -> int:
        """How many frames wait for the reply that is being made."""
        return len(self._queue)

    @property
    def engaged(self) -> bool:
        """Whether the model has more to say: whether a silent slice runs it."""
        return False

    @property
    def history(self) -> tuple[str, ...]:
        """The conversation: user, assistant, user, ... in turn."""
        return tuple(self._history)

    def receive(self, event: Event) -> list[Action]:
        """Take one event; return what is to be done now, first things first."""
        if isinstance(event, SliceDone):
            if not self._running:
                raise ValueError("a slice was reported that was not asked for")
            self._running = False
            actions = self._on_done(event)
        else:
            actions = []
            self._queue.append(event)
        while self._queue and not self._running:
            actions += self._take(self._queue.popleft())
        return actions

    def _take(self, event: Event) -> list[Action]:
        if isinstance(event, NewSession):
            had_history = bool(self._history)
            self._start_over(event.mode, event.seed)
            return [Release()] if had_history else []
        if isinstance(event, (UserText, Silence)):
            return self._on_frame(event.text if isinstance(event, UserText) else IDLE)
        return []

    @abstractmethod
    def _on_frame(self, text: str) -> list[Action]:
        """A slice or a turn of the user, stripped; a silent one is ``IDLE``."""

    @abstractmethod
    def _on_done(self, done: SliceDone) -> list[Action]:
        """What was asked for has been generated."""

    def _write_prompt(self) -> None:
        user, assistant = self._settings.user_marker, self._settings.assistant_marker
        pieces: list[str] = []
        for index, text in enumerate(self._history):
            pieces += [user, text, assistant] if index % 2 == 0 else [text]
        tokens = self._vocabulary.tokenize("".join(pieces), parse_special=True)
        self._tokens = [self._vocabulary.bos, *tokens]
        self._reply, self._printed = b"", 0

    def _generate(self, max_new: int) -> list[Action]:
        self._running = True
        seed = slice_seed(self._seed, self._number)
        self._number += 1
        bias = self._settings.first_bias(self._mode, self._vocabulary.idle)
        return [Generate(tuple(self._tokens), max_new, self._stop, seed, peek=False, first_bias=bias)]

    def _grow(self, token: int) -> str:
        """Add a sampled token to the reply; the text it added, as the reference counts it.

        The reference decodes everything anew and takes what lies behind the length it had before, so that an incomplete
        character comes out as U+FFFD, once a byte, and is not repaired when it is complete.
        """
        self._tokens.append(token)
        self._reply += self._vocabulary.piece(token, special=True)
        text = _BROKEN.sub("\ufffd", self._reply.decode("utf-8", "surrogateescape"))
        text = text.rsplit(self._settings.assistant_marker, 1)[-1]
        added, self._printed = text[self._printed :], len(text)
        self._history[-1] += added
        return added


class UpstreamDuplexSession(_HistorySession):
    """One conversation as the reference's duplex server holds it (port 8765), in either mode."""

    def __init__(self, vocabulary: Vocabulary, settings: Settings, mode: Mode, seed: int) -> None:
        """Raises ValueError if ``vocabulary`` has no idle token."""
        if vocabulary.idle is None:
            raise ValueError("a duplex session needs a model with an idle token")
        super().__init__(vocabulary, settings, mode, seed)

    def _start_over(self, mode: Mode, seed: int) -> None:
        super()._start_over(mode, seed)
        self._engaged = False
        self._too_long = False

    @property
    def engaged(self) -> bool:
        """Whether the model has more to say: whether a silent slice runs it."""
        return self._engaged

    def _on_frame(self, text: str) -> list[Action]:
        if self._too_long:
            return [TooLong()]
        if self._engaged:
            self._update_history()
        if not self._engaged and text == IDLE:
            return []
        self._engaged = True
        self._history.append(text)
        self._write_prompt()
        if len(self._tokens) >= min(DUPLEX_LIMIT, self._settings.ctx - self._settings.slice_tokens):
            self._too_long = True
            return [TooLong()]
        self._history.append("")
        if self._mode is Mode.DUPLEX:
            return self._generate(self._settings.slice_tokens)
        return self._generate(min(DUPLEX_LIMIT, self._settings.ctx - len(self._tokens)))

    def _update_history(self) -> None:
        """Close the last reply and drop silent pairs, wherever they are; the last pair decides whether to go on."""
        if not self._history:
            return
        if not self._history[-1].endswith(END):
            self._history[-1] += END
        kept: list[str] = []
        for user, reply in zip(self._history[::2], self._history[1::2], strict=True):
            silent = user == IDLE and reply.strip(SILENCE_PADDING) in SILENT_REPLIES
            if not silent:
                kept += [user, reply]
            self._engaged = not silent
        self._history = kept

    def _on_done(self, done: SliceDone) -> list[Action]:
        said = ""
        for index, token in enumerate(done.tokens):
            added = self._grow(token)
            if token in self._stop:
                if token == self._vocabulary.eos and index < MESSAGE_ENDS_WITHIN:
                    self._engaged = False
                break
            said += added
        return [] if said in UNSENT else [Say(said)]


class UpstreamTurnSession(_HistorySession):
    """One conversation as the reference's ordinary server holds it (port 8766): pieces of 15 tokens until ``</s>``."""

    def _start_over(self, mode: Mode, seed: int) -> None:
        super()._start_over(mode, seed)
        self._too_long = False

    def _on_frame(self, text: str) -> list[Action]:
        if not self._too_long:
            self._history.append(text)
            self._write_prompt()
            self._too_long = len(self._tokens) > min(ORDINARY_LIMIT, self._settings.ctx - SLICE_TOKENS)
        if self._too_long:
            return [TooLong(), ReplyEnd()]
        self._history.append("")
        self._number = 0  # every turn is seeded alike
        return self._generate(SLICE_TOKENS)

    def _on_done(self, done: SliceDone) -> list[Action]:
        said = ""
        over = not done.tokens
        for token in done.tokens:
            added = self._grow(token)
            over = token in self._stop or not added  # the end of a character's bytes adds nothing, and ends the reply
            if over:
                break
            said += added
        actions: list[Action] = [] if said in UNSENT else [Say(said)]
        if not over and len(self._tokens) + SLICE_TOKENS <= self._settings.ctx:
            return [*actions, *self._generate(SLICE_TOKENS)]
        return [*actions, ReplyEnd()]
