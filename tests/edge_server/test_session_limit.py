"""What happens where the context ends, and in ordinary mode: rules 9 and 10 of `session.py`."""

from __future__ import annotations

from edge_server.events import Cancel, Generate, Mode, Release, ReplyEnd, Say, TooLong
from edge_server.settings import ORDINARY_TOKENS
from tests.edge_server.peers import (
    BOS,
    TEN,
    VOCABULARY,
    Peer,
    duplex,
)

# --- 9. the limit


def test_a_full_transcript_forgets_its_oldest_pairs_at_least_a_quarter_while_nobody_waits() -> None:
    peer = duplex(ctx=100)
    whole: list[int] = []
    while not peer.forgotten:
        peer.text("hello")
        assert peer.asked is not None
        assert peer.asked.forget == ()
        reply = VOCABULARY.tokenize(" one two three</s>", parse_special=True)
        whole = [*peer.asked.tokens, *reply]
        peer.sample(reply)
    pair = len(["<", "用户", ">", "hello", "<", "AI", ">", "one", "two", "three", "</s>"])
    forgotten = -(-25 // pair) * pair  # whole pairs
    assert peer.forgotten == [(1, 1 + forgotten)]
    assert list(peer.transcript) == [BOS, *whole[1 + forgotten :]]
    assert len(whole) + pair + 15 > 100, "there was room for more"
    peer.text("hello")
    assert peer.reused == len(peer.transcript) - pair + 3  # the last sampled token was not decoded yet


def test_a_text_for_which_there_is_too_little_room_makes_the_transcript_forget() -> None:
    peer = duplex(ctx=100)
    for _ in range(3):
        peer.text("hello")
        peer.reply(" one two three</s>")
    assert not peer.forgotten
    peer.text("hello " + "a" * 50)
    assert peer.asked is not None
    assert peer.forgotten == [(1, 34)]


def test_a_conversation_never_outgrows_the_context() -> None:
    peer = duplex(ctx=64)
    for _ in range(20):
        peer.text("hello")
        for _ in range(3):
            peer.reply(" one" * 15, following=" two")
            assert len(peer.transcript) <= 64
            peer.tick()
        peer.reply("<idle>")


def test_what_waits_is_still_delivered_when_its_tokens_are_forgotten() -> None:
    peer = duplex(ctx=40, slice_tokens=15)
    peer.text("hello there")
    peer.reply(" one" * 14 + " wor", following="ld")
    peer.tick()
    assert peer.forgotten
    assert peer.pairs == [("<idle>", "")]
    assert peer.reply("ld</s>") == [Say(" world")]


def test_what_is_forgotten_between_two_requests_is_listed_in_order() -> None:
    peer = duplex(ctx=60, slice_tokens=4)
    peer.text("a" * 20)
    peer.text("b" * 20, "c" * 20, "d" * 20)
    peer.cancel()
    assert peer.asked is not None
    assert peer.asked.forget
    assert peer.forgotten == [(1, 29), (1, 29)]
    assert peer.pairs == [("c" * 20, "<idle>"), ("d" * 20, "")]


def test_a_text_that_fits_nowhere_is_too_long_and_forgotten() -> None:
    peer = duplex(ctx=64)
    peer.text("hello")
    peer.reply(" one</s>")
    assert peer.text("x" * 64) == [TooLong()]
    peer.text("hello")
    assert peer.pairs == [("hello", " one"), ("hello", "")]


def test_a_text_that_fits_nowhere_does_not_take_the_others_with_it() -> None:
    peer = duplex(ctx=64)
    peer.text("a", "x" * 64, "b")
    too_long, generate = peer.cancel()
    assert too_long == TooLong()
    assert isinstance(generate, Generate)
    assert peer.pairs == [("a", "<idle>"), ("b", "")]


def test_a_text_that_fits_nowhere_does_not_keep_the_model_from_going_on() -> None:
    peer = duplex(ctx=64)
    peer.text("hello", "x" * 64)
    assert peer.cancel() == [TooLong()]
    peer.tick()
    assert peer.pairs == [("hello", "<idle>"), ("<idle>", "")]


def full(mode: Mode = Mode.DUPLEX) -> Peer:
    """A session that may not forget, with no room for any text."""
    peer = duplex(ctx=40, slide=False, mode=mode)
    peer.text("hello there")
    peer.reply(" one two three</s>")
    return peer


def test_where_nothing_may_be_forgotten_every_further_text_is_too_long() -> None:
    peer = full()
    assert peer.text("hello there") == [TooLong()]
    assert peer.text("a") == [TooLong()]
    assert peer.tick() == []
    assert peer.pairs == [("hello there", " one two three")]


def test_where_nothing_may_be_forgotten_also_a_small_text_behind_a_large_one_is_too_long() -> None:
    peer = duplex(ctx=40, slide=False)
    peer.text("a", "x" * 40, "b")
    assert peer.cancel() == [TooLong(), TooLong()]
    assert peer.pairs == [("a", "<idle>")]


def test_where_nothing_may_be_forgotten_silence_too_can_be_too_long_once() -> None:
    peer = duplex(ctx=40, slide=False)
    peer.text("hello there")
    peer.reply(" one two three one two three</s>")
    assert peer.engaged
    assert peer.tick() == [TooLong()]
    assert peer.tick() == []


def test_what_waits_is_delivered_when_the_conversation_ends_at_the_limit() -> None:
    peer = duplex(ctx=40, slice_tokens=15, slide=False)
    peer.text("hello there")
    peer.reply(" one" * 14 + " wor", following="ld")
    assert peer.tick() == [Say(" wor"), TooLong()]


def test_a_new_session_begins_with_an_empty_context() -> None:
    peer = full()
    peer.text("hello there")
    assert peer.new_session() == [Release()]
    (generate,) = peer.text("hello there")
    assert isinstance(generate, Generate)


# --- 10. ordinary mode


def test_ordinary_mode_goes_on_by_itself_until_the_message_is_over() -> None:
    peer = duplex(mode=Mode.ORDINARY)
    peer.text("hello")
    said, generate = peer.reply(TEN + "</s>")
    assert said == Say(TEN)
    assert isinstance(generate, Generate)
    assert VOCABULARY.text(generate.tokens).endswith("</s><用户><idle><AI>")
    assert peer.reply(" one</s>") == [Say(" one"), ReplyEnd()]
    assert peer.pairs == [("hello", TEN), ("<idle>", " one")]


def test_ordinary_mode_ends_with_silence() -> None:
    peer = duplex(mode=Mode.ORDINARY)
    peer.text("hello")
    peer.reply("<idle>")
    assert peer.reply("<idle>") == [ReplyEnd()]
    assert peer.pairs == [("hello", "<idle>")]


def test_ordinary_mode_takes_no_ticks() -> None:
    peer = duplex(mode=Mode.ORDINARY)
    peer.text("hello")
    assert peer.tick() == []
    assert peer.reply(" one</s>") == [Say(" one"), ReplyEnd()]
    assert peer.tick() == []


def test_ordinary_mode_says_at_most_so_many_tokens_and_nothing_waits_behind_the_last() -> None:
    peer = duplex(slice_tokens=ORDINARY_TOKENS // 2, mode=Mode.ORDINARY)
    half = " one" * (ORDINARY_TOKENS // 2 - 1) + " wor"
    peer.text("hello")
    said, generate = peer.reply(half, following="ld")
    assert said == Say(half.removesuffix(" wor"))
    assert isinstance(generate, Generate)
    assert peer.reply(half, following="ld") == [Say(" wor" + half), ReplyEnd()]
    assert not peer.engaged
    peer.text("hello")
    peer.reply(TEN + "</s>")
    assert peer.asked is not None, "the next reply is counted from its own beginning"


def test_in_ordinary_mode_text_ends_the_reply_that_it_interrupts() -> None:
    peer = duplex(mode=Mode.ORDINARY)
    peer.text("hello")
    peer.reply(TEN + "</s>")
    assert peer.text("stop") == [Cancel()]
    end, generate = peer.cancel()
    assert end == ReplyEnd()
    assert isinstance(generate, Generate)
    assert peer.reply(" one</s>") == [Say(" one"), ReplyEnd()]


def test_in_ordinary_mode_too_long_ends_a_reply_as_well() -> None:
    peer = full(Mode.ORDINARY)
    assert peer.text("hello there") == [TooLong(), ReplyEnd()]
    assert peer.text("a") == [TooLong(), ReplyEnd()]
