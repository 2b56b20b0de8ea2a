"""A picture of a ladder: what each type costs against its size. Knows the JSON that `climb` returns, and matplotlib,
which is an optional extra and only imported when something is drawn.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from convert.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

_FORMATS = (".png", ".svg")


def check_plot(path: Path) -> None:
    """Raises `InputError` where nothing could be drawn in the end, if only `path` can be written."""
    if path.suffix.lower() not in _FORMATS:
        raise InputError(f"--plot {path}: give a name that ends in {' or '.join(_FORMATS)}")
    if importlib.util.find_spec("matplotlib") is None:
        raise InputError(
            "--plot needs matplotlib; install it with: pip install 'edge-duplex[plot]', or pip install matplotlib"
        )


def plot(ladder: dict[str, Any], path: Path) -> None:
    """Draws divergence and idle agreement against bits per weight to `path`; the same ladder gives the same picture."""
    import matplotlib as mpl

    # Without a date and with fixed ids, an SVG does not change from one run to the next.
    with mpl.rc_context({"svg.hashsalt": "edge-convert ladder"}):
        metadata = {"Date": None} if path.suffix.lower() == ".svg" else {}
        _figure(ladder).savefig(path, dpi=150, metadata=metadata)


def _figure(ladder: dict[str, Any]) -> Figure:
    from matplotlib.figure import Figure

    rows = [row for row in ladder["rows"] if row["label"] != ladder["source"]]
    # A place each, since many types have nearly the same size: their names would cover each other.
    bits = {row["type"]: row["bits_per_weight"] for row in rows}
    places = {name: place for place, name in enumerate(sorted(bits, key=lambda name: -bits[name]))}
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    divergence, silence = figure.subplots(1, 2)
    for with_matrix, marker, aside, name in (
        (False, "o", -0.12, "without importance matrix"),
        (True, "^", 0.12, "with"),
    ):
        some = [row for row in rows if row["imatrix"] is with_matrix]
        if not some:
            continue
        across = [places[row["type"]] + aside for row in some]
        divergence.plot(across, [row["quality"]["kl"] for row in some], marker, label=name)
        rates = [row["quality"]["idle_agreement"] for row in some]
        middle = [100 * rate["rate"] for rate in rates]
        reach = [[100 * abs(rate[end] - rate["rate"]) for rate in rates] for end in ("low", "high")]
        silence.errorbar(across, middle, yerr=reach, fmt=marker, capsize=3, label=name)
    if rows and min(row["quality"]["kl"] for row in rows) > 0:
        divergence.set_yscale("log")
    divergence.set_ylabel(f"KL divergence to {ladder['source']}, nats a token")
    silence.set_ylabel("idle agreement, % (95 % interval)")
    for each in (divergence, silence):
        each.set_xticks(
            list(places.values()), [f"{name}  {bits[name]:.2f}" for name in places], rotation=60, ha="right"
        )
        each.set_xlabel("type and bits per weight")
        each.grid(axis="y", alpha=0.3)
    if rows:
        divergence.legend()
    figure.suptitle(f"{ladder['model']} beside {ladder['source']}, {ladder['corpus']} corpus")
    return figure
