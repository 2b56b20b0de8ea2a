"""The command on a terminal of its own."""

from __future__ import annotations

import asyncio
import codecs
import fcntl
import os
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clients.emulator import Emulator

COMMAND = [sys.executable, "-c", "from clients.cli import main; main()"]
ROOT = Path(__file__).parents[2]
PATIENCE = 30.0  # seconds until a test is given up


@dataclass
class Terminal:
    """The command on a terminal of its own."""

    process: asyncio.subprocess.Process
    screen: Emulator
    keyboard: int
    settings: Callable[[], list[object]]

    def press(self, keys: str) -> None:
        os.write(self.keyboard, keys.encode())

    async def until(self, happened: Callable[[str], object]) -> None:
        end = asyncio.get_running_loop().time() + PATIENCE
        while not happened(self.screen.text):
            assert asyncio.get_running_loop().time() < end, "\n".join(["never seen; it shows", *self.screen.lines])
            await asyncio.sleep(0.005)


@asynccontextmanager
async def on_a_terminal(*arguments: str, term: str = "xterm-256color") -> AsyncIterator[Terminal]:
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    screen = Emulator(80)
    decoder = codecs.getincrementaldecoder("utf-8")()
    loop = asyncio.get_running_loop()
    loop.add_reader(ours, lambda: screen.write(decoder.decode(os.read(ours, 65536))))
    # Without asking where the cursor is, which the emulator does not answer.
    environment = {**os.environ, "TERM": term, "PROMPT_TOOLKIT_NO_CPR": "1"}
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *arguments, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, env=environment,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield Terminal(process, screen, ours, lambda: termios.tcgetattr(theirs))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        loop.remove_reader(ours)
        os.close(ours)
        os.close(theirs)
