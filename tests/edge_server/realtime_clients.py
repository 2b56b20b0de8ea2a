"""A client of `/v1/realtime` over a real WebSocket; it holds of every event that its number is the next one."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection

from tests.edge_server.serving import FIRST_BYTE, Served, all_read, parrot
from tests.fakes import FakeContext

PATIENCE = 20  # seconds; nothing but a failure takes so long


class Caller:
    """Sends events and reads what it is sent. ``events``: all that came, but refusals of a resumption."""

    def __init__(self, socket: ClientConnection, *, after: int = 0) -> None:
        """``after``: the number of the newest event that an earlier connection brought."""
        self.socket = socket
        self.events: list[dict[str, Any]] = []
        self._last = after

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def next(self) -> dict[str, Any]:
        """The next event."""
        frame = await asyncio.wait_for(self.socket.recv(), PATIENCE)
        assert isinstance(frame, str)
        event: dict[str, Any] = json.loads(frame)
        self._last += 1
        assert event["event_id"] == f"event_{self._last:08d}", "events are numbered without gaps"
        self.events.append(event)
        return event

    async def until(self, kind: str) -> dict[str, Any]:
        """The next event of a type; of an error, its code is one too."""
        while True:
            event = await self.next()
            if kind in (event["type"], event.get("error", {}).get("code")):
                return event
            assert event["type"] != "error", event["error"]

    async def duplex(self, **duplex: Any) -> None:
        await self.send("session.update", session={"type": "realtime", "duplex": {"slice_ms": 200, **duplex}})
        await self.until("session.updated")

    async def create(self, text: str, role: str = "user", **fields: Any) -> None:
        kind = "input_text" if role == "user" else "output_text"
        item = {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
        await self.send("conversation.item.create", item=item, **fields)

    async def ask(self, text: str) -> None:
        """An ordinary turn."""
        await self.create(text)
        await self.send("response.create")

    async def say(self, text: str) -> None:
        """Types and commits."""
        await self.send("input_text_buffer.append", text=text)
        await self.send("input_text_buffer.commit")

    async def answer(self, text: str) -> str:
        """What is replied to an ordinary turn."""
        await self.ask(text)
        return str((await self.until("response.done"))["response"]["output"][0]["content"][0]["text"])

    async def read_by_the_server(self) -> None:
        """Until the server has carried out all that was sent."""
        await all_read(self.socket)

    @property
    def heard(self) -> str:
        """All deltas."""
        return "".join(event["delta"] for event in self.events if event["type"] == "response.output_text.delta")

    @property
    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def token(self) -> str:
        """What the session is resumed by."""
        created = self.events[0]
        assert created["type"] in ("session.created", "session.resumed")
        return str(created["session"]["resume"]["token"])

    @property
    def last(self) -> str:
        """The id of the newest event."""
        return f"event_{self._last:08d}"


async def call(served: Served, query: str = "", *, after: int = 0) -> Caller:
    """A connection; the caller closes it, or the server does."""
    socket = await served.realtime(query, max_queue=None)  # else who has not read all waits long for its own end
    return Caller(socket, after=after)


class Steps:
    """A parrot that says only so many bytes: `FakeContext.reply`."""

    def __init__(self, answer: Callable[[str], str]) -> None:
        self._reply = parrot(answer)
        self._permits = threading.Semaphore(0)
        self._all = threading.Event()

    def __call__(self, tokens: tuple[int, ...]) -> int:
        if not self._all.is_set():
            assert self._permits.acquire(timeout=PATIENCE)
        return self._reply(tokens)

    def allow(self, tokens: int) -> None:
        for _ in range(tokens):
            self._permits.release()

    def allow_all(self) -> None:
        self._all.set()
        self._permits.release()


def stepping(answer: Callable[[str], str] = lambda text: f"You said {text}.") -> tuple[Steps, FakeContext]:
    """A model that samples only as many tokens as it is allowed to; with `serving(look_ahead=False)` no guesses."""
    steps = Steps(answer)
    return steps, FakeContext(cells=4096, slots=4, n_vocab=FIRST_BYTE + 256, reply=steps)
