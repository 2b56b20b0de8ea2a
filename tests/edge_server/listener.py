"""An oracle for our own conversations: it plays steps with one, hears everything, and compares after each event."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum

import pytest

from edge_server.conversation import Conversation
from edge_server.events import (
    Action,
    Event,
    Generate,
    Kept,
    Limit,
    Mode,
    NewSession,
    ReplyEnd,
    Rewrite,
    Sampled,
    Say,
    Silence,
    SliceDone,
    SliceKind,
    Speak,
    Stop,
    Told,
    TooLong,
    Unheard,
    UserText,
)
from edge_server.session import DuplexSession
from edge_server.settings import ORDINARY_TOKENS, slice_seed
from edge_server.turns import TurnSession
from tests.edge_server.peers import ASSISTANT, CHAT_VOCABULARY, LONGEST, USER, VOCABULARY, Peer, byte_pairs, settings

CTX, SLICE = 72, 6
ROOM = CTX - SLICE - 1  # what a prompt may take


@dataclass(frozen=True)
class Reply:
    """The engine's answer, as far as it fits into the slice. Where nothing was asked, something is asked instead."""

    text: str
    following: str


@dataclass(frozen=True)
class Begin:
    """The first words of the engine's answer, told as they are sampled."""

    text: str


class Anew(Enum):
    """How a conversation is rewritten."""

    ALL = "all of it stays"
    CUT = "the newest reply is cut"
    UNASKED = "the newest turn loses the user's words"
    DROP_NEWEST = "the newest turn leaves"
    DROP_OLDEST = "the oldest turn leaves"
    TOLD = "a turn is added"
    INSTRUCTED = "the instructions change"
    TOO_LONG = "the instructions do not fit"


Step = str | Silence | Unheard | NewSession | Stop | Speak | Limit | Anew | Begin | Reply


def conversation(kind: Mode | None, *, slide: bool, streaming: bool) -> Conversation:
    if kind is None:
        return TurnSession(CHAT_VOCABULARY, settings(CTX, SLICE, slide=slide), Mode.DUPLEX, 0, streaming=streaming)
    return DuplexSession(VOCABULARY, settings(CTX, SLICE, slide=slide), kind, 0, streaming=streaming)


class Listener(Peer):
    """Hears everything, believes nothing: after each event the transcript must say what was heard, and no more."""

    def __init__(self, kind: Mode | None, *, slide: bool, streaming: bool) -> None:
        super().__init__(conversation(kind, slide=slide, streaming=streaming))
        self.kind, self.slide = kind, slide
        self.turns = 0
        self.log: list[Action] = []
        self.forgot = False  # what runs is of a conversation that is no more
        self._start_over(NewSession(kind or Mode.ORDINARY, 0))

    def _start_over(self, event: NewSession) -> None:
        self.mode = Mode.ORDINARY if self.kind is None else event.mode
        self.seed, self.number = event.seed, 0
        self.first_turn = self.turns + 1
        self.sent: list[str] = []  # user texts
        self.fitting: set[str] = set()  # those that fit into an empty context
        self.heard = defaultdict[str, str](str)  # what was said in answer to each
        self.newest = ""  # the last of them that stands in the transcript
        self.before = 0  # characters of the reply to it that do not belong to the newest turn
        self.lost = 0
        self.limit: int | None = None
        self.spoken = 0  # tokens of the present reply
        self.refused = self.answered = self.ends = 0
        self.ticked = self.gave_up = self.stopped = False

    def step(self, step: Step) -> None:
        """Play one step and check everything."""
        if isinstance(step, Reply | Begin) and self.asked is None:
            self.step(Silence() if self.engaged and self.mode is Mode.DUPLEX else "a")
            return
        if isinstance(step, Reply):
            self._reply(step)
        elif isinstance(step, Begin):
            assert self.asked is not None
            tokens = VOCABULARY.tokenize(step.text, parse_special=False)
            for token in tokens[: self.asked.max_new - len(self.sampled)]:
                self.sampled.append(token)
                self.send(Sampled((token,)))
                self.check()
        elif isinstance(step, str):
            self.turns += 1
            self.send(UserText(f"{self.turns} {step}", self.turns))
        elif isinstance(step, Speak):
            self.turns += 1
            self.send(Speak(self.turns))
        elif isinstance(step, Anew):
            self._rewrite(step)
        else:
            self.send(step)
        self.check()

    def _reply(self, step: Reply) -> None:
        assert self.asked is not None
        text = step.text if self.kind is not None else step.text.replace("<idle>", "</s>")
        tokens = [*self.sampled, *VOCABULARY.tokenize(text, parse_special=True)][: self.asked.max_new]
        gives_up = len(tokens) < self.asked.max_new and tokens[-1] not in self.asked.stop
        self.gave_up |= gives_up and not self.cancelled
        wanted = not (gives_up or self.cancelled)
        self.spoken += wanted * len([token for token in tokens if token not in self.asked.stop])
        forgot, over = self.forgot, len(self.over)
        self.forgot = False
        self.sample(tokens, VOCABULARY.tokenize(step.following, parse_special=True)[0])
        assert len(self.over) == over + (not forgot)
        if not forgot:
            assert (self.over[-1].kind is SliceKind.INTERRUPTED) == (not wanted)

    def _rewrite(self, how: Anew) -> None:
        named: list[Kept | Told] = [Kept(turn) for turn in range(self.first_turn, self.turns + 1)]
        instructions = self.instructions
        if how is Anew.CUT:
            named[-1:] = [Kept(self.turns, characters=7)]
        elif how is Anew.UNASKED:
            named[-1:] = [Kept(self.turns, user=False)]
        elif how is Anew.DROP_NEWEST:
            named = named[:-1]
        elif how is Anew.DROP_OLDEST:
            oldest = next((int(text.split()[0]) for text in self._texts()), 0)
            named = [turn for turn in named if turn.turn != oldest]
        elif how is Anew.TOLD:
            self.turns += 1
            named.append(Told(self.turns, f"{self.turns} told", " one two three one two three one"))
        elif how is Anew.INSTRUCTED:
            instructions = "" if instructions else "<AI> be."
        elif how is Anew.TOO_LONG:
            instructions = "x" * ROOM
        event = Rewrite(tuple(named), instructions)
        if self.asked is not None:
            with pytest.raises(ValueError, match="runs"):
                self.send(event)
            return
        before, engaged = self.transcript, self.engaged
        assert self.send(event) == [TooLong()] * (how is Anew.TOO_LONG)
        if how in (Anew.ALL, Anew.TOO_LONG):
            assert (self.transcript, self.engaged) == (before, engaged)
        if how is Anew.TOO_LONG:
            return
        self.sent = self._texts()  # a conversation that has ended goes on
        self.fitting = set(self.sent)
        self.refused = self.lost = 0
        if how not in (Anew.DROP_OLDEST, Anew.INSTRUCTED) and self.transcript != before:
            assert not self.engaged
            self.heard.clear()
            self.heard |= {text: reply.decode("utf-8", "ignore") for text, reply in self._turns(self._found())}
            self.newest = self.sent[-1] if self.sent else ""
            self.before = len(self.heard[self.newest])
            self.gave_up = False

    def _found(self) -> list[tuple[bytes, bytes]]:
        return byte_pairs(self.transcript, self.instructions)

    def _texts(self) -> list[str]:
        return [user.decode() for user, _ in self._found() if user != b"<idle>" and user]

    def send(self, *events: Event) -> list[Action]:
        """One event, and what must follow from it at once."""
        (event,) = events
        running, waiting, engaged = self.asked is not None, self.session.waiting, self.engaged
        if isinstance(event, SliceDone):
            running = True
        if isinstance(event, NewSession):
            self.forgot |= running
            self._start_over(event)
        elif isinstance(event, UserText):
            self.stopped = False
            self.sent.append(event.text)
            self.fitting |= {event.text} if self._fits(event.text) else set()
        elif isinstance(event, Stop):
            self.stopped = running
        elif isinstance(event, Unheard):
            self.lost = event.characters
        elif isinstance(event, Limit):
            self.limit = event.tokens
        asked = isinstance(event, UserText | Speak) and not running
        begins = asked or (isinstance(event, SliceDone) and waiting > 0)
        self.answered += begins
        if begins and (isinstance(event, Speak) or self.fitting.intersection(self.sent[-max(waiting, 1) :])):
            self.spoken = 0
        before = self.newest
        actions = super().send(event)
        if begins or (isinstance(event, Stop) and not running) or (isinstance(event, SliceDone) and self.stopped):
            self._forget_unheard(before)
        if isinstance(event, Speak) and not running:
            self.before = len(self.heard[before])
        self.log += actions
        assert not (isinstance(event, Sampled) and self.cancelled and actions), "something is said after a cancel"
        for action in actions if not isinstance(event, Rewrite) else []:
            self._hear(action)
        if isinstance(event, Silence):
            runs = engaged and not running and self.mode is Mode.DUPLEX
            assert bool(actions) == runs
            self.ticked |= running
        elif isinstance(event, SliceDone):
            silent = any(isinstance(action, Generate) and self._is_silent(action) for action in actions)
            if self.mode is Mode.DUPLEX and self.kind is not None:
                assert not silent or (self.ticked and not waiting)
                assert silent or not self.ticked or waiting or not self.engaged
            if self.stopped:
                assert self.asked is None
                assert not self.engaged
            self.ticked = self.stopped = False
        elif isinstance(event, UserText):
            self.ticked = False
        elif isinstance(event, Stop):
            assert running or not self.engaged
        return actions

    def _is_silent(self, asked: Generate) -> bool:
        return byte_pairs(asked.tokens, self.instructions)[-1][0] == b"<idle>"

    def _forget_unheard(self, turn: str) -> None:
        """What is left of a turn's reply ends at a token, as near before what was not heard as there is one.

        What was said before the assistant was asked to go on stays.
        """
        unheard, self.lost = self.lost, 0
        found = dict(self._turns(self._found()))
        if not unheard or turn not in found:
            return
        heard = self.heard[turn]
        reached = heard[: max(0, len(heard) - unheard)]
        left = found[turn].decode("utf-8", "ignore")
        assert heard[: max(self.before, len(reached))].startswith(left)
        assert len(reached) - len(left) < LONGEST or len(reached[self.before :].strip()) < LONGEST  # blanks go along
        self.heard[turn] = left

    def _hear(self, action: Action) -> None:
        if isinstance(action, Say):
            self.heard[self.newest] += action.text
        elif isinstance(action, TooLong):
            self.refused += 1
        elif isinstance(action, ReplyEnd):
            self.ends += 1
        elif isinstance(action, Generate):
            self.gave_up = False
            assert action.seed == slice_seed(self.seed, self.number)
            assert len(action.tokens) <= ROOM
            assert action.tokens == self.transcript
            self.number += 1
            ordinary = ORDINARY_TOKENS if self.mode is Mode.ORDINARY and self.kind is not None else CTX
            assert 0 < action.max_new <= min(SLICE, (self.limit or ordinary) - self.spoken)

    def check(self) -> None:
        """What holds between events."""
        assert len(self.transcript) <= CTX
        found = self._found()
        closed = found if self.asked is None else found[:-1]
        assert not any(user == b"<idle>" and reply in (b"", b"<idle>") for user, reply in closed)
        self._check_texts(self._texts())
        self._check_words(found)
        if self.asked is None:
            assert self.session.waiting == 0
            assert self.ends == (self.answered if self.mode is Mode.ORDINARY else 0)

    def _check_texts(self, present: list[str]) -> None:
        taken = self.sent[: len(self.sent) - self.session.waiting]
        if self.slide:
            fitting = [text for text in taken if text in self.fitting]
            assert self.refused == len(taken) - len(fitting)
            assert present == fitting[len(fitting) - len(present) :]
            newest = fitting[-1] if fitting else ""
        else:
            assert present == taken[: len(present)]
            assert self.refused >= len(taken) - len(present)
            newest = present[-1] if present else ""
        if newest != self.newest:
            self.newest, self.before = newest, 0

    def _fits(self, text: str) -> bool:
        head = VOCABULARY.tokenize(self.instructions, parse_special=False)
        return 1 + len(head) + len(VOCABULARY.tokenize(USER + text + ASSISTANT, parse_special=False)) <= ROOM

    def _check_words(self, found: list[tuple[bytes, bytes]]) -> None:
        for text, reply in self._turns(found):
            said, heard = ("".join(words.split()) for words in (reply.decode("utf-8", "ignore"), self.heard[text]))
            if text != self.newest or not (self.engaged or self.gave_up):
                assert said == heard
            else:
                assert said.startswith(heard)
                assert len(reply.decode("utf-8", "ignore")[len(self.heard[text]) :].split()) <= 1, "one word waits"

    def _turns(self, found: list[tuple[bytes, bytes]]) -> list[tuple[str, bytes]]:
        """The texts that stand in the transcript, each with the reply to it."""
        kept: dict[str, bytes] = {}
        for user, reply in found:
            if user not in (b"<idle>", b""):
                kept[user.decode()] = b""
            if kept:  # else the text that this answers is forgotten
                kept[next(reversed(kept))] += reply.removesuffix(b"<idle>")
        return list(kept.items())
