"""The two ports: listening, who may connect, /healthz, a clean end. What is said on a connection is `connection.py`'s.

Knows HTTP and sockets; does not know tokens or the model.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import http
import ipaddress
import json
import logging
import os
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from websockets.asyncio.server import Server as SocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from edge_server.config import Fault
from edge_server.connection import CLOSE_TIMEOUT, Connection, Conversing, close_or_abort
from edge_server.metrics import CONTENT_TYPE
from edge_server.pages import Pages
from edge_server.protocol import MAX_FRAME_BYTES
from edge_server.realtime_connection import RealtimeConnection, Realtiming, Registry

REALTIME = "/v1/realtime"
REALTIME_SUBPROTOCOL = "realtime"  # what clients of the API in browsers offer
_NUMERIC = re.compile(r"(?:([0-9.]+)|\[([0-9a-f:.]+)\])(?::[0-9]{1,5})?", re.ASCII)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_log = logging.getLogger(__name__)


class ListenError(Fault):
    """A port cannot be listened on. `taken`: because somebody else does."""

    def __init__(self, what: str, remedy: str, *, taken: bool = False) -> None:
        super().__init__(what, remedy)
        self.taken = taken


def origin_allowed(origin: str, allowed: tuple[str, ...]) -> bool:
    """Whether a browser's page from ``origin`` may connect: one of this machine on any port, or one that was named."""
    if origin in allowed:
        return True
    try:
        parts = urlsplit(origin)
        _ = parts.port  # raises ValueError if it is no port
    except ValueError:
        return False
    plain = not (parts.username or parts.password or parts.path or parts.query or parts.fragment)
    return plain and parts.scheme in ("http", "https") and parts.hostname in LOOPBACK


def own_page(origin: str, host: str) -> bool:
    """Whether ``origin`` is a page that this server gave out itself, at the address that the browser calls it by.

    ``host`` is the request's one Host header. A browser writes both alike (RFC 6454, section 6.2; a port 80 in neither)
    and lets no page choose them, so where they are equal, the page came from this very address and port. Only a numeric
    address says whose that is: any name can be made to point here by whoever owns it (DNS rebinding). What no browser
    writes (a zone, a user, a path, a list of origins) is no address.
    """
    if origin != f"http://{host}":
        return False
    written = _NUMERIC.fullmatch(host)
    if written is None:
        return False
    try:
        _ = ipaddress.IPv6Address(written[2]) if written[2] else ipaddress.IPv4Address(written[1])
    except ValueError:
        return False
    return True


def listen(host: str, port: int, option: str = "--port") -> list[socket.socket]:
    """Sockets that accept connections on ``host`` (localhost: 127.0.0.1 and ::1). Port 0: a free one, alike for all.

    ``option``: what to name to who has to give another port. Raises ListenError.
    """
    addresses = ["127.0.0.1", "::1"] if host == "localhost" else [host]
    try:
        socket.getaddrinfo(addresses[0], port)  # its errors have numbers of their own
    except (OSError, UnicodeError) as error:  # the second: no name can be written so
        reason = error.strerror if isinstance(error, OSError) else "it is no name of a machine"
        raise ListenError(f"cannot listen on {host}: {reason}", "give another --host") from error
    for attempt in range(16):
        sockets: list[socket.socket] = []
        try:
            for address in addresses:
                taken = sockets[0].getsockname()[1] if sockets else port
                family = socket.AF_INET6 if ":" in address else socket.AF_INET
                try:
                    sockets.append(socket.create_server((address, taken), family=family))
                except OSError as error:
                    if not sockets or error.errno == errno.EADDRINUSE:
                        raise
                    _log.debug("not listening on %s: %s", address, error)  # a machine without IPv6
        except OSError as error:
            for listening in sockets:
                listening.close()
            if port == 0 and sockets and attempt < 15:
                continue  # the free port of one address was taken on the other
            reason = os.strerror(error.errno) if isinstance(error.errno, int) and error.errno > 0 else error.strerror
            remedy, taken = _remedy(error.errno, option), error.errno == errno.EADDRINUSE
            raise ListenError(f"cannot listen on {host}:{port}: {reason}", remedy, taken=taken) from error
        return sockets
    raise AssertionError("unreachable")


def _remedy(number: int | None, option: str) -> str:
    if number == errno.EADDRINUSE:
        return f"give another {option}, or end who has it (edge-server doctor says if that is an edge-server)"
    if number in (errno.EACCES, errno.EPERM):
        return f"ports below 1024 are the system's, so give {option} a higher one"
    return "give another --host: an address of this machine, or localhost"


@dataclass(frozen=True)
class Port:
    """One port: what its connections are made with, where it listens, what /healthz says of it."""

    conversing: Conversing
    sockets: list[socket.socket]
    model_name: str
    slice_seconds: float
    alive: Callable[[], bool]  # whether the model can still answer
    subprotocols: tuple[str, ...] = ()  # what clients may ask for in the handshake; one of them is selected
    realtime: Realtiming | None = None  # what the JSON sessions are made with; None: there are none

    @property
    def number(self) -> int:
        """The port number."""
        return int(self.sockets[0].getsockname()[1])


class Server:
    """Serves ports until `stop`. An asynchronous context manager: inside it, the ports are open."""

    def __init__(
        self, ports: list[Port], allow_origins: tuple[str, ...] = (), *, metrics: Callable[[], bytes] = bytes
    ) -> None:
        """``metrics``: what /metrics answers."""
        self._ports = ports
        self._metrics = metrics
        self._allow_origins = allow_origins
        self._servers: list[SocketServer] = []
        self._clients: set[ServerConnection] = set()
        self._stop = asyncio.Event()
        self._registries: list[Registry] = []
        self._pages = Pages()

    def stop(self) -> None:
        """End `wait`. Call it on the event loop."""
        self._stop.set()

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._clients)

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    async def wait(self) -> None:
        """Until `stop` is called."""
        await self._stop.wait()

    async def __aenter__(self) -> Server:
        for port in self._ports:
            registry = None if port.realtime is None else Registry(port.realtime)
            self._registries += [] if registry is None else [registry]
            for listening in port.sockets:
                self._servers.append(
                    await serve(
                        self._handler(port.conversing, registry),
                        sock=listening,
                        select_subprotocol=_first_known(port.subprotocols),
                        process_request=self._gate(port),
                        max_size=MAX_FRAME_BYTES,
                        open_timeout=CLOSE_TIMEOUT,
                        close_timeout=CLOSE_TIMEOUT,
                        server_header=None,
                    )
                )
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close(close_connections=False)
        await asyncio.gather(*(close_or_abort(client, 1001, "the server stops") for client in self._clients))
        for server in self._servers:
            with contextlib.suppress(asyncio.CancelledError):
                await server.wait_closed()
        for registry in self._registries:
            registry.close()

    def _handler(
        self, conversing: Conversing, registry: Registry | None
    ) -> Callable[[ServerConnection], Awaitable[None]]:
        async def handle(client: ServerConnection) -> None:
            # asyncio does so only for sockets that name their protocol, which those that accept connections do not:
            # a second frame would wait for the receipt of the first, up to 40 ms.
            with contextlib.suppress(OSError):  # macOS refuses it where the client has already gone
                client.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._clients.add(client)
            try:
                if registry is not None and _path(client.request) == REALTIME:
                    await RealtimeConnection(client, registry).run()
                else:
                    await Connection(client, conversing).run()
            finally:
                self._clients.discard(client)

        return handle

    def _gate(self, port: Port) -> Callable[[ServerConnection, Request], Response | None]:
        def gate(connection: ServerConnection, request: Request) -> Response | None:
            path = _path(request)
            if path == "/healthz":
                return self._health(connection, port)
            if path == "/metrics":
                return _respond(connection, http.HTTPStatus.OK, self._metrics().decode(), CONTENT_TYPE)
            browsing = port.realtime is not None and not request.headers.get_all("Upgrade")
            if browsing and (page := self._page(connection, request)) is not None:
                return page
            origins = request.headers.get_all("Origin")  # a browser always sends one; other programs send none
            pages = port.realtime is not None
            if len(origins) > 1 or not all(self._may_connect(each, request, pages=pages) for each in origins):
                _log.warning("refused a page from %s; --allow-origin lets it in", ascii(origins[0]))
                text = "pages from this origin may not connect; start the server with --allow-origin to let them\n"
                return connection.respond(http.HTTPStatus.FORBIDDEN, text)
            if path == "/" or (path == REALTIME and port.realtime is not None):
                return None
            places = "/ for WebSockets, /healthz, /metrics"
            places = places if port.realtime is None else f"a page at /, {REALTIME} and {places}"
            return connection.respond(http.HTTPStatus.NOT_FOUND, f"there is {places}\n")

        return gate

    def _may_connect(self, origin: str, request: Request, *, pages: bool) -> bool:
        """``pages``: whether a page is given out here."""
        hosts = request.headers.get_all("Host")
        own = pages and len(hosts) == 1 and own_page(origin, hosts[0])
        return own or origin_allowed(origin, self._allow_origins)

    def _page(self, connection: ServerConnection, request: Request) -> Response | None:
        answer = self._pages.find(_path(request), ", ".join(request.headers.get_all("If-None-Match")))
        if answer is None:
            return None
        response = connection.respond(answer.status, answer.text)
        del response.headers["Content-Type"]
        if answer.status is http.HTTPStatus.NOT_MODIFIED:
            del response.headers["Content-Length"]
        for name, value in answer.headers.items():
            response.headers[name] = value
        return response

    def _health(self, connection: ServerConnection, port: Port) -> Response:
        alive = port.alive()
        status = {
            "status": "ok" if alive else "the model's thread has ended",
            "model": port.model_name,
            "slice_seconds": port.slice_seconds,
            "connections": self.connections,
        }
        code = http.HTTPStatus.OK if alive else http.HTTPStatus.SERVICE_UNAVAILABLE
        return _respond(connection, code, json.dumps(status) + "\n", "application/json")


def _respond(connection: ServerConnection, code: http.HTTPStatus, text: str, content_type: str) -> Response:
    response = connection.respond(code, text)
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = content_type
    return response


def _path(request: Request | None) -> str:
    return "" if request is None else request.path.partition("?")[0]


def _first_known(known: tuple[str, ...]) -> Callable[[ServerConnection, Sequence[Subprotocol]], Subprotocol | None]:
    """The client's order decides; one that offers none of ours is served all the same, without any."""

    def select(connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        here = (REALTIME_SUBPROTOCOL,) if _path(connection.request) == REALTIME else known
        return next((name for name in offered if name in here), None)

    return select
