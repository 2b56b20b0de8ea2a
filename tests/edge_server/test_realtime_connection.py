"""The JSON protocol over real WebSockets: what only shows there. The model is a parrot."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from functools import partial

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from edge_server import connection, realtime_connection
from edge_server.connection import MAX_WAITING
from edge_server.realtime import Realtime
from edge_server.realtime_log import EventLog
from tests.edge_server.realtime_clients import Caller, call, stepping
from tests.edge_server.serving import FIRST_BYTE, closed, gated, hear, serving
from tests.fakes import FakeContext

pytestmark = pytest.mark.real


class TestConnecting:
    async def test_the_session_is_said_first_without_being_asked(self) -> None:
        async with serving() as served:
            caller = await call(served, "?model=whatever")
            created = await caller.next()
            assert created["type"] == "session.created"
            assert created["session"]["model"] == "parrot"
            assert created["session"]["resume"]["window"] == 300.0
            assert len(created["session"]["resume"]["token"]) >= 32
            await caller.socket.close()

    async def test_the_protocol_that_pages_offer_is_selected_and_no_secret(self) -> None:
        async with serving() as served:
            offered = [Subprotocol("openai-insecure-api-key.x"), Subprotocol("realtime")]
            async with served.realtime(subprotocols=offered) as socket:
                assert socket.subprotocol == "realtime"
            async with served.realtime() as socket:
                assert socket.subprotocol is None

    async def test_a_page_from_elsewhere_is_refused(self) -> None:
        async with serving() as served:
            with pytest.raises(InvalidStatus) as error:
                await served.realtime(origin=Origin("http://evil.example"))
            assert error.value.response.status_code == 403
            async with served.realtime(origin=Origin("http://localhost:3000")) as socket:
                assert json.loads(await hear(socket))["type"] == "session.created"

    async def test_it_is_on_the_duplex_port_only(self) -> None:
        async with serving() as served:
            with pytest.raises(InvalidStatus) as error:
                await served.realtime(chat=True)
            assert error.value.response.status_code == 404
            assert error.value.response.body == b"there is / for WebSockets, /healthz, /metrics\n"
            with pytest.raises(InvalidStatus) as error:
                await connect(served.url() + "/v1/realtimes")
            assert error.value.response.status_code == 404
            places = b"a page at /, /v1/realtime and / for WebSockets, /healthz, /metrics"
            assert error.value.response.body == b"there is " + places + b"\n"

    async def test_an_upstream_server_has_none(self) -> None:
        async with serving(upstream=True) as served:
            with pytest.raises(InvalidStatus) as error:
                await served.realtime()
            assert error.value.response.status_code == 404

    async def test_the_text_protocol_stays_where_it_was(self) -> None:
        async with serving() as served, served.connect() as text:
            caller = await call(served)
            await text.send("hello")
            assert await hear(text) == "You said h"
            assert await caller.answer("hi") == "You said hi."
            await caller.socket.close()


class TestErrors:
    async def test_the_connection_lives_on_after_whatever_comes(self) -> None:
        async with serving() as served:
            caller = await call(served)
            await caller.until("session.created")
            for frame, code in (
                (b"\x00", "invalid_json"),
                ("rubbish", "invalid_json"),
                ("[" * 60_000, "invalid_json"),
                ('{"type": "response.cancel", "event_id": "\\ud800"}', "invalid_json"),
                ('{"type": "input_audio_buffer.append", "audio": "AAAA"}', "unsupported_event"),
                ('{"type": "session.update", "session": {"tools": [{"type": "function"}]}}', "unsupported_parameter"),
                ('{"type": "duplex.tick"}', "duplex_off"),
                ('{"type": "response.cancel"}', "response_cancel_not_active"),
                ('{"type": "conversation.item.retrieve", "item_id": "\\u0000"}', "item_not_found"),
            ):
                await caller.socket.send(frame)
                await caller.until(code)
            assert await caller.answer("hello") == "You said hello."
            await caller.socket.close()

    async def test_an_error_names_the_event_that_it_is_about_in_its_turn(self) -> None:
        async with serving() as served:
            caller = await call(served)
            await caller.send("response.cancel", event_id="first")
            await caller.send("nonsense", event_id="second")
            await caller.send("conversation.item.delete", item_id="x", event_id="third")
            errors = [(await caller.until("error"))["error"] for _ in range(3)]
            assert [error["event_id"] for error in errors] == ["first", "second", "third"]
            assert all(error["type"] == "invalid_request_error" for error in errors)
            await caller.socket.close()

    async def test_a_frame_that_is_too_big_ends_the_connection_only(self) -> None:
        async with serving() as served:
            caller = await call(served)
            await caller.socket.send("x" * 70_000)
            code, _ = await closed(caller.socket)
            assert code == 1009
            again = await call(served)
            assert await again.answer("hi") == "You said hi."
            await again.socket.close()

    async def test_a_session_that_fails_by_a_defect_says_so_and_is_closed(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def defect(self: Realtime, output: object) -> None:
            raise RuntimeError("a defect")

        async with serving() as served:
            caller = await call(served)
            await caller.until("session.created")
            with monkeypatch.context() as patched:
                patched.setattr(Realtime, "say", defect)
                await caller.ask("hello")
                error = await caller.until("server_error")
                assert error["error"]["type"] == "server_error"
                code, _ = await closed(caller.socket)
            assert code == 1011
            assert "a defect" in caplog.text
            gone = await call(served, f"?resume={caller.token}")
            code, _ = await closed(gone.socket)
            assert code == 4004


class TestWords:
    async def test_words_come_while_the_slice_is_being_made(self) -> None:
        steps, context = stepping()
        async with serving(context=context, look_ahead=False) as served:
            caller = await call(served)
            await caller.ask("hello")
            for letter in "You s":
                steps.allow(1)
                assert (await caller.until("response.output_text.delta"))["delta"] == letter
            assert served.engine.counters.tokens_decoded < 6, "the rest is not made yet"
            steps.allow_all()
            await caller.until("response.done")
            assert caller.heard == "You said hello."
            await caller.socket.close()

    async def test_nothing_of_a_cancelled_response_comes_behind_its_end(self) -> None:
        steps, context = stepping()
        async with serving(context=context, look_ahead=False) as served:
            caller = await call(served)
            await caller.ask("hello")
            steps.allow(4)
            for _ in range(4):
                await caller.until("response.output_text.delta")
            await caller.send("response.cancel")
            done = (await caller.until("response.done"))["response"]
            assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "client_cancelled")
            steps.allow_all()
            caller.events.clear()
            assert await caller.answer("bye") == "You said bye."
            assert caller.heard == "You said bye."
            assert caller.kinds[:3] == ["conversation.item.added", "conversation.item.done", "response.created"]
            await caller.socket.close()

    async def test_the_servers_clock_cuts_slices_without_any_event_of_the_clients(self) -> None:
        async with serving(lambda text: "abcdefghij" * 3) as served:
            caller = await call(served)
            await caller.duplex()
            await caller.say("count")
            done = await caller.until("response.done")
            slices = [event for event in caller.events if event["type"] == "duplex.slice"]
            assert caller.heard == "abcdefghij" * 3
            assert done["response"]["status"] == "completed"
            assert [(event["number"], event["kind"]) for event in slices[:3]] == [(n, "speech") for n in (1, 2, 3)]
            assert served.engine.counters.guesses_used >= 1, "silence was guessed ahead"
            await caller.socket.close()

    async def test_words_interrupt_over_the_wire(self) -> None:
        async with serving(lambda text: text[0] * 200) as served:
            caller = await call(served)
            await caller.duplex(back_channels=[], barge_in="commit")
            await caller.say("a")
            while len(caller.heard) < 30:
                await caller.next()
            await caller.say("b")
            done = (await caller.until("response.done"))["response"]
            assert done["status_details"]["reason"] == "turn_detected"
            before = caller.heard
            while len(caller.heard) < len(before) + 10:
                await caller.next()
            assert set(caller.heard.removeprefix(before)) == {"b"}
            await caller.send("response.cancel")
            await caller.until("response.done")
            await caller.socket.close()


class TestGuesses:
    @pytest.mark.parametrize("seed", range(4))
    async def test_whatever_was_sampled_ahead_is_told_of_once_as_used_or_as_dropped(self, seed: int) -> None:
        choose = random.Random(seed)
        async with serving(lambda text: f"You said {text}, and that is a long story to be told.") as served:
            caller = await call(served)
            await caller.duplex(clock="client", barge_in="draft" if seed % 2 else "commit")
            await caller.say("hello")
            await caller.until("duplex.slice")
            for number in range(60):
                await asyncio.sleep(choose.choice([0, 0.001, 0.004]))
                move = choose.choice(["tick", "tick", "tick", "say", "draft", "clear", "bias", "stop"])
                if move == "tick":
                    await caller.send("duplex.tick")
                elif move == "say":
                    await caller.say(f"word {number}")
                elif move == "draft":
                    await caller.send("input_text_buffer.append", text="and what", replace=True)
                elif move == "clear":
                    await caller.send("input_text_buffer.clear")
                elif move == "bias":
                    await caller.send("session.update", session={"duplex": {"idle_bias": choose.choice([0, 1])}})
                else:
                    await caller.send("conversation.item.truncate", item_id="item_000002", characters=3)
            await caller.send("session.update", session={"type": "realtime"}, event_id="last")
            await caller.read_by_the_server()
            ((live,),) = [registry._live.values() for registry in served.server._registries]
            handle, engine = live._driver._sequence, served.engine
            while handle.job is not None or (handle.prepared is not None and handle.prepared.result is None):
                await asyncio.sleep(0.005)
            for _ in range(3):  # until what the engine called is carried out
                await asyncio.sleep(0.005)
            seen = [json.loads(live.log.after(place)) for place in range(live.log.last)]
            counts = [event["tokens"] for event in seen if event["type"] == "duplex.slice"]
            untold = handle.dropped + (handle.prepared.head_start if handle.prepared else 0)
            told = sum(each["guessed"] + each["dropped"] for each in counts)
            assert told + untold == engine.counters.tokens_ahead
            assert sum(each["guessed"] for each in counts) > 0 < sum(each["dropped"] for each in counts)
            assert all(each["guessed"] <= each["sampled"] for each in counts)
            await caller.socket.close()


class TestOthers:
    async def test_a_client_that_does_not_read_is_let_go_and_harms_nobody(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(connection, "CLOSE_TIMEOUT", 0.2)
        monkeypatch.setattr(realtime_connection, "EventLog", partial(EventLog, size=200_000))
        async with serving() as served:
            slow = await served.realtime(compression=None, max_size=None, max_queue=1)
            slow.transport.pause_reading()
            caller = Caller(slow)
            await caller.create("x" * 30_000, event_id="big")
            for _ in range(400):  # 12 MB: more than sockets hold
                with contextlib.suppress(ConnectionClosed):
                    await caller.send("conversation.item.retrieve", item_id="item_000001")
            other = await call(served)
            assert await other.answer("hello") == "You said hello."
            await other.socket.close()
            for _ in range(200):
                if served.server.connections == 0:
                    break
                await asyncio.sleep(0.02)
            assert served.server.connections == 0
            assert "it does not read" in caplog.text
            slow.transport.abort()
            await slow.wait_closed()

    async def test_a_flood_of_commits_is_read_no_faster_than_it_is_dealt_with(self) -> None:
        gate, context = gated()
        async with serving(context=context) as served:
            caller = await call(served)
            await caller.duplex(barge_in="commit", back_channels=[])
            gate.shut()
            await caller.say("first")
            await asyncio.to_thread(gate.entered.wait, 30)
            for number in range(100):
                await caller.say(f"w{number}")
            other = await call(served)
            await other.until("session.created")
            (registry,) = served.server._registries
            flooded, _ = registry._live.values()
            while flooded.waiting < MAX_WAITING:
                await asyncio.sleep(0)
            await other.read_by_the_server()
            assert flooded.waiting == MAX_WAITING
            gate.open()
            assert await other.answer("hello") == "You said hello."
            await other.socket.close()
            while caller.kinds.count("input_text_buffer.committed") < 101:
                await caller.next()
            before = caller.heard
            while not (caller.heard.removeprefix(before)).endswith("w99."):
                await caller.next()
            await caller.socket.close()

    async def test_the_end_of_the_server_closes_and_forgets_all(self) -> None:
        async with serving() as served:
            caller = await call(served)
            await caller.answer("hello")
            gone = await call(served)
            await gone.answer("bye")
            gone.socket.transport.abort()
            await gone.socket.wait_closed()
        code, _ = await closed(caller.socket)
        assert code == 1001

    @pytest.mark.parametrize("seed", range(3))
    async def test_many_sessions_hear_only_their_own_words(self, seed: int) -> None:
        chance = random.Random(seed)

        async def converse(letter: str) -> None:
            caller = await call(served)
            duplex = letter in "abcd"
            if duplex:
                await caller.duplex(back_channels=[], barge_in="commit")
            for _ in range(4):
                text = letter * chance.randint(1, 9)
                if duplex:
                    await caller.say(text)
                    await caller.until("response.output_text.delta")
                else:
                    assert await caller.answer(text) == letter * 25
            assert set(caller.heard) == {letter}
            if chance.random() < 0.5:
                await caller.socket.close()
            else:
                caller.socket.transport.abort()
                await caller.socket.wait_closed()

        context = FakeContext(cells=8192, slots=8, n_vocab=FIRST_BYTE + 256)
        async with serving(lambda text: text[0] * 25, context=context) as served:
            await asyncio.gather(*(converse(letter) for letter in "abcdefgh"))
