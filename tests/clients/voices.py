"""A voice that a test may watch: a stand-in for the program, which notes what it reads, and what came of it."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from clients import voice as voice_module
from clients.pace import Heard
from clients.voice import Voice, VoiceSpeaker

PATIENCE = 60.0  # seconds; nothing but a failure takes so long

# Notes how it was called, what it reads, and that it runs; then does what the test says.
STAND_IN = """#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/calls"
case "$*" in *--voices* | "-v ?") cat "$here/voices"; exit;; esac
{{ cat; printf '\\0'; }} >> "$here/phrases"
echo $$ >> "$here/pids"
{does}
"""
WAITS = 'while [ ! -e "$here/go" ]; do sleep 0.01; done'
ENDS = "exit 0"


@dataclass
class Scene:
    """A voice, and what came of it."""

    folder: Path
    told: list[Heard] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    @property
    def heard(self) -> str:
        return "".join(one.text for one in self.told)

    def lines(self, name: str) -> list[str]:
        """What the stand-in noted."""
        path = self.folder / name
        return path.read_text("utf-8").splitlines() if path.exists() else []

    @property
    def phrases(self) -> list[str]:
        path = self.folder / "phrases"
        return path.read_text("utf-8").split("\0")[:-1] if path.exists() else []

    async def speaks(self, number: int = 1) -> int:
        """Waits until so many phrases were begun; the newest one's process."""
        await until(lambda: len(self.lines("pids")) >= number)
        return int(self.lines("pids")[number - 1])

    def go(self) -> None:
        """What waits comes to its end."""
        (self.folder / "go").touch()

    def wait(self) -> None:
        """What comes waits."""
        (self.folder / "go").unlink(missing_ok=True)


async def until(condition: Callable[[], object]) -> None:
    async def wait() -> None:
        while not condition():
            await asyncio.sleep(0.002)

    await asyncio.wait_for(wait(), PATIENCE)


def program(folder: Path, script: str) -> Voice:
    path = folder / "espeak-ng"
    path.write_text(script)
    path.chmod(0o755)
    return Voice("espeak-ng", str(path))


@asynccontextmanager
async def speaking(
    folder: Path, does: str = WAITS, *, rate: float = 450, voice: Voice | None = None, no_speech: float = math.inf
) -> AsyncIterator[tuple[VoiceSpeaker, Scene]]:
    """`no_speech`: words a minute that are too many; else a voice that ends at once is believed to have spoken."""
    scene = Scene(folder)
    voice = voice or program(folder, STAND_IN.format(does=does))
    speaker = VoiceSpeaker(voice, rate, scene.told.append, scene.troubles.append)
    try:
        with patch.object(voice_module, "NO_SPEECH", no_speech):
            yield speaker, scene
    finally:
        count = len(scene.told)
        await speaker.close()
        assert not speaker.speaking
        assert len(scene.told) == count
    assert not any(is_there(int(pid)) for pid in scene.lines("pids"))


def is_there(pid: int) -> bool:
    """Whether there is such a process, or the zombie of one."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def silent(speaker: VoiceSpeaker) -> None:
    await until(lambda: not speaker.speaking)
