"""Whatever the user does, and whenever the connection breaks off: nothing is lost, shown twice, or spoken twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clients.chat import Mode, Show, Slice, Speaker
from clients.chat_realtime import RealtimeChat
from tests.clients.pair import Pair

_WORDS = ["hello", "stop", "yeah", "one two", "uh huh", "what?", "no"]
_REPLIES = [" one", " two three", " hello", "."]
_STEPS = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(_WORDS)),
    st.tuples(st.just("type"), st.sampled_from([*_WORDS, ""])),
    st.tuples(st.just("stop"), st.none()),
    st.tuples(st.just("stream"), st.sampled_from(_REPLIES)),
    st.tuples(st.just("answer"), st.sampled_from([*_REPLIES, "<idle>"])),
    st.tuples(st.just("wait"), st.floats(0.1, 3)),
    st.tuples(st.just("up"), st.integers(1, 4)),
    st.tuples(st.just("down"), st.integers(1, 8)),
    st.tuples(st.just("hear"), st.integers(1, 12)),
    st.tuples(st.just("lose"), st.none()),
    st.tuples(st.just("connect"), st.none()),
)


def perform(pair: Pair, kind: str, value: Any, said: list[str]) -> None:
    if kind == "say":
        if pair.chat.listening:
            said.append(value)
        pair.do(pair.chat.say(value))
    elif kind == "type":
        pair.do(pair.chat.draft(value))
    elif kind == "stop":
        if pair.connected:  # a key that nothing is done about otherwise
            pair.do(pair.chat.stop())
    elif kind == "stream" and pair.engine.busy and not pair.engine.cancelled:
        if len(pair.engine.sampled) + 4 < pair.engine.asked.max_new:
            pair.engine.stream(value)
    elif kind == "answer" and pair.engine.busy:
        pair.engine.finish(value)
    elif kind == "wait":
        pair.server.wait(value)
    elif kind == "up":
        for _ in range(value):
            pair.arrive_up()
    elif kind == "down":
        for _ in range(value):
            pair.arrive_down()
    elif kind == "hear":
        for _ in range(value):
            if pair.voice.waiting:
                item, heard, _taken = pair.voice.speak(3)
                pair.do(pair.chat.heard(item, heard))
    elif kind == "lose" and pair.connected:
        pair.lose()
    elif kind == "connect" and not pair.connected:
        pair.connect()


# A back-channel that the assistant was held back for.
_BACK_CHANNEL = [
    ("say", "hello"), ("up", 4), ("stream", " one two"), ("down", 8), ("type", "yeah"), ("up", 1), ("say", "yeah"),
]  # fmt: skip


def finish(pair: Pair) -> None:
    """Connected, and all is said: the model falls silent at last."""
    if not pair.connected:
        pair.connect()
    for _ in range(60):
        pair.settle()
        while pair.engine.busy:
            pair.engine.finish("<idle>")
            pair.settle()
        if pair.voice.waiting:
            pair.hear(1000)
        pair.server.wait(3)
        pair.settle()
        if not pair.engine.busy and not pair.voice.waiting:
            return
    pytest.fail("it does not come to an end")


def assistant(pair: Pair) -> str:
    return "".join(slice_.text for slice_ in pair.shown if slice_.speaker is Speaker.ASSISTANT)


def yours(pair: Pair) -> list[str]:
    return [slice_.text for slice_ in pair.shown if slice_.speaker is Speaker.YOU]


@settings(max_examples=100, deadline=None)
@given(st.lists(_STEPS, max_size=40), st.booleans())
@example(_BACK_CHANNEL, True)
def test_nothing_is_lost_and_nothing_shown_twice(steps: list[tuple[str, Any]], aloud: bool) -> None:
    pair = Pair(aloud=aloud)
    said: list[str] = []
    for kind, value in steps:
        perform(pair, kind, value, said)
    finish(pair)
    # Every word of the user's is shown once, in order: in brackets where it was only a back-channel.
    assert [text.strip("()") for text in yours(pair)] == said
    items = [item.text for item in pair.server.realtime.items if item.role == "user"]
    assert [text for text in yours(pair) if not text.startswith("(")] == items
    # And of the assistant's all that was sent; aloud what was heard, to which the server has cut what it kept.
    if not aloud:
        assert assistant(pair) == pair.server.heard()
    else:
        kept = "".join(item.text for item in pair.server.realtime.items if item.role == "assistant")
        assert is_spread_over(kept, assistant(pair))
    assert pair.chat.unheard == []
    assert pair.chat.silent
    assert not pair.chat.speaking
    assert not pair.chat.waiting or pair.server.realtime._held_since is not None


def is_spread_over(kept: str, shown: str) -> bool:
    """Whether `kept` is `shown` with some of it left out."""
    rest = iter(shown)
    return all(character in rest for character in kept)


@settings(max_examples=50, deadline=None)
@given(st.lists(_STEPS, max_size=30))
def test_turn_by_turn_too(steps: list[tuple[str, Any]]) -> None:
    pair = Pair(Mode.CHAT)
    said: list[str] = []
    for kind, value in steps:
        perform(pair, kind, value, said)
    finish(pair)
    assert yours(pair) == said
    assert assistant(pair) == pair.server.heard()
    assert pair.chat.silent


@settings(max_examples=50, deadline=None)
@given(st.lists(_STEPS, max_size=30))
@example(_BACK_CHANNEL)
def test_what_was_recorded_shows_the_same(steps: list[tuple[str, Any]]) -> None:
    pair = Pair(aloud=True)
    for kind, value in steps:
        perform(pair, kind, value, [])
    finish(pair)
    chat = RealtimeChat(Mode.DUPLEX)
    shown: list[Slice] = []
    for sender, event in pair.tape:
        if sender == "server":
            actions = chat.take(event)
        elif event["type"] == "conversation.item.heard":
            actions = chat.heard(event["item_id"], event["characters"])
        else:
            continue
        shown += [action.slice for action in actions if isinstance(action, Show)]
    words = [slice_ for slice_ in shown if slice_.speaker is not Speaker.NOTE]
    assert [one.text for one in words if one.speaker is Speaker.YOU] == yours(pair)
    assert "".join(one.text for one in words if one.speaker is Speaker.ASSISTANT) == assistant(pair)
