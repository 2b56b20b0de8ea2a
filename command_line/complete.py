"""What a shell may complete as a value. Each function is for typer's `autocompletion`; nothing found leaves the value
to the shell, which then completes names of files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

Complete = Callable[[str], list[str]]


def files(incomplete: str) -> list[str]:
    """Left to the shell."""
    del incomplete
    return []


def words(*known: str, then: Complete = files) -> Complete:
    """These, and what `then` finds."""

    def complete(incomplete: str) -> list[str]:
        return [word for word in (*known, *then(incomplete)) if word.startswith(incomplete)]

    return complete


def listed(known: Iterable[str]) -> Complete:
    """Several of these with commas, none twice."""
    names = tuple(known)

    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        given = before.split(",")
        return [f"{before}{comma}{name}" for name in names if name.startswith(last) and name not in given]

    return complete


def models(*patterns: str) -> Complete:
    """What is in the folder models/ here, by these patterns; the newest first."""

    def complete(incomplete: str) -> list[str]:
        found = {path for pattern in patterns for path in Path("models").glob(pattern)}
        names = [str(path) for path in sorted(found, key=lambda path: -path.stat().st_mtime)]
        return [name for name in names if name.startswith(incomplete)]

    return complete
