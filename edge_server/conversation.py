"""What the conversations of our own profile share: one slice runs at a time, text wins over it, words stay whole.

Events in, actions out; `session.py` has the rules. No I/O, no clock, no thread, no llama.cpp.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from enum import Enum, auto
from math import inf

from edge_server.delivery import Delivery
from edge_server.events import (
    Action,
    Cancel,
    Draft,
    Event,
    Finish,
    Generate,
    IdleBias,
    Limit,
    Mode,
    NewSession,
    Prepare,
    Release,
    ReplyEnd,
    Rewrite,
    Sampled,
    Say,
    Silence,
    SliceDone,
    SliceKind,
    SliceOver,
    Speak,
    Stop,
    TooLong,
    Unheard,
    UserText,
)
from edge_server.rewriting import Rewriter
from edge_server.settings import Settings, Vocabulary, slice_seed
from edge_server.wording import may_be_silence


class Run(Enum):
    """What is the matter with the last `Generate`."""

    ANSWERED = auto()  # or there was none
    WANTED = auto()
    INTERRUPTED = auto()  # cancelled, because text or a stop came
    FORGOTTEN = auto()  # cancelled, because its conversation is no more


class Conversation(ABC):
    """One conversation. The caller passes every event, and carries out every action, in order."""

    def __init__(
        self, vocabulary: Vocabulary, settings: Settings, mode: Mode, seed: int, *, streaming: bool = False
    ) -> None:
        """``streaming``: words go out as they are sampled (`Sampled` is passed), not whole ones at a slice's end."""
        self._vocabulary = vocabulary
        self._settings = settings
        self._streaming = streaming
        self._silence = [] if vocabulary.idle is None else [vocabulary.idle]  # as a slice: no words
        self._stop = frozenset({vocabulary.eos, *self._silence})
        self._run = Run.ANSWERED
        markers = (settings.user_marker, settings.assistant_marker)
        self._writer = Rewriter(vocabulary, markers, self._silence, settings.slice_tokens)
        self._before = self._writer.begun("")
        self._silent_slice = self._writer.silent_user
        self._start_over(mode, seed)

    def _start_over(self, mode: Mode, seed: int) -> None:
        self._mode = mode
        self._seed = seed
        self._number = 0  # slices that the model was run for
        self._transcript = self._settings.transcript(self._vocabulary.bos)
        self._delivery = Delivery(self._vocabulary, self._transcript, self._silence)
        self._turn = 0
        self._limit: int | None = None
        self._spoken = 0  # tokens of the present reply
        self._unsaid: list[int] = []  # sampled, and perhaps nothing but silence
        self._streamed = 0  # words of the slice that runs which are in the transcript already
        self._waiting: list[UserText] = []
        self._stopped = False  # nothing that waits is to be answered
        self._engaged = False
        self._replying = False  # a turn of ordinary mode has not had its `ReplyEnd` yet
        self._ended = False  # the context is full and may not slide
        self._unheard = 0  # characters
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

    def reply(self, turn: int) -> str | None:
        """The words of a turn's reply that are in the conversation; None: the turn is not."""
        pairs = [pair for pair in self._transcript.pairs if pair.turn == turn]
        words = [token for pair in pairs for token in self._transcript.delivered(pair)]
        return self._delivery.text(words) if pairs else None

    def receive(self, event: Event) -> list[Action]:
        """Take one event; return what is to be done now, first things first."""
        return [*self._receive(event), *self._prepare()]

    def _receive(self, event: Event) -> list[Action]:
        if isinstance(event, (UserText, Silence)):
            self._left, self._draft = self._draft or self._left, ""
        match event:
            case IdleBias(bias):
                self._settings = replace(self._settings, idle_bias=bias)
            case Draft(text):
                # What was left standing over a slice of silence will probably stand over the next one too.
                self._draft = "" if text == self._left else text
            case Unheard(characters):
                self._unheard = characters
            case Limit(tokens):
                return self._on_limit(tokens)
            case Rewrite():
                return self._on_rewrite(event)
            case Sampled(tokens):
                return self._on_sampled(tokens)
            case SliceDone():
                return self._on_done(event)
            case NewSession():
                return self._on_new_session(event)
            case UserText():
                return self._on_text(event)
            case Speak(turn):
                return self._on_speak(turn)
            case Stop():
                return self._on_stop()
            case Silence():
                return self._on_silence()
        return []

    # --- events

    def _on_new_session(self, event: NewSession) -> list[Action]:
        ran = self._number > 0
        self._start_over(event.mode, event.seed)
        if self._run is Run.ANSWERED:
            return [Release()] if ran else []
        cancelled, self._run = self._run is not Run.WANTED, Run.FORGOTTEN
        return [] if cancelled else [Cancel()]

    def _on_text(self, text: UserText) -> list[Action]:
        if self._run is Run.ANSWERED:
            return self._answer([text])
        self._waiting.append(text)
        return self._interrupt(stop=False)

    def _on_stop(self) -> list[Action]:
        if self._run is not Run.ANSWERED:
            return self._interrupt(stop=True)
        self._engaged = False
        return self._answer([], stopped=True)

    def _interrupt(self, *, stop: bool) -> list[Action]:
        self._stopped = stop
        if self._run is not Run.WANTED:
            return []
        self._run = Run.INTERRUPTED
        return [Cancel()]

    def _on_speak(self, turn: int | None) -> list[Action]:
        if self._run is not Run.ANSWERED:
            return []
        self._take_back()
        return self._run_model(fits=self._append_turn(turn, self._silent_slice, silent=True))

    def _on_silence(self) -> list[Action]:
        return []

    def _on_limit(self, tokens: int | None) -> list[Action]:
        self._limit = tokens
        if self._run is not Run.ANSWERED or not self._engaged or not self._full:
            return []
        self._engaged = False
        return self._say([])

    def _on_rewrite(self, event: Rewrite) -> list[Action]:
        if self._run is not Run.ANSWERED:
            raise ValueError("a conversation is not written anew while a slice of it runs")
        head = [self._vocabulary.bos, *self._writer.plain(event.instructions)]
        if len(head) + len(self._silent_slice) > self._transcript.room:
            return [TooLong()]
        if not self._writer.ends_alike(event.turns, self._transcript):
            self._engaged = False
            self._delivery.take_back(0)
        pairs = self._writer.newest(event.turns, self._transcript, self._delivery)
        self._transcript.rewrite(head, pairs)
        self._engaged = self._engaged and bool(self._transcript.pairs)
        self._ended, self._unheard = False, 0
        self._turn = self._transcript.last.turn if self._transcript.pairs else self._turn
        return []

    def _on_sampled(self, tokens: tuple[int, ...]) -> list[Action]:
        if self._run is not Run.WANTED or not self._streaming:
            return []
        self._unsaid += [token for token in tokens if token not in self._stop]
        if not self._streamed and may_be_silence(self._delivery.reply(self._unsaid)):
            return []
        words, self._unsaid = self._unsaid, []
        self._streamed += len(words)
        self._transcript.extend(words)
        return self._say(words)

    def _on_done(self, done: SliceDone) -> list[Action]:
        if self._run is Run.ANSWERED:
            raise ValueError("a slice was reported that was not asked for")
        run, self._run = self._run, Run.ANSWERED
        stopped, self._stopped = self._stopped, False
        self._unsaid = []
        if run is Run.WANTED and done.finish is not Finish.CANCELLED:
            return self._deliver(done)
        actions: list[Action] = [Release()]
        if run is not Run.FORGOTTEN:
            self._spoken += self._streamed
            self._delivery.cut(self._transcript.last.delivered)
            # What the engine gave up by itself is not tried again.
            self._engaged = run is Run.INTERRUPTED and not stopped
            actions = [SliceOver(SliceKind.INTERRUPTED, self._engaged), *self._end_reply()]
        texts, self._waiting = self._waiting, []
        return [*actions, *self._answer(texts, stopped=stopped)] if texts or stopped else actions

    @property
    def _most(self) -> float:
        """How many tokens a reply may have."""
        return inf if self._limit is None else self._limit

    @property
    def _full(self) -> bool:
        """Whether the present reply has as many."""
        return self._spoken >= self._most

    @abstractmethod
    def _deliver(self, done: SliceDone) -> list[Action]:
        """A slice ended as it should: put its reply into the transcript, deliver it, go on."""

    def _rest(self, done: SliceDone) -> tuple[list[int], list[int]]:
        """What of a slice is not in the transcript yet: its tokens, and those of them that are words."""
        words = [token for token in done.tokens if token not in self._stop]
        self._spoken += len(words)
        return list(done.tokens[self._streamed :]), words[self._streamed :]

    # --- slices

    def _answer(self, texts: list[UserText], *, stopped: bool = False) -> list[Action]:
        """Append each text as a slice and run the model for the last one, unless the assistant is to be silent."""
        self._take_back()
        actions: list[Action] = []
        for text in texts if stopped else texts[:-1]:
            if self._append_turn(text.turn, self._writer.user(text.text)):
                self._delivery.cut(0)
            else:
                actions.append(TooLong())
        if stopped:
            return [*actions, *self._end_reply()]
        fits = self._append_turn(texts[-1].turn, self._writer.user(texts[-1].text))
        return [*actions, *self._run_model(fits=fits)]

    def _run_model(self, *, fits: bool) -> list[Action]:
        """Run the model for the assistant's half of a pair, if the user's half did fit."""
        if fits:
            return self._generate()
        self._engaged = self._engaged and self._mode is Mode.DUPLEX and not self._full
        return [*self._say([]), TooLong(), *self._end_reply()]

    def _take_back(self) -> None:
        unheard, self._unheard = self._unheard, 0
        self._delivery.take_back(unheard)

    def _append_turn(self, turn: int | None, user: list[int], *, silent: bool = False) -> bool:
        """Append the first slice of a turn; one that does not fit begins none."""
        self._replying = self._mode is Mode.ORDINARY
        before, self._turn = self._turn, self._turn + 1 if turn is None else turn
        if self._append(user, silent=silent):
            self._spoken = 0
            return True
        self._turn = before
        return False

    def _append(self, user: list[int], *, silent: bool = False) -> bool:
        fits = not self._ended and self._transcript.append(user, silent=silent, turn=self._turn)
        if not fits and not self._settings.slide:
            self._ended, self._engaged = True, False
        return fits

    def _generate(self) -> list[Action]:
        self._run = Run.WANTED
        self._engaged = True
        self._prepared = None
        self._streamed = 0
        forget = self._transcript.take_forgotten()
        request = self._request([])
        self._number += 1
        return [replace(request, urgent=not self._transcript.last.silent_user, forget=forget)]

    def _request(self, further: list[int]) -> Generate:
        """What to ask for next, once the transcript goes on with the tokens ``further``."""
        tokens = (*self._transcript.tokens, *further)
        cuts = self._transcript.marker_ends(self._before, further)
        seed = slice_seed(self._seed, self._number)
        bias = self._settings.first_bias(self._mode, self._vocabulary.idle)
        cap = int(min(self._settings.slice_tokens, self._most - self._spoken))
        return Generate(tokens, cap, self._stop, seed, peek=not self._streaming, cuts=cuts, first_bias=bias)

    def _end_reply(self) -> list[Action]:
        replying, self._replying = self._replying, False
        return [ReplyEnd()] if replying else []

    def _say(self, words: list[int], following: int | None = None) -> list[Action]:
        said = self._delivery.say(words, following, more=self._engaged)
        return [Say(said)] if said else []

    # --- looking ahead

    def _prepare(self) -> list[Action]:
        """Say what will probably be asked for next, if that is not what was said last."""
        begun = self._number or self._draft or len(self._transcript.tokens) > 1
        if self._run is not Run.ANSWERED or self._ended or not begun:
            return []
        following = self._following()
        forget = self._transcript.take_forgotten()
        if following == self._prepared and not forget:
            return []
        self._prepared = following
        return [Prepare(replace(following, forget=forget))]

    def _following(self) -> Generate:
        """How the next slice will begin: the marker, and what is typed so far."""
        begun = self._writer.begun(self._draft) if self._draft else self._before
        if not self._transcript.fits(len(begun)):
            begun = []
        return replace(self._request(begun), max_new=0, peek=False)
