"""The chat over the JSON protocol where connections are lost and servers are none: nothing is lost or said twice."""

from __future__ import annotations

import pytest

from clients.chat import FULL_NOTE, Mode, Reconnect, Show, Slice, Speaker
from clients.chat_realtime import RealtimeChat
from tests.clients.pair import Pair

TEN = " one two three one two three one two three one"


def talking(**options: object) -> Pair:
    """The assistant is in the middle of a message, ten words of which are said."""
    pair = Pair(**options)  # type: ignore[arg-type]
    pair.say("hello")
    pair.answer(TEN)
    return pair


def sent(pair: Pair) -> list[str]:
    """The types of what the client has sent."""
    return [event["type"] for sender, event in pair.tape if sender == "client"]


# --- connections


def test_after_a_lost_connection_nothing_is_missing() -> None:
    pair = Pair()
    pair.say("hello")
    pair.engine.stream(" one")
    pair.settle()
    pair.do(pair.chat.draft("wh"))
    pair.lose()
    assert not pair.chat.listening
    assert pair.chat.say("lost?") == []
    pair.engine.answer(" two</s>")
    pair.connect()
    pair.settle()
    assert pair.chat.listening
    assert [slice_.text for slice_ in pair.shown] == [
        "hello",
        " one",
        " two",
        "Connected again: the conversation goes on.",
    ]
    assert sent(pair).count("input_text_buffer.append") == 2
    pair.say("what?")
    assert [text for text, _ in pair.server.pairs] == ["hello", "what?"]


def test_words_that_were_on_their_way_are_said_once() -> None:
    pair = Pair()
    pair.do(pair.chat.say("hello"))
    pair.lose()
    assert pair.chat.unheard == [Slice(Speaker.YOU, "hello")]
    pair.connect()
    pair.settle()
    pair.do(pair.chat.say("again"))
    while pair.up:
        pair.arrive_up()  # it came, and nothing of that is known here
    pair.lose()
    pair.connect()
    pair.settle()
    assert [slice_.text for slice_ in pair.shown if slice_.speaker is Speaker.YOU] == ["hello", "again"]
    assert [item.text for item in pair.server.realtime.items if item.role == "user"] == ["hello", "again"]


def test_a_session_that_is_gone_is_told_and_words_that_wait_are_said_in_the_next() -> None:
    pair = talking()
    pair.do(pair.chat.say("and then?"))
    pair.lose()
    refusal = {"code": "session_not_found", "message": "no", "type": "invalid_request_error", "event_id": None}
    assert pair.chat.take({"type": "error", "error": refusal}) == [Reconnect()]
    assert pair.chat.query() == ""
    pair.renew()
    pair.connect()
    pair.settle()
    assert pair.shown[-2:] == [
        Slice(Speaker.NOTE, "Connected again: that conversation is gone, and a new one begins."),
        Slice(Speaker.YOU, "and then?"),
    ]
    assert [text for text, _ in pair.server.pairs] == ["and then?"]


def test_a_new_conversation_is_another_session() -> None:
    pair = talking()
    pair.do(pair.chat.renew())
    assert pair.chat.listening, "words wait until it is there"
    assert pair.chat.say("who are you?") == []
    pair.connect()
    pair.settle()
    assert pair.lines()[2:] == ["note: A new conversation.", "you: who are you?"]
    assert [text for text, _ in pair.server.pairs] == ["who are you?"]
    assert pair.chat.status == (), "there is no slice yet"


def test_two_new_conversations_in_a_row_are_one_connection() -> None:
    pair = talking()
    pair.do(pair.chat.renew())
    pair.do(pair.chat.say("who"))
    pair.do(pair.chat.renew())
    assert pair.chat.listening
    pair.do(pair.chat.say("who are you?"))
    pair.connect()
    pair.settle()
    assert pair.lines()[2:] == [
        "note: A new conversation.",
        "you: who",
        "note: A new conversation.",
        "you: who are you?",
    ]
    assert [text for text, _ in pair.server.pairs] == ["who are you?"]
    assert sum(isinstance(action, Reconnect) for action in pair.actions) == 1


def test_a_new_conversation_without_a_connection_begins_with_the_next() -> None:
    pair = talking()
    pair.lose()
    pair.do(pair.chat.renew())
    assert "begins when the server is back" in pair.shown[-1].text
    assert pair.chat.query() == ""
    assert not pair.chat.listening


def test_words_that_never_arrived_are_shown_at_the_end() -> None:
    pair = Pair()
    pair.do(pair.chat.say("hello"))
    pair.do(pair.chat.ended())
    assert pair.lines() == ["you: hello"]
    assert pair.chat.unheard == []


# --- what goes wrong


def test_an_error_is_told_in_a_line_and_its_words_do_not_wait() -> None:
    pair = Pair()
    pair.chat.say("hello")
    (identity,) = pair.chat._pending[0].ids[-1:]
    error = {"code": "x", "message": "no\x1b[0m", "type": "invalid_request_error", "event_id": identity}
    pair.do(pair.chat.take({"type": "error", "error": error}))
    assert pair.lines() == ["note: The server says: no[0m."]
    assert pair.chat.unheard == []


def test_words_of_which_a_part_does_not_fit_are_told_once_and_below_them() -> None:
    pair = Pair()
    pair.say("word " * 11000)  # in three parts, of which the last is short
    assert [slice_.speaker.value for slice_ in pair.shown] == ["you", "you", "you", "note"]
    assert pair.shown[-1].text == FULL_NOTE
    assert pair.chat.full
    pair.say("hello")
    assert not pair.chat.full


def test_words_that_do_not_fit_are_told() -> None:
    pair = Pair()
    pair.say("a" * 5000)
    assert pair.chat.full
    assert pair.shown[-1] == Slice(Speaker.NOTE, FULL_NOTE)
    pair.say("hello")
    assert not pair.chat.full


@pytest.mark.parametrize(
    "frame",
    ["", "{", "[]", '{"type": 1}', '{"type": "response.done"}', '{"type": "duplex.slice", "more": 1}',
     '{"type": "error", "error": []}', '{"type": "response.output_text.delta", "item_id": "x", "delta": 7}',
     '{"type": "session.updated", "session": {"duplex": {"slice_ms": "2"}}}',
     '{"type": "session.updated", "session": {"duplex": {"slice_ms": 0}}}',
     '{"type": "session.updated", "session": {"duplex": {"slice_ms": 1' + "0" * 400 + "}}}", "[" * 100_000],
)  # fmt: skip
def test_rubbish_is_told_once_and_left_out(frame: str) -> None:
    pair = Pair()
    pair.do(pair.chat.hear(frame))
    assert "it may be none that this client knows" in pair.shown[-1].text
    assert pair.chat.hear(frame) == []
    pair.say("hello")
    pair.answer(" one</s>")
    assert pair.lines()[1:] == ["you: hello", "assistant: one"]


def test_events_that_are_not_known_are_left_alone() -> None:
    assert RealtimeChat(Mode.DUPLEX).hear('{"type": "rate_limits.updated"}') == []


def test_half_a_character_does_not_end_the_conversation() -> None:
    pair = Pair()
    pair.say("a\ud800b")
    assert pair.lines() == ["you: ab"]


def test_a_server_that_refuses_what_nobody_asked_for_is_not_asked_again_and_again() -> None:
    refusal = {"code": "session_not_found", "message": "no such session", "type": "invalid_request_error"}
    event = {"type": "error", "error": refusal}
    note = Show(Slice(Speaker.NOTE, "The server says: no such session."))
    assert RealtimeChat(Mode.DUPLEX).take(event) == [note], "it has no session to come back to"
    pair = talking()
    assert pair.chat.take(event) == [note], "it is there"
    pair.lose()
    assert pair.chat.take(event) == [Reconnect()]
    assert pair.chat.take(event) == [note]
