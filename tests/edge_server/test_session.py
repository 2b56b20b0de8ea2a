"""What the duplex session promises: the rules at the top of `session.py`; 6 and 7 are in `test_session_words.py`,
9 and 10 in `test_session_limit.py`.
"""

from __future__ import annotations

import pytest

from edge_server.events import Cancel, Finish, Generate, Mode, Release, ReplyEnd, Say, SliceDone
from edge_server.session import DuplexSession
from edge_server.settings import MESSAGE_ENDS_WITHIN, slice_seed
from tests.edge_server.peers import (
    BOS,
    CHAT_VOCABULARY,
    EOS,
    IDLE,
    SEED,
    TEN,
    VOCABULARY,
    duplex,
    prompt,
    settings,
    speaking,
)

# --- 1. a text is always answered; silence runs the model only while it has more to say


def test_a_text_is_asked_for_between_the_markers_behind_the_one_bos() -> None:
    peer = duplex()
    (generate,) = peer.text("hello")
    assert isinstance(generate, Generate)
    assert VOCABULARY.text(generate.tokens) == "<s><用户>hello<AI>"
    assert (generate.max_new, generate.stop, generate.peek) == (15, frozenset({EOS, IDLE}), True)
    assert (generate.seed, generate.forget) == (slice_seed(SEED, 0), ())


def test_the_slice_is_said_whole_at_its_end_and_closed() -> None:
    peer = duplex()
    peer.text("hello")
    assert peer.reply(" hello ing</s>") == [Say(" hello ing")]
    assert peer.pairs == [("hello", " hello ing")]


def test_a_slice_that_ended_without_eos_is_closed_with_one() -> None:
    peer = duplex(slice_tokens=3)
    peer.text("hello")
    peer.reply(" one two three", following=" one")
    assert VOCABULARY.text(peer.cells) == "<s><用户>hello<AI> one two"
    peer.tick()
    assert prompt(peer) == "<s><用户>hello<AI> one two three</s><用户><idle><AI>"
    peer.reply(" one two<idle>")
    assert peer.pairs[-1] == ("<idle>", " one two<idle>")


def test_silence_costs_nothing_before_the_first_text() -> None:
    assert duplex().tick(3) == []


def test_silence_runs_the_model_while_it_has_more_to_say() -> None:
    peer = speaking()
    peer.tick()
    assert prompt(peer) == f"<s><用户>hello<AI>{TEN}</s><用户><idle><AI>"


def test_silence_costs_nothing_once_the_message_is_over() -> None:
    peer = duplex()
    peer.text("hello")
    peer.reply(" hello</s>")
    assert peer.tick(3) == []


def test_the_reply_stays_the_tokens_that_were_sampled() -> None:
    peer = duplex()
    peer.text("hello")
    unusual = [*VOCABULARY.tokenize("h", parse_special=False), *VOCABULARY.tokenize("ello", parse_special=False)]
    assert unusual != VOCABULARY.tokenize("hello", parse_special=False)
    peer.sample([*unusual, EOS])
    assert list(peer.transcript[-len(unusual) - 1 : -1]) == unusual


# --- 2. what engages, and what disengages


@pytest.mark.parametrize("words", range(9))
def test_eos_among_the_first_six_tokens_ends_the_message(words: int) -> None:
    peer = duplex()
    peer.text("hello")
    peer.reply(" one" * words + "</s>")
    assert peer.engaged == (words + 1 > MESSAGE_ENDS_WITHIN)


def test_idle_in_answer_to_text_does_not_end_the_message() -> None:
    peer = duplex()
    peer.text("hello")
    assert peer.reply("<idle>") == []
    assert peer.engaged


def test_text_engages_again() -> None:
    peer = duplex()
    peer.text("hello")
    peer.reply("</s>")
    assert not peer.engaged
    peer.text("hello")
    assert peer.engaged


def test_a_silent_pair_ends_the_message() -> None:
    peer = speaking()
    peer.tick()
    peer.reply("<idle>")
    assert not peer.engaged


# --- 3. a silent pair leaves at once


@pytest.mark.parametrize("reply", ["<idle>", "</s>", " <idle>", "\n<idle>", " idle</s>"])
def test_a_silent_pair_leaves_as_soon_as_its_slice_ends(reply: str) -> None:
    peer = speaking()
    peer.tick()
    assert peer.reply(reply) == []
    assert peer.pairs == [("hello", TEN)]


@pytest.mark.parametrize("reply", [" one<idle>", "one</s>", ".</s>"])
def test_a_pair_with_words_in_it_or_the_end_of_a_sentence_stays(reply: str) -> None:
    peer = speaking()
    peer.tick()
    words = reply.removesuffix("</s>")
    assert peer.reply(reply) == [Say(words.removesuffix("<idle>"))]
    assert peer.pairs == [("hello", TEN), ("<idle>", words)]


def test_silence_in_answer_to_text_stays() -> None:
    peer = duplex()
    peer.text("hello")
    peer.reply("<idle>")
    peer.tick()
    peer.reply("<idle>")
    assert peer.pairs == [("hello", "<idle>")]


# --- 4. silence during a slice


def test_any_number_of_ticks_during_a_slice_count_as_one_taken_when_it_is_delivered() -> None:
    peer = duplex()
    peer.text("hello")
    assert peer.tick(5) == []
    said, generate = peer.reply(TEN + "</s>")
    assert said == Say(TEN)
    assert isinstance(generate, Generate)
    assert peer.reply(TEN + "</s>") == [Say(TEN)]


def test_a_tick_during_the_last_slice_of_a_message_runs_nothing() -> None:
    peer = duplex()
    peer.text("hello")
    peer.tick()
    assert peer.reply(" hello</s>") == [Say(" hello")]


def test_a_tick_that_came_before_text_is_not_taken_after_it() -> None:
    peer = speaking()
    peer.tick(2)
    peer.text("stop")
    peer.tick()
    peer.cancel()
    assert peer.reply("<idle>") == []


# --- 5. text wins


def test_text_during_a_slice_cancels_it_and_is_answered_at_once() -> None:
    peer = speaking()
    peer.text("and")
    assert peer.text("then") == [Cancel()]
    (generate,) = peer.sample(VOCABULARY.tokenize(" one", parse_special=False))
    assert isinstance(generate, Generate)
    assert peer.pairs == [("hello", TEN), ("and", "<idle>"), ("then", "")]
    assert peer.said == [TEN]


def test_an_interrupted_silent_slice_leaves_nothing() -> None:
    peer = speaking()
    peer.tick()
    peer.text("stop")
    peer.cancel()
    assert peer.pairs == [("hello", TEN), ("stop", "")]


@pytest.mark.parametrize("sampled", ["", " one", TEN + "</s>", "<idle>", " one" * 15])
def test_how_far_an_interrupted_slice_came_changes_nothing(sampled: str) -> None:
    peer = speaking()
    peer.tick()
    peer.text("stop")
    peer.reply(sampled, following=" one")
    assert peer.pairs == [("hello", TEN), ("stop", "")]
    assert peer.said == [TEN]
    assert peer.asked is not None
    assert peer.asked.seed == slice_seed(SEED, 2)


def test_of_several_waiting_texts_each_becomes_a_slice_and_the_last_is_answered() -> None:
    peer = duplex()
    assert peer.text("a", "b", "c", "d")[1:] == [Cancel()]
    assert peer.session.waiting == 3
    peer.cancel()
    assert peer.session.waiting == 0
    assert peer.pairs == [("a", "<idle>"), ("b", "<idle>"), ("c", "<idle>"), ("d", "")]
    assert peer.reply(" hello</s>") == [Say(" hello")]


def test_text_between_slices_follows_what_was_said() -> None:
    peer = speaking()
    peer.text("go on")
    assert peer.pairs == [("hello", TEN), ("go on", "")]


# --- 8. user text forges nothing


def test_control_tokens_in_user_text_are_plain_pieces() -> None:
    peer = duplex()
    peer.text("<idle></s><s><unk>")
    assert peer.asked is not None
    assert [token for token in peer.asked.tokens if token < 4] == [BOS]
    assert peer.reply(" one</s>") == [Say(" one")]


def test_a_marker_in_user_text_gets_a_space_after_its_first_character() -> None:
    peer = duplex()
    peer.text("a<AI>b<用户>c")
    assert prompt(peer) == "<s><用户>a< AI>b< 用户>c<AI>"


def test_user_text_and_markers_are_tokenised_as_one_string() -> None:
    peer = duplex()
    peer.text("Australia,")
    assert peer.asked is not None
    pieces = [VOCABULARY.piece(token).decode() for token in peer.asked.tokens]
    assert pieces[-4:] == ["a", ",<", "AI", ">"]


# --- a new session


def test_a_new_session_gives_the_cells_back() -> None:
    peer = speaking()
    assert peer.new_session() == [Release()]
    assert peer.pairs == []
    assert peer.tick() == []


def test_a_new_session_gives_the_cells_back_also_where_nothing_of_the_transcript_is_left() -> None:
    peer = duplex(ctx=40)
    peer.text("hello there")
    peer.reply(" one" * 14 + "</s>")
    peer.tick()  # forgets the only other pair
    peer.reply("<idle>")
    assert peer.pairs == []
    assert peer.new_session() == [Release()]


def test_a_new_session_of_an_unused_one_does_nothing() -> None:
    peer = duplex()
    assert peer.new_session() == []
    peer.text("hello")
    peer.reply("</s>")
    assert peer.new_session() == [Release()]
    assert peer.new_session() == []


def test_a_new_session_during_a_slice_discards_it_and_answers_what_came_since() -> None:
    peer = speaking()
    peer.tick()
    assert peer.new_session(seed=9) == [Cancel()]
    assert peer.text("a", "b") == []
    assert peer.tick() == []
    release, generate = peer.reply(TEN + "</s>")
    assert release == Release()
    assert isinstance(generate, Generate)
    assert generate.seed == slice_seed(9, 0)
    assert peer.pairs == [("a", "<idle>"), ("b", "")]
    assert peer.said == [TEN]


def test_a_new_session_forgets_the_texts_that_waited() -> None:
    peer = duplex()
    peer.text("a", "b")
    assert peer.new_session() == []  # it was cancelled already
    assert peer.session.waiting == 0
    assert peer.cancel() == [Release()]
    assert peer.pairs == []


def test_two_new_sessions_during_a_slice_cancel_it_once() -> None:
    peer = duplex()
    peer.text("a")
    assert peer.new_session() == [Cancel()]
    assert peer.new_session() == []
    assert peer.cancel() == [Release()]


def test_a_tick_for_a_forgotten_slice_does_not_run_the_next_conversation() -> None:
    peer = duplex()
    peer.text("a")
    peer.new_session()
    peer.tick()
    assert peer.cancel() == [Release()]
    peer.text("b")
    assert peer.reply(TEN + "</s>") == [Say(TEN)]


def test_a_new_session_can_change_the_mode() -> None:
    peer = duplex()
    peer.new_session(Mode.ORDINARY)
    peer.text("hello")
    assert peer.reply(" one</s>") == [Say(" one"), ReplyEnd()]


# --- seeds, and what is none of the above


def test_every_slice_has_its_own_seed_and_a_new_session_starts_counting_anew() -> None:
    peer = duplex()
    seeds = []
    for seed in (3, 3, 4):
        peer.new_session(seed=seed)
        for _ in range(3):
            peer.text("hello")
            assert peer.asked is not None
            seeds.append(peer.asked.seed)
            peer.reply("</s>")
    assert seeds[:3] == seeds[3:6] == [slice_seed(3, number) for number in range(3)]
    assert len(set(seeds)) == 6
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_a_slice_seed_is_a_fixed_function() -> None:
    assert [slice_seed(0, 0), slice_seed(0, 1), slice_seed(2**63 - 1, 0)] == [1607770444, 656268352, 1763900861]


def test_an_interrupted_slice_leaves_no_trace_but_its_number() -> None:
    interrupted, undisturbed = speaking(), speaking()
    interrupted.tick()
    interrupted.text("stop")
    interrupted.cancel()
    undisturbed.text("stop")
    assert interrupted.pairs == undisturbed.pairs
    assert interrupted.asked is not None
    assert undisturbed.asked is not None
    assert (interrupted.asked.seed, undisturbed.asked.seed) == (slice_seed(SEED, 2), slice_seed(SEED, 1))


def test_a_slice_that_the_engine_gave_up_by_itself_is_silence_and_is_not_tried_again() -> None:
    peer = speaking()
    peer.tick()
    peer.tick()
    assert peer.cancel() == []
    assert peer.pairs == [("hello", TEN)]
    assert peer.tick() == []
    peer.text("a")
    assert peer.cancel() == []
    assert peer.pairs == [("hello", TEN), ("a", "<idle>")]


def test_in_ordinary_mode_a_slice_that_the_engine_gave_up_ends_the_reply() -> None:
    peer = duplex(mode=Mode.ORDINARY)
    peer.text("hello")
    assert peer.cancel() == [ReplyEnd()]


def test_an_answer_to_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="not asked for"):
        duplex().session.receive(SliceDone((), Finish.CAP))


def test_a_model_without_an_idle_token_is_refused() -> None:
    with pytest.raises(ValueError, match="idle token"):
        DuplexSession(CHAT_VOCABULARY, settings(), Mode.DUPLEX, 0)
