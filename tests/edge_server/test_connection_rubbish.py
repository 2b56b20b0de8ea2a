"""What a client must not send, more than a server can take, and models that fail: told, and nobody else is held up."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import ClientConnection

from edge_server import connection
from edge_server.engine import EngineError
from tests.edge_server.serving import (
    FIRST_BYTE,
    ByteVocabulary,
    Gate,
    closed,
    gated,
    hear,
    serving,
)
from tests.fakes import FakeContext

pytestmark = pytest.mark.real


class TestRubbish:
    async def test_a_binary_frame_is_refused(self) -> None:
        async with serving() as served, served.connect() as client:
            await client.send(b"\x00\x01")
            assert await closed(client) == (1003, "text frames only")

    async def test_a_frame_over_64_kib_is_refused_and_the_largest_below_is_not(self) -> None:
        async with serving() as served:
            async with served.connect() as client:
                await client.send("x" * 65537)
                code, _ = await closed(client)
                assert code == 1009
            async with served.connect() as client:
                await client.send("x" * 65536)
                assert await hear(client) == "<!too_long!>"
                await client.send("hello")  # the conversation goes on
                assert await hear(client) == "You said h"

    async def test_a_flood_of_texts_is_answered_once_and_not_kept_in_memory(self) -> None:
        gate, context = gated()
        async with serving(context=context) as served, served.connect() as client:
            gate.shut()
            await client.send("first")
            await asyncio.to_thread(gate.entered.wait, 30)
            flood = asyncio.create_task(_flood(client, 300))
            await asyncio.sleep(0.2)
            gate.open()
            await flood
            frames: list[str] = []
            while not frames or frames[-1] != "You said l":
                frames.append(await hear(client))
            assert len(frames) < 300

    async def test_a_model_that_fails_closes_the_connection_and_the_next_one_works(self) -> None:
        context = FakeContext(cells=4096, slots=4, n_vocab=FIRST_BYTE + 256, fail={2})
        async with serving(context=context) as served:
            async with served.connect() as client:
                await client.send("hello")
                code, reason = await closed(client)
                assert (code, reason) == (1011, "the model failed; the server's log says why")
            async with served.connect() as client:
                await client.send("hello")
                assert await hear(client) == "You said h"

    async def test_a_failure_while_many_texts_wait_hangs_nothing(self) -> None:
        gate = Gate()

        def fail() -> None:
            gate()
            raise EngineError("the decode call failed")

        context = FakeContext(cells=4096, slots=4, n_vocab=FIRST_BYTE + 256, on_decode=fail)
        # `serving` ends only when every connection's handler has returned.
        async with serving(context=context) as served, served.connect() as client:
            gate.shut()
            await client.send("first")
            await asyncio.to_thread(gate.entered.wait, 30)
            for number in range(3 * connection.MAX_WAITING):
                await client.send(f"{number}")
            gate.open()
            assert (await closed(client))[0] == 1011

    async def test_a_pool_without_room_is_told_at_once(self) -> None:
        context = FakeContext(cells=40, slots=4, n_vocab=FIRST_BYTE + 256)
        async with serving(context=context) as served, served.connect() as client:
            await client.send("x" * 60)
            code, reason = await closed(client)
            assert code == 1013
            assert reason is not None
            assert "--kv-cells" in reason

    async def test_a_defect_in_a_session_is_told_and_not_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> bytes:
            raise ZeroDivisionError

        async with serving() as served, served.connect() as client:
            monkeypatch.setattr(ByteVocabulary, "piece", fail)
            await client.send("hello")
            assert (await closed(client))[0] == 1011


async def _flood(client: ClientConnection, count: int) -> None:
    for number in range(count):
        await client.send("last" if number == count - 1 else f"{number}")
