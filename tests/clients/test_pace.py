"""How far a listener has heard: what is a word, how long it takes; nothing is lost, told twice or told too early."""

from __future__ import annotations

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.pace import Heard, Pace, PacedSpeaker, count_standard_words, word_ends
from tests.clients.properties import texts

ALIKE = "abcde fghij klmno pqrst"  # words of the standard length: a second each at 60 a minute


def words(text: str) -> list[str]:
    ends = word_ends(text)
    return [text[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("one", ["one"]),
        ("Well, it's 3.5 - no?", ["Well, ", "it's ", "3.5 - ", "no?"]),
        ("  “one” (two) ", ["  “one” ", "(two) "]),
        ("你好，世界。ok 吗？", ["你", "好，", "世", "界。", "ok ", "吗？"]),
        ("他说：“好。”", ["他", "说：“", "好。”"]),
        ("カメラ", ["カ", "メ", "ラ"]),
        ("안녕하세요 여러분", ["안녕하세요 ", "여러분"]),
        ("... ", ["... "]),
        ("one 👩‍👧 two", ["one 👩‍👧 ", "two"]),
    ],
)
def test_punctuation_and_spaces_belong_to_the_word_before(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text() | texts)
def test_the_words_are_the_text(text: str) -> None:
    assert "".join(words(text)) == text
    assert all(words(text))


@pytest.mark.parametrize(
    ("text", "standard"),
    [
        ("", 0),
        (" - ", 0),
        ("abcde", 1),
        ("abcde, fghij!", 2),
        ("a", 2 / 6),
        ("extraordinarily", 16 / 6),
        ("你", 4 / 6),
        ("你好", 8 / 6),
        ("한국", 9 / 6),
    ],
)
def test_a_word_takes_time_in_proportion_to_its_length(text: str, standard: float) -> None:
    assert count_standard_words(text) == pytest.approx(standard)


@given(st.text() | texts)
def test_the_words_take_as_long_as_the_text(text: str) -> None:
    assert sum(map(count_standard_words, words(text))) == pytest.approx(count_standard_words(text))


def test_a_word_is_heard_when_it_is_over_and_what_follows_is_told_in_one() -> None:
    pace = Pace(60)
    pace.say("a", 0, ALIKE, 10)
    assert (pace.pending, pace.next_at) == (True, 11)
    assert pace.heard(10.99) == []
    assert pace.heard(11) == [Heard("a", 0, 6, "abcde ")]
    assert pace.heard(13.5) == [Heard("a", 6, 18, "fghij klmno ")]
    assert pace.heard(99) == [Heard("a", 18, 23, "pqrst")]
    assert (pace.pending, pace.next_at, pace.heard(99)) == (False, None, [])


def test_what_comes_later_is_spoken_when_it_comes_or_behind_what_is_being_spoken() -> None:
    pace = Pace(60)
    pace.say("a", 0, "abcde ", 0)
    pace.say("a", 6, "fghij", 0.5)
    assert pace.heard(2) == [Heard("a", 0, 11, "abcde fghij")]
    pace.say("b", 0, "klmno", 7)
    assert pace.next_at == 8
    pace.say("a", 11, "pqrst", 7.5)
    assert pace.heard(8.99) == [Heard("b", 0, 5, "klmno")]
    assert pace.heard(9) == [Heard("a", 11, 16, "pqrst")]


def test_a_word_that_comes_in_pieces_is_one_as_long_as_it_is_not_over() -> None:
    pace = Pace(60)
    pace.say("a", 0, "abc", 0)
    pace.say("a", 3, "de", 0.5)
    pace.say("a", 5, ",", 0.9)
    assert pace.heard(0.99) == []
    assert pace.heard(1) == [Heard("a", 0, 6, "abcde,")]
    pace.say("a", 6, "abc", 2)
    assert pace.heard(3) == [Heard("a", 6, 9, "abc")]
    pace.say("a", 9, "de", 3)
    assert pace.heard(3.4) == []
    assert pace.heard(3.5) == [Heard("a", 9, 11, "de")]
    pace.say("a", 11, "abcde", 4)
    pace.say("a", 16, "fghij", 5)  # the word is over, though nobody asked
    assert pace.heard(5.5) == [Heard("a", 11, 16, "abcde")]


def test_what_is_not_over_is_forgotten() -> None:
    pace = Pace(60)
    pace.say("a", 0, ALIKE, 0)
    assert pace.heard(1.9) == [Heard("a", 0, 6, "abcde ")]
    pace.stop()
    assert (pace.pending, pace.next_at, pace.heard(99)) == (False, None, [])
    pace.say("a", 6, "fghij", 2)
    assert pace.next_at == 3


def test_a_text_without_words_takes_no_time() -> None:
    pace = Pace(60)
    pace.say("a", 0, "\n", 5)
    assert pace.heard(5) == [Heard("a", 0, 1, "\n")]


@pytest.mark.parametrize("rate", [0, -1, math.nan, math.inf])
def test_a_rate_is_above_0(rate: float) -> None:
    with pytest.raises(ValueError, match="a rate is above 0"):
        Pace(rate)


@given(st.data())
def test_everything_that_is_not_stopped_is_heard_once_in_order_and_never_more(data: st.DataObject) -> None:
    """Whatever the calls, and the times between them, are."""
    pace = Pace(data.draw(st.floats(1, 1000)))
    now, said, heard, sent = 0.0, "", "", {"a": 0, "b": 0}
    for _ in range(data.draw(st.integers(1, 30))):
        now += data.draw(st.floats(0, 3))
        action = data.draw(st.sampled_from(("say", "say", "hear", "stop")))
        if action == "say":
            item, text = data.draw(st.sampled_from("ab")), data.draw(texts)
            pace.say(item, sent[item], text, now)
            sent[item] += len(text)
            said += text
        else:
            for one in pace.heard(now):
                assert one.end - one.start == len(one.text) > 0
                assert one.end <= sent[one.item]
                heard += one.text
        assert said.startswith(heard)
        if action == "stop":
            pace.stop()
            said = heard
    while pace.next_at is not None:
        heard += "".join(one.text for one in pace.heard(pace.next_at))
    assert heard == said


@given(st.lists(st.tuples(texts, st.floats(0, 5)), max_size=8), st.floats(10, 500))
def test_no_word_is_heard_before_its_time(pieces: list[tuple[str, float]], rate: float) -> None:
    """All that was said by then, spoken without a pause, takes at least so long."""
    pace, now, start = Pace(rate), 0.0, 0
    heard = ""
    for text, pause in pieces:
        pace.say("a", start, text, now)
        start += len(text)
        now += pause
        heard += "".join(one.text for one in pace.heard(now))
        assert count_standard_words(heard) * 60 / rate <= now + 1e-6


# --- in the loop


async def until_silent(speaker: PacedSpeaker) -> None:
    while speaker.speaking:
        await asyncio.sleep(0.001)


async def test_a_speaker_tells_word_by_word_and_is_then_silent() -> None:
    told: list[Heard] = []
    speaker = PacedSpeaker(6000, told.append)
    assert not speaker.speaking
    speaker.say("a", 0, "abcde ")
    speaker.say("a", 6, "fghij")
    speaker.flush()
    assert (speaker.speaking, told) == (True, [])
    await until_silent(speaker)
    assert "".join(one.text for one in told) == "abcde fghij"
    speaker.say("b", 0, "klmno")
    await until_silent(speaker)
    assert told[-1] == Heard("b", 0, 5, "klmno")
    await speaker.close()


async def test_stopped_it_tells_what_was_spoken_by_then_and_no_more() -> None:
    told: list[Heard] = []
    speaker = PacedSpeaker(60, told.append)
    speaker.stop()  # nothing was said
    speaker.say("a", 0, ". ")
    speaker.say("a", 2, "never " * 100)
    speaker.stop()
    assert (told, speaker.speaking) == ([], False) or told == [Heard("a", 0, 2, ". ")]
    count = len(told)
    await asyncio.sleep(0.05)
    assert len(told) == count
    await speaker.close()


async def test_the_words_that_are_over_when_it_is_stopped_are_told_though_no_timer_ran() -> None:
    told: list[Heard] = []
    speaker = PacedSpeaker(1_000_000, told.append)
    loop = asyncio.get_running_loop()
    speaker.say("a", 0, "abcde fghij")
    until = loop.time() + 0.01
    while loop.time() < until:  # the loop is busy
        pass
    speaker.stop()
    assert told == [Heard("a", 0, 11, "abcde fghij")]
    await speaker.close()


async def test_closed_it_tells_nothing() -> None:
    told: list[Heard] = []
    speaker = PacedSpeaker(6000, told.append)
    speaker.say("a", 0, "abcde")
    await speaker.close()
    await asyncio.sleep(0.05)
    assert (told, speaker.speaking) == ([], False)


async def test_who_is_told_may_stop_it_or_say_more() -> None:
    told: list[Heard] = []

    def tell(heard: Heard) -> None:
        told.append(heard)
        if len(told) == 1:
            speaker.stop()
            speaker.say("b", 0, "klmno")

    speaker = PacedSpeaker(600, tell)
    speaker.say("a", 0, ALIKE)
    await until_silent(speaker)
    assert told == [Heard("a", 0, 6, "abcde "), Heard("b", 0, 5, "klmno")]
    await speaker.close()
