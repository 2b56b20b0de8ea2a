"""The real server on real sockets, with a parrot for a model: a fake context whose words follow from the transcript."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from edge_server.connection import SPEAKING, Conversing
from edge_server.engine import Engine
from edge_server.events import Mode, Session
from edge_server.metrics import exposition
from edge_server.protocol import TextCodec, subprotocols
from edge_server.realtime_connection import Realtiming
from edge_server.server import Port, Server, listen
from edge_server.session import DuplexSession
from edge_server.settings import Settings
from edge_server.turns import TurnSession
from edge_server.upstream import UpstreamDuplexSession, UpstreamTurnSession
from tests.edge_server.stepping import SERVED
from tests.fakes import FakeContext

UNKNOWN, BOS, EOS, IDLE, FIRST_BYTE = range(5)
USER, ASSISTANT = "<用户>", "<AI>"
SLICE = 10  # bytes that the parrot says in a slice


@dataclass(frozen=True)
class ByteVocabulary:
    """A byte a token."""

    bos: int = BOS
    eos: int = EOS
    idle: int | None = IDLE

    def tokenize(self, text: str, *, parse_special: bool) -> list[int]:
        if parse_special:
            for control, token in (("</s>", EOS), ("<idle>", IDLE)):
                if control in text:
                    before, _, after = text.partition(control)
                    return [
                        *self.tokenize(before, parse_special=True),
                        token,
                        *self.tokenize(after, parse_special=True),
                    ]
        return [FIRST_BYTE + byte for byte in text.encode()]

    def piece(self, token: int, *, special: bool = False) -> bytes:
        if token >= FIRST_BYTE:
            return bytes([token - FIRST_BYTE])
        return {EOS: b"</s>", IDLE: b"<idle>"}.get(token, b"") if special else b""


def parrot(answer: Callable[[str], str], slice_bytes: int = SLICE) -> Callable[[tuple[int, ...]], int]:
    """The next token after a transcript: ``answer`` of the last user text, some bytes a slice, then ``<idle>``."""

    def reply(tokens: tuple[int, ...]) -> int:
        text, said, current = "", b"", b""
        for pair in _split(tokens[1:]):
            user, _, current = pair.partition(ASSISTANT.encode())
            words = user.removeprefix(USER.encode()).decode()
            if words != "\0":
                text, said = words, b""
            said += current.replace(b"\0", b"")
        rest = answer(text).encode()[len(said) :]
        if rest and len(current) < slice_bytes:
            return FIRST_BYTE + rest[0]
        return EOS if current else IDLE

    return reply


def _split(tokens: tuple[int, ...]) -> list[bytes]:
    pairs, pair = [], bytearray()
    for token in tokens:
        if token == EOS:
            pairs.append(bytes(pair))
            pair.clear()
        else:
            pair.append(0 if token < FIRST_BYTE else token - FIRST_BYTE)
    return [*pairs, bytes(pair)]


@dataclass
class Served:
    """A running server with one duplex and one chat port."""

    context: FakeContext
    engine: Engine
    server: Server
    ports: list[Port] = field(default_factory=list)

    def url(self, *, chat: bool = False) -> str:
        return f"ws://localhost:{self.ports[chat].number}"

    def realtime(self, query: str = "", *, chat: bool = False, **options: object) -> connect:
        return connect(f"{self.url(chat=chat)}/v1/realtime{query}", **options)  # type: ignore[arg-type]

    def connect(self, *, chat: bool = False, **options: object) -> connect:
        return connect(self.url(chat=chat), **options)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def serving(
    answer: Callable[[str], str] = lambda text: f"You said {text}.",
    *,
    upstream: bool = False,
    duplex_model: bool = True,
    context: FakeContext | None = None,
    assume_wpm: float | None = None,
    allow_origins: tuple[str, ...] = (),
    slide: bool = True,
    look_ahead: bool = True,
    speaking: float = SPEAKING,
    resume_window: float = 300.0,
) -> AsyncIterator[Served]:
    """The server's own parts, put together as `edge_server.backend` does; only the context is fake."""
    context = context or FakeContext(cells=4096, slots=4, n_vocab=FIRST_BYTE + 256)
    if not context.says:
        context.reply = context.reply or parrot(answer, SLICE if duplex_model else 10**6)
    engine = Engine(context)
    engine.start()
    vocabulary = ByteVocabulary(idle=IDLE if duplex_model else None)
    settings = Settings(USER, ASSISTANT, ctx=1024, slice_tokens=15, slide=slide, look_ahead=look_ahead)

    def conversing(chat: bool) -> Conversing:
        kinds: tuple[Callable[..., Session], Callable[..., Session]]
        kinds = (UpstreamDuplexSession, UpstreamTurnSession) if upstream else (DuplexSession, DuplexSession)
        kind = TurnSession if not duplex_model else kinds[chat]

        def session(mode: Mode, seed: int) -> Session:
            return kind(vocabulary, settings, mode, seed)

        def codec(subprotocol: str | None) -> TextCodec:
            return TextCodec(upstream=upstream, ordinary_port=chat, subprotocol=subprotocol)

        return Conversing(codec, session, engine.open, SERVED, lambda: 1, assume_wpm, speaking)

    realtiming = Realtiming(
        session=lambda seed: DuplexSession(vocabulary, settings, Mode.ORDINARY, seed, streaming=True),
        open_sequence=engine.open,
        sampling=SERVED,
        new_seed=lambda: 1,
        model="parrot",
        duplex=True,
        slice_ms=2000,
        resume_window=resume_window,
        speaking=speaking,
    )
    ports = [
        Port(
            conversing(chat),
            listen("localhost", 0),
            "parrot",
            2.0,
            lambda: engine.alive,
            subprotocols(upstream=upstream, ordinary_port=chat),
            None if chat or upstream or not duplex_model else realtiming,
        )
        for chat in (False, True)
    ]
    try:
        metrics = exposition({"parrot": lambda: engine.counters})
        async with Server(ports, allow_origins, metrics=metrics) as server:
            yield Served(context, engine, server, ports)
    finally:
        engine.close()
    assert context.used == 0, "a connection left cells behind"


async def hear(client: ClientConnection, *, seconds: float = 10) -> str:
    """The next frame, as text."""
    frame = await asyncio.wait_for(client.recv(), seconds)
    assert isinstance(frame, str)
    return frame


async def all_read(client: ClientConnection) -> None:
    """Until the server's connection has taken in all that was sent: it runs on this event loop, a few turns a frame."""
    await (await client.ping())
    for _ in range(200):
        await asyncio.sleep(0)


class Gate:
    """Holds the model inside a decode call until it is opened; `entered` is set once it is held."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self._open = threading.Event()
        self._open.set()

    def __call__(self) -> None:
        if not self._open.is_set():
            self.entered.set()
            assert self._open.wait(30)

    def shut(self) -> None:
        self.entered.clear()
        self._open.clear()

    def open(self) -> None:
        self._open.set()


def gated() -> tuple[Gate, FakeContext]:
    gate = Gate()
    return gate, FakeContext(cells=4096, slots=4, n_vocab=FIRST_BYTE + 256, on_decode=gate)


async def closed(client: ClientConnection) -> tuple[int | None, str | None]:
    with contextlib.suppress(ConnectionClosed):
        while True:
            await hear(client)
    return client.close_code, client.close_reason


def text_of(tokens: tuple[int, ...]) -> str:
    vocabulary = ByteVocabulary()
    return b"".join(vocabulary.piece(token, special=True) for token in tokens).decode()
