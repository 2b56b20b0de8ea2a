"""The JSON protocol without sockets, clock or model: a real session, an engine that says what the test tells it to."""

from __future__ import annotations

import json
from typing import Any

from edge_server.context import Sampling
from edge_server.conversation import Conversation
from edge_server.driver import Cost, Failure
from edge_server.events import (
    Cancel,
    Event,
    Finish,
    Generate,
    Mode,
    Prepare,
    Release,
    Rewrite,
    Sampled,
    SliceDone,
    Speak,
)
from edge_server.realtime import Realtime
from edge_server.realtime_params import About
from edge_server.realtime_wire import WireError, parse
from edge_server.session import DuplexSession
from tests.edge_server.peers import EOS, VOCABULARY, Peer, pairs, settings

ABOUT = About("sess_1", "conv_1", "toy", 7, Sampling(0.8, 0, 0.8, 0))


class Hand(Peer):
    """A driver by hand: what the session asks for is answered by the test, token by token."""

    def __init__(self, listener: Realtime, session: Conversation) -> None:
        super().__init__(session)
        self.sampling = ABOUT.sampling
        self.cost: Cost | None = None
        self.dropped = 0
        """What the next slices say that was guessed in vain."""
        self.session: Conversation = session
        self._listener = listener
        self.sampled: list[int] = []

    @property
    def busy(self) -> bool:
        """Whether a slice is being made."""
        return self.asked is not None

    def take(self, event: Event) -> None:
        """As `driver.Driver.take`; with the checks of a `Peer`."""
        if isinstance(event, Rewrite):
            self.cells = list(map(int, self.cells))  # what follows a change has to be decoded again
        self.unforeseen = isinstance(event, Speak)
        for action in self.session.receive(event):
            self._take(action)
            if not isinstance(action, (Generate, Prepare, Cancel, Release)):
                self._listener.say(action)

    def give_up(self) -> None:
        """As `driver.Driver.give_up`."""
        self.take(SliceDone((), Finish.CANCELLED))

    def fail(self, failure: Failure) -> None:
        """The engine does not answer."""
        self.asked, self.cost, self.cancelled, self.sampled = None, None, False, []
        self._listener.fail(failure)

    def stream(self, text: str) -> None:
        """The engine samples these tokens, one after the other, and is not through."""
        assert self.asked is not None, "nothing was asked for"
        for token in VOCABULARY.tokenize(text, parse_special=True):
            self.sampled.append(token)
            self.take(Sampled((token,)))

    def answer(self, text: str = "") -> None:
        """The rest of a slice: it is through, cancelled if it was, and was heard of."""
        asked = self.asked
        assert asked is not None, "nothing was asked for"
        self.stream(text)
        tokens, self.sampled = tuple(self.sampled), []
        finish = Finish.CAP if len(tokens) >= asked.max_new else Finish.STOP
        if self.cancelled:
            finish = Finish.CANCELLED
        else:
            assert len(tokens) <= asked.max_new
            assert finish is Finish.CAP or tokens[-1] in asked.stop, "a slice ends at a stop token or its cap"
        self.asked, self.cancelled = None, False
        self.cells = [*asked.tokens, *tokens[:-1]]
        self.cost = Cost(3, len(asked.tokens) - 3, len(tokens), 0, self.dropped, 0.01, 0.02)
        self.take(SliceDone(tokens, finish))
        self._listener.over()

    def finish(self, reply: str) -> None:
        """The rest of a slice, as much of a reply as fits into it."""
        assert self.asked is not None
        room = self.asked.max_new - len(self.sampled)
        tokens = [] if self.cancelled else VOCABULARY.tokenize(reply, parse_special=True)[:room]
        for token in tokens:
            self.sampled.append(token)
            self.take(Sampled((token,)))
        if not self.cancelled and len(self.sampled) < self.asked.max_new and self.sampled[-1] not in self.asked.stop:
            self.sampled.append(EOS)
        self.answer()


class Client:
    """One client: sends events, reads what it is sent, and lets time pass."""

    def __init__(self, *, duplex: dict[str, Any] | None = None, **fields: Any) -> None:
        """``duplex``: what to switch it on with; ``fields`` of the toy's settings."""
        self.now = 100.0
        self.events: list[dict[str, Any]] = []
        self.unread = 0
        self.realtime = Realtime(ABOUT, self.events.append, lambda: self.now)
        session = DuplexSession(VOCABULARY, settings(**fields), Mode.ORDINARY, ABOUT.seed, streaming=True)
        self.engine = Hand(self.realtime, session)
        self.realtime.use(self.engine)
        self.realtime.start()
        if duplex is not None:
            self.send("session.update", session={"type": "realtime", "duplex": duplex})
        self.read()

    def send(self, kind: str, **fields: Any) -> None:
        """One event, as JSON; what is wrong with it comes as an `error` event, as the connection does it."""
        try:
            self.realtime.receive(parse(json.dumps({"type": kind, **fields})))
        except WireError as error:
            fault = {"code": error.code, "message": error.message, "param": error.param, "event_id": error.event_id}
            self.events.append({"type": "error", "error": {"type": "invalid_request_error", **fault}})
        json.dumps(self.events)

    def say(self, text: str) -> None:
        """Types and commits."""
        self.send("input_text_buffer.append", text=text)
        self.send("input_text_buffer.commit")

    def ask(self, text: str) -> None:
        """An ordinary turn."""
        self.send(
            "conversation.item.create",
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]},
        )
        self.send("response.create")

    def wait(self, seconds: float) -> None:
        """Time passes; deadlines are met in order."""
        end = self.now + seconds
        while (deadline := self.realtime.deadline) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.realtime.tick()
        self.now = end

    def read(self) -> list[dict[str, Any]]:
        """What came since this was last called."""
        new = self.events[self.unread :]
        self.unread = len(self.events)
        return new

    def kinds(self) -> list[str]:
        """The types of what came since `read`; of those that came with an error, its code."""
        return [event["error"]["code"] if event["type"] == "error" else event["type"] for event in self.read()]

    def heard(self) -> str:
        """All deltas so far."""
        return "".join(event["delta"] for event in self.events if event["type"] == "response.output_text.delta")

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The session's transcript."""
        return pairs(self.engine.session.transcript)
