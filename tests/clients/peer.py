"""A server for the client's tests: real sockets, the wire's rules, and replies that the test decides.

As the real one does, it sends a reply piece by piece, one at once and one more for every silent slice; text discards
what is left of the reply before. It keeps every frame it was sent.

`in_step` makes a conversation whose ticks come when all that was sent has been answered, as fast as that goes: then
what happens is in the same order on any machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from websockets.asyncio.server import Server, ServerConnection, serve

from clients.chat import END, IDLE, NEW_ORDINARY_SESSION, NEW_SESSION, Chat, Mode
from clients.connection import Connection, Event, Received
from clients.conversation import Conversation, Ticker

STORY = [" Once upon", " a time there", " was a fox", " who lived", " in a wood.\n", " It was", " very old.\n"]


def answer(text: str) -> list[str]:
    """The pieces of the reply to a slice: nothing to an unfinished question or a stop."""
    if text.endswith("france?"):
        return [" The capital", " of France", " is Paris.\n"]
    return STORY if "story" in text else []


@dataclass
class Peer:
    """What a test sees of the server; `frames[n]` is what connection number n has sent so far."""

    answer: Callable[[str], list[str]] = answer
    url: str = ""
    frames: list[list[str]] = field(default_factory=list)
    connections: list[ServerConnection] = field(default_factory=list)
    taken: int = 0  # frames that were dealt with, of all connections
    sent: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, happened: Callable[[Peer], bool]) -> None:
        """Waits until `happened`; asked again at every frame and connection."""
        while not happened(self):
            self.news.clear()
            await self.news.wait()

    def texts(self, connection: int = 0) -> list[str]:
        """What a connection has sent, but for silent slices."""
        return [frame for frame in self.frames[connection] if frame != IDLE]

    async def _serve(self, connection: ServerConnection) -> None:
        frames: list[str] = []
        self.frames.append(frames)
        self.connections.append(connection)
        self.news.set()
        rest: list[str] = []
        ordinary = False
        async for frame in connection:
            assert isinstance(frame, str)
            frames.append(frame)
            self.news.set()
            if frame in (NEW_SESSION, NEW_ORDINARY_SESSION):
                rest, ordinary = [], frame == NEW_ORDINARY_SESSION
            else:
                if frame != IDLE:
                    rest = list(self.answer(frame))
                now, rest = ([*rest, END], []) if ordinary else (rest[:1], rest[1:])
                for piece in now:
                    await connection.send(piece)
                    self.sent += 1
            self.taken += 1


@asynccontextmanager
async def serving(peer: Peer | None = None, port: int = 0) -> AsyncIterator[Peer]:
    """A peer that listens on a free port of this machine, or on `port`."""
    peer = peer or Peer()
    server: Server
    async with serve(peer._serve, "127.0.0.1", port) as server:
        peer.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield peer


class _CountingConnection(Connection):
    sent = 0
    received = 0

    def send(self, frame: str) -> None:
        super().send(frame)
        self.sent += 1

    async def run(self, deliver: Callable[[Event], None]) -> None:
        def count(event: Event) -> None:
            deliver(event)
            self.received += isinstance(event, Received)

        await super().run(count)


class _StepTicker(Ticker):
    def __init__(self, peer: Peer, connection: _CountingConnection) -> None:
        super().__init__(1.0)
        self._peer = peer
        self._connection = connection
        self._taken_before = peer.taken
        self._sent_before = peer.sent

    async def wait(self) -> None:
        await asyncio.sleep(0)
        while not self._settled():
            await asyncio.sleep(0.001)

    def _settled(self) -> bool:
        taken = self._peer.taken - self._taken_before
        sent = self._peer.sent - self._sent_before
        return self._connection.sent == taken and self._connection.received == sent


def in_step(peer: Peer, mode: Mode = Mode.DUPLEX) -> Conversation:
    """A conversation with `peer`, for one at a time, that ticks when everything is answered."""
    connection = _CountingConnection(peer.url, patience=0, reopen=False)
    return Conversation(Chat(mode), connection, _StepTicker(peer, connection), quiet_seconds=0)
