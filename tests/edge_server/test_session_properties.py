"""What holds for our own conversations whatever comes, in whatever order: an oracle listens and compares."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from edge_server.conversation import Conversation
from edge_server.events import (
    Action,
    Event,
    Generate,
    Mode,
    NewSession,
    ReplyEnd,
    Say,
    Silence,
    SliceDone,
    TooLong,
    Unheard,
    UserText,
)
from edge_server.session import DuplexSession
from edge_server.settings import slice_seed
from edge_server.turns import TurnSession
from tests.edge_server.peers import ASSISTANT, CHAT_VOCABULARY, LONGEST, USER, VOCABULARY, Peer, byte_pairs, settings

CTX, SLICE = 72, 6
ROOM = CTX - SLICE - 1  # what a prompt may take

REPLIES = (
    "<idle>",
    "</s>",
    ".</s>",
    " one two<idle>",
    " one two three</s>",
    " one two three one two three",
    " one two three one two wor",
    "ld.</s>",
    "abcdefgh",
    " one two thrice",
    ". one two ones",
    "cannon't",
    " one 我你好",
    " one two 😀 na😀",
    "ïve ï</s>",
    "\n\n\n\n\n\n",
)
FOLLOWING = (" two", "ld", "a", "b", ".", "</s>")
TEXTS = ("a", " stop", "hello, ", "我", "😀", "x" * 40, "x" * ROOM)


@dataclass(frozen=True)
class Reply:
    """The engine's answer, as far as it fits into the slice. Where nothing was asked, something is asked instead."""

    text: str
    following: str


Step = str | Silence | Unheard | NewSession | Reply

OFTEN: list[Step] = [
    *[Reply(text, following) for text in REPLIES for following in FOLLOWING],
    *[Silence()] * 40,
    *TEXTS[:-2] * 5,
]
SELDOM: list[Step] = [*TEXTS[-2:], *map(Unheard, (1, 2, 3, 5, 8, 13, 21, 34)), *(NewSession(mode, 1) for mode in Mode)]
scripts = st.lists(st.sampled_from(OFTEN + SELDOM), min_size=20, max_size=40)
kinds = st.sampled_from([Mode.DUPLEX, Mode.DUPLEX, Mode.ORDINARY, None])  # None: turn by turn without an idle token


def conversation(kind: Mode | None, *, slide: bool) -> Conversation:
    if kind is None:
        return TurnSession(CHAT_VOCABULARY, settings(CTX, SLICE, slide=slide), Mode.DUPLEX, 0)
    return DuplexSession(VOCABULARY, settings(CTX, SLICE, slide=slide), kind, 0)


class Listener(Peer):
    """Hears everything, believes nothing: after each event the transcript must say what was heard, and no more."""

    def __init__(self, kind: Mode | None, *, slide: bool) -> None:
        super().__init__(conversation(kind, slide=slide))
        self.kind, self.slide = kind, slide
        self.texts = 0
        self.log: list[Action] = []
        self._start_over(NewSession(kind or Mode.ORDINARY, 0))

    def _start_over(self, event: NewSession) -> None:
        self.mode = Mode.ORDINARY if self.kind is None else event.mode
        self.seed, self.number = event.seed, 0
        self.sent: list[str] = []  # user texts
        self.heard = defaultdict[str, str](str)  # what was said in answer to each
        self.newest = ""  # the last of them that stands in the transcript
        self.unheard = 0
        self.refused = self.answered = self.ends = 0
        self.ticked = self.gave_up = False

    def step(self, step: Step) -> None:
        """Play one step and check everything."""
        if isinstance(step, Reply):
            if self.asked is None:
                self.step(Silence() if self.engaged and self.mode is Mode.DUPLEX else "a")
                return
            tokens = VOCABULARY.tokenize(step.text, parse_special=True)[: self.asked.max_new]
            gives_up = len(tokens) < self.asked.max_new and tokens[-1] not in self.asked.stop
            self.gave_up |= gives_up and not self.cancelled
            self.sample(tokens, VOCABULARY.tokenize(step.following, parse_special=True)[0])
        elif isinstance(step, str):
            self.texts += 1
            self.text(f"{self.texts} {step}")
        else:
            self.send(step)
        self.check()

    def send(self, *events: Event) -> list[Action]:
        """One event, and what must follow from it at once."""
        (event,) = events
        running, waiting, engaged = self.asked is not None, self.session.waiting, self.engaged
        if isinstance(event, SliceDone):
            running = True
        if isinstance(event, NewSession):
            self._start_over(event)
        elif isinstance(event, UserText):
            self.sent.append(event.text)
        elif isinstance(event, Unheard):
            self.unheard = event.characters
        taken = (isinstance(event, UserText) and not running) or (isinstance(event, SliceDone) and waiting > 0)
        self.answered += taken
        before = self.newest
        actions = super().send(event)
        if taken:
            self._forget_unheard(before)
        self.log += actions
        for action in actions:
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
            self.ticked = False
        elif isinstance(event, UserText):
            self.ticked = False
        return actions

    def _is_silent(self, asked: Generate) -> bool:
        return byte_pairs(asked.tokens)[-1][0] == b"<idle>"

    def _forget_unheard(self, turn: str) -> None:
        """What is left of a turn's reply ends at a token, as near before what was not heard as there is one."""
        unheard, self.unheard = self.unheard, 0
        found = dict(self._turns(byte_pairs(self.transcript)))
        if not unheard or turn not in found:
            return
        heard = self.heard[turn]
        reached = heard[: max(0, len(heard) - unheard)]
        left = found[turn].decode("utf-8", "ignore")
        assert reached.startswith(left)
        assert len(reached) - len(left) < LONGEST or not reached.strip()
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

    def check(self) -> None:
        """What holds between events."""
        assert len(self.transcript) <= CTX
        found = byte_pairs(self.transcript)
        closed = found if self.asked is None else found[:-1]
        assert not any(user == b"<idle>" and reply in (b"", b"<idle>") for user, reply in closed)
        self._check_texts([user.decode() for user, _ in found if user != b"<idle>"])
        self._check_words(found)
        if self.asked is None:
            assert self.session.waiting == 0
            assert self.ends == (self.answered if self.mode is Mode.ORDINARY else 0)

    def _check_texts(self, present: list[str]) -> None:
        taken = self.sent[: len(self.sent) - self.session.waiting]
        if self.slide:
            fitting = [text for text in taken if self._fits(text)]
            assert self.refused == len(taken) - len(fitting)
            assert present == fitting[len(fitting) - len(present) :]
            self.newest = fitting[-1] if fitting else ""
        else:
            assert present == taken[: len(present)]
            assert self.refused >= len(taken) - len(present)
            self.newest = present[-1] if present else ""

    def _fits(self, text: str) -> bool:
        return 1 + len(VOCABULARY.tokenize(USER + text + ASSISTANT, parse_special=False)) <= ROOM

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
            if user != b"<idle>":
                kept[user.decode()] = b""
            if kept:  # else the text that this answers is forgotten
                kept[next(reversed(kept))] += reply.removesuffix(b"<idle>")
        return list(kept.items())


def play(kind: Mode | None, *, slide: bool, script: list[Step]) -> Listener:
    listener = Listener(kind, slide=slide)
    for step in script:
        listener.step(step)
    return listener


@examples(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kind=kinds, slide=st.sampled_from([True, True, False]), script=scripts)
def test_what_was_heard_is_what_the_transcript_says_and_every_text_is_taken_once(
    kind: Mode | None, slide: bool, script: list[Step]
) -> None:
    listener = play(kind, slide=slide, script=script)
    for _ in range(3):  # a silent reply to what runs, to what waited, and to what ordinary mode asks then
        if listener.asked is not None:
            listener.step(Reply("</s>", "a"))
    assert listener.asked is None


@examples(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kind=kinds, script=scripts)
def test_the_same_events_and_seed_give_the_same_actions(kind: Mode | None, script: list[Step]) -> None:
    assert play(kind, slide=True, script=script).log == play(kind, slide=True, script=script).log
