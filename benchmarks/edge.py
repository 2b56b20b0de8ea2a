"""The project's own server as a user meets it: a subprocess, WebSockets, `/metrics`. Knows nothing of its insides."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import select
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import IO, TYPE_CHECKING

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect

from benchmarks.workers import BenchmarkError, end_process, ending, last_words, start_process

if TYPE_CHECKING:
    from pathlib import Path

_SERVER = [sys.executable, "-c", "from edge_server.cli import main; main()"]
_READY_SECONDS = 180.0
REPLY_SECONDS = 180.0  # a page of text on the real shape takes half a minute


@functools.cache
def has_option(option: str) -> bool:
    """Whether `edge-server run` knows an option."""
    wide = {**os.environ, "COLUMNS": "200"}  # a narrow terminal's help cuts long names
    done = subprocess.run([*_SERVER, "run", "--help"], capture_output=True, text=True, env=wide)
    if done.returncode != 0:
        raise BenchmarkError(f"edge-server does not run: {' '.join(done.stderr.split())[-200:]}")
    return re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", done.stdout) is not None


def look_ahead(wanted: bool) -> tuple[str, ...]:
    """The options that turn look-ahead on or off; none where the server has no such thing."""
    if not has_option("--no-look-ahead"):
        return ()
    return ("--look-ahead",) if wanted else ("--no-look-ahead",)


class EdgeServer:
    """`edge-server run` on free ports. After use you must call `close`."""

    def __init__(self, model: Path, *options: str, log: IO[bytes]) -> None:
        """Returns when it is ready. Raises `BenchmarkError` where it does not get ready."""
        begin = time.perf_counter()
        command = [*_SERVER, "run", "--model", str(model), "--port", "0", "--chat-port", "0", *options]
        self._log = log
        self._process = start_process(command, stdout=subprocess.PIPE, stderr=log, start_new_session=True)
        self.pid = self._process.pid
        try:
            match = re.match(r"ready duplex (ws://(\S+:\d+)) ", self._first_line())
        except BaseException:
            self.close()
            raise
        self.ready_seconds = time.perf_counter() - begin
        if match is None:
            self.close()
            raise BenchmarkError("edge-server's ready line names no duplex URL")
        self.url, self._address = match[1], match[2]

    def _first_line(self) -> str:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], _READY_SECONDS)[0]:
            raise BenchmarkError(f"edge-server was not ready within {_READY_SECONDS:.0f} s: {last_words(self._log)}")
        line = self._process.stdout.readline().decode()
        if not line:
            raise BenchmarkError(f"edge-server ended with {ending(self._process.wait())}: {last_words(self._log)}")
        return line

    def talk(self) -> Talk:
        """A new conversation. After use you must close it."""
        return Talk(self.url)

    def metrics(self) -> dict[str, float]:
        """`edge_*` of `/metrics`, without the prefix and a counter's `_total`, labels added up; empty without any."""
        try:
            with urllib.request.urlopen(f"http://{self._address}/metrics", timeout=10) as answer:
                text = answer.read().decode()
        except (urllib.error.URLError, OSError):
            return {}
        return read_metrics(text)

    def close(self) -> None:
        """Stops the server. A second call does nothing."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):  # what follows is less polite
                self._process.wait(5)
        end_process(self._process)

    def __enter__(self) -> EdgeServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_metrics(text: str) -> dict[str, float]:
    """The samples named `edge_*` of a page in Prometheus' text format."""
    found: dict[str, float] = {}
    for name, value in re.findall(r"^edge_(\w+?)(?:\{[^}]*\})? (\S+)", text, re.MULTILINE):
        short = name.removesuffix("_total").removesuffix("_sum")
        if not name.endswith(("_bucket", "_created")):
            found[short] = found.get(short, 0.0) + float(value)
    return found


class Talk:
    """One conversation on the duplex port."""

    def __init__(self, url: str) -> None:
        self._stack = contextlib.ExitStack()
        try:
            self._socket = self._stack.enter_context(connect(url, compression=None, open_timeout=30))
        except (OSError, WebSocketException) as error:
            raise BenchmarkError(f"edge-server does not take a connection: {error}") from error
        self.send("<!new_session!>")

    def send(self, text: str) -> float:
        """Sends a frame; returns the moment."""
        moment = time.perf_counter()
        try:
            self._socket.send(text)
        except ConnectionClosed as error:
            raise BenchmarkError(f"edge-server hung up: {error}") from error
        return moment

    def reply(self, seconds: float = REPLY_SECONDS) -> tuple[float, str]:
        """Waits for a frame: the moment and its text. Raises `BenchmarkError` where none comes."""
        try:
            text = self._socket.recv(timeout=seconds)
        except TimeoutError as error:
            raise BenchmarkError(f"edge-server said nothing for {seconds:.0f} s") from error
        except ConnectionClosed as error:
            raise BenchmarkError(f"edge-server hung up: {error}") from error
        moment = time.perf_counter()
        if text == "<!too_long!>":
            raise BenchmarkError("edge-server says that the text is too long")
        return moment, str(text)

    def quiet(self, seconds: float) -> bool:
        """Whether no frame comes for so long; one that comes is dropped."""
        try:
            self._socket.recv(timeout=seconds)
        except TimeoutError:
            return True
        except ConnectionClosed as error:
            raise BenchmarkError(f"edge-server hung up: {error}") from error
        return False

    def ask(self, text: str) -> float:
        """Sends a frame and waits for the answer: seconds from frame in to frame out."""
        sent = self.send(text)
        return self.reply()[0] - sent

    def close(self) -> None:
        """Hangs up."""
        self._stack.close()

    def __enter__(self) -> Talk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
