"""The chat over the JSON protocol, with the server's own state machine at the other end."""

from __future__ import annotations

import json

import pytest

from clients.chat import Flush, Hush, Mode, Press, Replied, Show, Slice, Speak, Speaker
from clients.chat_realtime import SLICE_BYTES
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


# --- words


def test_words_are_shown_where_the_server_puts_them_and_the_answer_as_it_is_sampled() -> None:
    pair = Pair()
    pair.do(pair.chat.say("hello"))
    assert pair.shown == []
    assert pair.chat.unheard == [Slice(Speaker.YOU, "hello")]
    pair.settle()
    assert pair.chat.unheard == []
    pair.engine.stream(" one")
    pair.settle()
    assert pair.lines() == ["you: hello", "assistant: one"]
    assert pair.chat.speaking
    pair.answer(" two</s>")
    assert pair.shown[1:] == [
        Slice(Speaker.ASSISTANT, " one"),
        Slice(Speaker.ASSISTANT, " two", continues=True),
    ]
    assert not pair.chat.speaking
    assert pair.chat.silent


def test_it_is_not_silent_while_the_server_may_have_more_to_say() -> None:
    pair = Pair()
    assert pair.chat.silent
    pair.do(pair.chat.say("hello"))
    assert not pair.chat.silent, "the words may be answered"
    pair.settle()
    assert not pair.chat.silent
    pair.answer(TEN)
    assert not pair.chat.silent
    pair.wait(2)
    pair.answer(" two</s>")
    assert pair.chat.silent


def test_each_slice_with_words_is_a_reply_and_begins_anew() -> None:
    pair = talking()
    pair.wait(2)
    pair.answer(" two</s>")
    pair.say("and now?")
    pair.answer("<idle>")
    assert pair.actions.count(Replied()) == 2
    assert [slice_.text for slice_ in pair.shown if slice_.speaker is Speaker.ASSISTANT and not slice_.continues] == [
        " one",
        " two",
    ]


def test_blank_words_are_not_said_and_long_ones_in_parts() -> None:
    pair = Pair()
    assert pair.chat.say("  \n ") == []
    pair.do(pair.chat.say('"' * (SLICE_BYTES + 10)))
    assert all(len(frame.encode()) <= 64 * 1024 for frame in pair.up)
    pair.settle()
    assert [len(item.text) for item in pair.server.realtime.items] == [SLICE_BYTES, 10]
    assert [len(slice_.text) for slice_ in pair.shown if slice_.speaker is Speaker.YOU] == [SLICE_BYTES, 10]


def test_what_the_assistant_says_cannot_steer_the_terminal() -> None:
    chat = Pair().chat
    event = {"type": "response.output_text.delta", "item_id": "item_000002", "delta": "a\x1b[2Jb"}
    assert chat.take(event) == [Show(Slice(Speaker.ASSISTANT, "a[2Jb"))]


# --- drafts and barge-in


def test_what_is_typed_holds_the_assistant_back_and_only_changes_are_told() -> None:
    pair = talking()
    pair.type("wait a")
    assert pair.chat.waiting
    assert pair.chat.draft("wait  a ") == [], "the same words"
    pair.type("")
    assert not pair.chat.waiting
    assert sent(pair).count("input_text_buffer.append") == 3, "hello, wait a, and nothing"


def test_words_that_the_server_has_as_the_draft_are_not_sent_again() -> None:
    pair = Pair()
    pair.type("hello there")
    pair.do(pair.chat.say("hello there"))
    assert [json.loads(frame)["type"] for frame in pair.up] == ["input_text_buffer.commit"]
    pair.settle()
    assert pair.server.pairs[0][0] == "hello there"


def test_an_interruption_cuts_the_sentence() -> None:
    pair = talking()
    pair.say("stop it")
    assert pair.lines() == ["you: hello", f"assistant:{TEN} —", "you: stop it"]
    pair.answer("<idle>")
    pair.say("what?")
    assert not pair.shown[-1].interrupts


def test_a_back_channel_is_shown_in_brackets_and_nothing_is_lost() -> None:
    pair = talking()
    pair.say("Yeah!")
    pair.wait(2)
    pair.answer(" two</s>")
    assert pair.lines() == ["you: hello", f"assistant:{TEN}", "you: (Yeah!)", "assistant: two"]
    assert pair.chat.unheard == []
    assert [text for text, _ in pair.server.pairs] == ["hello", "<idle>"]


def test_a_draft_that_stays_interrupts() -> None:
    pair = talking()
    pair.type("wel")
    pair.wait(2.1)
    assert not pair.chat.speaking
    assert not pair.chat.waiting
    assert pair.chat.silent
    pair.say("well")
    assert pair.lines()[1:] == [f"assistant:{TEN} —", "you: well"]


def test_ctrl_c_stops_the_assistant_and_says_nothing() -> None:
    pair = talking()
    assert pair.chat.press(1.0) is Press.STOP
    pair.do(pair.chat.stop())
    pair.settle()
    assert sent(pair)[-1] == "response.cancel"
    assert pair.chat.silent
    assert pair.chat.press(10.0) is Press.CLEAR
    assert pair.chat.press(10.5) is Press.LEAVE
    pair.say("go on")
    assert pair.lines()[1:] == [f"assistant:{TEN} —", "you: go on"]


def test_what_is_stopped_in_a_sentence_is_marked_at_once_and_once() -> None:
    pair = Pair()
    pair.say("hello")
    pair.engine.stream(" one")
    pair.settle()
    pair.do(pair.chat.stop())
    pair.settle()
    assert pair.lines() == ["you: hello", "assistant: one —"]
    pair.answer("")
    pair.say("go on")
    assert pair.lines() == ["you: hello", "assistant: one —", "you: go on"]
    pair.answer(" two.</s>")
    pair.do(pair.chat.stop())
    pair.settle()
    assert pair.lines()[-1] == "assistant: two."


def test_a_stop_that_crosses_the_end_is_no_trouble() -> None:
    pair = talking()
    pair.server.wait(2)
    pair.engine.answer(" two</s>")
    pair.do(pair.chat.stop())
    pair.settle()
    assert pair.server.events[-1]["error"]["code"] == "response_cancel_not_active"
    assert [slice_ for slice_ in pair.shown if slice_.speaker is Speaker.NOTE] == []
    assert pair.chat.stop() == []


# --- what was heard


def test_aloud_words_are_shown_as_they_are_heard() -> None:
    pair = talking(aloud=True)
    assert pair.lines() == ["you: hello"]
    assert pair.actions.count(Flush()) == 1
    pair.hear(8)
    assert pair.lines() == ["you: hello", "assistant: one two"]
    assert pair.server.realtime.items.last is not None
    assert pair.server.realtime.items.last.heard == 8
    assert pair.chat.heard("item_000002", 3) == [], "late"


def test_what_was_not_heard_is_never_shown_and_leaves_the_conversation() -> None:
    pair = talking(aloud=True)
    pair.hear(8)
    pair.type("no")
    assert pair.voice.waiting == [], "it is quiet while the user speaks"
    pair.say("no more")
    pair.answer("<idle>")
    assert pair.lines() == ["you: hello", "assistant: one two —", "you: no more"]
    assert pair.server.pairs[0] == ("hello", " one two")


def test_after_a_false_alarm_speech_goes_on_where_it_was() -> None:
    pair = talking(aloud=True)
    pair.hear(8)
    pair.type("y")
    assert pair.voice.waiting == []
    pair.type("")
    assert pair.voice.waiting == [Speak("item_000002", 8, TEN[8:])]
    pair.hear(100)
    assert pair.lines()[1] == f"assistant:{TEN}"


def test_a_back_channel_that_held_nothing_back_does_not_make_it_begin_again() -> None:
    pair = Pair(aloud=True)
    pair.say("hello")
    pair.type("yeah")  # before the first word
    pair.engine.stream(" one two")
    pair.settle()
    waiting = list(pair.voice.waiting)
    pair.say("yeah")
    assert pair.voice.waiting == waiting
    assert pair.lines()[-1] == "you: (yeah)"


def test_after_a_lost_connection_speech_goes_on_where_it_was_heard() -> None:
    pair = Pair(aloud=True)
    pair.say("hello")
    pair.engine.stream(" one two three")
    pair.settle()
    pair.hear(5)
    pair.lose()
    assert pair.voice.waiting == []
    pair.engine.answer(" one two</s>")
    pair.connect()
    pair.settle()
    assert "".join(speak.text for speak in pair.voice.waiting) == "two three one two"
    pair.hear(100)
    assert pair.lines()[1:] == [
        "assistant: one ", "note: Connected again: the conversation goes on.", "assistant: two three one two"
    ]  # fmt: skip
    assert not pair.chat.speaking
    reply = pair.server.realtime.items.last
    assert reply is not None
    assert reply.heard == len(reply.text)


@pytest.mark.parametrize("keys", ["stop", "type"])
def test_after_a_lost_connection_nobody_speaks_who_was_stopped_or_held_back(keys: str) -> None:
    pair = Pair(aloud=True)
    pair.say("hello")
    pair.engine.stream(" one two three")
    pair.settle()
    pair.do(pair.chat.stop() if keys == "stop" else pair.chat.draft("wait"))
    if keys == "type":
        pair.settle()
    pair.lose()
    pair.connect()
    pair.settle()
    assert pair.voice.waiting == []


def test_a_stop_cuts_a_reply_that_is_complete_and_not_heard() -> None:
    pair = Pair(aloud=True)
    pair.say("hello")
    pair.answer(" one two three</s>")
    pair.hear(4)
    assert pair.chat.speaking
    assert not pair.chat.silent
    pair.do(pair.chat.stop())
    pair.settle()
    assert pair.server.pairs == [("hello", " one")]
    assert pair.chat.silent
    assert pair.chat.heard("item_000002", 8) == []
    assert pair.chat.stop() == [Hush()]


def test_a_stop_that_crosses_the_end_of_what_is_not_heard_cuts_it_all_the_same() -> None:
    pair = Pair(aloud=True)
    pair.say("hello")
    pair.engine.stream(" one")
    pair.settle()
    pair.engine.answer(" two</s>")
    pair.do(pair.chat.stop())
    pair.settle()
    assert pair.voice.waiting == []
    assert not pair.chat.speaking
    assert pair.server.pairs == [("hello", "<idle>")]


def test_words_interrupt_a_reply_that_is_complete_and_not_heard() -> None:
    pair = Pair(aloud=True)
    pair.say("hello")
    pair.answer(" one two three</s>")
    pair.hear(4)
    pair.say("wait")
    pair.answer("<idle>")
    assert pair.lines() == ["you: hello", "assistant: one —", "you: wait"]
    assert pair.server.pairs == [("hello", " one"), ("wait", "<idle>")]


# --- turn by turn


def test_turn_by_turn_a_line_is_answered_whole() -> None:
    pair = Pair(Mode.CHAT)
    pair.say("hello")
    pair.engine.stream(" one")
    pair.settle()
    pair.answer(" two</s>")
    assert pair.lines() == ["you: hello", "assistant: one two"]
    assert pair.chat.silent
    assert pair.actions.count(Replied()) == 1
    assert pair.chat.draft("he") == []
    assert pair.chat.tick() == []


def test_turn_by_turn_a_line_interrupts_the_reply_before() -> None:
    pair = Pair(Mode.CHAT)
    pair.say("hello")
    pair.engine.stream(" one")
    pair.settle()
    pair.say("and you?")
    pair.answer("")
    pair.answer(" two</s>")
    assert pair.lines() == ["you: hello", "assistant: one —", "you: and you?", "assistant: two"]


def test_turn_by_turn_two_lines_at_once_are_both_said() -> None:
    pair = Pair(Mode.CHAT)
    pair.do([*pair.chat.say("hello"), *pair.chat.say("and you?")])
    pair.settle()
    if pair.engine.cancelled:
        pair.answer("")
    pair.answer(" two</s>")
    assert pair.lines() == ["you: hello", "you: and you?", "assistant: two"]


# --- the clock


def test_the_length_of_a_slice_is_the_servers_unless_it_is_given() -> None:
    assert Pair().chat.slice_seconds == 2.0
    assert Pair(slice_ms=500).chat.slice_seconds == 0.5


def test_a_client_that_keeps_the_clock_says_when_a_slice_is_over() -> None:
    pair = talking(client_clock=True)
    pair.wait(60)
    assert pair.engine.asked is None
    pair.do(pair.chat.tick())
    pair.settle()
    assert pair.engine.asked is not None
    assert pair.chat.slice_seconds is None, "nobody else has a say in it"
    assert Pair().chat.tick() == []
