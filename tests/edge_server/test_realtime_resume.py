"""A connection that is lost, and the session that is come back to: nothing is lost, said twice or prefilled again."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import random
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from edge_server import realtime_connection
from edge_server.connection import close_or_abort
from edge_server.realtime_connection import Live
from tests.edge_server.realtime_clients import PATIENCE, Caller, call, stepping
from tests.edge_server.serving import Served, closed, hear, serving

pytestmark = pytest.mark.real


async def becomes(true: Callable[[], bool]) -> None:
    async def poll() -> None:
        while not true():
            await asyncio.sleep(0.002)

    await asyncio.wait_for(poll(), PATIENCE)


async def cut(served: Served, caller: Caller) -> None:
    """The client loses its connection, and the server has noticed."""
    left = served.server.connections - 1
    caller.socket.transport.abort()
    await caller.socket.wait_closed()
    await becomes(lambda: served.server.connections <= left)


async def back(served: Served, caller: Caller) -> Caller:
    """The same client, on another connection."""
    again = await call(served, f"?resume={caller.token}&after={caller.last}", after=len(caller.events))
    again.events = caller.events
    return again


async def refused(served: Served, query: str) -> None:
    """The session is not there any more, which is said as an event and as a close code."""
    async with served.realtime(query) as socket:
        error = json.loads(await hear(socket))
        assert (error["type"], error["error"]["code"], error["error"]["param"]) == (
            *("error", "session_not_found"),
            "resume",
        )
        code, _ = await closed(socket)
        assert code == 4004


def lives(served: Served) -> list[Live]:
    (registry,) = served.server._registries
    return list(registry._live.values())


def decoded_once(served: Served) -> bool:
    """Whether nothing that the cache of the one session holds was ever decoded again."""
    places = [
        (slot, place) for slot, start, tokens in served.context.decoded for place in range(start, start + len(tokens))
    ]
    return 0 < len(places) == len(set(places))


class TestComingBack:
    async def test_what_was_missed_comes_in_order_and_then_what_goes_on(self) -> None:
        steps, context = stepping()
        async with serving(context=context, look_ahead=False) as served:
            caller = await call(served)
            await caller.ask("hello")
            await caller.send("session.update", session={"type": "realtime"}, event_id="my last")
            await caller.until("session.updated")
            steps.allow(4)
            while caller.heard != "You ":
                await caller.next()
            await cut(served, caller)
            steps.allow(4)
            (live,) = lives(served)
            await becomes(lambda: live.log.last >= len(caller.events) + 4)
            caller = await back(served, caller)
            resumed = await caller.until("session.resumed")
            assert caller.heard == "You said"
            assert resumed["last_client_event_id"] == "my last"
            assert resumed["session"] == caller.events[0]["session"]
            steps.allow_all()
            done = await caller.until("response.done")
            assert caller.heard == "You said hello."
            assert done["response"]["output"][0]["content"][0]["text"] == "You said hello."
            assert decoded_once(served), "nothing is prefilled again"
            await caller.socket.close()

    async def test_one_that_knows_nothing_any_more_is_told_all_from_the_beginning(self) -> None:
        async with serving(lambda _: "One two three four five six seven.") as served:
            caller = await call(served)
            await caller.duplex(heard="reported", slice_ms=10_000)
            await caller.say("hello")
            said = await caller.until("duplex.slice")
            item = said["item_id"]
            await caller.send("conversation.item.heard", item_id=item, characters=5)
            await caller.send("input_text_buffer.append", text="uh")
            await caller.until("duplex.barge_in")
            await cut(served, caller)
            again = await call(served, f"?resume={caller.token}&connection=mine")
            resumed = await again.until("session.resumed")
            assert again.events[: len(caller.events)] == caller.events, "the same ids, and the same times"
            assert (resumed["connection"], resumed["draft"]) == ("mine", "uh")
            assert (resumed["item_id"], resumed["characters"]) == (item, 5)
            assert resumed["response_id"] == "resp_000001"
            await again.socket.close()

    async def test_events_of_duplex_say_when_they_were_and_others_are_as_the_api_has_them(self) -> None:
        async with serving() as served:
            caller = await call(served)
            await caller.send("session.update", session={"instructions": "Be brief."})
            assert "at_ms" not in await caller.until("session.updated")
            assert "at_ms" not in caller.events[0]
            await caller.duplex()
            await caller.say("hello")
            await caller.until("response.done")
            begun = next(place for place, event in enumerate(caller.events) if "at_ms" in event)
            assert caller.events[begun]["session"]["duplex"] is not None
            times = [event["at_ms"] for event in caller.events[begun:]]
            assert times == sorted(times)
            (live,) = lives(served)
            assert times[-1] - times[0] >= 200, "a slice passed"
            assert times[-1] <= (asyncio.get_running_loop().time() - live._began) * 1000 + 1
            await caller.socket.close()

    async def test_others_have_their_turns_while_many_events_come_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sent = 0
        send = ServerConnection.send

        async def counted(*args: Any) -> None:
            nonlocal sent
            sent += 1
            await send(*args)

        async def turns() -> int:
            """The most events that were sent between two turns of this task."""
            most = before = 0
            while sent < 1000:
                await asyncio.sleep(0)
                most, before = max(most, sent - before), sent
            return most

        async with serving() as served:
            caller = await call(served)
            await caller.answer("hello")
            (live,) = lives(served)
            for _ in range(1000):
                live.log.append({"type": "x"})
            await cut(served, caller)
            monkeypatch.setattr(ServerConnection, "send", counted)
            other = asyncio.create_task(turns())
            again = await call(served, f"?resume={caller.token}")
            assert await other == 1
            await again.socket.close()

    async def test_an_answer_to_an_earlier_connection_is_told_from_one_to_this(self) -> None:
        async with serving() as served:
            caller = await call(served)
            await caller.answer("hello")
            await cut(served, caller)
            lost = await call(served, f"?resume={caller.token}&after={caller.last}&connection=1", after=caller._last)
            await cut(served, lost)  # nothing of what it was sent was read
            long = "x" * 100
            again = await call(
                served, f"?resume={caller.token}&after={caller.last}&connection={long}", after=caller._last
            )
            names = [(await again.until("session.resumed"))["connection"] for _ in range(2)]
            assert names == ["1", "x" * 64]
            await again.socket.close()

    async def test_turns_before_and_behind_a_loss_are_not_decoded_again(self) -> None:
        async with serving(look_ahead=False) as served:
            caller = await call(served)
            for words in ("hello", "and you?", "bye"):
                assert await caller.answer(words) == f"You said {words}."
                await cut(served, caller)
                caller = await back(served, caller)
                await caller.until("session.resumed")
            usage = caller.events[-2]["response"]["usage"]
            assert usage["input_token_details"]["cached_tokens"] > usage["input_tokens"] / 2
            assert served.engine.counters.tokens_decoded_twice == 0
            await caller.socket.close()

    async def test_without_the_last_event_all_come_again(self) -> None:
        async with serving() as served:
            caller = await call(served)
            await caller.answer("hello")
            await cut(served, caller)
            again = await call(served, f"?resume={caller.token}")
            await again.until("session.resumed")
            assert again.events[:-1] == caller.events
            await again.socket.close()

    async def test_slices_stand_still_while_nobody_listens(self) -> None:
        async with serving(lambda text: "abcdefghij" * 3) as served:
            caller = await call(served)
            await caller.duplex()
            await caller.say("count")
            await caller.until("duplex.slice")
            (live,) = lives(served)
            assert live.realtime.deadline is not None
            await cut(served, caller)
            assert live.realtime.deadline is None
            assert live._timer is None
            caller = await back(served, caller)
            await caller.until("session.resumed")
            assert live.realtime.deadline is not None
            await caller.until("response.done")
            assert caller.heard == "abcdefghij" * 3
            await caller.socket.close()

    @pytest.mark.parametrize("seed", range(3))
    async def test_a_line_that_breaks_anywhere_again_and_again(self, seed: int) -> None:
        chance = random.Random(seed)
        text = "".join(map(str, range(30 if seed % 2 else 80)))
        async with serving(lambda _: text) as served:
            caller = await call(served)
            if seed % 2:
                await caller.duplex()
                await caller.say("count")
            else:
                await caller.ask("count")
            breaks = 0
            while "response.done" not in caller.kinds:
                for _ in range(chance.randint(1, 40)):
                    if (await caller.next())["type"] == "response.done":
                        break
                if chance.random() < 0.7 and breaks < 12:
                    breaks += 1
                    await cut(served, caller)
                    caller = await back(served, caller)
            assert caller.heard == text
            assert [event["event_id"] for event in caller.events] == [
                f"event_{number:08d}" for number in range(1, len(caller.events) + 1)
            ]
            await caller.socket.close()


class TestTakingOver:
    async def test_the_newer_connection_has_the_session_and_the_older_is_told(self) -> None:
        async with serving() as served:
            older = await call(served)
            await older.answer("hello")
            newer = await back(served, older)
            await newer.until("session.resumed")
            with contextlib.suppress(ConnectionClosed):
                await older.create("late", event_id="late")
            code, _ = await closed(older.socket)
            assert code == 4001
            assert [live.last_client_event for live in lives(served)] == [None], "nothing more was read of the older"
            assert await newer.answer("bye") == "You said bye."
            await newer.socket.close()

    async def test_frames_of_the_older_are_not_carried_out_behind_the_resumption(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The client was told which of its events had come until then, and sends the others again."""
        goes = asyncio.Event()

        async def late(socket: ServerConnection, code: int, reason: str) -> None:
            await goes.wait()
            await close_or_abort(socket, code, reason)

        monkeypatch.setattr(realtime_connection, "close_or_abort", late)
        async with serving() as served:
            older = await call(served)
            await older.answer("hello")
            await older.send("response.cancel", event_id="in time")
            await older.until("response_cancel_not_active")
            newer = await back(served, older)
            resumed = await newer.until("session.resumed")
            assert resumed["last_client_event_id"] == "in time"
            await older.create("twice", event_id="late")
            await older.read_by_the_server()
            await newer.create("once", event_id="late")
            await newer.until("conversation.item.done")
            assert len(list(lives(served)[0].realtime.items)) == 3
            goes.set()
            assert (await closed(older.socket))[0] == 4001
            await newer.socket.close()

    async def test_sessions_can_be_taken_over_any_number_of_times(self) -> None:
        async with serving() as served:
            callers = [await call(served)]
            await callers[0].answer("hello")
            for _ in range(5):
                callers.append(await back(served, callers[-1]))
                await callers[-1].until("session.resumed")
            assert len(lives(served)) == 1
            assert await callers[-1].answer("bye") == "You said bye."
            for caller in callers[:-1]:
                assert (await closed(caller.socket))[0] == 4001
            await callers[-1].socket.close()


class TestWhatIsGone:
    @pytest.mark.parametrize("query", ["?resume=unknown", "?resume=", "?resume=unknown&after=event_00000001"])
    async def test_a_token_that_is_none(self, query: str) -> None:
        async with serving() as served:
            await refused(served, query)
            assert lives(served) == []

    @pytest.mark.parametrize("after", ["event_00000099", "event_1", "", "mine", "event_" + "9" * 30])
    async def test_an_event_that_never_was_and_the_session_is_still_there(self, after: str) -> None:
        async with serving() as served:
            caller = await call(served)
            await caller.answer("hello")
            await cut(served, caller)
            await refused(served, f"?resume={caller.token}&after={after}")
            caller = await back(served, caller)
            await caller.until("session.resumed")
            await refused(served, f"?resume={caller.token}&after={after}")
            assert await caller.answer("bye") == "You said bye.", "and who is connected notices nothing"
            await caller.socket.close()

    async def test_events_that_were_too_many_to_be_kept(self) -> None:
        async with serving() as served:
            caller = await call(served)
            await caller.answer("hello")
            (live,) = lives(served)
            live.log._events = 4
            await caller.send("session.update", session={})
            await caller.until("session.updated")
            await cut(served, caller)
            await refused(served, f"?resume={caller.token}&after=event_00000001")
            caller = await back(served, caller)
            await caller.until("session.resumed")
            await caller.socket.close()

    async def test_an_ordinary_end_ends_the_session(self) -> None:
        async with serving() as served:
            caller = await call(served)
            await caller.answer("hello")
            await caller.socket.close()
            await becomes(lambda: served.context.used == 0)
            await refused(served, f"?resume={caller.token}&after={caller.last}")

    async def test_an_end_without_a_code_is_an_ordinary_one(self) -> None:
        async with serving() as served:
            caller = await call(served)
            await caller.answer("hello")
            caller.socket.transport.write(b"\x88\x80\0\0\0\0")  # as `close()` in pages
            await closed(caller.socket)
            await becomes(lambda: lives(served) == [])
            await refused(served, f"?resume={caller.token}")

    async def test_a_page_that_is_left_can_come_back(self) -> None:
        async with serving() as served:
            caller = await call(served)
            await caller.answer("hello")
            await caller.socket.close(1001)
            caller = await back(served, caller)
            await caller.until("session.resumed")
            await caller.socket.close()

    async def test_when_the_window_ends_everything_is_given_back(self) -> None:
        async with serving(resume_window=0.01) as served:
            caller = await call(served)
            await caller.answer("hello")
            assert served.context.used > 0
            await cut(served, caller)
            await becomes(lambda: lives(served) == [])
            await becomes(lambda: served.context.used == 0)
            await refused(served, f"?resume={caller.token}&after={caller.last}")

    async def test_without_a_window_nothing_is_kept(self) -> None:
        async with serving(resume_window=0) as served:
            caller = await call(served)
            await caller.answer("hello")
            await cut(served, caller)
            assert lives(served) == []
            await becomes(lambda: served.context.used == 0)
            await refused(served, f"?resume={caller.token}&after={caller.last}")

    async def test_who_comes_back_in_time_has_a_window_of_its_own_again(self) -> None:
        async with serving() as served:
            caller = await call(served)
            await caller.answer("hello")
            (registry,) = served.server._registries
            for _ in range(3):
                await cut(served, caller)
                assert len(registry._leaving) == 1
                caller = await back(served, caller)
                await caller.until("session.resumed")
                assert registry._leaving == {}
            await caller.socket.close()

    async def test_who_came_back_is_not_forgotten_when_the_window_of_before_ends(self) -> None:
        async with serving(resume_window=0.3) as served:
            caller = await call(served)
            await caller.answer("hello")
            await cut(served, caller)
            caller = await back(served, caller)
            await caller.until("session.resumed")
            await asyncio.sleep(0.5)
            assert await caller.answer("bye") == "You said bye."
            await caller.socket.close()

    async def test_asking_in_vain_for_events_of_it_does_not_lengthen_its_window(self) -> None:
        async with serving(resume_window=60) as served:
            callers = [await call(served) for _ in range(2)]
            for caller in callers:
                await caller.answer("hello")
            first, second = lives(served)
            for caller in callers:
                await cut(served, caller)
            (registry,) = served.server._registries
            ends = [timer.when() for timer in registry._leaving.values()]
            await refused(served, f"?resume={first.token}&after=event_99999999")
            assert list(registry._leaving) == [first, second]
            assert [timer.when() for timer in registry._leaving.values()] == ends
            assert not any(timer.cancelled() for timer in registry._leaving.values())

    async def test_what_is_forgotten_early_is_not_kept_until_its_window_ends(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(realtime_connection, "MAX_DETACHED", 0)
        async with serving() as served:
            caller = await call(served)
            await caller.answer("hello")
            (live,) = map(weakref.ref, lives(served))
            await cut(served, caller)
            await becomes(lambda: served.context.used == 0)
            gc.collect()
            assert live() is None

    async def test_the_clock_of_a_session_that_has_ended_does_not_strike(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with serving(lambda _: "One two three four five six seven.") as served:
            caller = await call(served)
            await caller.duplex(slice_ms=200)
            await caller.say("hello")
            await caller.until("duplex.slice")
            (live,) = lives(served)
            ticks: list[None] = []
            live.realtime.tick = lambda: ticks.append(None)  # type: ignore[method-assign]
            live.listen(listening=True)  # winds the clock
            await caller.socket.close()
            await becomes(lambda: lives(served) == [])
            await asyncio.sleep(0.3)
            assert ticks == []
            assert caplog.records == []

    async def test_the_clock_strikes_once_a_slice_however_often_it_is_wound(self) -> None:
        async with serving(lambda _: "One two three four five six seven.") as served:
            caller = await call(served)
            await caller.duplex(slice_ms=200)
            await caller.say("hello")
            await caller.until("duplex.slice")
            (live,) = lives(served)
            ticks: list[None] = []
            live.realtime.tick = lambda: ticks.append(None)  # type: ignore[method-assign]
            for _ in range(5):
                await caller.send("conversation.item.heard", item_id="item_000002", characters=1)
            await caller.read_by_the_server()
            timer = live._timer
            assert timer is not None
            scheduled = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
            assert [each for each in scheduled if each.when() == timer.when() and not each.cancelled()] == [timer]
            await caller.socket.close()

    async def test_their_events_have_so_much_room_together_and_the_oldest_goes(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with serving() as served:
            callers = [await call(served) for _ in range(4)]
            for caller in callers:
                await caller.answer("hello")
            live, *_ = lives(served)
            size = sum(len(live.log.after(number).encode()) for number in range(live.log.last))
            assert {live.log.size for live in lives(served)} == {size}
            monkeypatch.setattr(realtime_connection, "MAX_DETACHED_BYTES", 2 * size)
            for caller in callers[:3]:
                await cut(served, caller)
            assert len(lives(served)) == 3
            await refused(served, f"?resume={callers[0].token}")
            assert await callers[3].answer("bye") == "You said bye.", "who is connected is none of them"
            monkeypatch.setattr(realtime_connection, "MAX_DETACHED_BYTES", 1)
            await cut(served, callers[3])
            assert lives(served) == [], "also one that is alone too large"

    async def test_of_too_many_that_nobody_is_connected_to_the_oldest_goes(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(realtime_connection, "MAX_DETACHED", 2)
        async with serving() as served:
            callers = [await call(served) for _ in range(4)]
            for caller in callers:
                await caller.answer("hello")
            for caller in callers[:3]:
                await cut(served, caller)
            await refused(served, f"?resume={callers[0].token}")
            assert await callers[3].answer("bye") == "You said bye.", "who is connected is none of them"
            for caller in callers[1:3]:
                again = await back(served, caller)
                await again.until("session.resumed")
                await again.socket.close()
            await callers[3].socket.close()
