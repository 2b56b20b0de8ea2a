"""A conversation in the duplex format as it grows: pairs of slices, what users say in them, and the tokens.

Knows requests, speech and the format; what happens next is decided in `dialogues.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import facts
import questions
from asks import fill, joined, units
from junk import JUNK, heard_junk
from phrasings import SAYINGS
from references import REFERENCES, RELATIONS
from slices import BOS, EOS, DuplexTokenizer
from speech import HELD_OUT_TALK, Style, plain, says_something_alone, slip, together
from unknown import UNKNOWN_ANSWER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from facts import Country
    from lists import Phrasings, Sayings
    from pieces import Piece
    from questions import Ask

MOST_UNITS: Final = {"en": 14, "zh": 22}  # in one user slice
UNKNOWN_SHARE: Final = 0.07  # of the questions that name another country
# A name is said back piece by piece, and most pieces are in no name that is trained.
NAMES_OF_PIECES: Final = 0.35
# A user who stumbles on, a word or two at a time, is rare, but learned from all the same.
CUT_SHARE, CUTS = 0.45, (1, 1, 1, 2, 2, 3)
TRAINED_CUT_SHARE, TRAINED_CUTS = 0.5, (1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 5, 8)
# Nobody who types in a hurry is careful about these.
WRONG_MARKS: Final = {"en": ("!", "!!", "?", "...", ".", "??"), "zh": ("！", "？", "。", "！！")}
LONG: Final = 3  # slices: a message that is told to its end takes the place of one that was interrupted
RUNS_ON_SILENCE: Final = 6  # tokens: after a shorter last slice the server does not run the model on silence


@dataclass(frozen=True)
class Pair:
    """One user slice and the assistant's; `None` is silence. `heard` are the reply's text tokens."""

    said: str | None
    heard: tuple[int, ...] | None


@dataclass
class Telling:
    """A long message, and how many of its slices are told."""

    slices: tuple[tuple[int, ...], ...]
    language: str
    piece: Piece | None = None
    told: int = 0

    @property
    def left(self) -> int:
        return len(self.slices) - self.told


@dataclass(frozen=True)
class About:
    """The country that was talked about last, and what of it: `relation` is None where "and Spain?" is unclear."""

    country: Country
    relation: str | None
    language: str


class Conversation:
    """A growing list of slice pairs, and its tokens."""

    def __init__(
        self, rng: Random, tokenizer: DuplexTokenizer, *, held_out: bool = False, languages: Sequence[str] = ("en",)
    ) -> None:
        """`held_out`: a user who speaks as nobody in training does. `languages`: what they speak, by turns."""
        self.rng = rng
        self.tokenizer = tokenizer
        self.held_out = held_out
        self.languages = languages
        self.language = rng.choice(languages)
        self.pairs: list[Pair] = []
        self.tokens: list[int] = [BOS]
        self.targets: list[bool] = [False]
        self.style = Style.draw(rng)
        self.name: str | None = None
        self.about: About | None = None
        self.interrupted: Telling | None = None
        """The message that was interrupted last and can be gone on with."""
        self._drawn: tuple[Ask, str | None, About | None] | None = None

    @property
    def sayings(self) -> Sayings:
        return SAYINGS[self.language]

    # -- writing -------------------------------------------------------------------------------------------------

    def pair(self, said: str | None, heard: tuple[int, ...] | None, *, learned: bool = True) -> None:
        """`learned`: whether this reply is an example to follow, or only what happened."""
        self.pairs.append(Pair(said, heard))
        asked = self.tokenizer.user_slice(said)
        reply = (self.tokenizer.idle, EOS) if heard is None else (*heard, EOS)
        self.tokens += [*asked, *reply]
        self.targets += [False] * len(asked) + [learned] * len(reply)

    def choose(self, phrasings: Phrasings) -> str:
        return self.rng.choice(phrasings.choose_from(held_out=self.held_out))

    def opening_of(self, ask: Ask) -> str:
        """An opening such as "hey", now and then. It must not turn what is trained into what is held out."""
        if self.rng.random() >= 0.2 or ask.kind.startswith("name_"):
            return ""
        lead = self.rng.choice(SAYINGS[ask.language].leads)
        text = plain(joined([*units(lead), *units(ask.text)]))
        if ask.kind == "small_talk" and not self.held_out and text in HELD_OUT_TALK[ask.language]:
            return ""
        return lead

    def utterance(self, ask: Ask, opening: str = "") -> tuple[str, tuple[int, ...]]:
        """An ask as this user writes it, and after how many of its units it may be cut."""
        rng, language = self.rng, ask.language
        style = self.style if rng.random() < 0.85 else Style.draw(rng)
        first = style.open(opening or self.opening_of(ask), language)
        parts = [*first, *units(ask.text)]
        cuts = [*range(1, len(first) + 1), *(n + len(first) for n in ask.cuts)]
        if rng.random() < 0.1 and ask.kind != "small_talk" and not ask.kind.startswith("name_"):
            parts += units(rng.choice(SAYINGS[language].tails))
        parts, cuts = slip(rng, parts, cuts, language)
        cuts = [n for n in cuts if not says_something_alone(joined(parts[:n]), language)]
        return style.write(joined(parts), language), tuple(cuts)

    def cut(self, text: str, ends: Sequence[int]) -> list[str]:
        """A text in slices, each up to one of `ends`, in units."""
        parts = units(text)
        return [joined(parts[a:b]) for a, b in zip((0, *ends), (*ends, len(parts)), strict=True)]

    def ask(self, ask: Ask, opening: str = "") -> str:
        """Say an ask, perhaps in several slices met with silence; return the last slice, still to be answered."""
        text, cuts = self.utterance(ask, opening)
        ends: list[int] = []
        share, counts = (CUT_SHARE, CUTS) if self.held_out else (TRAINED_CUT_SHARE, TRAINED_CUTS)
        if cuts and (self.rng.random() < share or len(units(text)) > MOST_UNITS[ask.language]):
            ends = sorted(self.rng.sample(cuts, min(len(cuts), self.rng.choice(counts))))
        *parts, last = self.cut(text, ends)
        for part in parts:
            self.pair(part, None)
        return last

    def begin(self, ask: Ask, opening: str = "") -> bool:
        """Say only a part of an ask, met with silence; False if it has no part that is surely unfinished."""
        text, cuts = self.utterance(ask, opening)
        if cuts:
            self.pair(self.cut(text, (self.rng.choice(cuts),))[0], None)
        return bool(cuts)

    def reply(self, said: str | None, slices: Sequence[tuple[int, ...]]) -> None:
        """Answer `said`; all slices but the first on silence."""
        for i, heard in enumerate(slices):
            self.pair(said if i == 0 else None, heard)
        if len(slices) >= LONG:
            self.interrupted = None

    def answer(self, ask: Ask, opening: str = "") -> None:
        self.reply(self.ask(ask, opening), self.tokenizer.message(ask.answer))
        self.remember(ask)

    def remember(self, ask: Ask) -> None:
        """Know what is known once an ask is answered."""
        self.about = None
        if self._drawn and self._drawn[0] is ask:
            _, name, self.about = self._drawn
            self.name = name or self.name

    def say(self, phrasings: Phrasings) -> str:
        """Something short, in this user's style or plainly."""
        if phrasings is JUNK[self.language]:
            return heard_junk(self.rng, self.language, held_out=self.held_out)
        text = self.choose(phrasings)
        if phrasings is self.sayings.back_channels and not self.held_out and self.rng.random() < 0.35:
            pair = together(self.rng, self.sayings.paired, self.language)
            text = text if pair in phrasings.held_out else pair
        text = self.style.write(text, self.language)
        pick = self.rng.random()
        if pick > 0.95 and not self.held_out:
            return plain(text) + self.rng.choice(WRONG_MARKS[self.language])
        if pick > 0.93 and not self.held_out:
            return text.upper()  # "STOP"
        return text if pick < 0.7 else plain(text)

    def noise(self) -> str:
        """What asks for nothing: mostly a back-channel, or what a microphone makes of a cough."""
        return self.say(self.sayings.back_channels if self.rng.random() < 0.8 else JUNK[self.language])

    @property
    def asks_more(self) -> bool:
        """Whether the server would run the model on silence now."""
        last = self.pairs[-1].heard
        return last is not None and len(last) >= RUNS_ON_SILENCE

    # -- what is asked -------------------------------------------------------------------------------------------

    def _note(self, ask: Ask, name: str | None = None, about: About | None = None) -> Ask:
        """Remember what will be known once this ask is answered."""
        self._drawn = (ask, name, about)
        return ask

    def country_ask(self, relation: str, country: Country) -> Ask:
        ask = questions.country_ask(self.rng, relation, country, held_out=self.held_out, language=self.language)
        about = About(country, relation if relation in RELATIONS else None, self.language)
        return self._note(ask, about=about)

    def any_ask(self) -> Ask:
        """Any short request that stands for itself."""
        ask = questions.any_ask(self.rng, held_out=self.held_out, language=self.language)
        if ask.kind in RELATIONS or ask.kind == "capital_of":
            return self.country_ask(ask.kind, self.rng.choice(questions.countries(self.language)))
        return self._note(ask)

    def other_country(self, relation: str, country: Country) -> Ask:
        """What was just asked, of another country."""
        language = self.language
        ask = questions.follow_up(self.rng, relation, country, held_out=self.held_out, language=language)
        return self._note(ask, about=About(country, relation, language))

    def _unknown_country(self, relation: str, about: About) -> Ask:
        """What was just asked, of a place that there is not; the next "and Spain?" is still clear."""
        places = facts.UNKNOWN_PLACES_HELD_OUT if self.held_out else facts.UNKNOWN_PLACES
        country = replace(about.country, name=self.rng.choice(places))
        ask = questions.follow_up(self.rng, relation, country, held_out=self.held_out)
        return self._note(replace(ask, answer=UNKNOWN_ANSWER), about=replace(about, relation=relation))

    def other_relation(self, country: Country, relation: str | None) -> Ask:
        """Something else than `relation`, of the country that was just talked about."""
        relation = self.rng.choice([other for other in RELATIONS if other != relation])
        answer = questions.country_answer(relation, country, self.language)
        template = self.choose(REFERENCES[self.language][relation])
        return self._note(
            fill("reference", template, answer, None, self.language), about=About(country, relation, self.language)
        )

    def reference(self, about: About) -> Ask:
        """A question that only `about` makes clear, in its language."""
        relation = about.relation
        if relation is not None and self.rng.random() < 0.65:
            if self.language == "en" and self.rng.random() < UNKNOWN_SHARE:
                return self._unknown_country(relation, about)
            others = [other for other in questions.countries(self.language) if other is not about.country]
            return self.other_country(relation, self.rng.choice(others))
        return self.other_relation(about.country, relation)

    def name_told(self) -> Ask:
        name = questions.any_name(self.rng, held_out=self.held_out, language=self.language)
        if self.language == "en" and not self.held_out and self.rng.random() < NAMES_OF_PIECES:
            name = questions.name_of(self.rng, self.tokenizer.inner_pieces)
        template = self.choose(self.sayings.name_told)
        if "|" not in template:
            template = template.replace("{n}", "|{n}")
        ask = fill("name_told", template, questions.name_greeting(self.language, name), {"n": name}, self.language)
        return self._note(ask, name=name, about=self.about)

    def name_asked(self) -> Ask:
        known = self.name is not None
        answer = (
            questions.name_answer(self.language, self.name or "") if known else questions.name_unknown(self.language)
        )
        ask = fill("name_asked", self.choose(self.sayings.name_asked), answer, None, self.language)
        return self._note(ask, about=self.about)

    def draw_ask(self) -> Ask:
        """What somebody may ask now: something new, or something about what was said."""
        pick = self.rng.random()
        if self.about and self.about.language == self.language and pick < 0.25:
            return self.reference(self.about)
        if pick > (0.94 if self.name else 0.985):
            return self.name_asked()
        return self.name_told() if pick > 0.925 else self.any_ask()

    def draw_long(self) -> tuple[Ask, Piece | None]:
        """A request whose answer takes several slices."""
        rng, language = self.rng, self.language
        pick = rng.random()
        if pick < 0.82:
            piece = rng.choice(questions.pieces(language))
            return questions.piece_ask(rng, piece, held_out=self.held_out, language=language), piece
        others = [kind for kind in ("count", "count", "day", "month", "planet") if kind in questions.kinds(language)]
        for _ in range(20):
            kind = "any_story" if pick < 0.86 or not others else rng.choice(others)
            ask = questions.ask_of_kind(rng, kind, held_out=self.held_out, language=language)
            if len(self.tokenizer.message(ask.answer)) > 1:
                break
        return ask, None
