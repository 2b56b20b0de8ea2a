"""Short notations for long tables of words. Knows nothing else."""

from __future__ import annotations


def words(text: str) -> tuple[str, ...]:
    """What stands between spaces."""
    return tuple(text.split())


def phrases(text: str) -> tuple[str, ...]:
    """What stands between slashes."""
    return tuple(phrase.strip() for phrase in text.split("/"))


def lines(text: str) -> tuple[str, ...]:
    """What stands on lines of its own."""
    return tuple(line.strip() for line in text.split("\n") if line.strip())
