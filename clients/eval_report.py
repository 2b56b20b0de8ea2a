"""What an evaluation says: metrics over all, by category and by language; as a table, as JSON, and the misses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from clients.eval_matching import is_silent
from clients.eval_played import Played
from clients.eval_scenarios import CATEGORIES, Scenario, ScenarioSet
from clients.eval_scores import LATENCIES, RATES, Case, Latency, Outcome, judge
from clients.eval_statistics import Rate, Spread, spread
from clients.words import clean

Metrics = dict[str, Rate | Spread | None]  # a latency without samples is None


@dataclass(frozen=True)
class Judged:
    """A scenario that was played, and what came of it."""

    scenario: Scenario
    played: Played
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class Report:
    """The metrics of one evaluation. `settings` are how it was played, as in the header of `Record`."""

    settings: dict[str, Any]
    judged: tuple[Judged, ...]
    metrics: Metrics
    by_category: dict[str, Metrics]
    by_language: dict[str, Metrics]


def report(found: ScenarioSet, played: dict[str, Played], settings: dict[str, Any]) -> Report:
    """Judges those scenarios of the set that were `played`, by their ids."""
    judged = tuple(
        Judged(one, played[one.id], tuple(judge(one, played[one.id]))) for one in found.scenarios if one.id in played
    )
    seed = int(settings["seed"])

    def by(key: Callable[[Scenario], str], order: Iterable[str]) -> dict[str, Metrics]:
        there = {key(one.scenario) for one in judged}
        return {
            name: measure([one for one in judged if key(one.scenario) == name], seed) for name in order if name in there
        }

    return Report(
        settings=settings,
        judged=judged,
        metrics=measure(judged, seed),
        by_category=by(lambda one: one.category, CATEGORIES),
        by_language=by(lambda one: one.language, sorted({one.scenario.language for one in judged})),
    )


def measure(judged: Sequence[Judged], seed: int) -> Metrics:
    """Every metric over these scenarios."""
    outcomes = [outcome for one in judged for outcome in one.outcomes]
    metrics: Metrics = {}
    for name in RATES:
        cases = [one.happened for one in outcomes if isinstance(one, Case) and one.metric == name]
        counted = [happened for happened in cases if happened is not None]
        metrics[name] = Rate(sum(counted), len(counted), skipped=len(cases) - len(counted))
    for name in LATENCIES:
        metrics[name] = spread([one.value for one in outcomes if isinstance(one, Latency) and one.metric == name], seed)
    return metrics


def as_json(found: Report) -> dict[str, Any]:
    """The report as docs/evaluation.md describes it."""
    return {
        **found.settings,
        "scenarios": len(found.judged),
        "ended_early": sum(not one.played.complete for one in found.judged),
        "metrics": _metrics_as_json(found.metrics),
        "by_category": {name: _metrics_as_json(metrics) for name, metrics in found.by_category.items()},
        "by_language": {name: _metrics_as_json(metrics) for name, metrics in found.by_language.items()},
    }


def _metrics_as_json(metrics: Metrics) -> dict[str, dict[str, float | int | None]]:
    found: dict[str, dict[str, float | int | None]] = {}
    for name, metric in metrics.items():
        if isinstance(metric, Rate):
            low, high = metric.interval or (None, None)
            figures = {"rate": metric.rate, "k": metric.k, "n": metric.n, "low": low, "high": high}
            found[name] = {**figures, "skipped": metric.skipped}
        elif metric is None:
            found[name] = {"mean": None, "p50": None, "p95": None, "n": 0, "low": None, "high": None}
        else:
            names = ("mean", "p50", "p95", "n", "low", "high")
            found[name] = {key: getattr(metric, key) for key in names}
        found[name] = {key: round(one, 6) if isinstance(one, float) else one for key, one in found[name].items()}
    return found


def as_table(found: Report) -> str:
    """The metrics as lines for a terminal: over all with intervals, and beside them each category and language."""
    groups = {**found.by_category, **(found.by_language if len(found.by_language) > 1 else {})}
    rows = [["metric", "", "all", "95 % interval", "n", *(name.replace("_", " ") for name in groups)]]
    for name, metric in found.metrics.items():
        wanted = "more" if RATES.get(name, False) else "less"
        value, interval, n = _shown(metric)
        beside = [_beside(metrics[name]) for metrics in groups.values()]
        rows.append([name.replace("_", " "), wanted, value, interval, n, *beside])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) if index < 2 else cell.rjust(width) for index, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in rows)
    ]
    lines.insert(1, "-" * len(lines[0]))
    shown = f"{found.settings['set']}: {len(found.judged)} scenarios, seed {found.settings['seed']}"
    early = sum(not one.played.complete for one in found.judged)
    if early:
        shown += f"; {early} ended early, because the context was full"
    return "\n".join([shown, "", *(line.rstrip() for line in lines)])


def _shown(metric: Rate | Spread | None) -> tuple[str, str, str]:
    """A metric's figure, interval and number of cases."""
    if isinstance(metric, Rate):
        if metric.rate is None or metric.interval is None:
            return "-", "", "0"
        low, high = metric.interval
        return f"{100 * metric.rate:.1f} %", f"{100 * low:.1f} - {100 * high:.1f}", str(metric.n)
    if metric is None:
        return "-", "", "0"
    return f"{metric.mean:.2f}", f"{metric.low:.2f} - {metric.high:.2f}", str(metric.n)


def _beside(metric: Rate | Spread | None) -> str:
    value, _, n = _shown(metric)
    return value if value == "-" else f"{value} ({n})"


def misses(found: Report, most: int) -> list[str]:
    """The first `most` misses of each metric, each with its dialogue, as lines."""
    lines = []
    for name in RATES:
        shown = 0
        for one in found.judged:
            for case in one.outcomes:
                if isinstance(case, Case) and case.metric == name and case.missed and shown < most:
                    shown += 1
                    lines += ["", f"{name}: {one.scenario.id}, step {case.step + 1}", *dialogue(one, case.step)]
    return lines


def dialogue(one: Judged, step: int) -> list[str]:
    """What was said, a line a slice; those of `step`, counted from 0, are pointed at."""
    lines = []
    for played in one.played.slices:
        pointer = ">" if played.step == step else " "
        said = played.said or ""
        reply = "" if is_silent(played.reply) else " ".join(clean(played.reply).split())
        if said:
            lines.append(f"{pointer} user       {said}")
        if reply:
            lines.append(f"{pointer} assistant  {reply}")
        if not said and not reply:
            lines.append(f"{pointer} (silence)")
    return lines
