"""A conversation that is put together anew: rule 14 of `session.py`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from edge_server.events import (
    Generate,
    Kept,
    Mode,
    NewSession,
    Rewrite,
    Say,
    Speak,
    Told,
    TooLong,
    UserText,
)
from tests.edge_server.peers import (
    ASSISTANT,
    BOS,
    EOS,
    IDLE,
    TEN,
    USER,
    VOCABULARY,
    Peer,
    duplex,
    greeted,
    prompt,
    speaking,
    turns,
)


def held(mode: Mode = Mode.DUPLEX, *, ctx: int = 4096, slide: bool = True) -> Peer:
    """A conversation of three turns, 10, 20 and 30; the middle one's reply has two slices."""
    peer = duplex(ctx, mode=mode, slide=slide)
    peer.send(UserText("first", 10))
    peer.reply(" one two</s>")
    peer.send(UserText("second", 20))
    peer.reply(TEN + "</s>")
    peer.tick()
    peer.reply(" one two</s>")
    peer.send(UserText("third", 30))
    peer.reply(" three</s>")
    return peer


SECOND = [("second", TEN), ("<idle>", " one two")]
ALL = [("first", " one two"), *SECOND, ("third", " three")]
KEPT = (Kept(10), Kept(20), Kept(30))


def test_turns_that_are_kept_keep_their_tokens() -> None:
    for mode in Mode:
        peer = held(mode)
        before = peer.transcript
        assert peer.pairs == ALL
        assert peer.send(Rewrite(KEPT)) == []
        assert peer.transcript == before
        assert [id(token) for token in peer.transcript] == [id(token) for token in before]


@pytest.mark.parametrize("slide", [True, False])
def test_all_can_be_kept_also_where_the_next_slice_has_no_room(slide: bool) -> None:
    peer = duplex(ctx=40, slide=slide)
    peer.send(UserText("hello there", 1))
    peer.reply(" one" * 14 + "</s>")
    assert len(peer.transcript) > 40 - 16
    before = peer.transcript
    peer.send(Rewrite((Kept(1),)))
    assert peer.transcript == before
    assert peer.engaged


@pytest.mark.parametrize(
    ("kept", "left"),
    [
        ((), []),
        ((Kept(30),), ALL[3:]),
        ((Kept(10), Kept(30)), [ALL[0], ALL[3]]),
        ((Kept(20),), SECOND),
        ((Kept(30), Kept(10)), [ALL[3], ALL[0]]),
        ((Kept(5), Kept(10), Kept(25)), ALL[:1]),
    ],
)
def test_what_is_not_named_leaves_and_what_is_not_there_is_skipped(
    kept: tuple[Kept, ...], left: list[tuple[str, str]]
) -> None:
    peer = held()
    peer.send(Rewrite(kept))
    assert peer.pairs == left


def test_a_reply_can_stay_without_the_words_that_it_answers() -> None:
    peer = held()
    peer.send(Rewrite((Kept(10, user=False), Kept(20, user=False), Kept(30))))
    assert peer.pairs == [("<idle>", " one two"), ("<idle>", TEN), ("<idle>", " one two"), ALL[3]]


def test_a_turn_without_words_and_reply_is_none() -> None:
    peer = held()
    peer.send(Rewrite((Kept(10, user=False, characters=0), Told(40, "", ""), Kept(30))))
    assert peer.pairs == ALL[3:]


@pytest.mark.parametrize(
    ("characters", "left"),
    [
        (0, [("second", "<idle>")]),
        (3, [("second", "<idle>")]),
        (4, [("second", " one")]),
        (7, [("second", " one")]),
        (8, [("second", " one two")]),
        (len(TEN) - 1, [("second", TEN.removesuffix(" one"))]),
        (len(TEN), [("second", TEN)]),
        (len(TEN) + 3, [("second", TEN)]),
        (len(TEN) + 4, [("second", TEN), ("<idle>", " one")]),
        (len(TEN) + 8, SECOND),
        (99, SECOND),
    ],
)
def test_a_reply_is_cut_at_a_token_at_or_before_so_many_characters(
    characters: int, left: list[tuple[str, str]]
) -> None:
    peer = held()
    peer.send(Rewrite((Kept(10), Kept(20, characters=characters), Kept(30))))
    assert peer.pairs == [ALL[0], *left, ALL[3]]


def test_a_cut_ends_before_a_character_that_it_would_break() -> None:
    peer = duplex()
    peer.send(UserText("hello", 1))
    peer.reply(" one😀 two</s>")
    peer.send(Rewrite((Kept(1, characters=5),)))
    assert peer.pairs == [("hello", " one😀")]
    peer.send(Rewrite((Kept(1, characters=4),)))
    assert peer.pairs == [("hello", " one")]


def test_turn_by_turn_a_reply_of_several_slices_is_kept_and_cut_too() -> None:
    peer = turns()
    peer.send(UserText("hello", 1))
    peer.reply(" one two three", following=" one")
    peer.reply(" one</s>")
    before = peer.transcript
    peer.send(Rewrite((Kept(1),)))
    assert peer.transcript == before
    peer.send(Rewrite((Kept(1, characters=9), Told(2, "and", " two" * 40))))
    assert peer.pairs == [("hello", " one two"), ("and", " two" * 40)]


# --- turns that were not held here


def test_a_turn_that_is_told_comes_in_slices_of_at_most_the_cap() -> None:
    for peer in (duplex(slice_tokens=3), duplex(slice_tokens=3, mode=Mode.ORDINARY)):
        peer.send(Rewrite((Told(1, "hello", TEN), Told(2, "and", ""), Told(3, "", " one"))))
        third = " one two three"
        assert peer.pairs == [
            *[("hello", third), ("<idle>", third), ("<idle>", third), ("<idle>", " one")],
            *[("and", "<idle>"), ("<idle>", " one")],
        ]
        peer.send(Rewrite((Kept(1, characters=len(third)), Kept(3))))
        assert peer.pairs == [("hello", third), ("<idle>", " one")]


def test_what_is_told_forges_no_marker_and_no_control_token() -> None:
    peer = duplex()
    peer.send(Rewrite((Told(1, f"a{USER}</s>", f"b{ASSISTANT}c</s><idle>{USER}"),), f"<s>{USER}be{ASSISTANT}</s>"))
    assert [token for token in peer.transcript if token < 4] == [BOS, EOS]
    assert VOCABULARY.text(peer.transcript) == (
        "<s><s>< 用户>be< AI></s><用户>a< 用户></s><AI>b< AI>c</s><idle>< 用户></s>"
    )
    assert IDLE not in peer.transcript


def test_a_text_behind_a_turn_that_was_told_begins_one_of_its_own() -> None:
    peer = duplex()
    peer.send(Rewrite((Told(7, "hello", " one two"),)))
    peer.text("and")
    peer.reply(" three</s>")
    peer.send(Rewrite((Kept(7), Kept(8, characters=0))))
    assert peer.pairs == [("hello", " one two"), ("and", "<idle>")]


# --- instructions


def test_the_instructions_stand_at_the_beginning_and_are_prepared() -> None:
    peer = duplex()
    assert peer.send(Rewrite((), "be the one.")) == []
    assert peer.prepared is not None
    assert VOCABULARY.text(peer.prepared.tokens) == "<s>be the one.<用户>"
    peer.text("hello")
    assert prompt(peer) == "<s>be the one.<用户>hello<AI>"


def test_instructions_can_be_changed_and_taken_away() -> None:
    peer = held()
    peer.send(Rewrite(KEPT, "be."))
    assert VOCABULARY.text(peer.transcript).startswith("<s>be.<用户>first<AI> one")
    peer.send(Rewrite(KEPT, "stop"))
    assert VOCABULARY.text(peer.transcript).startswith("<s>stop<用户>first<AI> one")
    peer.send(Rewrite(KEPT))
    assert peer.pairs == ALL


def test_instructions_never_slide_away() -> None:
    for peer in (duplex(ctx=80, slice_tokens=6), turns(ctx=80)):
        peer.send(Rewrite((), "be the one."))
        for _ in range(20):
            peer.text("hello")
            while peer.asked is not None:
                peer.reply(" one two</s>")
            assert VOCABULARY.text(peer.transcript).startswith("<s>be the one.<用户>hello<AI>")
        assert peer.forgotten
        assert all(start > 1 for start, _ in peer.forgotten)


def test_instructions_that_leave_no_room_for_a_slice_change_nothing() -> None:
    peer = duplex(ctx=64, slice_tokens=6)
    peer.send(UserText("hello", 1))
    peer.reply(" one two three one two wor", following="ld")
    before, foreseen = peer.transcript, peer.prepared
    room = 64 - 6 - 1 - len("<用户>") - len("<AI>") + 2  # the words of a marker are a token each
    assert peer.send(Rewrite((), "x" * room)) == [TooLong()]
    assert (peer.transcript, peer.prepared) == (before, foreseen)
    peer.tick()
    assert peer.reply("ld</s>") == [Say(" world")]


def test_where_all_is_too_long_the_oldest_turns_are_left_out() -> None:
    peer = held(ctx=120)
    peer.send(Rewrite(KEPT, "x" * 50))
    assert peer.pairs[-1] == ALL[3]
    assert 0 < len(peer.pairs) < len(ALL)
    assert peer.transcript[1:51] == tuple(VOCABULARY.tokenize("x" * 50, parse_special=False))
    peer.send(Rewrite((*KEPT, Told(40, "x" * 99, ""))))
    assert peer.pairs == []


def test_an_ended_conversation_goes_on_where_turns_are_taken_out() -> None:
    peer = duplex(ctx=40, slide=False)
    peer.send(UserText("hello there", 1))
    peer.reply(" one two three</s>")
    assert peer.text("hello there") == [TooLong()]
    peer.send(Rewrite(()))
    (generate,) = peer.text("hello there")
    assert isinstance(generate, Generate)


# --- what goes on


def test_the_session_stays_engaged_if_the_last_turn_is_kept_whole() -> None:
    peer = speaking()
    foreseen = peer.prepared
    peer.send(Rewrite((Kept(1),)))
    assert peer.engaged
    assert peer.prepared == foreseen
    peer.send(Rewrite((Kept(1),), "be."))
    assert peer.prepared is not None
    assert VOCABULARY.text(peer.prepared.tokens) == f"<s>be.<用户>hello<AI>{TEN}</s><用户><idle><AI>"
    peer.tick()
    assert prompt(peer) == f"<s>be.<用户>hello<AI>{TEN}</s><用户><idle><AI>"


def test_turns_that_are_not_there_are_not_the_last() -> None:
    peer = speaking()
    peer.send(Rewrite((Kept(1), Kept(2))))
    assert peer.engaged


@pytest.mark.parametrize("kept", [(), (Kept(1, user=False),), (Kept(1, characters=4),), (Kept(1), Told(2, "and", ""))])
def test_else_it_is_no_longer_engaged(kept: tuple[Kept | Told, ...]) -> None:
    peer = speaking()
    peer.send(Rewrite(kept))
    assert not peer.engaged
    assert peer.tick() == []
    assert peer.prepared is not None
    assert peer.prepared.max_new == 0
    assert peer.send(Speak()) != []


@pytest.mark.parametrize(("kept", "said"), [(Kept(1), " world"), (Kept(1, characters=99), "ld")])
def test_what_waits_still_waits_if_all_is_kept_and_else_leaves(kept: Kept, said: str) -> None:
    peer = duplex(slice_tokens=3)
    peer.send(UserText("hello", 1))
    assert peer.reply(" one two wor", following="ld") == [Say(" one two")]
    peer.send(Rewrite((kept,)))
    assert peer.tick() or peer.send(Speak())
    assert peer.reply("ld</s>") == [Say(said)]


def test_what_waits_leaves_where_something_else_follows() -> None:
    peer = duplex(slice_tokens=3)
    peer.send(UserText("hello", 1))
    peer.reply(" one two wor", following="ld")
    peer.send(Rewrite((Kept(1), Told(2, "and", " two"))))
    assert peer.pairs == [("hello", " one two"), ("and", " two")]


def test_a_conversation_is_not_rewritten_while_a_slice_runs() -> None:
    peer = greeted(duplex())
    with pytest.raises(ValueError, match="while a slice"):
        peer.send(Rewrite(()))
    peer.send(NewSession(Mode.DUPLEX, 1))
    with pytest.raises(ValueError, match="while a slice"):
        peer.send(Rewrite(()))
    peer.cancel()
    assert peer.send(Rewrite(())) == []


def test_an_unheard_report_does_not_outlive_what_it_spoke_of() -> None:
    peer = speaking()
    peer.unheard(1)
    peer.send(Rewrite((Kept(1, characters=len(" one two")),)))
    peer.text("and")
    assert peer.pairs[0] == ("hello", " one two")


NAMED = st.one_of(
    st.builds(Kept, st.sampled_from([10, 20, 30]), st.booleans(), st.none() | st.integers(0, 60)),
    st.builds(Told, st.integers(40, 50), st.text("a <AI>用户", max_size=9), st.text("b <AI>用户", max_size=30)),
)


@examples(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    named=st.lists(NAMED, max_size=5, unique_by=lambda turn: turn.turn),
    instructions=st.text("i <AI>用户", max_size=30),
    ctx=st.sampled_from([120, 4096]),
)
def test_whatever_is_named_the_conversation_is_well_formed_and_goes_on(
    named: list[Kept | Told], instructions: str, ctx: int
) -> None:
    peer = held(ctx=ctx)
    assert peer.send(Rewrite(tuple(named), instructions)) == []
    assert len(peer.transcript) <= ctx
    found = peer.pairs  # fails where it is not well formed
    assert not any(user == "<idle>" and reply in ("", "<idle>") for user, reply in found)
    assert (peer.transcript[0], peer.transcript[-1]) == (BOS, EOS) or not found
    peer.text("and")
    assert peer.reply(" one</s>") == [Say(" one")]
    assert peer.pairs[-1] == ("and", " one")
