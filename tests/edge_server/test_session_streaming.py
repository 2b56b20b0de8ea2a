"""Words that go out as they are sampled: rules 5, 6 and 7 of `session.py`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from edge_server.events import (
    Cancel,
    Generate,
    Mode,
    ReplyEnd,
    Sampled,
    Say,
    SliceKind,
    SliceOver,
    Unheard,
)
from tests.edge_server.peers import EOS, TEN, VOCABULARY, Peer, byte_pairs, duplex, greeted, speaking, turns

EMOJI = VOCABULARY.tokenize("😀", parse_special=False)


# --- words as they are sampled


def test_each_token_goes_out_at_once_and_the_end_of_the_slice_brings_the_rest() -> None:
    peer = greeted(duplex(streaming=True))
    assert peer.begin(" one two") == [Say(" one"), Say(" two")]
    assert peer.end(" three</s>") == [Say(" three")]
    assert peer.pairs == [("hello", " one two three")]


def test_the_likeliest_next_token_is_not_asked_for() -> None:
    peer = greeted(duplex(streaming=True))
    assert peer.asked is not None
    assert not peer.asked.peek


def test_a_session_that_says_whole_words_does_not_listen_to_tokens() -> None:
    peer = greeted(duplex())
    assert peer.begin(" one two") == []
    assert peer.end("</s>") == [Say(" one two")]


@pytest.mark.parametrize("begin", [" ", "\n ", "id", " idle"])
def test_what_may_turn_out_to_be_silence_waits_until_it_does_not(begin: str) -> None:
    peer = greeted(duplex(streaming=True))
    assert peer.begin(begin) == []
    assert peer.begin(" one") == [Say(begin + " one")]


@pytest.mark.parametrize("begin", [" ", "idle", " idle\n"])
def test_what_turns_out_to_be_silence_is_never_said(begin: str) -> None:
    peer = speaking(streaming=True)
    peer.tick()
    assert peer.begin(begin) == []
    assert peer.end("<idle>") == []
    assert peer.pairs == [("hello", TEN)]
    assert peer.over[-1] == SliceOver(SliceKind.SILENCE, more=False)


def test_a_character_goes_out_whole() -> None:
    peer = greeted(duplex(streaming=True))
    sent = [peer.send(Sampled((token,))) for token in [*VOCABULARY.tokenize(" one", parse_special=False), *EMOJI]]
    assert sent == [[Say(" one")], [], [], [], [Say("😀")]]


def test_a_character_goes_out_whole_across_slices_also_at_the_end_of_the_message() -> None:
    for peer in (duplex(slice_tokens=3, streaming=True), turns(slice_tokens=3, streaming=True)):
        peer.text("hello")
        begun = [*VOCABULARY.tokenize(" one", parse_special=False), *EMOJI[:2]]
        peer.send(Sampled(tuple(begun)))
        peer.sample(begun)
        peer.tick()
        assert peer.send(Sampled(tuple(EMOJI[2:3]))) == []
        peer.sample([*EMOJI[2:], EOS])
        assert "".join(peer.said) == " one😀"
        assert b"".join(reply for _, reply in byte_pairs(peer.transcript)).decode() == " one😀"


@pytest.mark.parametrize("count", [1, 2, 3])
def test_of_a_character_that_was_not_said_nothing_stays(count: int) -> None:
    peer = greeted(duplex(streaming=True))
    peer.begin(" one")
    peer.send(Sampled(tuple(EMOJI[:count])))
    peer.text("stop")
    peer.sample([*peer.sampled, *EMOJI[:count]])
    assert peer.pairs == [("hello", " one"), ("stop", "")]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_of_a_character_of_several_slices_that_was_not_said_nothing_stays(count: int) -> None:
    peer = duplex(slice_tokens=1)
    peer.text("hello")
    for token in EMOJI[:count]:
        peer.sample([token])
        peer.tick()
    peer.text("stop")
    peer.cancel()
    assert peer.pairs == [("hello", "<idle>"), ("stop", "")]


def test_a_token_that_comes_after_the_cancel_is_not_said() -> None:
    peer = greeted(duplex(streaming=True))
    peer.begin(" one")
    peer.text("stop")
    assert peer.begin(" two") == []
    peer.end()
    assert peer.said == [" one"]
    assert peer.pairs == [("hello", " one"), ("stop", "")]


def test_a_token_that_comes_when_nothing_runs_is_not_said() -> None:
    peer = speaking(streaming=True)
    before = peer.transcript
    assert peer.send(Sampled((EMOJI[0],))) == []
    assert peer.transcript == before


SLICES = (
    "<idle>",
    " idle</s>",
    "idle one</s>",
    "\n one two three one two<idle>",
    " one two three one two three",
    " one two three one two wor",
    "ld</s>",
    " one two 😀 na😀",
    "ïve ï</s>",
)


@examples(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from([Mode.DUPLEX, Mode.ORDINARY, None]),
    slices=st.lists(
        st.tuples(st.sampled_from(SLICES), st.lists(st.integers(0, 6), max_size=3)), min_size=3, max_size=8
    ),
)
def test_how_the_words_were_told_changes_nothing_but_when_they_go_out(
    kind: Mode | None, slices: list[tuple[str, list[int]]]
) -> None:
    def peer() -> Peer:
        return (
            turns(slice_tokens=6, streaming=True) if kind is None else duplex(slice_tokens=6, mode=kind, streaming=True)
        )

    told, at_once = peer(), peer()
    for text, cuts in slices:
        for one in (told, at_once):
            if one.asked is None:
                one.tick()
            if one.asked is None:
                one.text("hello")
        assert told.asked == at_once.asked
        assert told.asked is not None
        tokens = VOCABULARY.tokenize(text, parse_special=True)[: told.asked.max_new]
        for start, stop in zip([0, *sorted(cuts)], sorted(cuts), strict=False):
            told.send(Sampled(tuple(tokens[start:stop])))
        told.sample(tokens)
        at_once.sample(tokens)
        assert told.transcript == at_once.transcript
        assert "".join(told.said) == "".join(at_once.said)
    assert told.over == at_once.over


# --- what an interrupted slice leaves


def test_what_went_out_of_an_interrupted_slice_stays_and_is_closed() -> None:
    peer = greeted(duplex(streaming=True))
    peer.begin(" one two")
    assert peer.text("stop") == [Cancel()]
    (generate,) = peer.end(" three")
    assert isinstance(generate, Generate)
    assert VOCABULARY.text(generate.tokens) == "<s><用户>hello<AI> one two</s><用户>stop<AI>"
    assert peer.over == [SliceOver(SliceKind.INTERRUPTED, more=True)]


def test_of_an_interrupted_slice_of_silence_what_went_out_stays_too() -> None:
    peer = speaking(streaming=True)
    peer.tick()
    peer.begin(" one")
    peer.text("stop")
    peer.end()
    assert peer.pairs == [("hello", TEN), ("<idle>", " one"), ("stop", "")]


@pytest.mark.parametrize("begin", ["", " ", "idle"])
def test_a_slice_of_which_nothing_went_out_leaves_as_silence(begin: str) -> None:
    peer = greeted(duplex(streaming=True))
    peer.begin(begin)
    peer.text("stop")
    peer.end(" one")
    assert peer.pairs == [("hello", "<idle>"), ("stop", "")]
    assert peer.said == []


@pytest.mark.parametrize(("unheard", "left"), [(1, " one two"), (6, " one two"), (7, " one"), (13, "<idle>")])
def test_what_went_out_unheard_leaves_an_interrupted_slice(unheard: int, left: str) -> None:
    peer = greeted(duplex(streaming=True))
    peer.begin(" one two three")
    peer.send(Unheard(unheard))
    peer.text("stop")
    peer.end()
    assert peer.pairs == [("hello", left), ("stop", "")]


def test_what_went_out_unheard_leaves_from_several_slices() -> None:
    peer = speaking(streaming=True)
    peer.tick()
    peer.begin(" one")
    peer.send(Unheard(len(" one one")))
    peer.text("stop")
    peer.end()
    assert peer.pairs == [("hello", TEN.removesuffix(" one")), ("stop", "")]


def test_what_went_out_stays_where_the_engine_gave_up() -> None:
    peer = greeted(duplex(streaming=True))
    peer.begin(" one")
    assert peer.end(" two") == []
    assert peer.pairs == [("hello", " one")]
    assert not peer.engaged


def test_turn_by_turn_what_went_out_of_all_its_slices_stays() -> None:
    peer = greeted(turns(streaming=True))
    peer.begin(" one two three")
    peer.end()
    peer.begin(" two")
    peer.text("stop")
    end, generate = peer.end()
    assert end == ReplyEnd()
    assert isinstance(generate, Generate)
    assert peer.pairs == [("hello", " one two three two"), ("stop", "")]
