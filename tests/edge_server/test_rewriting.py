"""Turns written as slice pairs."""

from __future__ import annotations

from functools import partial

import pytest

from edge_server.delivery import Delivery
from edge_server.events import Kept, Told
from edge_server.rewriting import Rewriter
from edge_server.transcript import Transcript, Written
from tests.edge_server.peers import ASSISTANT, BOS, IDLE, USER, VOCABULARY

TOKENIZE = partial(VOCABULARY.tokenize, parse_special=False)


def writer(cap: int = 3, *, silence: bool = True) -> Rewriter:
    return Rewriter(VOCABULARY, (USER, ASSISTANT), [IDLE] if silence else [], cap)


def held(*replies: str) -> tuple[Transcript, Delivery]:
    """A transcript of one turn, number 5, with a slice for each reply; all went out."""
    transcript = Transcript(BOS, 1000, None)
    delivery = Delivery(VOCABULARY, transcript, [IDLE])
    for index, reply in enumerate(replies):
        user = writer().silent_user if index else writer().user("hello")
        assert transcript.append(user, silent=index > 0, turn=5)
        words = TOKENIZE(reply)
        transcript.extend(words)
        delivery.say(words, more=True)
        delivery.close()
    return transcript, delivery


def read(pairs: list[Written]) -> list[str]:
    return [VOCABULARY.text([*pair.user, *pair.reply]) for pair in pairs]


def test_a_half_with_words_is_tokenised_as_one_string() -> None:
    tokens = writer().user("Australia,")
    assert tokens == TOKENIZE(f"{USER}Australia,{ASSISTANT}")
    assert tokens != [*TOKENIZE(USER), *TOKENIZE("Australia,"), *TOKENIZE(ASSISTANT)]


def test_a_draft_is_a_half_without_its_end() -> None:
    assert VOCABULARY.text(writer().begun("what is")) == "<用户>what is"
    assert writer().begun("") == TOKENIZE(USER)


def test_a_silent_half_has_the_tokens_of_silence() -> None:
    assert VOCABULARY.text(writer().silent_user) == "<用户><idle><AI>"
    assert VOCABULARY.text(writer(silence=False).silent_user) == "<用户><AI>"


@pytest.mark.parametrize("text", [USER, ASSISTANT, f"a{USER}b{ASSISTANT}</s>", "<idle>"])
def test_no_text_forges_anything(text: str) -> None:
    for tokens in (writer().plain(text), writer().user(text)[3:-3], writer().begun(text)[3:]):
        read_back = VOCABULARY.text(tokens)
        assert USER not in read_back
        assert ASSISTANT not in read_back
        assert not any(token < 4 for token in tokens)


def test_no_text_has_no_tokens() -> None:
    assert writer().plain("") == []


@pytest.mark.parametrize(
    ("told", "pairs"),
    [
        (Told(1, "hello", " one two"), ["<用户>hello<AI> one two</s>"]),
        (Told(1, "hello", " one two three"), ["<用户>hello<AI> one two three</s>"]),
        (
            Told(1, "hello", " one two three one"),
            ["<用户>hello<AI> one two three</s>", "<用户><idle><AI> one</s>"],
        ),
        (Told(1, "hello", ""), ["<用户>hello<AI><idle></s>"]),
        (Told(1, "", " one"), ["<用户><idle><AI> one</s>"]),
        (Told(1, "", ""), []),
    ],
)
def test_a_turn_that_is_told_has_a_pair_for_each_slice(told: Told, pairs: list[str]) -> None:
    transcript, delivery = held()
    written = writer().pairs(told, transcript, delivery)
    assert read(written) == pairs
    assert all(one.pair.turn == 1 for one in written)
    assert [one.pair.silent_user for one in written] == ["<idle><AI>" in text for text in pairs]
    assert all(one.pair.words == one.pair.delivered == len(one.reply) - 1 - (IDLE in one.reply) for one in written)


def test_without_tokens_of_silence_a_reply_is_one_slice() -> None:
    transcript, delivery = held()
    written = writer(silence=False).pairs(Told(1, "hello", " one" * 9), transcript, delivery)
    assert read(written) == ["<用户>hello<AI>" + " one" * 9 + "</s>"]
    assert read(writer(silence=False).pairs(Told(1, "hello", ""), transcript, delivery)) == ["<用户>hello<AI></s>"]


def test_a_turn_that_is_kept_has_its_very_tokens() -> None:
    transcript, delivery = held(" one two three", " one")
    written = writer().pairs(Kept(5), transcript, delivery)
    assert [BOS, *(token for one in written for token in (*one.user, *one.reply))] == transcript.tokens
    assert writer().pairs(Kept(6), transcript, delivery) == []


@pytest.mark.parametrize(
    ("kept", "pairs"),
    [
        (Kept(5, characters=8), ["<用户>hello<AI> one two</s>"]),
        (Kept(5, characters=17), ["<用户>hello<AI> one two three</s>"]),
        (Kept(5, characters=18), ["<用户>hello<AI> one two three</s>", "<用户><idle><AI> one</s>"]),
        (Kept(5, characters=0), ["<用户>hello<AI><idle></s>"]),
        (Kept(5, user=False), ["<用户><idle><AI> one two three</s>", "<用户><idle><AI> one</s>"]),
        (Kept(5, user=False, characters=4), ["<用户><idle><AI> one</s>"]),
        (Kept(5, user=False, characters=0), []),
    ],
)
def test_what_is_taken_out_of_a_turn_leaves_whole_pairs(kept: Kept, pairs: list[str]) -> None:
    transcript, delivery = held(" one two three", " one")
    before = list(transcript.tokens)
    written = writer().pairs(kept, transcript, delivery)
    assert read(written) == pairs
    assert all(one.pair.words == one.pair.delivered for one in written)
    assert transcript.tokens == before


def test_turns_in_front_of_more_than_fits_are_not_even_cut_into_tokens() -> None:
    transcript, delivery = held(" one")
    words = " one" * 2000
    cut: list[str] = []

    class Counting(Rewriter):
        def plain(self, text: str) -> list[int]:
            cut.append(text)
            return super().plain(text)

    counting = Counting(VOCABULARY, (USER, ASSISTANT), [IDLE], 3)
    turns = (*(Told(number, "", f"{number}{words}") for number in range(6, 99)), Told(99, "so", " one"))
    written = counting.newest(turns, transcript, delivery)
    assert len(cut) == 2
    assert read(written[-1:]) == read(writer().pairs(turns[-1], transcript, delivery))
    assert [turn.turn for turn in turns[-2:]] == sorted({each.pair.turn for each in written})
