"""What is measured: behaviours on held-out phrasings and cuts, each in many small conversations.

Knows the generator, whose held-out side it draws from, and how to talk with a model; prints nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final

import questions
from conversation import RUNS_ON_SILENCE, Conversation
from dialogues import Dialogue
from junk import JUNK
from references import RELATIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from driver import Talk
    from lists import Phrasings
    from pieces import Piece
    from slices import DuplexTokenizer

OWN_KINDS: Final = ("piece", "any_story", "follow_up", "reference", "name")
"""Kinds of requests beside `questions.kinds`."""
AFTER_ONE: Final = 5  # cases of a behaviour that begin after the same earlier conversation
CONTEXT_END: Final = 1000  # tokens: near the model's 1,024, less the room that the server keeps for a reply


def _general_kinds(language: str) -> tuple[str, ...]:
    """Of `questions.kinds` those whose answer is one and known: which joke is told is drawn by lot."""
    return tuple(kind for kind in questions.kinds(language) if kind != "joke")


def answered_kinds(language: str = "en") -> tuple[str, ...]:
    """Every kind of request whose answer is one and known."""
    return (*_general_kinds(language), *OWN_KINDS)


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

    def __init__(
        self, seed: str, talk: Talk, tokenizer: DuplexTokenizer, before: Conversation | None, language: str = "en"
    ) -> None:
        """`before`: what has happened in this conversation already."""
        self.rng = Random(seed)
        self.tokenizer = tokenizer
        self.talk = talk
        self.language = language
        self.user = Conversation(self.rng, tokenizer, held_out=True, languages=(language,))
        for pair in before.pairs if before else ():
            talk.play(pair.said, pair.heard)

    def draw(self, kind: str | None = None) -> questions.Ask:
        """A held-out request of one kind, by default of any."""
        if kind is None:
            kind = self.rng.choice((*questions.kinds(self.language), "piece"))
        return questions.ask_of_kind(self.rng, kind, held_out=True, language=self.language)

    def play(self, ask: questions.Ask) -> None:
        """Let a request be made and answered, in the words that are right."""
        text, _ = self.user.utterance(ask)
        for i, heard in enumerate(self.tokenizer.message(ask.answer)):
            self.talk.play(None if i else text, heard)
        self.user.answer(ask)

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

    def begin_piece(self, least_left: int = 1) -> tuple[tuple[tuple[int, ...], ...], Piece]:
        """Let a piece be told in part; the slices still to come, and which piece it is."""
        piece = self.rng.choice(questions.pieces(self.language))
        slices = self.tokenizer.message(piece.text)
        told = self.rng.randint(1, min(8, len(slices) - least_left))
        ask = questions.piece_ask(self.rng, piece, held_out=True, language=self.language)
        text, _ = self.user.utterance(ask)
        self.talk.play(text, slices[0])
        for heard in slices[1:told]:
            self.talk.play(None, heard)
        return slices[told:], piece

    def begin_ask(self, ask: questions.Ask) -> str | None:
        """A part of a request that is surely unfinished, if it has one."""
        text, cuts = self.user.utterance(ask)
        return self.user.cut(text, (self.rng.choice(cuts),))[0] if cuts else None


def earlier(seed: str, tokenizer: DuplexTokenizer, room: int) -> Conversation:
    """A conversation of the generator that leaves `room` to `room` + 80 tokens up to `CONTEXT_END`.

    It ends with something said by the assistant: words that wait for their answer ("wait, ...") would belong to what
    comes next.
    """
    rng, length = Random(seed), CONTEXT_END - room
    while True:
        talk = Dialogue(rng, tokenizer)
        while len(talk.tokens) < length - 80:
            talk.episode()
        if len(talk.tokens) <= length and talk.pairs[-1].heard is not None:
            return talk


def long_before(seed: str, tokenizer: DuplexTokenizer, length: int) -> Conversation:
    """A conversation of the generator of `length` tokens, and on to where something said by the assistant ends."""
    talk = Dialogue(Random(seed), tokenizer)
    while len(talk.tokens) < length or talk.pairs[-1].heard is None:
        talk.episode()
    return talk


def _unfinished(case: Case) -> tuple[bool, str]:
    while not (part := case.begin_ask(case.draw())):
        pass
    said = case.talk.say(part)
    return not said, f"{part!r}: {said!r}"


def right_answer(kind: str) -> Callable[[Case], tuple[bool, str]]:
    """The whole message, word for word, to a finished request of one kind."""

    def check(case: Case) -> tuple[bool, str]:
        if kind in ("follow_up", "reference"):
            one, two = case.rng.sample(questions.countries(case.language), 2)
            relation = case.rng.choice(RELATIONS)
            case.play(case.user.country_ask(relation, one))
            ask = (
                case.user.other_relation(one, relation)
                if kind == "reference"
                else case.user.other_country(relation, two)
            )
        elif kind == "name":
            case.play(case.user.name_told())
            if case.rng.random() < 0.5:
                case.play(case.draw("small_talk"))
            ask = case.user.name_asked()
        else:
            ask = case.draw(kind)
        said = case.answer(ask)
        return said == ask.answer, f"{ask.text!r}: {said!r}"

    return check


def _stop(case: Case) -> tuple[bool, str]:
    _, piece = case.begin_piece()
    text = case.user.say(case.user.sayings.stops)
    said = case.talk.say(text) + case.talk.say(None)
    return not said, f"{piece.topic}, {text!r}: {said!r}"


def _new_question(case: Case) -> tuple[bool, str]:
    _, piece = case.begin_piece()
    ask = case.draw(case.rng.choice(_general_kinds(case.language)))
    said = case.answer(ask, case.user.choose(case.user.sayings.resets) if case.rng.random() < 0.4 else "")
    said += case.talk.say(None)
    return said == ask.answer, f"{piece.topic}, {ask.text!r}: {said!r}"


def _correction(case: Case) -> tuple[bool, str]:
    others: list[Piece] = []
    while not others:
        _, piece = case.begin_piece()
        others = [p for p in questions.pieces(case.language) if p.form == piece.form and p is not piece]
    wanted = case.rng.choice(others)
    text = case.user.choose(case.user.sayings.corrections).format(t=questions.piece_topic(case.rng, wanted))
    said = case.talk.say(case.user.style.write(text.replace("|", ""), case.language))
    right = case.tokenizer.decode(case.tokenizer.message(wanted.text)[0])
    return said == right, f"{piece.topic}, {text!r}: {said!r}"


def _goes_on(phrasings: Callable[[Case], Phrasings]) -> Callable[[Case], tuple[bool, str]]:
    def check(case: Case) -> tuple[bool, str]:
        left, piece = case.begin_piece(least_left=2)
        text = case.user.say(phrasings(case))
        said = case.talk.say(text) + case.talk.say(None)
        right = case.tokenizer.decode(left[0]) + case.tokenizer.decode(left[1])
        return said == right, f"{piece.topic}, {text!r}: {said!r}"

    return check


def _nothing_going_on(case: Case) -> tuple[bool, str]:
    """A back-channel or junk after an answer, which asks for nothing."""
    case.play(case.draw(case.rng.choice(questions.short_kinds(case.language))))
    text = case.user.noise()
    said = case.talk.say(text)
    return not said, f"{text!r}: {said!r}"


def _back_on_topic(case: Case) -> tuple[bool, str]:
    left, piece = case.begin_piece()
    while True:
        ask = case.draw(case.rng.choice(questions.short_kinds(case.language)))
        answer = case.tokenizer.message(ask.answer)
        if len(answer) == 1 and len(answer[0]) >= RUNS_ON_SILENCE:
            break
    *parts, last = case.ask(ask, case.user.choose(case.user.sayings.asides))[0]
    said = "".join(case.talk.say(text) for text in (*parts, last, None, None))
    right = ask.answer + questions.resume(case.language) + case.tokenizer.decode(left[0])
    return said == right, f"{piece.topic}, {ask.text!r}: {said!r}"


def _resumes(case: Case) -> tuple[bool, str]:
    left, piece = case.begin_piece()
    case.talk.play(case.user.say(case.user.sayings.stops), None)
    text = case.user.say(case.user.sayings.go_on)
    said = case.talk.say(text)
    return said == case.tokenizer.decode(left[0]), f"{piece.topic}, {text!r}: {said!r}"


def _silent_after(case: Case) -> tuple[bool, str]:
    """The message is put into the model's mouth, so that this measures its end and nothing else."""
    while True:
        ask = case.draw(case.rng.choice((*questions.kinds(case.language), "piece", "any_story")))
        slices = case.tokenizer.message(ask.answer)
        # After a shorter last slice the server does not run the model: nothing to measure.
        if len(slices[-1]) >= RUNS_ON_SILENCE:
            break
    case.play(ask)
    said = case.talk.say(None)
    return not said, f"{ask.text!r} {ask.answer[-40:]!r}: {said!r}"


def _silent_after_unfinished(case: Case) -> tuple[bool, str]:
    while not (part := case.begin_ask(case.draw())):
        pass
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
    Behaviour("silent on an unfinished question", 0.98, _unfinished),
    Behaviour('a "stop" is answered with silence, which lasts', 0.99, _stop, 300),
    Behaviour("answers the new question after an interruption, and nothing else", 0.97, _new_question, 320),
    Behaviour("answers an aside, then goes back to the piece", 0.90, _back_on_topic, 330),
    Behaviour(
        "goes on after a back-channel, word for word", 0.97, _goes_on(lambda c: c.user.sayings.back_channels), 300
    ),
    Behaviour("goes on after recognition junk, word for word", None, _goes_on(lambda c: JUNK[c.language]), 300),
    Behaviour("silent on a back-channel or junk with nothing going on", None, _nothing_going_on),
    Behaviour("silent after it has finished", 0.995, _silent_after, 320),
    Behaviour("silent while an unfinished question is followed by nothing", None, _silent_after_unfinished),
    Behaviour("begins the other piece when corrected", None, _correction, 300),
    Behaviour('goes on when told to after a "stop"', None, _resumes, 300),
)
ANSWERS: Final = "right answer to a finished question"
ANSWERS_GOAL: Final = 0.98


def room_of(kind: str) -> int:
    """How many tokens a request of this kind and its answer may take."""
    if kind in ("text", "name"):
        return 200
    return 320 if kind in ("piece", "any_story", "count", "planet", "month", "day") else 120
