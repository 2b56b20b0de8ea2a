"""Draws a report: the rates with their intervals, over all and by category, and how long a reply takes.

Needs matplotlib, which is an extra of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from clients.eval_report import Report
from clients.eval_scores import RATES, Latency
from clients.eval_statistics import Rate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".png", ".svg")
MISSING = "--plot needs matplotlib: install it with `pip install 'edge-duplex[plot]'`, or `pip install matplotlib`"


class PlotError(Exception):
    """Nothing can be drawn there. The message is one line for the user."""


def check_plot(path: Path) -> None:
    """Raises PlotError if no plot could be written to `path`: before anything is played for it."""
    if path.suffix.lower() not in FORMATS:
        raise PlotError(f"--plot {path} is no picture that can be drawn: end its name in {' or '.join(FORMATS)}")
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise PlotError(MISSING) from None


def draw(found: Report, path: Path) -> None:
    """Writes the plot; the same report gives the same file. Raises OSError."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # Without a date and with fixed ids, an SVG does not change from one run to the next.
    with mpl.rc_context({"svg.hashsalt": "edge-chat eval", "font.size": 9}):
        figure = Figure(figsize=(11, 5.5), layout="constrained")
        rates, latency = figure.subplots(1, 2, width_ratios=(2, 1))
        _draw_rates(rates, found)
        _draw_latency(latency, found)
        if found.by_category:
            figure.legend(loc="outside lower left", ncols=len(found.by_category), fontsize=8)
        settings = found.settings
        figure.suptitle(f"{settings['set']}: {len(found.judged)} scenarios, seed {settings['seed']}")
        metadata: dict[str, Any] = {"Date": None} if path.suffix.lower() == ".svg" else {}
        figure.savefig(path, dpi=150, metadata=metadata)


def _draw_rates(axes: Axes, found: Report) -> None:
    names = [name for name in RATES if _rate(found.metrics[name]).n]
    for number, (category, metrics) in enumerate(found.by_category.items()):
        # Side by side below the figure over all, so that equal ones can be told apart.
        there = [(row, rate) for row, name in enumerate(names) if (rate := _rate(metrics[name]).rate) is not None]
        offset = 0.16 + 0.55 * number / max(1, len(found.by_category) - 1)
        axes.plot(
            [100 * rate for _, rate in there],
            [row + offset for row, _ in there],
            "o",
            markersize=3.5,
            label=category.replace("_", " "),
        )
    for row, name in enumerate(names):
        metric = _rate(found.metrics[name])
        low, high = metric.interval or (0.0, 1.0)
        middle = 100 * (metric.rate or 0.0)
        errors = [[middle - 100 * low], [100 * high - middle]]
        axes.errorbar([middle], [row], xerr=errors, fmt="D", color="black", capsize=3, markersize=5)
    axes.set_yticks(range(len(names)), [f"{name.replace('_', ' ')} ({_arrow(name)})" for name in names])
    axes.set_ylim(max(len(names), 1) - 0.2, -0.6)
    axes.set_xlim(-2, 102)
    axes.set_xlabel("% of the cases; over all with the 95 % interval, below it by category")
    axes.grid(axis="x", alpha=0.3)


def _draw_latency(axes: Axes, found: Report) -> None:
    samples = [
        int(one.value)
        for judged in found.judged
        for one in judged.outcomes
        if isinstance(one, Latency) and one.metric == "response_latency_slices"
    ]
    longest = max(samples, default=0)
    counts = [100 * samples.count(slices) / len(samples) for slices in range(longest + 1)] if samples else []
    axes.bar(range(len(counts)), counts, width=0.6, color="0.4")
    axes.set_xticks(range(max(len(counts), 2)))
    axes.set_xlim(-0.6, max(len(counts), 2) - 0.4)
    axes.set_ylim(0, 105)
    axes.set_xlabel("slices until the reply begins")
    axes.set_ylabel("% of the replies")


def _rate(metric: object) -> Rate:
    assert isinstance(metric, Rate)
    return metric


def _arrow(name: str) -> str:
    return "more is better" if RATES[name] else "less is better"
