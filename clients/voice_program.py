"""The programs that speak on this system: how each is called, and one that runs. Knows no conversation."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

GRACE = 0.5  # seconds for a program to end by itself
SLOWEST, FASTEST = 80, 450  # words a minute that espeak-ng can speak, and nobody wants more of `say`

# The best first. espeak-ng 1.51's "cmn" reads most characters as English words (espeak-ng/espeak-ng#1236).
_MANDARIN = ("zh_CN", "cmn-latn-pinyin", "cmn", "zh")
_SAY_VOICE = re.compile(r"(.+?)\s+(zh[_-]\w+)\s+#")


def spoken_rate(words_a_minute: float) -> float:
    """The nearest rate that a voice can have."""
    return min(FASTEST, max(SLOWEST, words_a_minute))


@dataclass(frozen=True)
class Voice:
    """A program that speaks. `name` is "say", "espeak-ng" or "espeak"; `path` is where it is."""

    name: str
    path: str

    def command(self, words_a_minute: float, voice: str | None) -> list[str]:
        """Speaks its standard input, UTF-8, and ends when that is heard. `voice`: as `find_chinese` has it."""
        rate = str(round(spoken_rate(words_a_minute)))
        chosen = ["-v", voice] if voice else []
        if self.name == "say":
            return [self.path, "-r", rate, *chosen, "-f", "-"]
        return [self.path, "--stdin", "-b", "1", "-s", rate, *chosen]

    @property
    def list_command(self) -> list[str]:
        """Lists the voices; `find_chinese` reads it."""
        return [self.path, "-v", "?"] if self.name == "say" else [self.path, "--voices=zh"]

    def find_chinese(self, listed: str) -> str | None:
        """A voice for Mandarin in what `list_command` printed; else the first for any Chinese."""
        found = []  # (language, voice)
        for line in listed.splitlines():
            if self.name == "say":
                if match := _SAY_VOICE.match(line):
                    found.append((match[2].replace("-", "_"), match[1]))
                continue
            fields = line.split()  # priority, language, sex, name, file, other languages
            # Those of MBROLA are listed where their data is not installed, too.
            if len(fields) > 4 and fields[0].isdigit() and not fields[4].startswith("mb/"):
                found.append((fields[1], fields[1]))
        for mandarin in _MANDARIN:
            for language, voice in found:
                if language == mandarin:
                    return voice
        return found[0][1] if found else None


def find_voice(which: Callable[[str], str | None] = shutil.which, platform: str = sys.platform) -> Voice | None:
    """The program that this system speaks with; None: it has none.

    `say` is macOS's alone: other systems have other programs of that name.
    """
    for name in ("say",) * (platform == "darwin") + ("espeak-ng", "espeak"):
        if path := which(name):
            return Voice(name, path)
    return None


class Program:
    """A process that reads `text`. What it prints goes to a file, so that nothing waits for a reader."""

    def __init__(self, process: asyncio.subprocess.Process, output: IO[bytes]) -> None:
        self._process = process
        self._output = output
        self._killing: asyncio.TimerHandle | None = None

    @classmethod
    async def start(cls, command: list[str], text: str) -> Program:
        """Raises OSError."""
        output = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it was read)
        try:
            with tempfile.TemporaryFile() as entry:
                entry.write(text.encode())
                entry.seek(0)
                # A session of its own: Ctrl-C is for the client to act on, and what the program starts ends with it.
                process = await asyncio.create_subprocess_exec(
                    *command, stdin=entry, stdout=output, stderr=output, start_new_session=True
                )
        except BaseException:
            output.close()
            raise
        return cls(process, output)

    async def ended(self) -> int:
        """Waits until it has ended; its exit code."""
        code = await self._process.wait()
        if self._killing is not None:
            self._killing.cancel()
        return code

    def end(self) -> None:
        """Ends it: at once, or by force after `GRACE`."""
        self._signal(signal.SIGTERM)
        if self._killing is None:
            self._killing = asyncio.get_running_loop().call_later(GRACE, self.kill)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def printed(self) -> str:
        """What it printed, once it has ended; to be read once."""
        with self._output:
            self._output.seek(0)
            return self._output.read(65536).decode(errors="replace")

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
