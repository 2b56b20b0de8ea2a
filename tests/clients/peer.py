"""A server for the client's tests: real sockets, the wire's rules, and replies that the test decides.

As the real one does, it sends a reply piece by piece, one at once and one more for every silent slice; text discards
what is left of the reply before, unless the answer to it is None: then the reply goes on. It keeps every frame it was
sent. One that `takes_drafts` agrees to be sent them, and answers none; any other would take one for words. One that
`reports` agrees to say when a slice is dealt with, and takes seeds.

`in_step` makes a conversation whose ticks come when all that was sent has been answered, as fast as that goes: then
what happens is in the same order on any machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

from clients.chat import Mode
from clients.chat_text import DRAFT, DRAFT_SUBPROTOCOL, END, IDLE, NEW_ORDINARY_SESSION, NEW_SESSION, TextChat
from clients.connection import Connection, Event, Received
from clients.conversation import Conversation, Ticker
from clients.eval_play import REPORT, REPORT_SUBPROTOCOL, SEED

STORY = [" Once upon", " a time there", " was a fox", " who lived", " in a wood.\n", " It was", " very old.\n"]


def answer(text: str) -> list[str]:
    """The pieces of the reply to a slice: nothing to an unfinished question or a stop."""
    if text.endswith("france?"):
        return [" The capital", " of France", " is Paris.\n"]
    return STORY if "story" in text else []


@dataclass
class Peer:
    """What a test sees of the server; `frames[n]` is what connection number n has sent so far."""

    answer: Callable[[str], list[str] | None] = answer
    takes_drafts: bool = False
    reports: bool = False
    mute_after: str | None = None  # with this text it stops reporting; None: it never does
    url: str = ""
    frames: list[list[str]] = field(default_factory=list)
    connections: list[ServerConnection] = field(default_factory=list)
    offered: list[list[str]] = field(default_factory=list)  # subprotocols, of each connection
    taken: int = 0  # frames that were dealt with, of all connections
    sent: int = 0
    _mute: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, happened: Callable[[Peer], bool]) -> None:
        """Waits until `happened`; asked again at every frame and connection."""
        while not happened(self):
            self.news.clear()
            await self.news.wait()

    def texts(self, connection: int = 0) -> list[str]:
        """What a connection has sent, but for silent slices and drafts."""
        return [frame for frame in self.frames[connection] if frame != IDLE and not self._is_draft(frame)]

    def drafts(self, connection: int = 0) -> list[str]:
        return [frame[len(DRAFT) :] for frame in self.frames[connection] if self._is_draft(frame)]

    def _is_draft(self, frame: str) -> bool:
        return self.takes_drafts and frame.startswith(DRAFT)

    def select(self, connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        self.offered.append(list(offered))
        taken = {DRAFT_SUBPROTOCOL: self.takes_drafts, REPORT_SUBPROTOCOL: self.reports}
        return next((one for one in offered if taken.get(one)), None)

    def _falls_mute(self, frame: str) -> bool:
        self._mute |= frame == self.mute_after
        return self._mute and self.mute_after is not None

    async def _serve(self, connection: ServerConnection) -> None:
        frames: list[str] = []
        self.frames.append(frames)
        self.connections.append(connection)
        self.news.set()
        rest: list[str] = []
        ordinary = False
        slices = 0
        async for frame in connection:
            assert isinstance(frame, str)
            frames.append(frame)
            self.news.set()
            if frame in (NEW_SESSION, NEW_ORDINARY_SESSION):
                rest, ordinary, slices = [], frame == NEW_ORDINARY_SESSION, 0
            elif not self._is_draft(frame) and not (self.reports and frame.startswith(SEED)):
                said = self.answer(frame) if frame != IDLE else None
                rest = rest if said is None else list(said)
                now, rest = ([*rest, END], []) if ordinary else (rest[:1], rest[1:])
                for piece in now:
                    if piece:
                        await connection.send(piece)
                        self.sent += 1
                slices += 1
                if self.reports and not self._falls_mute(frame):
                    await connection.send(f"{REPORT}{slices}")
            self.taken += 1


@asynccontextmanager
async def serving(peer: Peer | None = None, port: int = 0) -> AsyncIterator[Peer]:
    """A peer that listens on a free port of this machine, or on `port`."""
    peer = peer or Peer()
    server: Server
    async with serve(peer._serve, "127.0.0.1", port, select_subprotocol=peer.select) as server:
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
    def __init__(self, peer: Peer, connection: _CountingConnection, chat: TextChat) -> None:
        super().__init__(1.0)
        self._peer = peer
        self._connection = connection
        self._chat = chat
        self._taken_before = peer.taken
        self._sent_before = peer.sent

    async def wait(self) -> None:
        await asyncio.sleep(0)
        while not self._settled():
            await asyncio.sleep(0.001)

    def _settled(self) -> bool:
        taken = self._peer.taken - self._taken_before
        sent = self._peer.sent - self._sent_before
        return self._connection.sent == taken and self._connection.received == sent and not self._chat.unheard


def in_step(peer: Peer, mode: Mode = Mode.DUPLEX) -> Conversation:
    """A conversation with `peer`, for one at a time, that ticks when everything is answered."""
    connection = _CountingConnection(peer.url, patience=0, reopen=False)
    chat = TextChat(mode)
    return Conversation(chat, connection, _StepTicker(peer, connection, chat), quiet_seconds=0)
