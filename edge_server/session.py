"""The duplex conversation as a state machine: events in, actions out. No I/O, no clock, no thread, no llama.cpp.

The transcript is a list of tokens: ``<s>``, then for each slice pair the user marker, the user's slice, the assistant
marker, the assistant's slice and ``</s>``. These are the rules of our own profile (`upstream.py` has the reference's):

 1. A text is always answered. While the session is *engaged* a silent slice is run too; otherwise it costs nothing.
 2. Text engages. ``</s>`` as one of the first six sampled tokens disengages (a short slice is the last of a message),
    and so does a silent pair.
 3. A silent pair (user silent, reply silent) leaves the transcript as soon as its slice ends.
 4. Silence during a slice is remembered once and taken when the slice is delivered.
 5. Text during a slice cancels it: its words leave the transcript, it is closed as silent (``<idle></s>``), the text is
    answered at once. Of several texts that wait, each becomes a slice and only the last is answered.
 6. Words and characters are delivered whole. A piece waits if the slice ended at its cap and the likeliest next token
    goes on with the word, or if a character is incomplete; it waits one slice at most, and leaves the transcript if
    text comes first.
 7. Words reported as unheard leave the transcript.
 8. User text is tokenised without control tokens, and a marker in it is defused: only the session puts those there.
 9. A transcript that reaches the limit forgets its oldest whole pairs, at least a quarter of the context, never ``<s>``
    (``slide``), or the conversation ends (``stop``: every further text is answered `TooLong`). A text that does not fit
    into an empty context is answered `TooLong` and forgotten.
10. Ordinary mode is the same machine driven by itself: silent slices follow back to back until the session is no longer
    engaged (or the reply has `ORDINARY_TOKENS`), and the turn ends with `ReplyEnd`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

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
    Silence,
    SliceDone,
    TooLong,
    Unheard,
    UserText,
)
from edge_server.transcript import Pair, Transcript
from edge_server.wording import continues_word, defuse, incomplete_tail, says_nothing

MESSAGE_ENDS_WITHIN = 6  # tokens, the closing one included
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
        ...

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """The bytes that a token stands for; a control token stands for nothing unless ``special``."""
        ...


@dataclass(frozen=True)
class Settings:
    """What holds for every conversation of a server. Lengths are in tokens."""

    user_marker: str
    assistant_marker: str
    ctx: int
    slice_tokens: int = 15
    slide: bool = True

    def transcript(self, bos: int) -> Transcript:
        """An empty transcript that leaves room for a reply and its ``</s>``."""
        return Transcript(bos, self.ctx - self.slice_tokens - 1, self.ctx // 4 if self.slide else None)


def slice_seed(seed: int, number: int) -> int:
    """The 32-bit seed of one slice's random stream, from the conversation's seed and the slice's number."""
    return int.from_bytes(hashlib.blake2b(f"{seed}:{number}".encode(), digest_size=4).digest(), "little")


class DuplexSession:
    """One conversation in our own profile. The caller passes every event, and carries out every action, in order."""

    def __init__(self, vocabulary: Vocabulary, settings: Settings, mode: Mode, seed: int) -> None:
        """Raises ValueError if ``vocabulary`` has no idle token."""
        if vocabulary.idle is None:
            raise ValueError("a duplex session needs a model with an idle token")
        self._vocabulary = vocabulary
        self._idle: int = vocabulary.idle
        self._settings = settings
        self._stop = frozenset({vocabulary.idle, vocabulary.eos})
        self._running = False  # a `Generate` is unanswered
        self._discarding = False  # and it belongs to a conversation that was forgotten
        self._waiting: list[str] = []
        self._start_over(mode, seed)

    def _start_over(self, mode: Mode, seed: int) -> None:
        self._mode = mode
        self._seed = seed
        self._number = 0  # slices that the model was run for
        self._transcript = self._settings.transcript(self._vocabulary.bos)
        self._engaged = False
        self._tick = False
        self._ended = False  # the context is full and may not slide
        self._held: list[int] = []  # the last slice's tokens that wait
        self._held_text = b""  # their bytes, which outlive them if they slide away
        self._spoken = 0  # tokens of the present reply (ordinary mode)
        self._replying = False  # a turn of ordinary mode has not had its `ReplyEnd` yet
        self._unheard = 0

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
        """Whether the model has more to say: whether a silent slice runs it."""
        return self._engaged

    def receive(self, event: Event) -> list[Action]:
        """Take one event; return what is to be done now, first things first."""
        if isinstance(event, UserText):
            return self._on_text(event.text)
        if isinstance(event, Silence):
            return self._on_silence()
        if isinstance(event, SliceDone):
            return self._on_done(event)
        if isinstance(event, Unheard):
            self._unheard = event.words  # they go when the text that interrupts is taken
            return []
        return self._on_new_session(event)

    # --- events

    def _on_new_session(self, event: NewSession) -> list[Action]:
        had_pairs = bool(self._transcript.pairs)
        cancel = self._running and not (self._discarding or self._waiting)
        self._start_over(event.mode, event.seed)
        self._waiting = []
        self._discarding = self._running
        if self._running:
            return [Cancel()] if cancel else []
        return [Release()] if had_pairs else []

    def _on_text(self, text: str) -> list[Action]:
        if self._ended:
            return [TooLong(), ReplyEnd()] if self._mode is Mode.ORDINARY else [TooLong()]
        if not self._running:
            return self._answer([text])
        first = not (self._waiting or self._discarding)
        self._waiting.append(text)
        self._tick = False
        return [Cancel()] if first else []

    def _on_silence(self) -> list[Action]:
        if self._mode is Mode.ORDINARY:
            return []
        if self._running:
            self._tick = True
            return []
        return self._begin(None) if self._engaged else []

    def _on_done(self, done: SliceDone) -> list[Action]:
        if not self._running:
            raise ValueError("a slice was reported that was not asked for")
        self._running = False
        actions: list[Action] = []
        if self._discarding:
            self._discarding = False
            actions.append(Release())
        elif self._waiting:
            self._close_as_silent()
        elif done.finish is Finish.CANCELLED:  # the engine gave it up by itself: as if nothing had been said
            self._close_as_silent()
            self._engaged = False
            return self._end_reply()
        else:
            return self._deliver(done)
        texts, self._waiting = self._waiting, []
        return [*actions, *self._end_reply(), *(self._answer(texts) if texts else [])]

    # --- slices

    def _answer(self, texts: list[str]) -> list[Action]:
        """Append each text as a slice and run the model for the last one."""
        if self._held:
            self._cut_reply(len(self._transcript.last.delivered))  # overtaken by text: nobody heard it
        self._held, self._held_text = [], b""
        self._take_back()
        actions: list[Action] = []
        for text in texts[:-1]:
            if self._append(text):
                self._close_as_silent()
            else:
                actions.append(TooLong())
        self._spoken = 0
        self._replying = self._mode is Mode.ORDINARY
        return [*actions, *self._begin(texts[-1])]

    def _begin(self, text: str | None) -> list[Action]:
        self._tick = False
        if not self._append(text):
            return [TooLong(), *self._end_reply()]
        self._engaged = self._running = True
        seed = slice_seed(self._seed, self._number)
        self._number += 1
        forget = self._transcript.take_forgotten()
        return [Generate(self.transcript, self._settings.slice_tokens, self._stop, seed, True, forget)]

    def _append(self, text: str | None) -> bool:
        """The user's half of a new pair, at the end of the transcript; False, and no pair, if it does not fit."""
        user, assistant = self._settings.user_marker, self._settings.assistant_marker
        if text is None:
            tokens = [*self._tokenize(user), self._idle, *self._tokenize(assistant)]
        else:
            tokens = self._tokenize(user + defuse(text, (user, assistant)) + assistant)
        fits = self._transcript.append(tokens, silent=text is None)
        if not fits and not self._settings.slide:
            self._ended, self._engaged = True, False
        if len(self._transcript.pairs) == 1:
            self._held = []  # what they belonged to is forgotten
        return fits

    def _tokenize(self, text: str) -> list[int]:
        return self._vocabulary.tokenize(text, parse_special=False)

    def _close_as_silent(self) -> None:
        """End the newest pair as if its reply had been silence."""
        if self._transcript.last.silent_user:
            self._transcript.drop_last()
        else:
            self._transcript.set_reply([self._idle, self._vocabulary.eos])

    # --- delivery

    def _deliver(self, done: SliceDone) -> list[Action]:
        eos = self._vocabulary.eos
        words = list(done.tokens)
        while words and words[-1] in self._stop:
            words.pop()
        if eos in done.tokens[:MESSAGE_ENDS_WITHIN]:
            self._engaged = False
        waited = self._release_held()
        pair = self._transcript.last
        if pair.silent_user and done.finish is Finish.STOP and says_nothing(self._text(words)):
            self._transcript.drop_last()
            self._engaged = False
            said = waited
        else:
            held = self._count_held(waited, words, done) if self._engaged else 0
            pair.delivered, self._held = words[: len(words) - held], words[len(words) - held :]
            self._held_text = self._bytes(self._held)
            said = waited + self._bytes(pair.delivered)
            self._transcript.set_reply([*done.tokens, *([] if done.tokens[-1:] == (eos,) else [eos])])
        speech = said.decode("utf-8", "ignore")
        return [*([Say(speech)] if speech else []), *self._go_on(len(words))]

    def _bytes(self, tokens: list[int]) -> bytes:
        return b"".join(self._vocabulary.piece(token) for token in tokens)

    def _text(self, tokens: list[int]) -> str:
        return self._bytes(tokens).decode("utf-8", "ignore")

    def _release_held(self) -> bytes:
        """What waited goes out now: its tokens count as delivered."""
        if self._held:
            self._transcript.pairs[-2].delivered += self._held
        waited, self._held, self._held_text = self._held_text, [], b""
        return waited

    def _count_held(self, waited: bytes, words: list[int], done: SliceDone) -> int:
        """How many tokens at the end of a slice wait for the rest of their word or character."""
        held = 0
        incomplete = incomplete_tail(waited + self._bytes(words))
        while held < len(words) and len(self._bytes(words[len(words) - held :])) < incomplete:
            held += 1
        whole_characters = held
        following = done.likeliest_next
        if done.finish is not Finish.CAP or following is None or following in self._stop:
            return held
        after = self._text([following])
        while held < len(words):
            if not continues_word(self._text(words[: len(words) - held]), after):
                return held
            held += 1
            after = self._text(words[len(words) - held :])
        # The slice is one piece of a word. If the word began in the slice before, it has waited long enough.
        return whole_characters if continues_word(waited.decode("utf-8", "ignore"), after) else held

    def _go_on(self, sampled: int) -> list[Action]:
        """After a delivered slice: the next one in ordinary mode, or the tick that came meanwhile."""
        if self._mode is Mode.ORDINARY:
            self._spoken += sampled
            if self._engaged and self._spoken < ORDINARY_TOKENS:
                return self._begin(None)
            self._engaged = False
            return self._end_reply()
        tick, self._tick = self._tick, False
        return self._begin(None) if tick and self._engaged else []

    def _end_reply(self) -> list[Action]:
        replying, self._replying = self._replying, False
        return [ReplyEnd()] if replying else []

    # --- taking back

    def _cut_reply(self, keep: int) -> None:
        """Keep the first ``keep`` delivered tokens of the newest pair's reply and close it."""
        pair = self._transcript.last
        pair.delivered = pair.delivered[:keep]
        if pair.delivered:
            self._transcript.set_reply([*pair.delivered, self._vocabulary.eos])
        else:
            self._close_as_silent()

    def _take_back(self) -> None:
        """Remove the words that were reported as unheard, from the end of the present message."""
        words, self._unheard = self._unheard, 0
        while words > 0 and self._transcript.pairs and self._transcript.last.delivered:
            pair: Pair = self._transcript.last
            keep = len(pair.delivered)
            total = left = len(self._text(pair.delivered).split())
            while keep > 0 and total - left < words:
                keep -= 1
                left = len(self._text(pair.delivered[:keep]).split())
            words -= total - left
            self._cut_reply(keep)
            if keep or not pair.silent_user:
                return
