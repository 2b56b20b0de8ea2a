"""Conversations in the duplex format, drawn from a seed: what happens in them, one episode after the other.

Knows requests and the format; knows nothing of training.
The rules that every conversation keeps, as the server keeps them:
- an unfinished request is met with silence, and so is what asks for nothing;
- a message goes out in slices, on silent user slices, until it ends or the user interrupts;
- a pair silent on both sides leaves the server's history. So it stands only at the end of a conversation, where it is
  learned and nothing follows that could see it.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

import questions
from conversation import Conversation, Pair, Telling
from junk import JUNK
from speech import LANGUAGES

if TYPE_CHECKING:
    from slices import DuplexTokenizer

__all__ = ["Conversation", "Dialogue", "Pair", "draw", "row"]

EPISODES: Final = {
    "simple": 50, "long": 16, "chain": 8, "names": 10, "two_at_once": 4, "given_up": 3, "aimless": 6, "go_on": 3,
}  # fmt: skip
EVENTS: Final = {
    "back_channel": 24, "junk": 14, "encouraged": 3, "stop": 17, "reset": 19, "aside": 17, "again": 4, "correction": 7,
    "leave": 4,
}  # fmt: skip


class Dialogue(Conversation):
    """A conversation in which things happen by lot."""

    over = False
    """Whether to end here: with the silence that follows what was said last."""

    def episode(self) -> None:
        """Let one thing happen."""
        self.language = self.rng.choice(self.languages)
        name = self.rng.choices(tuple(EPISODES), tuple(EPISODES.values()))[0]
        if name == "go_on" and not self.interrupted and self.rng.random() < 0.6:
            name = "simple"
        getattr(self, f"_{name}")()

    def _simple(self) -> None:
        opening = self.rng.choice(self.sayings.asides.trained) if self.rng.random() < 0.04 else ""
        self.answer(self.draw_ask(), opening)

    def _chain(self) -> None:
        """Several questions about countries, the relation named once, or the country."""
        rng = self.rng
        relation = rng.choice(("capital", "continent", "currency", "language"))
        self.answer(self.country_ask(relation, rng.choice(questions.countries(self.language))))
        for _ in range(rng.choice((1, 1, 2, 2, 3))):
            if rng.random() < 0.15:
                self.pair(self.noise(), None)
            if self.about:
                self.answer(self.reference(self.about))

    def _names(self) -> None:
        """A name that is told, or asked for, or both with something in between."""
        if self.rng.random() < (0.4 if self.name else 0.15):
            self.answer(self.name_asked())
            return
        self.answer(self.name_told())
        if self.rng.random() < 0.5:
            for _ in range(self.rng.choice((0, 1, 1, 2))):
                self.answer(self.any_ask())
            self.answer(self.name_asked())

    def _two_at_once(self) -> None:
        """A finished request, closed as silent because more came: both are answered, or what came last."""
        rng, language = self.rng, self.language
        pick = rng.random()
        if pick < 0.25:
            first = self.draw_ask()
            self.pair(self.ask(first), None, learned=False)
            self.reply(rng.choice(self.sayings.tails), self.tokenizer.message(first.answer))
            self.about = None
        elif pick < 0.8:
            kinds = questions.short_kinds(language)
            first, second = (
                questions.ask_of_kind(rng, rng.choice(kinds), held_out=self.held_out, language=language) for _ in "12"
            )
            self.pair(self.ask(first), None, learned=False)
            space = "" if language == "zh" else " "
            self.reply(self.ask(second), self.tokenizer.message(f"{first.answer}{space}{second.answer}"))
            self.about = None
        else:
            self.pair(self.ask(self.draw_ask()), None, learned=False)
            self.pair(self.say(self.sayings.stops), None)

    def _given_up(self) -> None:
        """A request that was never finished; another one, perhaps, instead."""
        if self.begin(self.draw_ask()):
            if self.rng.random() < 0.4:
                self.answer(self.draw_ask(), self.choose(self.sayings.resets))
            else:
                self.over = self.rng.random() < 0.5

    def _aimless(self) -> None:
        """Words that ask for nothing, with nothing going on."""
        said = self.say(self.sayings.stops) if self.rng.random() < 0.25 else self.noise()
        self.pair(said, None)
        self.over = self.rng.random() < 0.2

    def _go_on(self) -> None:
        """Back to what was interrupted last, however long ago; or from its beginning."""
        telling = self.interrupted
        if telling is None:
            self.answer(self.nothing_left())
        elif self.rng.random() < 0.85:
            self.tell(self.say(self.sayings.go_on), telling)
        else:
            telling.told = 0
            self.tell(self.say(self.sayings.again), telling)

    def nothing_left(self) -> questions.Ask:
        """ "Go on" when nothing was interrupted."""
        said = self.choose(self.sayings.go_on)
        return questions.Ask("go_on", said, questions.nothing_left(self.language), (), self.language)

    def _long(self) -> None:
        ask, piece = self.draw_long()
        self.tell(self.ask(ask), Telling(self.tokenizer.message(ask.answer), ask.language, piece))

    # -- while a long message is told ----------------------------------------------------------------------------

    def tell(self, said: str | None, telling: Telling | None) -> None:
        """A long message, and what may happen while it is told."""
        while telling:
            # How much is told before the next event: often little, sometimes all.
            count = min(telling.left, self.rng.choice((1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 12)))
            for heard in telling.slices[telling.told : telling.told + count]:
                self.pair(said, heard)
                said = None
            telling.told += count
            self.interrupted = self.about = None
            if not telling.left:
                if self.rng.random() < 0.15:
                    self.pair(self.noise(), None)
                return
            said, telling = self._event(telling)

    def _event(self, telling: Telling) -> tuple[str | None, Telling | None]:
        """What comes between two slices: what is said next, and what is told then; None: nothing more."""
        event = self.rng.choices(tuple(EVENTS), tuple(EVENTS.values()))[0]
        if self.rng.random() < 0.5:
            self.language = self.rng.choice(self.languages)
        if event == "back_channel":
            return self.say(self.sayings.back_channels), telling
        if event == "junk":
            return self.say(JUNK[self.language]), telling
        if event == "encouraged":
            return self.say(self.sayings.go_on), telling
        if event == "again":
            telling.told = 0
            return self.say(self.sayings.again), telling
        if event == "correction":
            return self._corrected(telling)
        self.interrupted = telling
        if event == "stop":
            return self._stopped(telling)
        if event == "reset":
            return self._something_else(telling)
        if event == "aside":
            return self._aside(telling)
        if not self.begin(self.draw_ask()):
            return None, telling
        return self._perhaps_go_on(telling, 0.3)

    def _perhaps_go_on(self, telling: Telling, share: float, over: float = 0.35) -> tuple[str | None, Telling | None]:
        """The user asks for the rest at once in this share of cases; else what comes next is open.

        `over`: the share of those in which nothing does. Only there the silence is learned.
        """
        if self.rng.random() < share:
            return self.say(self.sayings.go_on), telling
        self.over = self.rng.random() < over
        return None, None

    def _stopped(self, telling: Telling) -> tuple[str | None, Telling | None]:
        self.pair(self.say(self.sayings.stops), None)
        if self.rng.random() < 0.12:
            self.pair(self.noise(), None)
        if self.rng.random() < 0.25:
            # What it was told to stop it does not go back to by itself either, whatever is asked then.
            self.answer(self.draw_ask())
            return self._perhaps_go_on(telling, 0.15, 0.75) if self.interrupted else (None, None)
        return self._perhaps_go_on(telling, 0.5, 0.5)

    def _something_else(self, telling: Telling) -> tuple[str | None, Telling | None]:
        """A new question, answered; the message before is gone on with only if that is asked for."""
        rng = self.rng
        opening = self.choose(self.sayings.resets) if rng.random() < 0.35 else ""
        if rng.random() < 0.12:
            ask, piece = self.draw_long()
            return self.ask(ask, opening), Telling(self.tokenizer.message(ask.answer), ask.language, piece)
        self.answer(self.draw_ask(), opening)
        if not self.interrupted:  # the answer was a long one itself
            return None, None
        if self.about and self.about.language == self.language and rng.random() < 0.2:
            self.answer(self.reference(self.about))
        elif rng.random() < 0.1:
            self.pair(self.noise(), None)
        return self._perhaps_go_on(telling, 0.2, 0.75)

    def _aside(self, telling: Telling) -> tuple[str | None, Telling | None]:
        """A short question that says that it is only an aside; on the next silence the message is gone on with."""
        rng = self.rng
        kinds = questions.short_kinds(self.language)
        ask = questions.ask_of_kind(rng, rng.choice(kinds), held_out=self.held_out, language=self.language)
        if ask.kind == "capital":
            ask = self.country_ask(ask.kind, rng.choice(questions.countries(self.language)))
        self.answer(ask, self.choose(self.sayings.asides))
        if not self.interrupted:
            return None, None
        if self.about and rng.random() < 0.3:
            self.answer(self.reference(self.about))
        pick = rng.random()
        if pick < 0.12:
            self.pair(
                self.say(self.sayings.back_channels), self.tokenizer.message(questions.resume(telling.language))[0]
            )
            return None, telling
        if not self.asks_more:
            return self._perhaps_go_on(telling, 0.6, 0.0)
        if pick < 0.85:
            self.pair(None, self.tokenizer.message(questions.resume(telling.language))[0])
            return None, telling
        return self.say(self.sayings.go_on), telling

    def _corrected(self, telling: Telling) -> tuple[str | None, Telling | None]:
        """Another piece was meant."""
        form = telling.piece.form if telling.piece else None
        others = [p for p in questions.pieces(self.language) if p.form == form and p is not telling.piece]
        if not others:
            return self.say(self.sayings.back_channels), telling
        piece = self.rng.choice(others)
        topic = questions.piece_topic(self.rng, piece)
        said = self.choose(self.sayings.corrections).format(t=topic).replace("|", "")
        return self.style.write(said, self.language), Telling(self.tokenizer.message(piece.text), self.language, piece)


def draw(rng: Random, tokenizer: DuplexTokenizer, budget: int, *, held_out: bool = False) -> Dialogue:
    """A conversation of about `budget` tokens, which mostly ends with a silence that the model must keep."""
    pick = rng.random()
    languages = ("en",) if pick < 0.74 else ("zh",) if pick < 0.93 else LANGUAGES
    talk = Dialogue(rng, tokenizer, held_out=held_out, languages=languages)
    # A long conversation does not end with the first thing that could end it.
    least = budget * rng.random()
    while not talk.pairs or (len(talk.tokens) < budget and not (talk.over and len(talk.tokens) > least)):
        talk.over = False
        talk.episode()
    # After a short last slice the server asks no more, so the model needs to learn less of it.
    if rng.random() < (0.9 if talk.pairs[-1].heard is None or talk.asks_more else 0.35):
        talk.pair(None, None)  # the server drops it, so nothing may follow
    return talk


def row(seed: int, index: int, tokenizer: DuplexTokenizer, length: int = 1025) -> tuple[list[int], list[bool]]:
    """Training row `index`: `length` tokens and which of them are to be learned. The same arguments give the same row.

    A third of the rows hold one long conversation, the others several short ones behind each other.
    """
    rng = Random(f"{seed}/{length}/{index}")
    tokens: list[int] = []
    targets: list[bool] = []
    while len(tokens) < length:
        left = length - len(tokens)
        budget = left - 60 if not tokens and rng.random() < 0.35 else min(left - 40, int(rng.expovariate(1 / 90)) + 10)
        talk = draw(rng, tokenizer, budget)
        tokens += talk.tokens
        targets += talk.targets
    return tokens[:length], targets[:length]
