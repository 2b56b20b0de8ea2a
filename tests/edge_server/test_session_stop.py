"""How the assistant is stopped, asked to speak and limited, and what is told of each slice: rules 1, 5, 12 and 13 of
`session.py`.
"""

from __future__ import annotations

import pytest

from edge_server.events import (
    Cancel,
    Finish,
    Generate,
    Limit,
    Mode,
    NewSession,
    Release,
    ReplyEnd,
    Say,
    SliceDone,
    SliceKind,
    SliceOver,
    Speak,
    Stop,
    TooLong,
    Unheard,
)
from tests.edge_server.peers import TEN, VOCABULARY, Peer, duplex, greeted, speaking, turns

# --- stop


def test_a_stop_cancels_the_slice_and_keeps_what_went_out() -> None:
    peer = greeted(duplex(streaming=True))
    peer.begin(" one two")
    assert peer.send(Stop()) == [Cancel()]
    assert peer.begin(" three") == []
    assert peer.tick() == []
    assert peer.end() == []
    assert peer.pairs == [("hello", " one two")]
    assert not peer.engaged
    assert peer.tick(2) == []
    assert peer.over == [SliceOver(SliceKind.INTERRUPTED, more=False)]


def test_a_second_stop_cancels_nothing_more() -> None:
    peer = greeted(duplex())
    assert peer.send(Stop(), Stop()) == [Cancel()]


def test_a_stop_that_comes_too_late_for_the_engine_is_obeyed_all_the_same() -> None:
    peer = greeted(duplex())
    peer.send(Stop())
    assert peer.reply(TEN + "</s>") == []
    assert peer.pairs == [("hello", "<idle>")]


def test_what_is_unheard_leaves_with_the_stop() -> None:
    peer = greeted(duplex(streaming=True))
    peer.begin(" one two three")
    peer.send(Unheard(6), Stop())
    peer.end()
    assert peer.pairs == [("hello", " one two")]
    peer.text("and")
    assert peer.pairs == [("hello", " one two"), ("and", "")]


def test_a_stop_between_slices_ends_the_message_at_once() -> None:
    peer = speaking()
    peer.unheard(1)
    assert peer.send(Stop()) == []
    assert not peer.engaged
    assert peer.tick() == []
    assert peer.pairs == [("hello", TEN.removesuffix(" one"))]
    assert peer.prepared is not None
    assert peer.prepared.max_new == 0


def test_what_waits_leaves_with_the_stop() -> None:
    peer = duplex(slice_tokens=3)
    peer.text("hello")
    peer.reply(" one two wor", following="ld")
    peer.send(Stop())
    assert peer.pairs == [("hello", " one two")]
    assert peer.send(Speak()) != []
    assert peer.reply("</s>") == []


def test_a_stop_before_anything_does_nothing() -> None:
    assert duplex().send(Stop()) == []
    assert turns().send(Stop()) == []


def test_text_after_a_stop_is_answered() -> None:
    peer = greeted(duplex(streaming=True))
    peer.begin(" one")
    peer.send(Stop())
    assert peer.text("and") == []
    (generate,) = peer.end()
    assert isinstance(generate, Generate)
    assert peer.pairs == [("hello", " one"), ("and", "")]
    assert peer.engaged


def test_text_that_waited_before_a_stop_is_taken_and_not_answered() -> None:
    peer = greeted(duplex())
    peer.text("and", "then")
    assert peer.send(Stop()) == []
    assert peer.cancel() == []
    assert peer.pairs == [("hello", "<idle>"), ("and", "<idle>"), ("then", "<idle>")]
    assert peer.over == [SliceOver(SliceKind.INTERRUPTED, more=False)]
    assert not peer.engaged
    peer.text("now")
    assert peer.asked is not None


@pytest.mark.parametrize("peer", [duplex(mode=Mode.ORDINARY, streaming=True), turns(streaming=True)])
def test_in_ordinary_mode_a_stop_ends_the_reply_once(peer: Peer) -> None:
    peer.text("hello")
    peer.begin(" one")
    assert peer.send(Stop()) == [Cancel()]
    assert peer.end() == [ReplyEnd()]
    assert peer.send(Stop()) == []
    peer.text("and")
    peer.text("then")
    peer.send(Stop())
    assert peer.end() == [ReplyEnd(), ReplyEnd()]  # of what was interrupted, and of what is not answered
    assert peer.pairs[0] == ("hello", " one")


def test_a_stop_in_a_conversation_that_is_forgotten_holds_for_the_new_one() -> None:
    peer = greeted(duplex())
    peer.send(NewSession(Mode.DUPLEX, 1))
    peer.text("a")
    peer.send(Stop())
    assert peer.cancel() == [Release()]
    assert peer.pairs == [("a", "<idle>")]
    assert peer.tick() == []


# --- speak


@pytest.mark.parametrize("peer", [duplex(), duplex(mode=Mode.ORDINARY), turns(), turns(streaming=True)])
def test_the_assistant_can_be_the_first_to_speak(peer: Peer) -> None:
    (generate,) = peer.send(Speak())
    assert isinstance(generate, Generate)
    assert peer.reply(" one two</s>")[0] == Say(" one two")
    assert [reply for _, reply in peer.pairs] == [" one two"]


def test_the_assistant_can_be_asked_to_go_on() -> None:
    peer = duplex()
    peer.text("hello")
    peer.reply(" one</s>")
    (generate,) = peer.send(Speak())
    assert isinstance(generate, Generate)
    assert VOCABULARY.text(generate.tokens).endswith("<AI> one</s><用户><idle><AI>")
    assert not generate.urgent
    peer.reply(TEN + "</s>")
    assert peer.engaged


@pytest.mark.parametrize("peer", [duplex(), duplex(mode=Mode.ORDINARY), turns()])
def test_a_silent_answer_to_being_asked_leaves_nothing(peer: Peer) -> None:
    peer.send(Speak())
    peer.reply("</s>")
    assert peer.pairs == []
    assert peer.over == [SliceOver(SliceKind.SILENCE, more=False)]


@pytest.mark.parametrize("peer", [duplex(mode=Mode.ORDINARY), turns()])
def test_in_ordinary_mode_what_is_said_unasked_has_an_end(peer: Peer) -> None:
    peer.send(Speak())
    assert peer.reply("</s>") == [ReplyEnd()]


def test_being_asked_to_speak_means_nothing_while_a_slice_runs() -> None:
    peer = greeted(duplex())
    assert peer.send(Speak()) == []
    peer.send(Stop(), Speak())
    assert peer.cancel() == []


def test_unheard_words_leave_before_the_assistant_is_asked_to_go_on() -> None:
    peer = speaking()
    peer.unheard(1)
    peer.send(Speak())
    assert peer.pairs[0] == ("hello", TEN.removesuffix(" one"))


# --- the limit


def test_a_reply_has_so_many_tokens_counted_over_its_slices() -> None:
    peer = duplex(slice_tokens=6)
    peer.send(Limit(8))
    peer.text("hello")
    assert peer.asked is not None
    assert peer.asked.max_new == 6
    peer.reply(" one" * 6, following=" two")
    peer.tick()
    assert peer.asked.max_new == 2
    assert peer.reply(" two wor", following="ld") == [Say(" two wor")]
    assert peer.over == [SliceOver(SliceKind.SPEECH, more=True), SliceOver(SliceKind.LIMIT, more=False)]
    assert peer.tick() == []


@pytest.mark.parametrize("peer", [duplex(slice_tokens=3, mode=Mode.ORDINARY), turns()])
def test_in_ordinary_mode_too_and_the_next_text_counts_anew(peer: Peer) -> None:
    peer.send(Limit(4))
    for text in ("hello", "and"):
        peer.text(text)
        assert peer.asked is not None
        assert peer.asked.max_new == 3
        peer.reply(" one two three", following=" one")
        assert peer.asked.max_new == 1
        assert peer.reply(" one", following=" two") == [Say(" one"), ReplyEnd()]
        assert peer.over[-1] == SliceOver(SliceKind.LIMIT, more=False)
    peer.send(Limit(None))
    peer.text("then")
    for _ in range(5):
        assert peer.asked is not None
        assert peer.asked.max_new == 3
        peer.reply(" one two three", following=" one")


def test_a_lower_limit_ends_the_message_that_has_as_many_already() -> None:
    peer = duplex(slice_tokens=3)
    peer.text("hello")
    peer.reply(" one two wor", following="ld")
    assert peer.send(Limit(3)) == [Say(" wor")]
    assert peer.tick() == []
    assert peer.pairs == [("hello", " one two wor")]


def test_what_went_out_of_an_interrupted_slice_counts_where_the_reply_goes_on() -> None:
    for limit, left in ((8, 5), (3, None)):
        peer = greeted(duplex(ctx=64, slice_tokens=6, streaming=True))
        peer.begin(" one two three")
        peer.send(Limit(limit))
        peer.text("x" * 64)
        assert peer.end() == [TooLong()]
        peer.tick()
        assert (None if peer.asked is None else peer.asked.max_new) == left


def test_a_lower_limit_during_a_slice_makes_it_the_last() -> None:
    peer = duplex(slice_tokens=6)
    peer.text("hello")
    peer.send(Limit(2))
    peer.reply(" one" * 6, following=" two")
    assert peer.over == [SliceOver(SliceKind.LIMIT, more=False)]


def test_a_text_that_does_not_fit_begins_no_reply_of_its_own() -> None:
    peer = duplex(ctx=64, slice_tokens=6)
    peer.send(Limit(8))
    peer.text("hello")
    peer.reply(" one" * 6, following=" two")
    peer.text("x" * 64)
    peer.tick()
    assert peer.asked is not None
    assert peer.asked.max_new == 2


# --- what each slice was


@pytest.mark.parametrize(
    ("reply", "kind", "more"),
    [
        ("<idle>", SliceKind.SILENCE, True),
        (" one</s>", SliceKind.END, False),
        (TEN + "</s>", SliceKind.SPEECH, True),
        (" one<idle>", SliceKind.SPEECH, True),
        (" one" * 15, SliceKind.SPEECH, True),
        (" one", SliceKind.INTERRUPTED, False),  # the engine gave up
    ],
)
def test_each_slice_in_answer_to_text_tells_what_it_was(reply: str, kind: SliceKind, more: bool) -> None:
    peer = greeted(duplex())
    peer.reply(reply)
    assert peer.over == [SliceOver(kind, more)]
    assert peer.engaged == more


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("</s>", SliceKind.SILENCE),
        (" one</s>", SliceKind.END),
        (" one two three", SliceKind.SPEECH),
        (" one", SliceKind.INTERRUPTED),
    ],
)
def test_turn_by_turn_too(reply: str, kind: SliceKind) -> None:
    peer = greeted(turns())
    peer.reply(reply)
    assert peer.over == [SliceOver(kind, kind is SliceKind.SPEECH)]


def test_turn_by_turn_a_reply_that_the_context_ends_was_limited() -> None:
    peer = greeted(turns(ctx=24))
    while peer.asked is not None:
        peer.reply(" one two three", following=" one")
    assert peer.over[-1] == SliceOver(SliceKind.LIMIT, more=False)
    assert SliceOver(SliceKind.LIMIT, more=False) not in peer.over[:-1]


def test_what_a_slice_was_is_told_behind_its_words_and_before_what_follows() -> None:
    peer = duplex(mode=Mode.ORDINARY, streaming=True)
    peer.text("hello")
    assert peer.asked is not None
    peer.begin(" one")
    tokens = (*peer.sampled, *VOCABULARY.tokenize(" two" * 9 + "</s>", parse_special=True))
    said, over, generate = peer.session.receive(SliceDone(tokens, Finish.STOP))
    assert isinstance(said, Say)
    assert over == SliceOver(SliceKind.SPEECH, more=True)
    assert isinstance(generate, Generate)
    assert peer.session.receive(Stop()) == [Cancel()]
    assert peer.session.receive(SliceDone((), Finish.CANCELLED))[:2] == [
        SliceOver(SliceKind.INTERRUPTED, more=False),
        ReplyEnd(),
    ]


def test_of_a_conversation_that_is_forgotten_no_slice_is_told() -> None:
    peer = greeted(duplex())
    peer.new_session()
    peer.reply(TEN + "</s>")
    assert peer.over == []
