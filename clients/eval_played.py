"""A scenario as it went: who said what in which slice, and when. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from clients.eval_scenarios import Say, Scenario


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


def fits(played: Played, scenario: Scenario) -> bool:
    """Whether `played` can be how the scenario went: its steps in their order, each with its words and its slices."""
    steps = [list(slices) for _, slices in groupby(played.slices, key=lambda one: one.step)]
    whole = len(steps) == len(scenario.steps) if played.complete else len(steps) < len(scenario.steps)
    if not whole or [slices[0].step for slices in steps] != list(range(len(steps))):
        return False
    for step, slices in zip(scenario.steps, steps, strict=False):
        words = step.words if isinstance(step, Say) else None
        if [one.said for one in slices] != [words, *[None] * (len(slices) - 1)]:
            return False
        if step.slices not in (None, len(slices)):
            return False
    return True
