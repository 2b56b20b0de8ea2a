"""Short notations for long tables of words, and what the tables of phrasings are. Knows nothing else."""

from __future__ import annotations

from dataclasses import dataclass


def words(text: str) -> tuple[str, ...]:
    """What stands between spaces."""
    return tuple(text.split())


def phrases(text: str) -> tuple[str, ...]:
    """What stands between slashes."""
    return tuple(phrase.strip() for phrase in text.split("/"))


def lines(text: str) -> tuple[str, ...]:
    """What stands on lines of its own."""
    return tuple(line.strip() for line in text.split("\n") if line.strip())


@dataclass(frozen=True)
class Phrasings:
    """The ways of asking for one thing; no held-out one is ever generated for training."""

    trained: tuple[str, ...]
    held_out: tuple[str, ...]

    def choose_from(self, *, held_out: bool) -> tuple[str, ...]:
        return self.held_out if held_out else self.trained


@dataclass(frozen=True)
class Sayings:
    """What one language's users say besides their requests, most of it short.

    `name_told` have the field ``{n}``, `corrections` the field ``{t}``. Of `paired`, two are also said together; but no
    held-out pair is, in training. With `standalone` a cut may not end: alone these say something already.
    """

    back_channels: Phrasings
    stops: Phrasings
    go_on: Phrasings
    again: Phrasings
    resets: Phrasings
    asides: Phrasings
    corrections: Phrasings
    name_told: Phrasings
    name_asked: Phrasings
    paired: tuple[str, ...]
    leads: tuple[str, ...]
    tails: tuple[str, ...]
    standalone: frozenset[str]


def phrasings(trained: str, held_out: str) -> Phrasings:
    """Phrasings, one on a line."""
    return Phrasings(lines(trained), lines(held_out))


def varied(written: Phrasings, openings: str, cores: str, endings: str = "", *, joint: str = " ") -> Phrasings:
    """With every core behind every opening and before every ending (all between slashes) trained too.

    No held-out phrasing is, and what is written by hand is still drawn in about half of all cases.
    """
    bare = phrases(cores)
    made = [f"{opening}{joint}{core}" for opening in phrases(openings) for core in bare]
    made += [f"{core}{joint}{ending}" for ending in (phrases(endings) if endings else ()) for core in bare]
    apart = {text.replace("|", "") for text in (*written.trained, *written.held_out)}
    more = tuple(text for text in dict.fromkeys(made) if text.replace("|", "") not in apart)
    return Phrasings(written.trained * max(1, round(len(more) / len(written.trained))) + more, written.held_out)
