"""Scenarios for the tests, and how they might go: what is heard in which slice, without a server."""

from __future__ import annotations

from collections.abc import Sequence

from clients.eval_played import Played, PlayedSlice
from clients.eval_report import Judged, measure
from clients.eval_scenarios import DEFAULT_SLICES, Check, Kind, Say, Scenario, Silent, Step
from clients.eval_scores import judge
from clients.eval_statistics import Rate, Spread

FOX = "A young fox came to a wide river and did not dare to cross it. All day she walked along the bank."
PARIS = "The capital of France is Paris."


def say(words: str, kind: str, *, text: str | None = None, slices: int | None = None, **checks: list[str]) -> Say:
    """A step; `text` and the lists are what is expected of the answer, as for `has=["fox"]`."""
    lists = {key: tuple(ones) for key, ones in checks.items() if not key.startswith("back_")}
    back = {key.removeprefix("back_"): tuple(ones) for key, ones in checks.items() if key.startswith("back_")}
    answer = Check(text=() if text is None else (text,), **lists) if text is not None or lists else None
    return Say(words, Kind(kind), slices or DEFAULT_SLICES.get(Kind(kind)), answer, Check(**back) if back else None)


def scene(*steps: Step, id_: str = "one", category: str = "basic", language: str = "en") -> Scenario:
    return Scenario(id_, category, language, steps)


def heard(scenario: Scenario, *replies: Sequence[str], complete: bool = True) -> Played:
    """The scenario played, with these replies to the slices of each step; one every second."""
    slices: list[PlayedSlice] = []
    for step, (one, said) in enumerate(zip(scenario.steps, replies, strict=complete)):
        for index, reply in enumerate(said):
            words = one.words if isinstance(one, Say) and index == 0 else None
            sent = float(len(slices))
            slices.append(PlayedSlice(step, words, reply, sent, sent + 0.5 if reply.strip() else None))
    return Played(scenario.id, tuple(slices), complete)


def judged(scenario: Scenario, *replies: Sequence[str], complete: bool = True) -> Judged:
    played = heard(scenario, *replies, complete=complete)
    return Judged(scenario, played, tuple(judge(scenario, played)))


def rates(*scenes: Judged) -> dict[str, tuple[int, int]]:
    """Of each rate that has a case: how many happened, of how many."""
    metrics = measure(scenes, seed=1)
    return {name: (one.k, one.n) for name, one in metrics.items() if isinstance(one, Rate) and one.n}


def latency(name: str, *scenes: Judged) -> float | None:
    """The mean of a latency."""
    metric = measure(scenes, seed=1)[name]
    return metric.mean if isinstance(metric, Spread) else None


__all__ = ["FOX", "PARIS", "Silent", "heard", "judged", "latency", "rates", "say", "scene"]
