"""RESULTS.md: the latest full run, and below it what people wrote about it, which stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.figures import Row, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NOTES = "## Notes"
_TITLES = {
    "real": "MiniCPM-duplex's shape",
    "pocket": "The pocket model's shape",
    "": "Conversion",
}


def write_results(path: Path, facts: dict[str, Any], rows: Sequence[Row]) -> None:
    """Writes everything above the notes anew; the notes, from their heading on, are kept as they stand."""
    notes = f"{NOTES}\n"
    if path.exists():
        _, heading, rest = path.read_text(encoding="utf-8").partition(f"\n{NOTES}")
        notes = f"{NOTES}{rest}" if heading else notes
    lines = [
        "# Results",
        "",
        "The latest full run of `make bench`. All contenders ran in this one run, on the same work, in turn; weights",
        "are random, and no slice ends before its fifteen tokens. Compare figures of one run only: machines drift.",
        "",
        f"- machine: {facts['machine']}",
        f"- system: {facts['system']}",
        f"- date: {facts['date']}",
        f"- command: `{facts['command']}`",
        f"- threads: {facts['threads']}; memory is read at {facts['read_gb_per_second']} GB/s{_load(facts)}",
        "",
    ]
    for name in dict.fromkeys(row.model for row in rows):
        lines += [f"## {_TITLES[name]}", ""]
        model = facts.get(f"{name}_model")
        if model:
            lines += [f"{model['quant'].upper()}, {model['bytes'] / 1e9:.3f} GB.", ""]
        lines += [table([row for row in rows if row.model == name]), ""]
    path.write_text("\n".join([*lines, notes]), encoding="utf-8")


def _load(facts: dict[str, Any]) -> str:
    return "" if facts["load"] is None else f"; load before the run {facts['load']:.1f}"
