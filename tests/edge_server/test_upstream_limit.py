"""What the reference does at its limit of 512 tokens, and with frames that come while it answers another."""

from __future__ import annotations

from edge_server.events import (
    Generate,
    Mode,
    Release,
    Say,
    TooLong,
)
from edge_server.upstream import DUPLEX_LIMIT
from tests.edge_server.peers import TEN, VOCABULARY, prompt
from tests.edge_server.test_upstream import FRAME_TOKENS, duplex, speaking

# --- port 8765: the limit


def test_upstream_a_prompt_of_512_tokens_is_too_long_and_one_less_is_not() -> None:
    assert isinstance(duplex().text("x" * (DUPLEX_LIMIT - FRAME_TOKENS - 1))[0], Generate)
    assert duplex().text("x" * (DUPLEX_LIMIT - FRAME_TOKENS)) == [TooLong()]


def test_upstream_too_long_until_a_new_session() -> None:
    peer = duplex()
    peer.text("x" * DUPLEX_LIMIT)
    assert peer.text("a") == [TooLong()]
    assert peer.tick(2) == [TooLong(), TooLong()]
    assert peer.new_session() == [Release()]
    assert isinstance(peer.text("a")[0], Generate)


def test_upstream_silence_can_be_what_makes_the_prompt_too_long() -> None:
    peer = duplex()
    peer.text("x" * (DUPLEX_LIMIT - FRAME_TOKENS - 1))
    peer.reply(" one" * 15)
    assert peer.tick() == [TooLong()]


def test_upstream_a_context_smaller_than_the_limit_lowers_it() -> None:
    peer = duplex(ctx=64)
    assert peer.text("x" * (64 - 15 - FRAME_TOKENS)) == [TooLong()]
    peer = duplex(Mode.ORDINARY, ctx=64)
    (generate,) = peer.text("x" * (64 - 15 - FRAME_TOKENS - 1))
    assert isinstance(generate, Generate)
    assert len(generate.tokens) + generate.max_new == 64


# --- port 8765: one frame after the other


def test_upstream_a_frame_is_answered_before_the_next_is_read() -> None:
    peer = duplex()
    peer.text("a")
    assert peer.text("b") == []
    assert peer.session.waiting == 1
    said, generate = peer.reply(TEN + "</s>")
    assert said == Say(TEN)
    assert isinstance(generate, Generate)
    assert prompt(peer) == f"<s><用户>a<AI>{TEN}</s><用户>b<AI>"


def test_upstream_every_tick_during_a_slice_is_taken_behind_it() -> None:
    peer = duplex()
    peer.text("a")
    peer.tick(3)
    for _ in range(3):
        peer.reply(TEN + "</s>")
        assert peer.asked is not None
    peer.reply(TEN + "</s>")
    assert peer.asked is None


def test_upstream_a_new_session_waits_for_the_slice_too() -> None:
    peer = duplex()
    peer.text("a")
    assert peer.new_session() == []
    peer.text("b")
    said, release, generate = peer.reply(TEN + "</s>")
    assert (said, release) == (Say(TEN), Release())
    assert isinstance(generate, Generate)
    assert VOCABULARY.text(generate.tokens) == "<s><用户>b<AI>"


def test_upstream_a_new_session_forgets_the_history_and_lowers_the_flag() -> None:
    peer = speaking()
    assert peer.new_session() == [Release()]
    assert peer.tick() == []
    assert peer.new_session() == []
