"""The connection reaches a server or says why not, in one line; it comes back, and gives up where it is told to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from clients import connection as connection_module
from clients.chat_text import DRAFT_SUBPROTOCOL
from clients.connection import (
    LONGEST_DELAY,
    Connection,
    Event,
    Lost,
    Opened,
    Passed,
    Received,
    UrlError,
    check_url,
    delay_before,
    public_url,
)
from tests.clients.peer import Peer, serving
from tests.clients.properties import a_few


@pytest.mark.parametrize(
    "url",
    ["ws://localhost:8765", "wss://example.org/path?token=x", "ws://[::1]:80", "ws://127.0.0.1", "ws://ü.example"],
)
def test_websocket_addresses_are_accepted_as_they_are(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8765", "http://localhost", "ws://", "ws://:80", "ws://h:99999", "ws://h:0", "ws://h:x", "ws://a b",
     "ws://h/#fragment", "ws://h\x1b[31m", "ws://[::1", "ws://a..b:8765", f"ws://{'a' * 70}:8765"],
)  # fmt: skip
def test_other_addresses_are_refused_in_one_line_with_an_example(url: str) -> None:
    with pytest.raises(UrlError) as error:
        check_url(url)
    assert str(error.value).isprintable()
    assert "such as ws://localhost:8765" in str(error.value)


def test_a_password_or_a_token_in_the_address_is_not_shown() -> None:
    assert public_url("wss://me:secret@example.org:1/path?token=secret") == "wss://example.org:1/path"


@a_few
@given(st.integers(1, 10_000))
def test_delays_double_up_to_a_bound(attempt: int) -> None:
    assert 0 < delay_before(attempt) <= LONGEST_DELAY
    assert delay_before(attempt + 1) == min(LONGEST_DELAY, 2 * delay_before(attempt))


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow one another quickly."""
    monkeypatch.setattr(connection_module, "FIRST_DELAY", 0.01)


class Events:
    """What a connection delivered, and a way to wait for more."""

    def __init__(self) -> None:
        self.all: list[Event] = []
        self._news = asyncio.Event()

    def __call__(self, event: Event) -> None:
        self.all.append(event)
        self._news.set()

    async def until(self, happened: Callable[[list[Event]], bool]) -> None:
        while not happened(self.all):
            self._news.clear()
            await self._news.wait()

    async def until_is(self, *events: type[Event]) -> None:
        await self.until(lambda all_: [type(event) for event in all_[-len(events) :]] == list(events))


@asynccontextmanager
async def running(connection: Connection) -> AsyncIterator[Events]:
    events = Events()
    task = asyncio.create_task(connection.run(events))
    try:
        yield events
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def closed_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


async def reason_of(url: str) -> str:
    """Why a connection that does not wait gives up."""
    events = Events()
    await Connection(url, patience=0).run(events)
    assert len(events.all) == 1
    event = events.all[0]
    assert isinstance(event, Lost)
    assert event.retry_in is None
    assert event.reason.isprintable()
    return event.reason


@pytest.mark.real
async def test_frames_go_both_ways_in_order() -> None:
    async with serving(Peer(answer=lambda text: [text.upper()])) as peer:
        connection = Connection(peer.url)
        async with running(connection) as events:
            await events.until_is(Opened)
            sent = [f"frame {number}" for number in range(200)]
            for frame in sent:
                connection.send(frame)
            assert connection.backlog > 0, "sending does not wait for the network"
            await events.until(lambda all_: len(all_) == 201)
            assert events.all[1:] == [Received(frame.upper()) for frame in sent]
            assert connection.backlog == 0
        assert peer.frames == [sent]


@pytest.mark.real
async def test_the_answer_to_a_mark_comes_in_its_place_among_the_frames() -> None:
    async with serving(Peer(answer=lambda text: [text.upper()])) as peer:
        connection = Connection(peer.url)
        async with running(connection) as events:
            await events.until_is(Opened)
            for number in range(1, 51):
                connection.mark(number)
                connection.send(f"frame {number}")
            await events.until(lambda all_: len(all_) == 101)
    assert [event.number for event in events.all if isinstance(event, Passed)] == list(range(1, 51))
    for number in range(1, 51):
        asked, answered = events.all.index(Passed(number)), events.all.index(Received(f"FRAME {number}"))
        assert asked < answered, "the server had not read the frame when it answered the mark"


@pytest.mark.real
async def test_what_was_sent_before_a_mark_was_read_is_received_before_its_answer() -> None:
    async with serving() as peer:
        connection = Connection(peer.url)
        async with running(connection) as events:
            await events.until_is(Opened)
            await peer.until(lambda peer: bool(peer.connections))
            server = peer.connections[0]
            server.transport.pause_reading()
            connection.mark(1)
            connection.send("stop")
            # In pieces: a message counts from its first frame on, and the client is busy when it and the answer come.
            await server.send([" a time", " there"])
            await server.send(" was a fox")
            server.transport.resume_reading()
            await peer.until(lambda peer: "stop" in peer.texts())
            await server.send(" Very well.")
            await events.until_is(Received)
            await events.until(lambda all_: len(all_) == 5)
    assert events.all[1:] == [Received(" a time there"), Received(" was a fox"), Passed(1), Received(" Very well.")]


@pytest.mark.real
async def test_an_answer_that_comes_in_one_go_with_messages_is_told_between_them() -> None:
    async with serving() as peer, running(Connection(peer.url)) as events:
        await events.until_is(Opened)
        await peer.until(lambda peer: bool(peer.connections))
        server = peer.connections[0]
        for number in range(1, 30):
            await server.send(f"a{number}")
            await server.send([f"b{number}", "..."])
            await server.pong(f"mark {number}".encode())
        await server.send("end")
        await events.until(lambda all_: all_[-1] == Received("end"))
    told = [event.frame if isinstance(event, Received) else event for event in events.all[1:-1]]
    assert told == [item for number in range(1, 30) for item in (f"a{number}", f"b{number}...", Passed(number))]


@pytest.mark.real
async def test_pongs_that_answer_no_mark_are_nothing() -> None:
    async with serving() as peer, running(Connection(peer.url)) as events:
        await events.until_is(Opened)
        await peer.until(lambda peer: bool(peer.connections))
        for payload in (b"", b"mark ", b"mark x", b"1234"):
            await peer.connections[0].pong(payload)
        await peer.connections[0].send("end")
        await events.until_is(Received)
    assert events.all == [Opened(), Received("end")]


@pytest.mark.real
@pytest.mark.parametrize("knows", [True, False])
async def test_a_subprotocol_is_offered_and_the_server_need_not_know_it(knows: bool) -> None:
    async with serving(Peer(takes_drafts=knows)) as peer:
        async with running(Connection(peer.url, offer=DRAFT_SUBPROTOCOL)) as events:
            await events.until_is(Opened)
        async with running(Connection(peer.url)) as plain:
            await plain.until_is(Opened)
    assert events.all == [Opened(DRAFT_SUBPROTOCOL if knows else None)]
    assert plain.all == [Opened()]
    assert peer.offered == [[DRAFT_SUBPROTOCOL], []]


@pytest.mark.real
async def test_it_leaves_as_one_does_with_a_closing_handshake() -> None:
    async with serving() as peer:
        async with running(Connection(peer.url)) as events:
            await events.until_is(Opened)
        await peer.connections[0].wait_closed()
        assert peer.connections[0].close_code == 1000


@pytest.mark.real
async def test_what_is_sent_while_it_is_being_closed_is_lost_and_no_trouble() -> None:
    async def leave_open(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await connection.wait_closed()

    async with serve(leave_open, "127.0.0.1", 0) as server:
        connection = Connection(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        opened = asyncio.Event()
        work = asyncio.create_task(connection.run(lambda _: opened.set()))
        await opened.wait()
        work.cancel()
        sent = 0
        while True:
            await asyncio.sleep(0.001)
            if work.done():
                break
            connection.send("too late")
            sent += 1
            if sent == 20:
                for one in server.connections:
                    one.transport.abort()
        assert sent >= 20


@pytest.mark.real
@pytest.mark.usefixtures("soon")
async def test_it_waits_for_a_server_and_comes_back_when_it_is_lost() -> None:
    port = closed_port()
    connection = Connection(f"ws://127.0.0.1:{port}")
    async with running(connection) as events:
        await events.until_is(Lost, Lost)
        first, second = events.all[:2]
        assert isinstance(first, Lost)
        assert isinstance(second, Lost)
        assert first.reason == f"no server at {connection.url}: start one with `edge-server run`"
        assert first.retry_in is not None
        assert second.retry_in == 2 * first.retry_in
        for _ in range(2):
            async with serving(port=port):
                await events.until_is(Opened)
                connection.send("hello")
            await events.until(lambda all_: isinstance(all_[-1], Lost))
            with pytest.raises(RuntimeError):
                connection.send("nobody is there")


@pytest.mark.real
@pytest.mark.usefixtures("soon")
async def test_it_gives_up_when_its_patience_ends() -> None:
    connection = Connection(f"ws://127.0.0.1:{closed_port()}", patience=0.05)
    events = Events()
    await connection.run(events)
    assert len(events.all) > 1
    assert [isinstance(event, Lost) and event.retry_in is None for event in events.all] == [
        *[False] * (len(events.all) - 1),
        True,
    ]


@pytest.mark.real
@pytest.mark.usefixtures("soon")
async def test_its_patience_begins_when_the_connection_ends() -> None:
    async with serve(ServerConnection.wait_closed, "127.0.0.1", 0) as server:
        connection = Connection(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", patience=0.5)
        async with running(connection) as events:
            await events.until_is(Opened)
            await asyncio.sleep(0.6)
            server.close(close_connections=False)
            connection.reconnect()
            await events.until_is(Opened, Lost)
    assert isinstance(events.all[1], Lost)
    assert events.all[1].retry_in is not None


@pytest.mark.real
async def test_it_does_not_come_back_where_a_new_session_would_be_no_use() -> None:
    events = Events()
    async with serving() as peer:
        task = asyncio.create_task(Connection(peer.url, patience=60, reopen=False).run(events))
        await events.until_is(Opened)
        await peer.connections[0].close(1001, "going \x1b[31mhome")
        await task
    assert events.all == [Opened(), Lost("the server closed the connection: going [31mhome", None)]


@pytest.mark.real
async def test_a_server_or_a_host_that_is_not_there_is_named() -> None:
    # Two addresses (::1 and 127.0.0.1) are refused here, which is reported as one error without a number.
    port = closed_port()
    assert await reason_of(f"ws://localhost:{port}/?token=secret") == (
        f"no server at ws://localhost:{port}/: start one with `edge-server run`"
    )
    assert await reason_of("ws://nowhere.invalid") == "there is no host 'nowhere.invalid'"


@asynccontextmanager
async def speaking_plainly(reply: bytes) -> AsyncIterator[str]:
    """A TCP server that answers anything with `reply` and closes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.real
@pytest.mark.parametrize("reply", [b"220 mail.example ESMTP\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""])
async def test_another_kind_of_server_is_called_that(reply: bytes) -> None:
    async with speaking_plainly(reply) as url:
        reason = await reason_of(url)
        assert reason in (f"what answers at {url} is not a WebSocket server", f"the server at {url} refused: HTTP 200")


def refusing(status: HTTPStatus, body: str) -> Callable[[ServerConnection, Request], Awaitable[Response]]:
    async def respond(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(status, body)

    return respond


async def ignore(connection: ServerConnection) -> None:
    await connection.wait_closed()


@pytest.mark.real
@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(("status", "lasts"), [(HTTPStatus.FORBIDDEN, True), (HTTPStatus.SERVICE_UNAVAILABLE, False)])
async def test_a_refusal_is_passed_on_and_tried_again_if_it_may_pass(status: HTTPStatus, lasts: bool) -> None:
    async with serve(ignore, "127.0.0.1", 0, process_request=refusing(status, "no \x1b[2Jentry\n")) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with running(Connection(url)) as events:
            await events.until(bool)
            event = events.all[0]
            assert isinstance(event, Lost)
            assert event.reason == f"the server at {url} refused: HTTP {status.value} (no [2Jentry)"
            assert (event.retry_in is None) == lasts


@pytest.mark.real
async def test_a_frame_that_is_too_long_breaks_the_connection_off_not_the_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection_module, "FRAME_BYTES", 1000)
    async with serving(Peer(answer=lambda text: ["x" * 1001])) as peer:
        connection = Connection(peer.url)
        async with running(connection) as events:
            await events.until_is(Opened)
            connection.send("hello")
            await events.until_is(Lost)
