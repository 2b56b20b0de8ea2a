"""A scenario as it went: who said what in which slice, and when. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PlayedSlice:
    """One slice of a played scenario. Times are seconds since the scenario began."""

    step: int  # index of the step that it belongs to
    said: str | None  # the user's words; None: silence
    reply: str  # all that the assistant said in it; blank: silence
    sent: float
    first: float | None  # when the first frame of the reply came


@dataclass(frozen=True)
class Played:
    """A scenario as it went. Not `complete`: the server said that the context is full; of that step nothing is kept."""

    id: str
    slices: tuple[PlayedSlice, ...]
    complete: bool = True
