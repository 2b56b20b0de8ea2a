"""The whole product: the shipped model, converted; the server as a process; the demo's page and the chat as clients."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

pytestmark = pytest.mark.real
ROOT = Path(__file__).resolve().parent.parent
PAGE = Origin("http://localhost:3000")
TICK = 0.25  # seconds; the demo's are 2, and nothing depends on it but the patience of whoever runs the tests
PATIENCE = 240  # ticks


@dataclass(frozen=True)
class Running:
    """A server process and where it listens."""

    process: subprocess.Popen[str]
    duplex: str
    chat: str

    def health(self) -> dict[str, object]:
        url = self.duplex.replace("ws://localhost", "http://127.0.0.1") + "/healthz"
        with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - our own http URL
            health: dict[str, object] = json.load(response)
        return health


@pytest.fixture(scope="module")
def pocket_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model that ships with the project, converted as `make setup` does it."""
    out = tmp_path_factory.mktemp("pocket") / "pocket.gguf"
    command = [sys.executable, "-c", "from convert.cli import main; main()", "pocket", "--out", str(out)]
    subprocess.run(command, check=True, timeout=120, cwd=ROOT, capture_output=True)
    return out


@pytest.fixture(scope="module")
def server(pocket_gguf: Path) -> Iterator[Running]:
    """One server for the file's tests; greedy, so that the words are the model's own."""
    command = [sys.executable, "-c", "from edge_server.cli import main; main()", "run", "--model", str(pocket_gguf)]
    options = ["--port", "0", "--chat-port", "0", "--temperature", "0"]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    ready = process.stdout.readline()
    match = re.match(r"ready duplex (\S+) chat (\S+)", ready)
    assert match, process.communicate(timeout=10)[1]
    yield Running(process, match[1], match[2])
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 0


class Page:
    """The demo's duplex page: each tick sends what was recognised, and so does a reply that finds words waiting."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._recognised: list[str] = []
        self.spoken: list[str] = []
        self._entry = ""

    def hear(self, words: str) -> None:
        """Speech recognition has finalised some words; as there, a space stays behind them."""
        self._recognised.append(words + " ")

    async def _send_recognised(self) -> None:
        text, self._recognised = "".join(self._recognised), []
        await self._socket.send(text or "<idle>")

    async def tick(self, count: int = 1) -> None:
        for _ in range(count):
            await self._send_recognised()
            await asyncio.sleep(TICK)

    async def until(self, over: Callable[[], bool]) -> None:
        """Tick until something is so, however long this machine takes for it."""
        for _ in range(PATIENCE):
            await self.tick()
            if over():
                return
        raise AssertionError(f"after {PATIENCE} ticks there was only: {self.said!r}")

    async def listen(self) -> None:
        async for frame in self._socket:
            assert isinstance(frame, str)
            assert frame not in ("<!too_long!>", "")
            # A reply joins the entry before with a space, unless that one ends in a newline.
            self._entry += frame if not self._entry or self._entry.endswith("\n") else " " + frame
            self.spoken.append(frame)
            if self._recognised:
                await self._send_recognised()

    @property
    def said(self) -> str:
        """All that was said, as one line."""
        return " ".join(self._entry.split())

    def forget(self) -> None:
        self._entry = ""
        self.spoken.clear()


@asynccontextmanager
async def page(server: Running) -> AsyncIterator[Page]:
    """In development React mounts twice: two connections, of which the first lingers."""
    async with connect(server.duplex, origin=PAGE) as lingering, connect(server.duplex, origin=PAGE) as socket:
        assert "permessage-deflate" in socket.response.headers["Sec-WebSocket-Extensions"]  # type: ignore[union-attr]
        for connection in (lingering, socket):
            await connection.send("<!new_session!>")
        demo = Page(socket)
        listening = asyncio.create_task(demo.listen())
        try:
            yield demo
        finally:
            await socket.close(1001)
            await listening
            await lingering.close(1001)


async def test_the_demo_waits_for_the_end_of_a_question_and_answers_it(server: Running) -> None:
    async with page(server) as demo:
        demo.hear("what is the capital")
        await demo.tick(2)
        assert demo.said == ""
        demo.hear("of France")
        await demo.until(lambda: "Paris." in demo.said)
        demo.forget()
        await demo.tick(4)
        assert demo.said == ""  # it has finished, and is silent


async def test_the_demo_interrupts_with_a_question_and_with_stop(server: Running) -> None:
    async with page(server) as demo:
        demo.hear("how do I make pancakes?")
        await demo.until(lambda: len(demo.spoken) >= 2)
        assert "flour" in demo.said
        demo.forget()
        demo.hear("what is the capital of Japan?")
        await demo.until(lambda: "Tokyo" in demo.said)
        demo.forget()
        demo.hear("how do I make pancakes?")
        await demo.until(lambda: len(demo.spoken) >= 2)
        demo.hear("stop please")
        await demo.tick(2)
        demo.forget()
        await demo.tick(6)
        assert demo.said == ""


async def test_text_that_follows_a_reply_at_once_is_not_lost(server: Running) -> None:
    async with page(server) as demo:
        demo.hear("what is the capital of Italy?")
        await demo._send_recognised()
        demo.hear("what is the capital of Spain?")
        while not demo.spoken:  # the page sends it when the reply comes
            await asyncio.sleep(TICK)
        await demo.until(lambda: "Madrid" in demo.said)
        assert "Rome" in demo.said


async def test_a_long_monologue_is_delivered_in_whole_words(server: Running) -> None:
    async with page(server) as demo:
        demo.hear("how do I make pancakes?")
        await demo.until(lambda: len(demo.said.split()) > 60 and demo.said.endswith("."))
        assert "�" not in demo.said
        # Joined by spaces as the demo does it, the words are those of the frames joined as they are.
        assert demo.said.split() == "".join(demo.spoken).replace("\n", " ").split()


async def test_the_ordinary_port_answers_turn_by_turn(server: Running) -> None:
    async with connect(server.chat, origin=PAGE) as socket:
        await socket.send("<!new_session!>")
        for country, capital in (("Germany", "Berlin"), ("Egypt", "Cairo")):
            await socket.send(f"what is the capital of {country}?")
            frames: list[str] = []
            while not frames or frames[-1] != "<!end!>":
                frame = await asyncio.wait_for(socket.recv(), 30)
                assert isinstance(frame, str)
                frames.append(frame)
            assert capital in "".join(frames)


async def test_pages_that_were_closed_leave_nothing_behind(server: Running) -> None:
    async with page(server) as demo:
        demo.hear("how do I make pancakes?")
        await demo.tick(1)
        assert server.health()["connections"] == 2
    for _ in range(100):
        if server.health()["connections"] == 0:
            break
        await asyncio.sleep(0.05)
    assert server.health()["connections"] == 0


def test_the_chat_plays_a_script_with_an_interruption(server: Running) -> None:
    command = [sys.executable, "-c", "from clients.cli import main; main()", "--url", server.duplex]
    options = ["--script", str(ROOT / "docs" / "conversation.txt"), "--tick", str(TICK), "--no-times"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Paris" in done.stdout
    assert done.stdout.index("Paris") < done.stdout.index("two plus three") < done.stdout.index("stop please")
