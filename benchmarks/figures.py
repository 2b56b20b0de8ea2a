"""What a measurement becomes: statistics, rows with a best possible and a goal, the table, the line of JSON. Pure."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Unit = Literal["s", "B", "tokens/s", "share", "count", "ratio"]


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which `share` (0 to 1) of `values` lie, linear between neighbours. Raises ValueError for none."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values to take a percentile of")
    position = share * (len(ordered) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def median(values: Iterable[float]) -> float:
    """The value in the middle. Raises ValueError for none."""
    return percentile(values, 0.5)


@dataclass(frozen=True)
class Goal:
    """`limit` is what the measured value, or its ratio to the best possible, must not exceed (or fall below)."""

    limit: float
    on: Literal["value", "ratio"] = "ratio"
    at_least: bool = False

    def met_by(self, value: float | None, ratio: float | None) -> bool | None:
        """None where nothing was measured."""
        figure = value if self.on == "value" else ratio
        if figure is None or math.isnan(figure):
            return None
        return figure >= self.limit if self.at_least else figure <= self.limit


@dataclass(frozen=True)
class Row:
    """One line of the table. `value` and `best` are in `unit`; None is "not measured", and `note` says why.

    `ratio` is what the row is judged by, by default value / best.
    """

    what: str
    value: float | None = None
    unit: Unit = "s"
    best: float | None = None
    best_is: str = ""
    ratio_is: float | None = None
    goal: Goal | None = None
    note: str = ""
    model: str = ""

    @property
    def ratio(self) -> float | None:
        """Measured against the best possible; None where one of them is missing."""
        if self.ratio_is is not None:
            return self.ratio_is
        if self.value is None or not self.best:
            return None
        return self.value / self.best

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal or a measurement."""
        return self.goal.met_by(self.value, self.ratio) if self.goal else None

    def record(self) -> dict[str, Any]:
        """For JSON: numbers unrounded, None where there is nothing."""
        return {
            "model": self.model,
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "best": self.best,
            "best_is": self.best_is,
            "ratio": self.ratio,
            "goal": None if self.goal is None else _goal_text(self.goal, self.unit),
            "met": self.met,
            "note": self.note,
        }


def show(value: float | None, unit: Unit) -> str:
    """A figure as a person reads it, three digits of it; a dash for None."""
    if value is None or math.isnan(value):
        return "–"
    if unit == "s":
        return _scaled(value, [(1, "s"), (1e-3, "ms"), (1e-6, "µs")])
    if unit == "B":
        return _scaled(value, [(1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B")])
    if unit == "share":
        return f"{100 * value:.0f} %"
    if unit == "count":
        return f"{value:,.0f}"
    return _digits(value) + (" tokens/s" if unit == "tokens/s" else "")


def _scaled(value: float, units: Sequence[tuple[float, str]]) -> str:
    size, name = next(((size, name) for size, name in units if abs(value) >= size), units[-1])
    return f"{_digits(value / size)} {name}"


def _digits(value: float) -> str:
    whole = len(str(int(abs(value))))
    return f"{value:,.{max(0, 3 - whole)}f}"


def _goal_text(goal: Goal, unit: Unit) -> str:
    sign = "≥" if goal.at_least else "≤"
    if goal.on == "ratio":
        return f"ratio {sign} {goal.limit:g}"
    return f"{sign} {show(goal.limit, unit)}"


_HEAD = ("what", "measured", "best possible", "ratio", "goal", "met")


def table(rows: Sequence[Row]) -> str:
    """A Markdown table that also reads well in a terminal: columns are padded."""
    lines = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def _cells(row: Row) -> tuple[str, ...]:
    measured = show(row.value, row.unit)
    if row.note:
        measured = row.note if row.value is None else f"{measured} ({row.note})"
    best = show(row.best, row.unit) if row.best is not None else ""
    if row.best_is:
        best = f"{best} ({row.best_is})" if best else row.best_is
    met = {True: "yes", False: "**no**", None: ""}[row.met]
    ratio = "" if row.ratio is None else show(row.ratio, "ratio")
    return (row.what, measured, best, ratio, _goal_text(row.goal, row.unit) if row.goal else "", met)


def json_line(facts: dict[str, Any], rows: Sequence[Row]) -> str:
    """Everything in one line; not a number becomes null."""

    def clean(value: Any) -> Any:
        return None if isinstance(value, float) and not math.isfinite(value) else value

    records = [{name: clean(value) for name, value in row.record().items()} for row in rows]
    return json.dumps({**facts, "rows": records}, ensure_ascii=False)
