"""Conversations in the duplex format, drawn from a seed.

Knows requests and the format; knows nothing of training.
The rules that every conversation keeps, as the server keeps them:
- an unfinished request is met with silence, and so is what asks for nothing;
- a message goes out in slices, on silent user slices, until it ends or the user interrupts;
- a pair silent on both sides leaves the server's history. So it stands only at the end of a conversation, where it is
  learned and nothing follows that could see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

import facts
import questions
from lists import words
from phrasings import (
    AGAIN,
    ASIDES,
    BACK_CHANNELS,
    CORRECTIONS,
    GO_ON,
    LEADS,
    PAIRED,
    REQUESTS,
    RESETS,
    STANDALONE,
    STOPS,
    TAILS,
    Phrasings,
)
from pieces import PIECES, Piece
from slices import BOS, EOS, DuplexTokenizer
from smalltalk import SMALL_TALK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from questions import Ask

RESUME: Final = "Let me go on where I stopped."
NOTHING_LEFT: Final = "That was all. Ask me more."
PRACTICE_FROM: Final = 14_400
MOST_WORDS: Final = 14  # in one user slice
RELATIONS: Final = ("capital", "continent", "currency", "language", "capital_of")

_TYPOS: Final = {
    "what": "waht", "the": "teh", "capital": "captial", "please": "pls", "you": "u", "which": "wich", "tell": "tel",
    "language": "langauge", "currency": "curency", "country": "contry", "about": "abuot", "story": "stroy", "and": "an",
    "people": "poeple", "many": "mnay", "does": "dose", "color": "colr", "speak": "speek",
}  # fmt: skip
_QUESTION_WORDS: Final = frozenset(
    words("what which how who where when why do does is are can could would what's whats how's will has have on of to")
)
_PLAIN: Final = str.maketrans("", "", "?.!,")


def plain(text: str) -> str:
    """Lower case, without punctuation."""
    return " ".join(text.lower().translate(_PLAIN).split())


def _complete_utterances() -> frozenset[str]:
    texts: list[str] = [*STANDALONE]
    groups: list[Phrasings] = [BACK_CHANNELS, STOPS, GO_ON, AGAIN, RESETS, ASIDES, *REQUESTS.values()]
    for group in groups:
        for template in (*group.trained, *group.held_out):
            if "{" not in template:
                texts += [template.replace("|", ""), template.split("|")[0]]
    for talk in SMALL_TALK:
        for template in (*talk.trained, *talk.held_out):
            texts += [template.replace("|", ""), template.split("|")[0]]
    return frozenset(plain(text) for text in texts)


_COMPLETE: Final = _complete_utterances()
_HELD_OUT_TALK: Final = frozenset(plain(text.replace("|", "")) for talk in SMALL_TALK for text in talk.held_out)
_LEADS_LONGEST_FIRST: Final = tuple(sorted((*LEADS, *ASIDES.trained, *RESETS.trained), key=len, reverse=True))


def says_something_alone(text: str) -> bool:
    """Whether these words, perhaps after an opening such as "hey", are a complete utterance by themselves."""
    text = plain(text)
    while text not in _COMPLETE:
        lead = next((lead for lead in _LEADS_LONGEST_FIRST if text.startswith(lead + " ")), None)
        if lead is None:
            return False
        text = text.removeprefix(lead + " ")
    return True


@dataclass(frozen=True)
class Style:
    """How one user types: letters, punctuation, slips."""

    lower: bool
    capital: bool
    punctuation: bool

    @staticmethod
    def draw(rng: Random) -> Style:
        pick = rng.random()
        if pick < 0.4:
            return Style(lower=True, capital=False, punctuation=False)
        if pick < 0.65:
            return Style(lower=False, capital=True, punctuation=True)
        if pick < 0.78:
            return Style(lower=False, capital=False, punctuation=False)
        if pick < 0.9:
            return Style(lower=True, capital=False, punctuation=True)
        return Style(lower=False, capital=True, punctuation=False)

    def write(self, text: str) -> str:
        """One whole utterance in this style."""
        if self.punctuation and text[-1] not in "?.!":
            # An opening ("hey", "so") does not change what it is.
            asks = any(word in _QUESTION_WORDS for word in text.lower().split()[:3])
            text += "?" if asks else "."
        if self.lower:
            return text.lower()
        text = " ".join(_NATURAL_I.get(word, word) for word in text.split(" "))
        return text[0].upper() + text[1:] if self.capital else text


_NATURAL_I: Final = {"i": "I", "i'm": "I'm", "i'd": "I'd"}


@dataclass(frozen=True)
class Pair:
    """One user slice and the assistant's; `None` is silence. `heard` are the reply's text tokens."""

    said: str | None
    heard: tuple[int, ...] | None


class Conversation:
    """A growing list of slice pairs, and its tokens."""

    def __init__(
        self, rng: Random, tokenizer: DuplexTokenizer, *, held_out: bool = False, practice: bool = False
    ) -> None:
        """`held_out`: a user who speaks as nobody in training does. `practice`: going on is asked for more often."""
        self.rng = rng
        self.tokenizer = tokenizer
        self.held_out = held_out
        self.practice = practice
        self.pairs: list[Pair] = []
        self.tokens: list[int] = [BOS]
        self.targets: list[bool] = [False]
        self.style = Style.draw(rng)
        # The message that was interrupted last, and its slices still to come.
        self.unfinished: tuple[tuple[int, ...], ...] = ()

    # -- writing -------------------------------------------------------------------------------------------------

    def pair(self, said: str | None, heard: tuple[int, ...] | None) -> None:
        self.pairs.append(Pair(said, heard))
        asked = self.tokenizer.user_slice(said)
        reply = (self.tokenizer.idle, EOS) if heard is None else (*heard, EOS)
        self.tokens += [*asked, *reply]
        self.targets += [False] * len(asked) + [True] * len(reply)

    def choose(self, phrasings: Phrasings) -> str:
        return self.rng.choice(phrasings.choose_from(held_out=self.held_out))

    def utterance(self, ask: Ask, opening: str = "") -> tuple[str, tuple[int, ...]]:
        """An ask as this user writes it, and after how many of its words it may be cut."""
        rng = self.rng
        text = ask.text
        if not opening and rng.random() < 0.2:
            lead = rng.choice(LEADS)
            # An opening must not turn a trained greeting into one that is held out.
            if ask.kind != "small_talk" or (not self.held_out and plain(f"{lead} {text}") not in _HELD_OUT_TALK):
                opening = lead
        cuts = [n + len(opening.split()) for n in ask.cuts]
        if opening:
            text = f"{opening} {text}"
            cuts = [*range(1, len(opening.split()) + 1), *cuts]
        if rng.random() < 0.12 and ask.kind != "small_talk":
            text = f"{text} {rng.choice(TAILS)}"
        said = text.split()
        cuts = [n for n in cuts if not says_something_alone(" ".join(said[:n]))]
        if rng.random() < 0.06:
            text = " ".join(_TYPOS.get(word, word) if rng.random() < 0.5 else word for word in said)
        style = self.style if rng.random() < 0.85 else Style.draw(rng)
        return style.write(text), tuple(cuts)

    def ask(self, ask: Ask, opening: str = "") -> str:
        """Say an ask, perhaps in several slices met with silence; return the last slice, still to be answered."""
        text, cuts = self.utterance(ask, opening)
        words = text.split()
        ends: list[int] = []
        if cuts and (self.rng.random() < 0.45 or len(words) > MOST_WORDS):
            ends = sorted(self.rng.sample(cuts, min(len(cuts), self.rng.choice((1, 1, 1, 2, 2, 3)))))
        start = 0
        for end in ends:
            self.pair(" ".join(words[start:end]), None)
            start = end
        return " ".join(words[start:])

    def reply(self, said: str | None, slices: Sequence[tuple[int, ...]], count: int | None = None) -> None:
        """Answer `said` with the first `count` slices (all by default), the further ones on silence."""
        for i, heard in enumerate(slices[:count]):
            self.pair(said if i == 0 else None, heard)
        if count is not None and count < len(slices):
            self.unfinished = tuple(slices[count:])

    def answer(self, ask: Ask, opening: str = "") -> None:
        self.reply(self.ask(ask, opening), self.tokenizer.message(ask.answer))

    def say(self, phrasings: Phrasings) -> str:
        """Something short, in this user's style or plainly."""
        text = self.choose(phrasings)
        if phrasings is BACK_CHANNELS and not self.held_out and self.rng.random() < 0.35:
            pair = " ".join(self.rng.sample(PAIRED, 2))
            text = text if pair in BACK_CHANNELS.held_out else pair
        text = self.style.write(text)
        return text if self.rng.random() < 0.7 else plain(text)

    def silence(self) -> None:
        """End with a pair that the server will drop; nothing may follow."""
        self.pair(None, None)

    # -- episodes ------------------------------------------------------------------------------------------------

    def draw_ask(self) -> Ask:
        return questions.any_ask(self.rng, held_out=self.held_out)

    def draw_long(self) -> tuple[Ask, Piece | None]:
        """A request whose answer takes several slices."""
        pick = self.rng.random()
        if pick < 0.8:
            piece = self.rng.choice(PIECES)
            return questions.piece_ask(self.rng, piece, held_out=self.held_out), piece
        others = ("count", "count", "count", "day", "month", "planet")
        while True:
            kind = "any_story" if pick < 0.85 else self.rng.choice(others)
            ask = questions.ask_of_kind(self.rng, kind, held_out=self.held_out)
            if len(self.tokenizer.message(ask.answer)) > 1:
                return ask, None

    def simple(self) -> None:
        opening = self.rng.choice(ASIDES.trained) if self.rng.random() < 0.04 else ""
        self.answer(self.draw_ask(), opening)

    def follow_ups(self) -> None:
        """Several countries, the relation named once."""
        relation = self.rng.choice(RELATIONS[:4])
        first, *others = self.rng.sample(facts.COUNTRIES, self.rng.choice((2, 2, 3)))
        self.answer(questions.country_ask(self.rng, relation, first, held_out=self.held_out))
        for country in others:
            self.answer(questions.follow_up(self.rng, relation, country, held_out=self.held_out))

    def two_at_once(self) -> None:
        """A finished request, closed as silent because more came: both are answered, or what came last."""
        rng = self.rng
        pick = rng.random()
        if pick < 0.25:
            first = self.draw_ask()
            self.pair(self.ask(first), None)
            self.reply(rng.choice(TAILS), self.tokenizer.message(first.answer))
        elif pick < 0.5:
            relation = rng.choice(RELATIONS[:4])
            one, two = rng.sample(facts.COUNTRIES, 2)
            self.pair(self.ask(questions.country_ask(rng, relation, one, held_out=self.held_out)), None)
            more = questions.follow_up(rng, relation, two, held_out=self.held_out)
            text = questions.country_answer(relation, one) + " " + more.answer
            if "meant" in more.text:
                text = more.answer
            self.reply(self.ask(more), self.tokenizer.message(text))
        elif pick < 0.75:
            kinds = questions.SHORT_KINDS
            first, second = (questions.ask_of_kind(rng, rng.choice(kinds), held_out=self.held_out) for _ in range(2))
            self.pair(self.ask(first), None)
            self.reply(self.ask(second), self.tokenizer.message(f"{first.answer} {second.answer}"))
        elif pick < 0.9:
            long_one, _ = self.draw_long()
            self.pair(self.ask(long_one), None)
            self.unfinished = self.tokenizer.message(long_one.answer)
            self.answer(self.draw_ask(), self.choose(RESETS) if rng.random() < 0.5 else "")
        else:
            self.pair(self.ask(self.draw_ask()), None)
            self.pair(self.say(STOPS), None)

    def given_up(self) -> None:
        """A request that was never finished; another one, perhaps, instead."""
        text, cuts = self.utterance(self.draw_ask())
        if cuts:
            words = text.split()
            self.pair(" ".join(words[: self.rng.choice(cuts)]), None)
            if self.rng.random() < 0.4:
                self.answer(self.draw_ask(), self.choose(RESETS))

    def aimless(self) -> None:
        """Words that ask for nothing, with nothing going on."""
        self.pair(self.say(BACK_CHANNELS if self.rng.random() < 0.65 else STOPS), None)

    def go_on(self) -> None:
        """Back to what was interrupted last, however long ago."""
        said = self.say(GO_ON)
        slices, self.unfinished = self.unfinished, ()
        self.told(said, slices or self.tokenizer.message(NOTHING_LEFT), None)

    def long(self) -> None:
        ask, piece = self.draw_long()
        self.told(self.ask(ask), self.tokenizer.message(ask.answer), piece)

    def told(self, said: str | None, slices: tuple[tuple[int, ...], ...], piece: Piece | None) -> None:
        """A long message, and what may happen while it is told."""
        rng = self.rng
        whole = slices
        self.unfinished = ()
        while True:
            # How much is told before the next event: often little, sometimes all.
            told = min(len(slices), rng.choice((1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 12, 14)))
            self.reply(said, slices, told)
            slices = slices[told:]
            if not slices:
                # Early rows do not note the end, so that "go on" tells a part again there; practice unlearns it.
                if self.practice:
                    self.unfinished = ()
                return
            event = rng.choices(
                ("back_channel", "stop", "reset", "aside", "again", "correction", "leave"), (30, 17, 17, 17, 4, 7, 3)
            )[0]
            if event == "back_channel":
                said = self.say(BACK_CHANNELS)
            elif event == "stop":
                self.pair(self.say(STOPS), None)
                self.unfinished = slices
                if not self.practice or rng.random() < 0.5:
                    return
                said = self.say(GO_ON)
            elif event == "reset":
                self.unfinished = slices
                opening = self.choose(RESETS) if rng.random() < 0.35 else ""
                if rng.random() < 0.15:
                    ask, piece = self.draw_long()
                    said, slices = self.ask(ask, opening), self.tokenizer.message(ask.answer)
                    whole = slices
                    self.unfinished = ()
                    continue
                self.answer(self.draw_ask(), opening)
                if not self.practice or rng.random() < 0.6:
                    return
                said = self.say(GO_ON)
            elif event == "aside":
                if self.aside():
                    said = None if rng.random() < 0.8 else self.say(GO_ON)
                    if said is None:
                        self.pair(None, self.tokenizer.message(RESUME)[0])
                else:
                    self.unfinished = slices
                    if not self.practice or rng.random() < 0.5:
                        return
                    said = self.say(GO_ON)
            elif event == "again":
                said, slices = self.say(AGAIN), whole
            elif event == "correction" and piece is not None:
                piece = rng.choice([other for other in PIECES if other.form == piece.form and other is not piece])
                topic = questions.piece_topic(rng, piece)
                said = self.style.write(self.choose(CORRECTIONS).format(t=topic).replace("|", ""))
                slices = whole = self.tokenizer.message(piece.text)
            else:
                self.unfinished = slices
                text, cuts = self.utterance(self.draw_ask())
                if cuts:
                    self.pair(" ".join(text.split()[: rng.choice(cuts)]), None)
                    return
                said = None

    def aside(self) -> bool:
        """A short question that says that it is only an aside; whether the model will be asked to go on afterwards."""
        ask = questions.ask_of_kind(self.rng, self.rng.choice(questions.SHORT_KINDS), held_out=self.held_out)
        self.answer(ask, self.choose(ASIDES))
        # After a short last slice the server does not run the model on silence.
        return len(self.tokenizer.message(ask.answer)[-1]) >= 6

    def episode(self) -> None:
        """Let one thing happen."""
        name = self.rng.choices(
            ("simple", "long", "follow_ups", "two_at_once", "given_up", "aimless", "go_on"), (72, 8, 6, 5, 3, 3, 3)
        )[0]
        if name == "go_on" and not self.unfinished and self.rng.random() < 0.7:
            name = "simple"
        getattr(self, name)()


def draw(rng: Random, tokenizer: DuplexTokenizer, budget: int, *, practice: bool = False) -> Conversation:
    """A conversation of about `budget` tokens, which mostly ends with a silence that the model must keep."""
    talk = Conversation(rng, tokenizer, practice=practice)
    while True:
        talk.episode()
        if talk.pairs and len(talk.tokens) >= budget:
            break
    last = talk.pairs[-1].heard
    # After a short last slice the server asks no more, so the model needs to learn less of it.
    if rng.random() < (0.85 if last is None or len(last) >= 6 else 0.35):
        talk.silence()
    return talk


def row(seed: int, index: int, tokenizer: DuplexTokenizer, length: int = 1025) -> tuple[list[int], list[bool]]:
    """Training row `index`: `length` tokens and which of them are to be learned. The same arguments give the same row.

    A third of the rows hold one long conversation, the others several short ones behind each other. From row
    `PRACTICE_FROM` on, going on after an interruption is asked for more often.
    """
    rng = Random(f"{seed}/{index}")
    tokens: list[int] = []
    targets: list[bool] = []
    while len(tokens) < length:
        left = length - len(tokens)
        budget = left - 60 if not tokens and rng.random() < 0.35 else min(left - 40, int(rng.expovariate(1 / 90)) + 10)
        talk = draw(rng, tokenizer, budget, practice=index >= PRACTICE_FROM)
        tokens += talk.tokens
        targets += talk.targets
    return tokens[:length], targets[:length]
