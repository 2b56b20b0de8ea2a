"""The WebSocket connection of a client: opens it, opens it again when it is lost, and says what happened in one line.

Knows frames as strings, and nothing of what they mean, of a screen or of ticks.

A mark among the frames is a WebSocket ping. A server answers it when it has read what came before, and frames and
answers come back in the order in which they were sent (RFC 6455, 5.5.2 and 5.5.3): what is received before the answer
was sent before anything behind the mark was read. The reverse is not certain: the answer is the protocol's own, and
whoever is behind it may be about to say what it has ready.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import unicodedata
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
    ProxyError,
    WebSocketException,
)
from websockets.frames import Frame, Opcode
from websockets.protocol import Event as Incoming
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

OPEN_TIMEOUT = 10.0  # seconds
FRAME_BYTES = 1024 * 1024  # the longest frame that is accepted from a server
FIRST_DELAY = 0.5
LONGEST_DELAY = 8.0
STABLE_SECONDS = 5.0  # a connection that lasted this long starts the delays anew

# HTTP answers that may be different next time; any other 4xx will not.
_PASSING_STATUS = frozenset({408, 425, 429})
_MARK = b"mark "  # longer than the pings that keep a connection alive, so that it is none of them


class UrlError(ValueError):
    """The message is one line for the user."""


@dataclass(frozen=True)
class Opened:
    """A connection is there; frames can be sent. `subprotocol` is the one offered, if the server has selected it."""

    subprotocol: str | None = None


@dataclass(frozen=True)
class Passed:
    """The mark `number` was answered. Marks before it that were not are passed too: a server may leave answers out."""

    number: int


@dataclass(frozen=True)
class Received:
    frame: str


@dataclass(frozen=True)
class Lost:
    """No connection, because of `reason`. The next attempt is made in `retry_in` seconds; None: there will be none."""

    reason: str
    retry_in: float | None


Event = Opened | Received | Passed | Lost


def check_url(url: str) -> str:
    """`url` if a WebSocket can be opened there.

    Raises:
        UrlError: It is no ws:// or wss:// address of a host.
    """
    shown = "".join(c for c in url if c.isprintable())
    example = "such as ws://localhost:8765"
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("ws", "wss") and parts.hostname and parts.port != 0
        if not known or shown != url or " " in url:
            raise UrlError(
                f"--url {shown!r} is not a WebSocket address: it needs ws:// or wss:// and a host, {example}"
            )
        parse_uri(url)
        str(parts.hostname).encode("idna")  # as the system's resolver is asked for it
    except (InvalidURI, ValueError) as error:
        if isinstance(error, UrlError):
            raise
        raise UrlError(f"--url {shown!r} is not a WebSocket address ({error}): write one {example}") from None
    return url


def public_url(url: str) -> str:
    """`url` as it can be shown: without a password or a token that it may carry."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def delay_before(attempt: int) -> float:
    """Seconds to wait before attempt number `attempt` (1, 2, ...) after a failure: doubling up to `LONGEST_DELAY`."""
    return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(attempt - 1, 16))


class Connection:
    """One connection at a time to `url`, for as long as `run` runs.

    Args:
        url: Checked by `check_url`.
        patience: Seconds without a connection after which `run` gives up; None: never.
        reopen: Whether a connection that was lost is opened again.
        offer: The subprotocol that is offered to the server, which need not know it.
        query: Asked at every attempt what goes behind `url`, with its question mark.
        not_found: What to do about a server that has nothing at `url`.
    """

    def __init__(
        self,
        url: str,
        *,
        patience: float | None = None,
        reopen: bool = True,
        offer: str | None = None,
        query: Callable[[], str] = str,
        not_found: str | None = None,
    ) -> None:
        self.url = url
        self.patience = patience
        self.reopen = reopen
        self.offer = offer
        self.query = query
        self.not_found = not_found
        self._outbox: asyncio.Queue[str | int | None] | None = None
        self._renewing = False

    @property
    def backlog(self) -> int:
        """Frames and marks that the network has not taken yet."""
        return self._outbox.qsize() if self._outbox is not None else 0

    def send(self, frame: str) -> None:
        """Sends `frame` after those before it, without blocking. Call it between `Opened` and `Lost` only.

        What is sent while the connection is being closed is lost.
        """
        self._put(frame)

    def mark(self, number: int) -> None:
        """Sends a mark after the frames before it; its answer is `Passed`. Numbers grow, on one connection at least."""
        self._put(number)

    def reconnect(self) -> None:
        """Closes the connection when all before it is sent, and opens another. Nothing is delivered in between."""
        self._put(None)
        self._renewing = True

    def _put(self, item: str | int | None) -> None:
        if self._outbox is None:
            raise RuntimeError("not connected")
        self._outbox.put_nowait(item)

    async def run(self, deliver: Callable[[Event], None]) -> None:
        """Connects and reconnects; every event goes to `deliver`. Returns after a `Lost` without another attempt."""
        clock = asyncio.get_running_loop().time
        attempt = 0
        deadline = None if self.patience is None else clock() + self.patience
        while True:
            try:
                # A proxy cannot reach what listens on this machine alone.
                websocket = await connect(
                    _with_query(self.url, self.query()),
                    open_timeout=OPEN_TIMEOUT,
                    max_size=FRAME_BYTES,
                    close_timeout=1,
                    proxy=None if _is_loopback(self.url) else True,
                    subprotocols=None if self.offer is None else [Subprotocol(self.offer)],
                    create_connection=_Socket,
                )
            except (OSError, WebSocketException, asyncio.TimeoutError) as error:
                reason = describe(error, self.url)
                if self.not_found and isinstance(error, InvalidStatus) and error.response.status_code == 404:
                    reason = f"the server at {public_url(self.url)} {self.not_found}"
                lasting = _will_last(error)
            else:
                opened_at = clock()
                assert isinstance(websocket, _Socket)
                reason = await self._converse(websocket, deliver)
                deadline = None if self.patience is None else clock() + self.patience
                if self._renewing:
                    self._renewing = False
                    continue
                if clock() - opened_at >= STABLE_SECONDS:
                    attempt = 0
                lasting = not self.reopen
            attempt += 1
            delay = delay_before(attempt)
            if lasting or (deadline is not None and clock() + delay > deadline):
                deliver(Lost(reason, None))
                return
            deliver(Lost(reason, delay))
            await asyncio.sleep(delay)

    async def _converse(self, websocket: _Socket, deliver: Callable[[Event], None]) -> str:
        """Passes frames both ways until the connection closes; returns why it did."""
        self._outbox = asyncio.Queue()
        writer = asyncio.create_task(_write(websocket, self._outbox))
        try:
            deliver(Opened(websocket.subprotocol))
            websocket.tell = deliver
            with suppress(ConnectionClosed):
                async for frame in websocket:
                    if isinstance(frame, str) and not self._renewing:
                        deliver(Received(frame))
                    websocket.taken += 1
                    websocket.tell_passed()
        finally:
            websocket.tell = None
            writer.cancel()
            await websocket.close()  # a server may take its time
            self._outbox = None
        return _closing(websocket)


class _Socket(ClientConnection):
    """Keeps the answers to marks in their place among the messages, which wait in a queue to be taken."""

    taken = 0  # messages that were received and dealt with
    tell: Callable[[Event], None] | None = None

    _begun = 0  # messages of which the first frame has come

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._answers: deque[tuple[int, int]] = deque()  # messages begun before it, the mark's number
        super().connection_made(transport)

    def process_event(self, event: Incoming) -> None:
        if isinstance(event, Frame):
            if event.opcode in (Opcode.TEXT, Opcode.BINARY):
                self._begun += 1
            elif event.opcode is Opcode.PONG and (payload := bytes(event.data)).startswith(_MARK):
                with suppress(ValueError):
                    self._answers.append((self._begun, int(payload[len(_MARK) :])))
        super().process_event(event)
        self.tell_passed()

    def tell_passed(self) -> None:
        """Delivers the answers whose turn has come: what was sent before them was taken."""
        while self.tell is not None and self._answers and self._answers[0][0] <= self.taken:
            self.tell(Passed(self._answers.popleft()[1]))


async def _write(websocket: ClientConnection, outbox: asyncio.Queue[str | int | None]) -> None:
    with suppress(ConnectionClosed):  # the reader sees it too
        while True:
            item = await outbox.get()
            if item is None:
                await websocket.close()
            elif isinstance(item, str):
                await websocket.send(item)
            else:
                await websocket.ping(_MARK + str(item).encode())


def _with_query(url: str, query: str) -> str:
    return url + (query.replace("?", "&", 1) if urlsplit(url).query else query)


def describe(error: Exception, url: str) -> str:
    """Why `url` could not be reached, in one line."""
    host = urlsplit(url).hostname
    url = public_url(url)
    if isinstance(error, InvalidStatus):
        response = error.response
        said = _one_line((response.body or b"").decode(errors="replace"))
        return f"the server at {url} refused: HTTP {response.status_code}{f' ({said})' if said else ''}"
    if isinstance(error, ProxyError):
        return f"the proxy on the way to {url} failed: {_one_line(str(error))}"
    if isinstance(error, InvalidHandshake):
        return f"what answers at {url} is not a WebSocket server"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection to {url}: {_one_line(str(error))}"
    if isinstance(error, socket.gaierror):
        return f"there is no host {host!r}"
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return f"no answer from {url} within {OPEN_TIMEOUT:g} s"
    # Where a name has several addresses, asyncio reports all their errors as one, without a number of its own.
    if isinstance(error, ConnectionRefusedError) or f"[Errno {errno.ECONNREFUSED}]" in str(error):
        return f"no server at {url}: start one with `edge-server run`"
    return f"cannot connect to {url}: {_one_line(str(error)) or type(error).__name__}"


def _will_last(error: Exception) -> bool:
    """Whether trying again is useless: the server has understood, and refuses."""
    if not isinstance(error, InvalidStatus):
        return False
    status = error.response.status_code
    return 400 <= status < 500 and status not in _PASSING_STATUS


def _closing(websocket: ClientConnection) -> str:
    code, said = websocket.close_code, _one_line(websocket.close_reason or "")
    if said:
        return f"the server closed the connection: {said}"
    if code in (1000, 1001, 1012):
        return "the server closed the connection"
    # 1006 is nobody's word: the connection ended without any.
    return "the connection broke off" if code in (None, 1006) else f"the connection broke off (code {code})"


def _one_line(text: str, most: int = 200) -> str:
    """What someone else wrote, fit for a line of a message: no control or format characters, not too long."""
    words = " ".join(text.split())
    kept = "".join(c for c in words if unicodedata.category(c)[0] != "C")
    return kept if len(kept) <= most else kept[: most - 1] + "…"


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
