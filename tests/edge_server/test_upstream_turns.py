"""What the reference does with turns: ordinary mode on port 8765, and port 8766."""

from __future__ import annotations

from edge_server.events import (
    Generate,
    Mode,
    ReplyEnd,
    Say,
)
from edge_server.protocol import TextCodec
from edge_server.upstream import ORDINARY_LIMIT
from tests.edge_server.peers import EOS, prompt
from tests.edge_server.test_upstream import FRAME_TOKENS, duplex, frames, turns

# --- port 8765: ordinary mode


def test_upstream_ordinary_mode_on_8765_is_one_reply_of_up_to_512_tokens() -> None:
    peer = duplex()
    peer.new_session(Mode.ORDINARY)
    (generate,) = peer.text("hello")
    assert isinstance(generate, Generate)
    assert generate.max_new == 512
    assert peer.reply(" one" * 512, following=" one") == [Say(" one" * 512)]


def test_upstream_ordinary_mode_on_8765_stops_at_idle_too_and_sends_no_end() -> None:
    peer = duplex(Mode.ORDINARY)
    codec = TextCodec(upstream=True)
    peer.text("hello")
    assert frames(codec, peer.reply(" one. two<idle>")) == [" one\n two"]


# --- port 8766


def test_upstream_8766_sends_pieces_of_15_tokens_without_a_cap_and_an_end() -> None:
    peer = turns()
    codec = TextCodec(upstream=True, ordinary_port=True)
    (generate,) = peer.text("hello")
    assert isinstance(generate, Generate)
    assert (generate.max_new, generate.stop) == (15, frozenset({EOS}))
    for _ in range(40):
        assert frames(codec, peer.reply(" one" * 15, following=" one")) == [" one" * 15]
    assert frames(codec, peer.reply(" two</s>")) == [" two", "<!end!>"]


def test_upstream_period_stays_on_8766_and_becomes_a_newline_on_8765() -> None:
    for peer, ordinary, sent in ((duplex(), False, " one\n two\n"), (turns(), True, " one. two.")):
        peer.text("hello")
        first, *_ = frames(TextCodec(upstream=True, ordinary_port=ordinary), peer.reply(" one. two.</s>"))
        assert first == sent


def test_upstream_8766_reseeds_each_turn_alike() -> None:
    peer = turns()
    seeds = []
    for _ in range(2):
        peer.text("hello")
        assert peer.asked is not None
        first = peer.asked.seed
        peer.reply(" one" * 15)
        assert peer.asked is not None
        seeds.append((first, peer.asked.seed))
        peer.reply("</s>")
    assert seeds[0] == seeds[1]
    assert seeds[0][0] != seeds[0][1]


def test_upstream_8766_goes_on_from_what_it_sampled_within_a_reply() -> None:
    peer = turns()
    peer.text("hello")
    peer.reply(" one" * 15)
    assert peer.asked is not None
    assert peer.reused == len(peer.asked.tokens) - 1


def test_upstream_8766_closes_no_reply_and_drops_nothing() -> None:
    peer = turns()
    peer.text("hello")
    peer.reply(" one😀</s>")  # the end of an emoji's bytes ends the reply before its eos
    peer.tick()
    assert prompt(peer) == "<s><用户>hello<AI> one\ufffd\ufffd\ufffd<用户><idle><AI>"
    peer.reply("</s>")
    peer.text("hello")
    assert prompt(peer).endswith("<用户><idle><AI></s><用户>hello<AI>")


def test_upstream_8766_the_end_of_an_emoji_ends_the_reply() -> None:
    peer = turns()
    peer.text("hello")
    assert peer.reply(" one😀" + " one" * 10) == [Say(" one\ufffd\ufffd\ufffd"), ReplyEnd()]


def test_upstream_8766_takes_4096_tokens_and_no_more() -> None:
    codec = TextCodec(upstream=True, ordinary_port=True)
    assert isinstance(turns().text("x" * (ORDINARY_LIMIT - FRAME_TOKENS))[0], Generate)
    peer = turns()
    assert frames(codec, peer.text("x" * (ORDINARY_LIMIT - FRAME_TOKENS + 1))) == ["<!too_long!>", "<!end!>"]
    assert frames(codec, peer.text("a")) == ["<!too_long!>", "<!end!>"]
    peer.new_session()
    assert isinstance(peer.text("a")[0], Generate)


def test_upstream_8766_a_reply_ends_where_the_context_does() -> None:
    peer = turns(ctx=64)
    peer.text("hello")
    while peer.reply(" one" * 15)[-1] != ReplyEnd():
        assert peer.asked is not None
        assert len(peer.asked.tokens) + peer.asked.max_new <= 64
