"""What the reference does, line by line, and that we do it too when asked to."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from edge_server.events import (
    Action,
    Finish,
    Generate,
    Mode,
    NewSession,
    Output,
    Say,
    SliceDone,
    UserText,
)
from edge_server.protocol import TextCodec
from edge_server.session import DuplexSession
from edge_server.settings import MESSAGE_ENDS_WITHIN
from edge_server.upstream import UpstreamDuplexSession, UpstreamTurnSession
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
