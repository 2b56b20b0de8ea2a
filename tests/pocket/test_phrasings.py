"""How people put it: what is held out is never trained, and no words ask for two things."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

import chinese
import chinese_phrasings
import chinese_talk
import facts
import frames
import pytest
import unknown
from asks import units
from lists import Phrasings
from phrasings import FOLLOW_UPS, REQUESTS, SAYINGS
from questions import nothing_left, resume
from slices import DuplexTokenizer
from smalltalk import SMALL_TALK
from speech import plain

OUTSIDE = (
    ("unknown", unknown.TEMPLATES, unknown.TEMPLATES_HELD_OUT),
    ("story", unknown.STORY_TEMPLATES, unknown.STORY_TEMPLATES_HELD_OUT),
    ("statement", unknown.STATEMENTS, unknown.STATEMENTS_HELD_OUT),
    ("chinese unknown", chinese_talk.UNKNOWN_TEMPLATES, chinese_talk.UNKNOWN_TEMPLATES_HELD_OUT),
)


def _tables() -> Iterator[tuple[str, Phrasings]]:
    """Everything that users say, and what it is."""
    for name, requests in (("en", REQUESTS), ("zh", chinese_phrasings.REQUESTS)):
        yield from ((f"{name} {kind}", group) for kind, group in requests.items())
    yield from (("en follow up", FOLLOW_UPS), ("zh follow up", chinese_phrasings.FOLLOW_UPS))
    for language, said in SAYINGS.items():
        for kind in ("back_channels", "stops", "go_on", "again", "resets", "asides", "corrections"):
            yield f"{language} {kind}", getattr(said, kind)
        yield from ((f"{language} name told", said.name_told), (f"{language} name asked", said.name_asked))
    for talk in (*SMALL_TALK, *chinese_talk.SMALL_TALK):
        yield talk.answer, Phrasings(talk.trained, talk.held_out)
    yield from ((name, Phrasings(trained, held_out)) for name, trained, held_out in OUTSIDE)


def _shape(template: str) -> str:
    """A template as it is heard: without its mark, case, punctuation and the names of its fields."""
    return re.sub(r"\{[cknvwxty]\}", "{}", plain(template.replace("|", "")))


def test_no_held_out_phrasing_is_trained_under_whatever_name() -> None:
    trained = {_shape(text) for _, group in _tables() for text in group.trained}
    held_out = {_shape(text) for _, group in _tables() for text in group.held_out}
    assert len(trained) > 4000
    assert len(held_out) > 800
    assert not trained & held_out


def test_everything_is_held_out_in_part() -> None:
    for name, group in _tables():
        assert len(set(group.held_out)) >= 2, name
        assert len(set(group.trained)) >= len(set(group.held_out)), name


def test_no_words_are_answered_in_two_ways() -> None:
    """What is met with silence may be said for two reasons: "wait" is a stop, and may open an aside."""
    kinds: defaultdict[str, set[str]] = defaultdict(set)
    for name, group in _tables():
        for text in (*group.trained, *group.held_out):
            if "{" not in text:
                kinds[plain(text.replace("|", ""))].add(name)
    silent = {f"{language} {kind}" for language in SAYINGS for kind in ("stops", "asides", "resets", "back_channels")}
    for text, names in kinds.items():
        assert len(names) == 1 or names <= silent, (text, names)


def _words(trained: Mapping[str, tuple[str, ...]], held_out: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for field, words in trained.items():
        assert len(set(words)) == len(words), field
        assert not set(words) & set(held_out[field]), field
        yield from words


def test_the_words_of_what_is_unknown_are_many_and_held_out_in_part() -> None:
    assert len(set(_words(unknown.WORDS, unknown.WORDS_HELD_OUT))) > 1000
    assert len(set(_words(chinese_talk.UNKNOWN_WORDS, chinese_talk.UNKNOWN_WORDS_HELD_OUT))) > 100
    assert not set(facts.NAMES) & set(facts.NAMES_HELD_OUT)
    assert not set(chinese.NAMES) & set(chinese.NAMES_HELD_OUT)


def test_what_is_known_is_not_among_the_unknown_words() -> None:
    known = {animal.name.split(" ", 1)[1] for animal in facts.ANIMALS}
    known |= {thing.removeprefix("a ").removeprefix("an ") for thing, _ in facts.COLORS}
    known |= {word for pair in facts.OPPOSITES for word in pair}
    known |= {shape.removeprefix("a ").removeprefix("an ") for shape, _ in facts.SHAPES}
    for words in (unknown.WORDS, unknown.WORDS_HELD_OUT):
        assert not known & set(words["n"])
    for chinese_words in (chinese_talk.UNKNOWN_WORDS, chinese_talk.UNKNOWN_WORDS_HELD_OUT):
        things = {*(thing for thing, _ in chinese.COLORS), *(name for name, _, _ in chinese.ANIMALS)}
        assert not things & {word for words in chinese_words.values() for word in words}


def test_frames_hold_what_is_asked() -> None:
    for table in (frames.THING, frames.CLAUSE, frames.QUESTION, frames.CHINESE):
        assert all(frame.count("@") == 1 for frame in (*table.trained, *table.held_out))
        assert not set(table.trained) & set(table.held_out)
    made = frames.asked("what is {x}\nsay {x}", "could you say {x}", "the {x}", framed_questions=1)
    assert {"what is {x}", "say {x}", "tell me the {x}", "so what is {x}"} <= set(made.trained)
    assert {"could you say {x}", "would you know the {x}", "but what is {x}"} <= set(made.held_out)
    plain_ones = sum(text in ("what is {x}", "say {x}") for text in made.trained)
    assert plain_ones == pytest.approx(len(made.trained) / 2, rel=0.2)


def test_what_the_assistant_says_in_chinese_needs_no_bytes() -> None:
    tokenizer = DuplexTokenizer()
    said = [talk.answer for talk in chinese_talk.SMALL_TALK] + [piece.text for piece in chinese.PIECES]
    said += [resume("zh"), nothing_left("zh"), chinese_talk.UNKNOWN_ANSWER]
    said += [f"{country.name}的首都是{country.capital}。" for country in chinese.COUNTRIES]
    for text in said:
        assert len(tokenizer.encode(text)) <= len("".join(units(text))), text


def test_what_is_said_most_often_fits_one_slice() -> None:
    tokenizer = DuplexTokenizer()
    for text in (unknown.UNKNOWN_ANSWER, unknown.STATEMENT_ANSWER, chinese_talk.UNKNOWN_ANSWER):
        assert len(tokenizer.message(text)) == 1, text
    for talk in (*SMALL_TALK, *chinese_talk.SMALL_TALK):
        assert len(tokenizer.message(talk.answer)) <= 3, talk.answer


@pytest.mark.parametrize("language", SAYINGS)
def test_what_opens_an_aside_opens_nothing_else(language: str) -> None:
    """Else nobody could know whether to go back to the piece: "请问一下" may come before any question."""
    said = SAYINGS[language]
    tables = (frames.THING, frames.CLAUSE, frames.QUESTION) if language == "en" else (frames.CHINESE,)
    framed = {frame.partition("@")[0].strip() for table in tables for frame in (*table.trained, *table.held_out)}
    others = {plain(text) for text in (*said.leads, *said.tails, *said.resets.trained, *said.resets.held_out, *framed)}
    space = " " if language == "en" else ""
    others |= {f"{lead}{space}{other}" for lead in said.leads for other in framed}
    assert not others & {plain(text) for text in (*said.asides.trained, *said.asides.held_out)}
