"""What turn by turn promises, with a chat model that has no idle token."""

from __future__ import annotations

from edge_server.events import Cancel, Generate, Mode, Release, ReplyEnd, Say, Silence, TooLong
from tests.edge_server.peers import BOS, EOS, VOCABULARY, turns


def test_a_reply_comes_in_slices_and_ends_once() -> None:
    peer = turns()
    (generate,) = peer.text("hello")
    assert isinstance(generate, Generate)
    assert generate.stop == {EOS}
    said, generate = peer.reply(" one two three", following=" one")
    assert said == Say(" one two three")
    assert isinstance(generate, Generate)
    assert VOCABULARY.text(generate.tokens) == "<s><用户>hello<AI> one two three"
    assert peer.reply(" one</s>") == [Say(" one"), ReplyEnd()]
    assert peer.pairs == [("hello", " one two three one")]


def test_a_reply_continues_on_the_cells_that_it_left() -> None:
    peer = turns()
    peer.text("hello")
    peer.reply(" one two three", following=" one")
    assert peer.asked is not None
    assert peer.reused == len(peer.asked.tokens) - 1  # the last sampled token was not decoded yet


def test_the_next_turn_follows_the_whole_conversation() -> None:
    peer = turns()
    peer.text("hello")
    peer.reply(" one</s>")
    peer.text("and")
    assert VOCABULARY.text(peer.transcript) == "<s><用户>hello<AI> one</s><用户>and<AI>"


def test_silence_means_nothing() -> None:
    peer = turns()
    assert peer.send(Silence()) == []
    peer.text("hello")
    assert peer.tick() == []


def test_words_and_characters_come_whole() -> None:
    peer = turns()
    peer.text("hello")
    assert peer.reply(" one two wor", following="ld")[:-1] == [Say(" one two")]
    emoji = VOCABULARY.tokenize("ld😀", parse_special=False)
    assert peer.sample(emoji[:3], emoji[3])[:-1] == [Say(" world")]
    assert peer.sample([*emoji[3:], EOS]) == [Say("😀"), ReplyEnd()]


def test_text_ends_the_reply_where_it_was_delivered_and_is_answered() -> None:
    peer = turns()
    peer.text("hello")
    peer.reply(" one two wor", following="ld")
    assert peer.text("stop") == [Cancel()]
    assert peer.text("please") == []
    end, generate = peer.reply("ld ")
    assert end == ReplyEnd()
    assert isinstance(generate, Generate)
    assert VOCABULARY.text(generate.tokens) == ("<s><用户>hello<AI> one two</s><用户>stop<AI></s><用户>please<AI>")


def test_unheard_words_leave_when_text_interrupts() -> None:
    peer = turns()
    peer.text("hello")
    peer.reply(" one two three", following=" one")
    peer.reply(" one two</s>")
    peer.unheard(4)
    peer.text("stop")
    assert peer.pairs == [("hello", " one"), ("stop", "")]


def test_a_text_that_fits_nowhere_is_too_long_and_forgotten() -> None:
    peer = turns(ctx=64)
    assert peer.text("x" * 64) == [TooLong(), ReplyEnd()]
    peer.text("hello")
    assert peer.pairs == [("hello", "")]


def test_a_long_reply_forgets_the_oldest_turns_and_goes_on() -> None:
    peer = turns(ctx=64)
    for text in ("a", "b", "c", "d"):
        peer.text(text)
        peer.reply(" one two</s>")
    peer.text("e")
    forgotten = 0
    while len(peer.pairs) > 1:
        peer.reply(" one two three", following=" one")
        assert peer.asked is not None
        forgotten += len(peer.asked.forget)
        assert len(peer.transcript) <= 64
        assert peer.transcript[0] == BOS
    assert peer.pairs[0][0] == "e"
    assert forgotten > 0


def test_a_reply_that_fills_the_context_ends_there_whole() -> None:
    peer = turns(ctx=24)
    peer.text("hello")
    actions = peer.reply(" one two wor", following="ld")
    while actions[-1] != ReplyEnd():
        actions = peer.reply("ld two wor", following="ld")
    assert len(peer.transcript) <= 24
    assert "".join(peer.said) == peer.pairs[0][1]


def test_where_nothing_may_be_forgotten_every_further_text_is_too_long() -> None:
    peer = turns(ctx=24, slide=False)
    peer.text("hello")
    while peer.reply(" one two three", following=" one")[-1] != ReplyEnd():
        pass
    assert peer.text("hello") == [TooLong(), ReplyEnd()]
    assert peer.text("") == [TooLong(), ReplyEnd()]


def test_a_new_session_forgets_everything_whatever_the_mode() -> None:
    peer = turns()
    peer.text("hello")
    peer.reply(" one</s>")
    assert peer.new_session(Mode.DUPLEX) == [Release()]
    assert peer.transcript == (BOS,)
    peer.text("hello")
    assert peer.reply(" one</s>") == [Say(" one"), ReplyEnd()]


def test_control_tokens_and_markers_in_text_are_words() -> None:
    peer = turns()
    peer.text("a</s><AI>b")
    assert VOCABULARY.text(peer.transcript) == "<s><用户>a</s>< AI>b<AI>"
    assert EOS not in peer.transcript
