"""A conversation with the real server that is recorded while it goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection

from clients.recording import Recorder
from tests.edge_server.serving import hear, serving


class Tape:
    """What is sent to and comes from the server goes to a recorder too."""

    def __init__(self, socket: ClientConnection, recorder: Recorder) -> None:
        self._socket = socket
        self._recorder = recorder
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    async def send(self, kind: str, **fields: object) -> None:
        event = {"type": kind, **fields}
        self._recorder.add("client", event, self._loop.time() - self._began)
        await self._socket.send(json.dumps(event))

    async def until(self, kind: str) -> dict[str, Any]:
        """The next event of this kind; there may be no error before it."""
        while True:
            event: dict[str, Any] = json.loads(await hear(self._socket))
            self._recorder.add("server", event, self._loop.time() - self._began)
            assert event["type"] != "error", event
            if event["type"] == kind:
                return event


@contextlib.asynccontextmanager
async def taping(path: Path, **duplex: Any) -> AsyncIterator[Tape]:
    """A conversation with a parrot, in slices that the test says are over; `duplex`: what else is to be set."""
    recorder = Recorder(path)
    try:
        async with serving() as served, served.realtime(max_queue=None) as socket:
            tape = Tape(socket, recorder)
            session = {"type": "realtime", "duplex": {"clock": "client", **duplex}}
            await tape.send("session.update", session=session)
            await tape.until("session.updated")
            yield tape
    finally:
        recorder.close()
