"""The page's files over HTTP: a fixed table, and nothing beside it."""

from __future__ import annotations

import asyncio
import http
import http.client
import re
from pathlib import Path

import pytest

from edge_server.pages import FILES, FOLDER, HEADERS, Pages
from edge_server.server import own_page
from tests.edge_server.serving import Served, hear, serving


def test_every_file_of_the_folder_is_served_and_no_other() -> None:
    assert sorted(FILES.values()) == sorted(path.name for path in FOLDER.iterdir())


def test_the_page_names_files_that_are_served() -> None:
    pages = Pages()
    for path in FILES:
        answer = pages.find(path)
        assert answer is not None
        for named in re.findall(r'(?:src|href)="([^"]+)"', answer.text if path == "/" else ""):
            assert named in FILES
        for named in re.findall(r'from "\./([^"]+)"', answer.text):
            assert f"/static/{named}" in FILES


def test_nothing_is_inline_and_nothing_comes_from_outside() -> None:
    for path in FOLDER.iterdir():
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//cdn|@import|innerHTML|eval\(", text), path
    page = (FOLDER / "index.html").read_text("utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)


@pytest.mark.parametrize(
    "path",
    [
        *("/static", "/static/", "/static/../pages.py", "/static/..%2fpages.py", "/static/%2e%2e/pages.py"),
        *("/static//app.js", "//static/app.js", "/static/app.js/", "/static\\app.js", "/static/App.js", "/index.html"),
        *("/../../etc/passwd", "/static/\0", ""),
    ],
)
def test_other_paths_lead_nowhere(path: str) -> None:
    assert Pages().find(path) is None


def test_a_file_that_is_missing_is_told_when_the_server_starts(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Pages(tmp_path)


def test_what_the_browser_has_is_not_sent_again() -> None:
    pages = Pages()
    first = pages.find("/static/app.js")
    assert first is not None
    tag = first.headers["ETag"]
    for header in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = pages.find("/static/app.js", header)
        assert again is not None
        assert (again.status, again.text) == (http.HTTPStatus.NOT_MODIFIED, "")
        assert again.headers["ETag"] == tag
    other = pages.find("/static/app.js", '"other"')
    assert other is not None
    assert other.status is http.HTTPStatus.OK


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("http://192.168.1.5:8765", "192.168.1.5:8765", True),
        ("http://[fe80::1]:8765", "[fe80::1]:8765", True),
        ("http://192.168.1.5:8765", "192.168.1.6:8765", False),
        ("http://192.168.1.5", "192.168.1.5:8765", False),
        ("http://evil.example:8765", "evil.example:8765", False),
        ("null", "null", False),
        ("http://[::1", "[::1", False),
        # As browsers write them: no port where it is 80, the same to both; an IPv6 address in one way only.
        ("http://10.0.0.7", "10.0.0.7", True),
        ("http://10.0.0.7", "10.0.0.7:80", False),
        ("http://[::ffff:a00:7]:8765", "[::ffff:a00:7]:8765", True),
        ("http://[FE80::1]:8765", "[FE80::1]:8765", False),
        # Another scheme, port, or nothing at all.
        ("https://10.0.0.7:8765", "10.0.0.7:8765", False),
        ("http://10.0.0.7:8766", "10.0.0.7:8765", False),
        ("http://", "", False),
        # Names that only look like addresses, which whoever owns them may point here.
        ("http://10.0.0.7.nip.io:8765", "10.0.0.7.nip.io:8765", False),
        ("http://10.0.0.7.:8765", "10.0.0.7.:8765", False),
        ("http://localhost.:8765", "localhost.:8765", False),
        ("http://10.0.0:8765", "10.0.0:8765", False),
        ("http://167772167:8765", "167772167:8765", False),
        ("http://0x0a000007:8765", "0x0a000007:8765", False),
        ("http://010.0.0.7:8765", "010.0.0.7:8765", False),
        ("http://10.0.0.７:8765", "10.0.0.７:8765", False),
        # What a browser never writes: it came from somebody who hopes that it is read in two ways.
        ("http://[fe80::1%25eth0]:8765", "[fe80::1%25eth0]:8765", False),
        ("http://[fe80::1%eth0]:8765", "[fe80::1%eth0]:8765", False),
        ("http://me@10.0.0.7:8765", "me@10.0.0.7:8765", False),
        ("http://evil.example\\@10.0.0.7:8765", "evil.example\\@10.0.0.7:8765", False),
        ("http://10.0.0.7:8765/", "10.0.0.7:8765/", False),
        ("http://10.0.0.7:8765 http://evil.example", "10.0.0.7:8765 http://evil.example", False),
        ("http://10.0.0.7:8765\n", "10.0.0.7:8765\n", False),
        ("http://10.0.0.7:", "10.0.0.7:", False),
        ("http://10.0.0.7:port", "10.0.0.7:port", False),
        ("http://[10.0.0.7]:8765", "[10.0.0.7]:8765", False),
    ],
)
def test_a_page_is_our_own_only_at_a_numeric_address(origin: str, host: str, own: bool) -> None:
    assert own_page(origin, host) is own


def get(
    served: Served, path: str, headers: dict[str, str] | None = None, *, chat: bool = False
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", served.ports[chat].number, timeout=10)
    try:
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        return response.status, dict(response.headers), response.read()
    finally:
        connection.close()


@pytest.mark.real
async def test_the_duplex_port_serves_them_with_their_types_and_the_policy() -> None:
    kinds = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    async with serving() as served:
        for path, name in FILES.items():
            status, headers, body = await asyncio.to_thread(get, served, path + "?x=1")
            assert (status, body) == (200, (FOLDER / name).read_bytes())
            assert headers["Content-Type"] == f"{kinds[Path(name).suffix]}; charset=utf-8"
            assert HEADERS.items() <= headers.items()
            again = await asyncio.to_thread(lambda: get(served, path, {"If-None-Match": headers["ETag"]}))  # noqa: B023
            assert again[0] == 304
            assert again[2] == b""
        assert (await asyncio.to_thread(get, served, "/static/%2e%2e/pages.py"))[0] == 404


@pytest.mark.real
async def test_the_text_protocol_stays_where_it_was() -> None:
    async with serving() as served, served.connect() as client:
        await client.send("hello")
        assert await hear(client) == "You said h"
        status, _, body = await asyncio.to_thread(lambda: get(served, "/", chat=True))
        assert status == 426
        assert b"<html" not in body
    async with serving(upstream=True) as served:
        assert (await asyncio.to_thread(get, served, "/"))[0] == 426


async def upgraded(port: int, *lines: str) -> int:
    """The status of a WebSocket handshake with these header lines."""
    fixed = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        request = ["GET /v1/realtime HTTP/1.1", *lines, *fixed, key, "", ""]
        writer.write("\r\n".join(request).encode())
        return int((await reader.readline()).split()[1])
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.real
async def test_a_page_that_this_server_gave_out_itself_may_connect() -> None:
    async with serving() as served:
        port = served.ports[0].number
        host, origin = f"Host: 10.0.0.7:{port}", f"Origin: http://10.0.0.7:{port}"
        assert await upgraded(port, host, origin) == 101
        assert await upgraded(port, host) == 101, "a program"
        assert await upgraded(port, host, "Origin: http://10.0.0.8:1") == 403
        assert await upgraded(port, host, "Origin: null") == 403
        assert await upgraded(port, host, origin, origin) == 403
        assert await upgraded(port, host, origin, "Origin: http://evil.example") == 403
        assert await upgraded(port, host, f"Origin: http://10.0.0.7:{port} http://evil.example") == 403
        # The page is given out on this port alone.
        chat = served.ports[1].number
        assert await upgraded(chat, f"Host: 10.0.0.7:{chat}", f"Origin: http://10.0.0.7:{chat}") == 403


@pytest.mark.real
async def test_nobody_points_a_name_of_theirs_here_and_is_taken_for_our_page() -> None:
    async with serving() as served:
        port = served.ports[0].number
        rebound = f"evil.example:{port}"
        assert await upgraded(port, f"Host: {rebound}", f"Origin: http://{rebound}") == 403
        assert await upgraded(port, f"Host: {rebound}", f"Origin: http://10.0.0.7:{port}") == 403
        assert await upgraded(port, f"Origin: http://10.0.0.7:{port}") in (400, 403), "without a Host"
        for second in (f"Host: 10.0.0.7:{port}", f"Host: {rebound}"):
            hosts = (f"Host: 10.0.0.7:{port}", second)
            assert await upgraded(port, *hosts, f"Origin: http://10.0.0.7:{port}") in (400, 403), "of two, whose?"
