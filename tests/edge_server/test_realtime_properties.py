"""What holds in the JSON protocol whatever comes, in whatever order: a client keeps its own books and compares.

The books are made of the events alone, as a real client would; after every step they must agree with what the session
has in its transcript, which is what the model sees.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from edge_server.driver import Failure
from tests.edge_server.realtime_peers import Client

REPLIES = (
    "<idle>",
    "</s>",
    " one</s>",
    " one two<idle>",
    " one two three one two three",
    " one 我你好</s>",
    "\n\n idle</s>",
    "ïve 😀 na😀",
)
ITEMS = ("last", "first", "newest reply", "nobody")
CHANGES: tuple[dict[str, Any], ...] = (
    {"heard": "reported"},
    {"heard": "assumed"},
    {"barge_in": "commit"},
    {"barge_in": "draft"},
    {"commit": "slices"},
    {"slice_ms": 500, "false_alarm_ms": 0},
    {"idle_bias": 2.0},
    {"clock": "client"},
    {"clock": "server"},
)

step = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(["hello", "the dog", "yeah", "我", "x" * 30])),
    st.tuples(st.just("draft"), st.sampled_from(["u", "hello the", "", "  "])),
    st.tuples(st.just("clear")),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 1.0, 2.0, 2.0, 5.0])),
    st.tuples(st.just("stream"), st.integers(1, 3)),
    st.tuples(st.just("answer"), st.sampled_from(REPLIES)),
    st.tuples(st.just("answer"), st.sampled_from(REPLIES)),
    st.tuples(st.just("heard"), st.sampled_from(ITEMS), st.integers(0, 20)),
    st.tuples(st.just("truncate"), st.sampled_from(ITEMS), st.integers(0, 20)),
    st.tuples(st.just("delete"), st.sampled_from(ITEMS)),
    st.tuples(st.just("create"), st.sampled_from(["user", "assistant"]), st.sampled_from(["root", None])),
    st.tuples(st.just("respond")),
    st.tuples(st.just("cancel")),
    st.tuples(st.just("instruct"), st.sampled_from(["", "Be brief"])),
    st.tuples(st.just("limit"), st.sampled_from([1, 4, "inf"])),
    st.tuples(st.just("change"), st.sampled_from(CHANGES)),
    st.tuples(st.just("tick")),
    st.tuples(st.just("fail")),
)
scripts = st.lists(step, min_size=10, max_size=40)
kinds = st.sampled_from(
    [
        None,
        {},
        {"heard": "reported"},
        {"heard": "reported", "barge_in": "commit"},
        {"commit": "slices", "false_alarm_ms": 1000},
        {"false_alarm_ms": 0, "back_channels": []},
    ]
)


class Books(Client):
    """A client that believes the events only."""

    def __init__(self, duplex: dict[str, Any] | None) -> None:
        super().__init__(duplex=duplex, slice_tokens=6, ctx=4096)
        self.texts: dict[str, str] = {}  # of every item that was added and not deleted
        self.open: str | None = None  # the response that is being made
        self.ended: set[str] = set()
        self.seen = 0

    def play(self, move: tuple[Any, ...]) -> None:
        """One step, and everything that must hold behind it."""
        name, *values = move
        getattr(self, f"_{name}")(*values)
        self.check()

    def settle(self) -> None:
        """The engine says nothing more, until nothing is asked for and nobody is held back."""
        self._change({"clock": "server"})
        for _ in range(40):
            if self.engine.asked is not None:
                self.engine.answer("" if self.engine.cancelled else "</s>")
            elif self.realtime.deadline is not None:
                self.wait(30)
        self.check()
        assert self.engine.asked is None
        assert self.open is None

    def _say(self, text: str) -> None:
        if self.realtime.describe()["duplex"] is None:
            self.ask(text)
        else:
            self.say(text)

    def _draft(self, text: str) -> None:
        self.send("input_text_buffer.append", text=text, replace=True)

    def _clear(self) -> None:
        self.send("input_text_buffer.clear")

    def _wait(self, seconds: float) -> None:
        self.wait(seconds)

    def _stream(self, tokens: int) -> None:
        asked = self.engine.asked
        if asked is not None and len(self.engine.sampled) + tokens < asked.max_new:
            self.engine.stream(" one" * tokens)

    def _answer(self, reply: str) -> None:
        asked = self.engine.asked
        if asked is not None:
            self.engine.finish(reply)

    def _heard(self, which: str, characters: int) -> None:
        self.send("conversation.item.heard", item_id=self._item(which), characters=characters)

    def _truncate(self, which: str, characters: int) -> None:
        self.send("conversation.item.truncate", item_id=self._item(which), characters=characters)

    def _delete(self, which: str) -> None:
        self.send("conversation.item.delete", item_id=self._item(which))

    def _create(self, role: str, after: str | None) -> None:
        kind = "input_text" if role == "user" else "output_text"
        item = {"type": "message", "role": role, "content": [{"type": kind, "text": "the dog"}]}
        self.send("conversation.item.create", item=item, previous_item_id=after)

    def _respond(self) -> None:
        self.send("response.create")

    def _cancel(self) -> None:
        self.send("response.cancel")

    def _instruct(self, instructions: str) -> None:
        self.send("session.update", session={"type": "realtime", "instructions": instructions})

    def _limit(self, limit: int | str) -> None:
        self.send("session.update", session={"type": "realtime", "max_output_tokens": limit})

    def _change(self, duplex: dict[str, Any]) -> None:
        if self.realtime.describe()["duplex"] is not None:
            self.send("session.update", session={"type": "realtime", "duplex": duplex})

    def _tick(self) -> None:
        self.send("duplex.tick")

    def _fail(self) -> None:
        if self.engine.asked is not None:
            self.engine.fail(Failure.BUSY)

    def _item(self, which: str) -> str:
        ids = list(self.texts)
        if not ids or which == "nobody":
            return "nobody"
        if which == "newest reply":
            replies = [item.id for item in self.realtime.items if item.role == "assistant"]
            return replies[-1] if replies else "nobody"
        return ids[-1] if which == "last" else ids[0]

    def check(self) -> None:
        """The events are well formed, and the books agree with the session."""
        for event in self.events[self.seen :]:
            self._enter(event)
        self.seen = len(self.events)
        assert {item.id: item.text for item in self.realtime.items} == self.texts
        if self.engine.asked is None and not self.realtime.unsettled:
            for item in self.realtime.items:
                if item.role == "assistant" and item.turn is not None and item.keep is None:
                    held = self.engine.session.reply(item.turn)
                    assert held is None or held.startswith(item.text)
                    assert held is None or held == item.text or self.realtime.deadline is not None

    def _enter(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "response.created":
            assert self.open is None, "two responses at once"
            self.open = event["response"]["id"]
            assert self.open not in self.ended
        elif kind == "response.done":
            assert event["response"]["id"] == self.open
            self.ended.add(event["response"]["id"])
            self.open = None
            for item in event["response"]["output"]:
                assert item["content"][0]["text"] == self.texts[item["id"]]
        elif kind.startswith("response."):
            assert event["response_id"] == self.open, "an event of a response that is not being made"
        if kind == "response.output_text.delta":
            assert event["delta"]
            self.texts[event["item_id"]] += event["delta"]
        elif kind == "conversation.item.added":
            assert event["item"]["id"] not in self.texts
            self.texts[event["item"]["id"]] = "".join(part["text"] for part in event["item"]["content"])
        elif kind == "conversation.item.deleted":
            del self.texts[event["item_id"]]
        elif kind == "conversation.item.truncated":
            assert self.texts[event["item_id"]].startswith(event["text"])
            self.texts[event["item_id"]] = event["text"]


@examples(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(duplex=kinds, script=scripts)
def test_the_clients_books_and_the_sessions_transcript_agree(
    duplex: dict[str, Any] | None, script: list[tuple[Any, ...]]
) -> None:
    books = Books(duplex)
    for move in script:
        books.play(move)
    books.settle()
