"""What a shell may complete as a value. Each function is for typer's `autocompletion`; nothing found leaves the value
to the shell, which then completes names of files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

Complete = Callable[[str], list[str]]


def files(incomplete: str) -> list[str]:
    """Left to the shell."""
    del incomplete
    return []


def words(*known: str, then: Sequence[Complete] = ()) -> Complete:
    """These, and what those of `then` find."""

    def complete(incomplete: str) -> list[str]:
        found = [name for each in then for name in each(incomplete)]
        return [word for word in (*known, *found) if word.startswith(incomplete)]

    return complete


def listed(known: Iterable[str]) -> Complete:
    """Several of these with commas, none twice."""
    names = tuple(known)

    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        given = before.split(",")
        return [f"{before}{comma}{name}" for name in names if name.startswith(last) and name not in given]

    return complete


def gguf_files(incomplete: str) -> list[str]:
    """The GGUF files in the folder models/ here."""
    return [name for name in sorted(map(str, Path("models").glob("*.gguf"))) if name.startswith(incomplete)]


def checkpoints(incomplete: str) -> list[str]:
    """The checkpoints in the folder models/ here."""
    names = sorted(str(path.parent) for path in Path("models").glob("*/config.json"))
    return [name for name in names if name.startswith(incomplete)]
