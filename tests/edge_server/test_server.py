"""Listening, who may connect, health, and a clean end: on real sockets."""

from __future__ import annotations

import asyncio
import errno
import json
import socket
import threading
import urllib.error
import urllib.request
from asyncio.trsock import TransportSocket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from edge_server.server import ListenError, listen, origin_allowed
from tests.edge_server.serving import hear, serving

real = pytest.mark.real


@pytest.mark.parametrize(
    "origin",
    ["http://localhost:3000", "http://localhost", "https://127.0.0.1:8443", "http://[::1]:3000", "http://LOCALHOST:1"],
)
def test_pages_of_this_machine_may_connect(origin: str) -> None:
    assert origin_allowed(origin, ())


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://localhost.evil.example",
        "http://localhost@evil.example",
        "http://evil.example/localhost",
        "http://localhost:3000.evil.example",
        "http://localhost:99999",
        "http://user@localhost",
        "file://localhost",
        "null",
        "",
        "localhost:3000",
        "http://[::1",
        "http://127.0.0.2:3000",
    ],
)
def test_other_pages_may_not(origin: str) -> None:
    assert not origin_allowed(origin, ())


def test_a_named_origin_may_connect_and_only_that() -> None:
    allowed = ("https://demo.example",)
    assert origin_allowed("https://demo.example", allowed)
    assert not origin_allowed("https://demo.example:444", allowed)
    assert not origin_allowed("http://demo.example", allowed)


@given(st.text())
def test_any_origin_header_is_judged_without_an_error(origin: str) -> None:
    assert origin_allowed(origin, ()) in (True, False)


@real
class TestListening:
    def test_localhost_is_both_loopback_addresses_on_one_port(self) -> None:
        sockets = listen("localhost", 0)
        try:
            assert sockets[0].getsockname()[0] == "127.0.0.1"
            assert {each.getsockname()[1] for each in sockets} == {sockets[0].getsockname()[1]}
            assert all(each.getsockname()[0] in ("127.0.0.1", "::1") for each in sockets)
        finally:
            for each in sockets:
                each.close()

    def test_a_port_that_is_taken_is_told_in_one_line(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(
                ListenError, match=rf"cannot listen on localhost:{port}: Address already in use; give another"
            ):
                listen("localhost", port)

    def test_a_host_that_is_not_ours_is_told_in_one_line(self) -> None:
        with pytest.raises(ListenError, match=r"cannot listen on no-such-host.*--host"):
            listen("no-such-host.invalid", 0)


def fetch(url: str) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - our own http URL
            return response.status, response.headers["Content-Type"], response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


@real
async def test_healthz_says_the_model_and_the_connections_on_both_ports() -> None:
    async with serving() as served, served.connect():
        for port in served.ports:
            status, kind, text = await asyncio.to_thread(fetch, f"http://127.0.0.1:{port.number}/healthz?x=1")
            assert (status, kind) == (200, "application/json")
            assert json.loads(text) == {"status": "ok", "model": "parrot", "slice_seconds": 2.0, "connections": 1}


@real
async def test_healthz_says_when_the_model_can_no_longer_answer() -> None:
    async with serving() as served:
        served.engine.close()
        status, _, text = await asyncio.to_thread(fetch, f"http://127.0.0.1:{served.ports[0].number}/healthz")
        assert status == 503
        assert json.loads(text)["status"] != "ok"


@real
async def test_a_frame_does_not_wait_for_the_receipt_of_the_one_before() -> None:
    async with serving() as served, served.connect() as client:
        await client.send("hello")
        await hear(client)
        (connection,) = served.server._clients
        own = connection.transport.get_extra_info("socket")
        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@real
async def test_a_socket_that_takes_no_option_fails_no_connection(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:  # as macOS does where the client has gone
        raise OSError(errno.EINVAL, "Invalid argument")

    async with serving() as served:
        monkeypatch.setattr(TransportSocket, "setsockopt", refuse)
        async with served.connect() as client:
            await client.send("hello")
            assert await hear(client) == "You said h"
    assert "failed" not in caplog.text


@real
async def test_other_paths_are_not_found() -> None:
    async with serving() as served:
        with pytest.raises(InvalidStatus) as error:
            async with connect(served.url() + "/other"):
                pass
        assert error.value.response.status_code == 404
        status, _, _ = await asyncio.to_thread(fetch, f"http://127.0.0.1:{served.ports[0].number}/etc/passwd")
        assert status == 404


@real
async def test_a_page_from_elsewhere_is_refused_and_told_how_to_be_let_in() -> None:
    async with serving() as served:
        for chat in (False, True):
            with pytest.raises(InvalidStatus) as error:
                async with served.connect(chat=chat, origin="http://evil.example"):
                    pass
            assert error.value.response.status_code == 403
            assert b"--allow-origin" in error.value.response.body
        async with served.connect(origin="http://localhost:3000") as page:
            await page.send("hello")
            assert await hear(page)


@real
async def test_two_origin_headers_are_refused() -> None:
    async with serving() as served:
        headers = [("Origin", "http://localhost:3000"), ("Origin", "http://localhost:3000")]
        with pytest.raises(InvalidStatus) as error:
            async with served.connect(additional_headers=headers):
                pass
        assert error.value.response.status_code == 403


@real
async def test_a_named_origin_is_let_in() -> None:
    async with (
        serving(allow_origins=("https://demo.example",)) as served,
        served.connect(origin="https://demo.example") as page,
    ):
        await page.send("hello")
        assert await hear(page) == "You said h"


@real
async def test_clients_that_do_not_answer_do_not_hold_up_the_end() -> None:
    """Longer than the library's own patience, 10 to 20 seconds for each of them, would fail."""
    async with serving() as served:
        silent = socket.create_connection(("127.0.0.1", served.ports[0].number))  # as browsers do, in advance
        deaf = await served.connect()
        await deaf.send("hello")
        await hear(deaf)
        deaf.transport.pause_reading()
        loop = asyncio.get_running_loop()
        began = loop.time()
    ended = loop.time()
    silent.close()
    deaf.transport.abort()
    await deaf.wait_closed()
    assert ended - began < 8


@real
async def test_the_end_tells_the_clients_and_leaves_nothing() -> None:
    threads = threading.active_count()
    async with serving() as served, served.connect() as client:
        port = served.ports[0].number
        await client.send("hello")
        await hear(client)
    with pytest.raises(ConnectionClosed):
        await client.recv()
    assert client.close_code in (1000, 1001)
    assert threading.active_count() <= threads + 1  # at most asyncio's own helper for getaddrinfo
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
