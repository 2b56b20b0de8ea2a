"""Turn by turn with a plain chat model, one that has no idle token: what `--chat-model` runs on port 8766.

The rules: a text is a turn; the reply comes in pieces of a slice's length until ``</s>``; text that arrives meanwhile
ends the reply where it was delivered and is answered; a full context forgets its oldest turns. No I/O, no clock.
"""

from __future__ import annotations

from edge_server.events import (
    Action,
    Cancel,
    Event,
    Finish,
    Generate,
    Mode,
    NewSession,
    Release,
    ReplyEnd,
    Say,
    SliceDone,
    TooLong,
    UserText,
)
from edge_server.session import Settings, Vocabulary, slice_seed
from edge_server.wording import defuse, incomplete_tail


class TurnSession:
    """One conversation. The caller passes every event, and carries out every action, in order."""

    def __init__(self, vocabulary: Vocabulary, settings: Settings, mode: Mode, seed: int) -> None:
        """``mode`` is taken for the interface's sake: both modes are the same here."""
        self._vocabulary = vocabulary
        self._settings = settings
        self._stop = frozenset({vocabulary.eos})
        self._running = False
        self._discarding = False
        self._waiting: list[str] = []
        self._start_over(seed)

    def _start_over(self, seed: int) -> None:
        self._seed = seed
        self._number = 0
        self._transcript = self._settings.transcript(self._vocabulary.bos)
        self._reply: list[int] = []
        self._sent = 0  # bytes of the reply that went out
        self._ended = False

    @property
    def waiting(self) -> int:
        """How many texts wait for the slice that runs."""
        return len(self._waiting)

    @property
    def transcript(self) -> tuple[int, ...]:
        """The tokens of the conversation."""
        return tuple(self._transcript.tokens)

    def receive(self, event: Event) -> list[Action]:
        """Take one event; return what is to be done now, first things first."""
        if isinstance(event, UserText):
            return self._on_text(event.text)
        if isinstance(event, SliceDone):
            return self._on_done(event)
        if isinstance(event, NewSession):
            return self._on_new_session(event)
        return []

    def _on_new_session(self, event: NewSession) -> list[Action]:
        had_pairs = bool(self._transcript.pairs)
        cancel = self._running and not (self._discarding or self._waiting)
        self._start_over(event.seed)
        self._waiting = []
        self._discarding = self._running
        if self._running:
            return [Cancel()] if cancel else []
        return [Release()] if had_pairs else []

    def _on_text(self, text: str) -> list[Action]:
        if self._ended:
            return [TooLong(), ReplyEnd()]
        if not self._running:
            return self._answer(text)
        self._waiting.append(text)
        return [Cancel()] if len(self._waiting) == 1 and not self._discarding else []

    def _on_done(self, done: SliceDone) -> list[Action]:
        self._running = False
        if self._discarding:
            self._discarding = False
            return [Release(), *self._next()]
        if self._waiting:
            self._close(len(self._reply))
            return [ReplyEnd(), *self._next()]
        self._reply += done.tokens
        over = done.finish is not Finish.CAP
        data = b"".join(self._vocabulary.piece(token) for token in self._reply)
        end = len(data) if over else len(data) - incomplete_tail(data)
        said, self._sent = data[self._sent : end].decode("utf-8", "ignore"), end
        actions: list[Action] = [Say(said)] if said else []
        room = self._settings.ctx - len(self._transcript.tokens) - len(self._reply)
        if over or room <= self._settings.slice_tokens:
            self._close(len(self._reply))
            return [*actions, ReplyEnd()]
        return [*actions, *self._generate()]

    def _next(self) -> list[Action]:
        """Answer what waits: only the last of several; the others stand in the transcript unanswered."""
        texts, self._waiting = self._waiting, []
        actions: list[Action] = []
        for text in texts[:-1]:
            if self._append(text):
                self._close(0)
            else:
                actions.append(TooLong())
        return [*actions, *self._answer(texts[-1])] if texts else actions

    def _answer(self, text: str) -> list[Action]:
        if not self._append(text):
            return [TooLong(), ReplyEnd()]
        return self._generate()

    def _append(self, text: str) -> bool:
        user, assistant = self._settings.user_marker, self._settings.assistant_marker
        tokens = self._vocabulary.tokenize(user + defuse(text, (user, assistant)) + assistant, parse_special=False)
        self._reply, self._sent = [], 0
        fits = self._transcript.append(tokens, silent=False)
        self._ended = not fits and not self._settings.slide
        return fits

    def _close(self, keep: int) -> None:
        eos = self._vocabulary.eos
        reply = self._reply[:keep]
        self._transcript.set_reply([*reply, *([] if reply[-1:] == [eos] else [eos])])

    def _generate(self) -> list[Action]:
        self._running = True
        seed = slice_seed(self._seed, self._number)
        self._number += 1
        tokens = (*self._transcript.tokens, *self._reply)
        forget = self._transcript.take_forgotten()
        return [Generate(tokens, self._settings.slice_tokens, self._stop, seed, False, forget)]
