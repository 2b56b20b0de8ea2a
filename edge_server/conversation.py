"""What the conversations of our own profile share: one slice runs at a time, text wins over it, words stay whole.

Events in, actions out; `session.py` has the rules. No I/O, no clock, no thread, no llama.cpp.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from enum import Enum, auto

from edge_server.delivery import Delivery
from edge_server.events import (
    Action,
    Cancel,
    Draft,
    Event,
    Finish,
    Generate,
    Kept,
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
from edge_server.tokens import common_prefix
from edge_server.wording import defuse, may_be_silence

CUT_PAIRS = 17  # as many as can be opened before one is answered: 16 texts that wait, and the one they interrupted


class Run(Enum):
    """What is the matter with the last `Generate`."""

    ANSWERED = auto()  # or there was none
    WANTED = auto()
    INTERRUPTED = auto()  # cancelled, because text came
    STOPPED = auto()  # cancelled, because the assistant is to say no more
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
        self._writer = Rewriter(self._tokenize, markers, vocabulary.eos, self._silence, settings.slice_tokens)
        self._before = self._tokenize(settings.user_marker)
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
        if isinstance(event, Unheard):
            self._unheard = event.characters
            return []
        if isinstance(event, Limit):
            self._limit = event.tokens
            return []
        if isinstance(event, UserText):
            return self._on_text(event)
        if isinstance(event, Sampled):
            return self._on_sampled(event)
        if isinstance(event, SliceDone):
            return self._on_done(event)
        if isinstance(event, NewSession):
            return self._on_new_session(event)
        if isinstance(event, Rewrite):
            return self._on_rewrite(event)
        if isinstance(event, Speak):
            return self._on_speak(event)
        return self._on_stop() if isinstance(event, Stop) else self._on_silence()

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
        return self._cancel(Run.INTERRUPTED)

    def _on_stop(self) -> list[Action]:
        if self._run is not Run.ANSWERED:
            return self._cancel(Run.STOPPED)
        self._take_back()
        self._engaged = False
        return self._end_reply()

    def _cancel(self, run: Run) -> list[Action]:
        if self._run is not Run.WANTED:
            return []
        self._run = run
        return [Cancel()]

    def _on_speak(self, event: Speak) -> list[Action]:
        if self._run is not Run.ANSWERED:
            return []
        self._take_back()
        self._begin_turn(event.turn)
        return self._begin(self._silent_slice, silent=True)

    def _on_silence(self) -> list[Action]:
        return []

    def _on_rewrite(self, event: Rewrite) -> list[Action]:
        if self._run is not Run.ANSWERED:
            raise ValueError("a conversation is not written anew while a slice of it runs")
        self._delivery.take_back(0)
        last = self._transcript.pairs[-1:]
        goes_on = bool(last and event.turns and event.turns[-1] == Kept(last[0].turn))
        head = [self._vocabulary.bos, *self._tokenize(defuse(event.instructions, self._writer.markers))]
        pairs = [pair for turn in event.turns for pair in self._writer.pairs(turn, self._transcript, self._delivery)]
        if not self._transcript.rewrite(head, pairs):
            return [TooLong()]
        self._engaged = self._engaged and goes_on
        return []

    def _on_sampled(self, event: Sampled) -> list[Action]:
        if self._run is not Run.WANTED or not self._streaming:
            return []
        self._unsaid += [token for token in event.tokens if token not in self._stop]
        if not self._streamed and may_be_silence(self._delivery.text(self._unsaid)):
            return []
        words, self._unsaid = self._unsaid, []
        self._streamed += len(words)
        self._transcript.extend(words)
        return self._say(words)

    def _on_done(self, done: SliceDone) -> list[Action]:
        if self._run is Run.ANSWERED:
            raise ValueError("a slice was reported that was not asked for")
        run, self._run = self._run, Run.ANSWERED
        self._unsaid = []
        if run is Run.WANTED and done.finish is not Finish.CANCELLED:
            return self._deliver(done)
        actions: list[Action] = [Release()]
        if run is not Run.FORGOTTEN:
            self._delivery.cut(self._transcript.last.delivered)
            self._engaged = run is Run.INTERRUPTED  # what the engine gave up by itself is not tried again
            actions = [SliceOver(SliceKind.INTERRUPTED, self._engaged), *self._end_reply()]
        texts, self._waiting = self._waiting, []
        if texts:
            return [*actions, *self._answer(texts)]
        if run is Run.STOPPED:
            self._take_back()
        return actions

    @abstractmethod
    def _deliver(self, done: SliceDone) -> list[Action]:
        """A slice ended as it should: put its reply into the transcript, deliver it, go on."""

    def _rest(self, done: SliceDone) -> tuple[list[int], list[int]]:
        """What of a slice is not in the transcript yet: its tokens, and those of them that are words."""
        words = [token for token in done.tokens if token not in self._stop]
        self._spoken += len(words)
        return list(done.tokens[self._streamed :]), words[self._streamed :]

    # --- slices

    def _answer(self, texts: list[UserText]) -> list[Action]:
        """Append each text as a slice and run the model for the last one."""
        self._take_back()
        actions: list[Action] = []
        for text in texts[:-1]:
            self._begin_turn(text.turn)
            if self._append(self._writer.user(text.text)):
                self._delivery.cut(0)
            else:
                actions.append(TooLong())
        self._begin_turn(texts[-1].turn)
        return [*actions, *self._begin(self._writer.user(texts[-1].text))]

    def _begin_turn(self, turn: int | None) -> None:
        self._turn = self._turn + 1 if turn is None else turn
        self._spoken = 0
        self._replying = self._mode is Mode.ORDINARY

    def _take_back(self) -> None:
        unheard, self._unheard = self._unheard, 0
        self._delivery.take_back(unheard)

    def _tokenize(self, text: str) -> list[int]:
        return self._vocabulary.tokenize(text, parse_special=False)

    def _begin(self, user: list[int], *, silent: bool = False) -> list[Action]:
        """Open a pair with the user's half and run the model for the other."""
        if self._append(user, silent=silent):
            return self._generate()
        return [*(self._say([]) if self._delivery.waits else []), TooLong(), *self._end_reply()]

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
        request = self._request(self.transcript, self._cuts())
        self._number += 1
        return [replace(request, urgent=not self._transcript.last.silent_user, forget=forget)]

    def _request(self, tokens: tuple[int, ...], cuts: tuple[int, ...]) -> Generate:
        """What to ask for next, once the transcript is ``tokens``."""
        seed = slice_seed(self._seed, self._number)
        bias = self._settings.first_bias(self._mode, self._vocabulary.idle)
        most = self._settings.slice_tokens
        if self._limit is not None:
            most = max(1, min(most, self._limit - self._spoken))
        return Generate(tokens, most, self._stop, seed, peek=not self._streaming, cuts=cuts, first_bias=bias)

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

    def _say(self, words: list[int], following: int | None = None) -> list[Action]:
        said = self._delivery.say(words, following, more=self._engaged)
        return [Say(said)] if said else []

    # --- looking ahead

    def _prepare(self) -> list[Action]:
        """Say what will probably be asked for next, if that is not what was said last."""
        if self._run is not Run.ANSWERED or self._ended or not (self._transcript.pairs or self._draft):
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
