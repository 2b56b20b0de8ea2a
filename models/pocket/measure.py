"""What is measured: behaviours on held-out phrasings and cuts, each in many small conversations.

Knows the generator, whose held-out side it draws from, and how to talk with a model; prints nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final

import facts
import questions
from dialogues import RESUME, Conversation
from phrasings import ASIDES, BACK_CHANNELS, CORRECTIONS, GO_ON, RESETS, STOPS
from pieces import PIECES

if TYPE_CHECKING:
    from collections.abc import Callable

    from driver import Talk
    from slices import DuplexTokenizer

# Kinds whose answer is one and known; jokes and "any story" are drawn by lot.
ANSWERED_KINDS: Final = (*(kind for kind in questions.KINDS if kind != "joke"), "piece", "follow_up")
CONTEXT_END: Final = 1000  # tokens: near the model's 1,024, less the room that the server keeps for a reply


@dataclass
class Tally:
    """How often one behaviour was right, and what was said instead."""

    right: int = 0
    count: int = 0
    misses: list[str] = field(default_factory=list)

    def add(self, passed: bool, miss: str) -> None:
        self.count += 1
        self.right += passed
        if not passed:
            self.misses.append(miss)

    @property
    def share(self) -> float:
        return self.right / self.count if self.count else 0.0


class Case:
    """One small conversation: its random numbers, its held-out user, and the model that answers."""

    def __init__(self, seed: str, talk: Talk, tokenizer: DuplexTokenizer, before: Conversation | None) -> None:
        """`before`: what has happened in this conversation already."""
        self.rng = Random(seed)
        self.tokenizer = tokenizer
        self.talk = talk
        self.user = Conversation(self.rng, tokenizer, held_out=True)
        for pair in before.pairs if before else ():
            talk.play(pair.said, pair.heard)

    def ask(self, ask: questions.Ask, opening: str = "") -> tuple[list[str], bool]:
        """The slices in which this user asks, and whether the request is cut."""
        before = len(self.user.pairs)
        last = self.user.ask(ask, opening)
        parts = [pair.said or "" for pair in self.user.pairs[before:]]
        return [*parts, last], bool(parts)

    def answer(self, ask: questions.Ask, opening: str = "") -> str:
        """Ask, perhaps in several slices, and collect all that is said."""
        *parts, last = self.ask(ask, opening)[0]
        early = "".join(self.talk.say(part) for part in parts)
        return early + self.talk.message(last)

    def begin_piece(self, least_left: int = 1) -> tuple[tuple[tuple[int, ...], ...], str]:
        """Let a piece be told in part; the slices still to come, and which piece it is."""
        piece = self.rng.choice(PIECES)
        slices = self.tokenizer.message(piece.text)
        told = self.rng.randint(1, min(8, len(slices) - least_left))
        text, _ = self.user.utterance(questions.piece_ask(self.rng, piece, held_out=True))
        self.talk.play(text, slices[0])
        for heard in slices[1:told]:
            self.talk.play(None, heard)
        return slices[told:], piece.topic


def earlier(seed: str, tokenizer: DuplexTokenizer, room: int) -> Conversation:
    """A conversation of the generator that leaves `room` to `room` + 80 tokens before the end of the context.

    It ends with something said by the assistant: words that wait for their answer ("wait, ...") would belong to what
    comes next.
    """
    rng, length = Random(seed), CONTEXT_END - room
    while True:
        talk = Conversation(rng, tokenizer)
        while len(talk.tokens) < length - 80:
            talk.episode()
        if len(talk.tokens) <= length and talk.pairs[-1].heard is not None:
            return talk


def long_before(seed: str, tokenizer: DuplexTokenizer, length: int) -> Conversation:
    """A conversation of the generator of `length` tokens, and on to where something said by the assistant ends."""
    talk = Conversation(Random(seed), tokenizer)
    while len(talk.tokens) < length or talk.pairs[-1].heard is None:
        talk.episode()
    return talk


def _unfinished(case: Case) -> tuple[bool, str]:
    while True:
        kind = case.rng.choice((*questions.KINDS, "piece"))
        text, cuts = case.user.utterance(questions.ask_of_kind(case.rng, kind, held_out=True))
        if cuts:
            break
    part = " ".join(text.split()[: case.rng.choice(cuts)])
    said = case.talk.say(part)
    return not said, f"{part!r}: {said!r}"


def right_answer(kind: str) -> Callable[[Case], tuple[bool, str]]:
    """The whole message, word for word, to a finished request of one kind."""

    def check(case: Case) -> tuple[bool, str]:
        if kind == "follow_up":
            relation = case.rng.choice(("capital", "continent", "currency", "language"))
            one, two = case.rng.sample(facts.COUNTRIES, 2)
            first = questions.country_ask(case.rng, relation, one, held_out=True)
            case.talk.play(case.user.utterance(first)[0], case.tokenizer.message(first.answer)[0])
            ask = questions.follow_up(case.rng, relation, two, held_out=True)
        else:
            ask = questions.ask_of_kind(case.rng, kind, held_out=True)
        said = case.answer(ask)
        return said == ask.answer, f"{ask.text!r}: {said!r}"

    return check


def _stop(case: Case) -> tuple[bool, str]:
    _, topic = case.begin_piece()
    text = case.user.say(STOPS)
    said = case.talk.say(text) + case.talk.say(None)
    return not said, f"{topic}, {text!r}: {said!r}"


def _new_question(case: Case) -> tuple[bool, str]:
    _, topic = case.begin_piece()
    ask = questions.any_ask(case.rng, held_out=True)
    while ask.kind == "joke":
        ask = questions.any_ask(case.rng, held_out=True)
    said = case.answer(ask, case.user.choose(RESETS) if case.rng.random() < 0.4 else "")
    return said == ask.answer, f"{topic}, {ask.text!r}: {said!r}"


def _correction(case: Case) -> tuple[bool, str]:
    _, topic = case.begin_piece()
    form = next(piece.form for piece in PIECES if piece.topic == topic)
    piece = case.rng.choice([other for other in PIECES if other.form == form and other.topic != topic])
    wanted = case.user.choose(CORRECTIONS).format(t=questions.piece_topic(case.rng, piece)).replace("|", "")
    said = case.talk.say(case.user.style.write(wanted))
    right = case.tokenizer.decode(case.tokenizer.message(piece.text)[0])
    return said == right, f"{topic}, {wanted!r}: {said!r}"


def _goes_on(case: Case) -> tuple[bool, str]:
    left, topic = case.begin_piece(least_left=2)
    text = case.user.say(BACK_CHANNELS)
    said = case.talk.say(text) + case.talk.say(None)
    right = case.tokenizer.decode(left[0]) + case.tokenizer.decode(left[1])
    return said == right, f"{topic}, {text!r}: {said!r}"


def _back_on_topic(case: Case) -> tuple[bool, str]:
    left, topic = case.begin_piece()
    while True:
        ask = questions.ask_of_kind(case.rng, case.rng.choice(questions.SHORT_KINDS), held_out=True)
        answer = case.tokenizer.message(ask.answer)
        if len(answer) == 1 and len(answer[0]) >= 6:
            break
    *parts, last = case.ask(ask, case.user.choose(ASIDES))[0]
    said = "".join(case.talk.say(text) for text in (*parts, last, None, None))
    right = ask.answer + RESUME + case.tokenizer.decode(left[0])
    return said == right, f"{topic}, {ask.text!r}: {said!r}"


def _resumes(case: Case) -> tuple[bool, str]:
    left, topic = case.begin_piece()
    case.talk.play(case.user.say(STOPS), None)
    text = case.user.say(GO_ON)
    said = case.talk.say(text)
    return said == case.tokenizer.decode(left[0]), f"{topic}, {text!r}: {said!r}"


def _silent_after(case: Case) -> tuple[bool, str]:
    """The message is put into the model's mouth, so that this measures its end and nothing else."""
    while True:
        kind = case.rng.choice((*questions.KINDS, "piece", "any_story"))
        ask = questions.ask_of_kind(case.rng, kind, held_out=True)
        slices = case.tokenizer.message(ask.answer)
        # After a shorter last slice the server does not run the model: nothing to measure.
        if len(slices[-1]) >= 6:
            break
    case.talk.play(case.user.utterance(ask)[0], slices[0])
    for heard in slices[1:]:
        case.talk.play(None, heard)
    said = case.talk.say(None)
    return not said, f"{ask.text!r} {ask.answer[-40:]!r}: {said!r}"


def _silent_after_unfinished(case: Case) -> tuple[bool, str]:
    while True:
        text, cuts = case.user.utterance(questions.any_ask(case.rng, held_out=True))
        if cuts:
            break
    part = " ".join(text.split()[: case.rng.choice(cuts)])
    case.talk.play(part, None)
    said = case.talk.say(None)
    return not said, f"{part!r}: {said!r}"


@dataclass(frozen=True)
class Behaviour:
    """One row of the table: `goal` is a share, or None for a row that is only shown; `room` is what a case may take."""

    name: str
    goal: float | None
    check: Callable[[Case], tuple[bool, str]]
    room: int = 120


BEHAVIOURS: Final = (
    Behaviour("silent on an unfinished question", 0.95, _unfinished),
    Behaviour('a "stop" is answered with silence, which lasts', 0.95, _stop, 300),
    Behaviour("answers the new question after an interruption", 0.90, _new_question, 320),
    Behaviour("goes on after a back-channel, word for word", 0.90, _goes_on, 300),
    Behaviour("silent after it has finished", 0.99, _silent_after, 320),
    Behaviour("silent while an unfinished question is followed by nothing", None, _silent_after_unfinished),
    Behaviour("begins the other piece when corrected", None, _correction, 300),
    Behaviour("answers an aside, then goes back to the piece", None, _back_on_topic, 330),
    Behaviour('goes on when told to after a "stop"', None, _resumes, 300),
)
ANSWERS: Final = "right answer to a finished question"
ANSWERS_GOAL: Final = 0.95


def room_of(kind: str) -> int:
    """How many tokens a request of this kind and its answer may take."""
    return 320 if kind in ("piece", "count", "planet", "month", "day") else 120
