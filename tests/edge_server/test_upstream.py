"""What the reference does, line by line, and that we do it too when asked to."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from edge_server.conversation import MESSAGE_ENDS_WITHIN
from edge_server.events import (
    Action,
    Finish,
    Generate,
    Mode,
    NewSession,
    Output,
    Release,
    ReplyEnd,
    Say,
    SliceDone,
    TooLong,
    UserText,
)
from edge_server.protocol import TextCodec
from edge_server.session import DuplexSession
from edge_server.upstream import DUPLEX_LIMIT, ORDINARY_LIMIT, UpstreamDuplexSession, UpstreamTurnSession
from tests.edge_server.peers import BOS, CHAT_VOCABULARY, EOS, IDLE, TEN, VOCABULARY, Peer, prompt, settings

FRAME_TOKENS = 7  # <s> < 用户 > < AI >


def duplex(mode: Mode = Mode.DUPLEX, ctx: int = 4096) -> Peer:
    return Peer(UpstreamDuplexSession(VOCABULARY, settings(ctx), mode, seed=0))


def turns(ctx: int = 8192) -> Peer:
    return Peer(UpstreamTurnSession(CHAT_VOCABULARY, settings(ctx), Mode.ORDINARY, seed=0))


def speaking() -> Peer:
    """A session in which the assistant has said ``TEN`` and has more to say."""
    peer = duplex()
    peer.text("hello")
    peer.reply(TEN + "</s>")
    return peer


def frames(codec: TextCodec, actions: list[Action]) -> list[str]:
    outputs = [action for action in actions if isinstance(action, Output)]
    return [frame for output in outputs for frame in codec.encode(output)]


# --- port 8765: a slice


def test_upstream_silence_before_any_text_runs_nothing_and_answers_nothing() -> None:
    assert duplex().tick(3) == []


def test_upstream_text_is_asked_for_in_a_prompt_of_up_to_15_new_tokens() -> None:
    (generate,) = duplex().text("hello")
    assert isinstance(generate, Generate)
    assert VOCABULARY.text(generate.tokens) == "<s><用户>hello<AI>"
    assert (generate.max_new, generate.stop, generate.peek) == (15, frozenset({EOS, IDLE}), False)


def test_upstream_the_slices_cap_is_an_option_and_a_piece_of_a_turn_is_what_it_was() -> None:
    slices = Peer(UpstreamDuplexSession(VOCABULARY, settings(slice_tokens=10), Mode.DUPLEX, seed=0))
    (generate,) = slices.text("hello")
    assert isinstance(generate, Generate)
    assert generate.max_new == 10
    turn = Peer(UpstreamTurnSession(CHAT_VOCABULARY, settings(slice_tokens=10), Mode.ORDINARY, seed=0))
    (generate,) = turn.text("hello")
    assert isinstance(generate, Generate)
    assert generate.max_new == 15


def test_upstream_the_slice_is_sent_whole_and_keeps_its_leading_space() -> None:
    peer = duplex()
    peer.text("hello")
    assert peer.reply(" one two</s>") == [Say(" one two")]


def test_upstream_a_slice_is_cut_at_15_tokens_in_the_middle_of_a_word() -> None:
    peer = duplex()
    peer.text("hello")
    assert peer.reply(" one" * 14 + " wor", following="ld") == [Say(" one" * 14 + " wor")]


def test_upstream_a_reply_that_is_only_idle_sends_nothing() -> None:
    peer = duplex()
    peer.text("hello")
    assert peer.reply("<idle>") == []


def test_upstream_words_before_idle_are_sent_without_it() -> None:
    peer = duplex()
    peer.text("hello")
    assert peer.reply(" one<idle>") == [Say(" one")]
    assert peer.history == ("hello", " one<idle>")


@pytest.mark.parametrize("reply", ["</s>", "<idle>", " <idle>"])
def test_upstream_a_reply_that_spells_silence_in_plain_pieces_is_not_sent(reply: str) -> None:
    peer = duplex()
    peer.text("hello")
    assert peer.sample([*VOCABULARY.tokenize(reply, parse_special=False), EOS]) == []


@pytest.mark.parametrize("words", range(9))
def test_upstream_eos_among_the_first_six_tokens_lowers_the_flag(words: int) -> None:
    peer = duplex()
    peer.text("hello")
    peer.reply(" one" * words + "</s>")
    assert peer.engaged == (words + 1 > MESSAGE_ENDS_WITHIN)
    peer.tick()
    assert (peer.asked is not None) == (words + 1 > MESSAGE_ENDS_WITHIN)


def test_upstream_idle_among_the_first_six_tokens_does_not_lower_the_flag() -> None:
    peer = duplex()
    peer.text("hello")
    peer.reply("<idle>")
    assert peer.engaged


# --- port 8765: the history


def test_upstream_an_open_reply_is_closed_when_the_next_slice_comes() -> None:
    peer = duplex()
    peer.text("hello")
    peer.reply(" one" * 15)
    assert peer.history == ("hello", " one" * 15)
    peer.tick()
    assert prompt(peer) == "<s><用户>hello<AI>" + " one" * 15 + "</s><用户><idle><AI>"


def test_upstream_a_closed_reply_is_not_closed_again() -> None:
    peer = speaking()
    peer.tick()
    assert prompt(peer) == f"<s><用户>hello<AI>{TEN}</s><用户><idle><AI>"


@pytest.mark.parametrize("reply", ["<idle>", " .\n,<idle>", ".<idle>", " one<idle>"])
def test_upstream_a_silent_pair_leaves_when_the_next_slice_comes(reply: str) -> None:
    peer = speaking()
    peer.tick()
    peer.reply(reply)
    assert peer.engaged
    peer.tick()
    if "one" in reply:
        assert prompt(peer).endswith(f"{reply}</s><用户><idle><AI>")
    else:
        assert peer.asked is None, "the flag goes down and a silent slice ends here"
        assert peer.history == ("hello", TEN + "</s>")


@pytest.mark.parametrize("reply", ["." * 15, ".\n, " * 3 + "..idle", "." * 14 + "idle"])
def test_upstream_padding_and_the_word_idle_count_as_silence(reply: str) -> None:
    peer = speaking()
    peer.tick()
    peer.reply(reply)  # as long as a slice can be, so the flag is still up
    peer.tick()
    assert peer.asked is None


def test_upstream_text_after_a_silent_pair_raises_the_flag_again() -> None:
    peer = speaking()
    peer.tick()
    peer.reply("<idle>")
    peer.text("go on")
    assert prompt(peer) == f"<s><用户>hello<AI>{TEN}</s><用户>go on<AI>"
    assert peer.engaged


def test_upstream_silence_in_answer_to_text_stays() -> None:
    peer = duplex()
    peer.text("hello")
    peer.reply("<idle>")
    peer.tick()
    assert prompt(peer) == "<s><用户>hello<AI><idle></s><用户><idle><AI>"


def test_upstream_silent_pair_leaves_from_the_middle_later() -> None:
    peer = speaking()
    peer.tick()
    peer.reply("</s>")  # a silent pair, but it lowers the flag, so nothing is dropped when text comes
    peer.text("again")
    assert prompt(peer) == f"<s><用户>hello<AI>{TEN}</s><用户><idle><AI></s><用户>again<AI>"
    peer.reply(TEN + "</s>")
    peer.tick()
    assert prompt(peer) == f"<s><用户>hello<AI>{TEN}</s><用户>again<AI>{TEN}</s><用户><idle><AI>"


def test_upstream_reply_is_tokenised_anew() -> None:
    peer = duplex()
    peer.text("hello")
    sampled = [token for piece in ("h", "ello") for token in VOCABULARY.tokenize(piece, parse_special=False)]
    peer.sample([*sampled, *VOCABULARY.tokenize(" one" * 6 + "</s>", parse_special=True)])
    peer.tick()
    assert peer.asked is not None
    expected = f"<用户>hello<AI>hello{' one' * 6}</s><用户><idle><AI>"
    assert list(peer.asked.tokens) == [BOS, *VOCABULARY.tokenize(expected, parse_special=True)]
    assert peer.reused == FRAME_TOKENS + 1, "back to where the two tokenisations part"


def test_upstream_control_tokens_in_user_text_are_parsed_where_ours_are_not() -> None:
    text = "a<idle>b</s>"
    peer, ours = duplex(), Peer(DuplexSession(VOCABULARY, settings(), Mode.DUPLEX, 0))
    for one, expected in ((peer, [BOS, IDLE, EOS]), (ours, [BOS])):
        one.text(text)
        assert one.asked is not None
        assert [token for token in one.asked.tokens if token < 4] == expected


def test_upstream_markers_in_user_text_are_left_as_they_are() -> None:
    peer = duplex()
    peer.text("a<AI>b</s><用户>c")
    assert prompt(peer) == "<s><用户>a<AI>b</s><用户>c<AI>"


def test_upstream_only_the_frame_idle_is_silence() -> None:
    peer = speaking()
    peer.text("<idle> ")  # frames are stripped before they come here, so this one is text
    peer.reply("<idle>")
    peer.tick()
    assert peer.asked is not None
    assert len(peer.history) == 6


# --- port 8765: characters


def test_upstream_incomplete_utf8_goes_out_as_replacement_characters_and_is_lost() -> None:
    peer = duplex()
    peer.text("hello")
    assert peer.reply(" one😀 two</s>") == [Say(" one\ufffd\ufffd\ufffd two")]
    assert peer.history[-1] == " one\ufffd\ufffd\ufffd two</s>"


def test_upstream_a_character_that_the_cap_cuts_is_lost_on_both_sides() -> None:
    peer = duplex()
    peer.text("hello")
    emoji = VOCABULARY.tokenize("😀", parse_special=False)
    thirteen = VOCABULARY.tokenize(" one" * 13, parse_special=False)
    assert peer.sample([*thirteen, *emoji[:2]]) == [Say(" one" * 13 + "\ufffd\ufffd")]
    peer.tick()
    assert peer.sample([*emoji[2:], EOS]) == [Say("\ufffd\ufffd")]


def test_upstream_a_marker_that_the_model_says_swallows_its_last_piece() -> None:
    peer = duplex()
    peer.text("hello")
    assert peer.reply("a<AI>b</s>") == [Say("a<AIb")]


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


# --- both


@pytest.mark.parametrize("peer", [duplex(), turns()])
def test_an_answer_to_nothing_is_refused(peer: Peer) -> None:
    with pytest.raises(ValueError, match="not asked for"):
        peer.session.receive(SliceDone((), Finish.CAP))


def test_a_model_without_an_idle_token_is_refused_on_8765() -> None:
    with pytest.raises(ValueError, match="idle token"):
        UpstreamDuplexSession(CHAT_VOCABULARY, settings(), Mode.DUPLEX, 0)


@examples(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    script=st.lists(
        st.tuples(
            st.sampled_from([None, None, "a", "hello,"]),
            st.sampled_from(["<idle>", " one two</s>", TEN + "</s>", " one<idle>", " two</s>"]),
        ),
        max_size=12,
    )
)
def test_where_nothing_is_cut_interrupted_or_forged_both_profiles_hold_the_same_conversation(
    script: list[tuple[str | None, str]],
) -> None:
    peers = duplex(), Peer(DuplexSession(VOCABULARY, settings(), Mode.DUPLEX, 0))
    for text, reply in script:
        prompts, said = [], []
        for peer in peers:
            peer.send(*([UserText(text)] if text else []))
            if not text:
                peer.tick()
            prompts.append(peer.asked and VOCABULARY.text(peer.asked.tokens))
            said.append(peer.reply(reply) if peer.asked else [])
        assert prompts[0] == prompts[1]
        assert said[0] == said[1]
    for peer in peers:
        peer.send(NewSession(Mode.DUPLEX, 0))
