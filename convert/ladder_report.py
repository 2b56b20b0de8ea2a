"""What a ladder came to, as tables to read. Knows the JSON that `climb` returns; measures nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Row = dict[str, Any]


def tables(ladder: dict[str, Any]) -> str:
    """Markdown tables of what the predictions, the speed and the eval are, the notes, and the smallest type to use."""
    rows, source = ladder["rows"], ladder["source"]
    quality = rows[0]["quality"]
    blocks = [
        f"{ladder['model']} beside {source}: {quality['tokens']:,} tokens of the assistant in {quality['slices']:,} "
        f"slices of the {ladder['corpus']} corpus; in brackets 95 % intervals",
        _table(["type", "MB", "bits/weight", "perplexity", "KL", "KL p99", "same top token"], rows, _predictions),
        _table(
            ["type", "idle agreement", "false speech", "false silence", "P(idle) shift", "distance"], rows[1:], _silence
        ),
    ]
    if "speed" in rows[0]:
        names = [name for name in rows[0]["speed"] if not name.endswith("_ratio")]
        machine = ladder["machine"]
        blocks.append(
            f"tokens per second on {machine['platform']}, --threads {machine['threads']}; in brackets times "
            f"{source}'s, measured in turns"
        )
        blocks.append(
            _table(["type", *map(_spoken, names)], rows, lambda row: [_speed(row["speed"], name) for name in names])
        )
    if "eval" in rows[0]:
        rates = [name for name, value in rows[0]["eval"].items() if isinstance(value, dict) and "rate" in value]
        blocks.append(f"scores of the {ladder['eval']} scenarios, %")
        # A type has a column here, because there are more scores than fit beside each other.
        scores = [
            {"label": _spoken(name), "cells": [str(rows[0]["eval"][name]["n"]), *(_share(row, name) for row in rows)]}
            for name in rates
        ]
        titles = ["score", f"n ({source})", *(row["label"] for row in rows)]
        blocks.append(_table(titles, scores, lambda score: score["cells"]))
    blocks += [f"note: {note}" for note in ladder["notes"]]
    return "\n\n".join([*blocks, _conclusion(ladder)])


def _conclusion(ladder: dict[str, Any]) -> str:
    limits = ", ".join(ladder["limits"])
    out = [f"{row['label']} ({', '.join(row['broken'])})" for row in ladder["rows"] if row["broken"]]
    beyond = f"\nbeyond them: {'; '.join(out)}" if out else ""
    if ladder["smallest"] is None:
        return f"no type stays within {limits}{beyond}"
    return f"the smallest type within {limits}: {ladder['smallest']}{beyond}"


def _predictions(row: Row) -> list[str]:
    quality = row["quality"]
    return [
        f"{row['bytes'] / 1e6:,.1f}",
        f"{row['bits_per_weight']:.2f}",
        f"{quality['perplexity']:.4f}",
        f"{quality['kl']:.5f}",
        f"{quality['kl_p99']:.4f}",
        _interval(quality["top1"]),
    ]


def _silence(row: Row) -> list[str]:
    quality = row["quality"]
    rates = [_interval(quality[name]) for name in ("idle_agreement", "false_speech", "false_silence")]
    shift, distance = quality["idle_shift"], quality["idle_distance"]
    return [
        *rates,
        *("-" if value is None else f"{100 * value:{sign}.2f} %" for value, sign in ((shift, "+"), (distance, ""))),
    ]


def _speed(speed: dict[str, float], name: str) -> str:
    return f"{speed[name]:,.1f} ({speed[f'{name}_ratio']:.2f})" if name in speed else "-"


def _interval(rate: dict[str, Any]) -> str:
    if rate["rate"] is None:
        return "-"
    return f"{100 * rate['rate']:.2f} % ({100 * rate['low']:.1f}-{100 * rate['high']:.1f})"


def _share(row: Row, name: str) -> str:
    rate = row["eval"].get(name, {}).get("rate")
    return "-" if rate is None else f"{100 * rate:.1f}"


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _table(titles: Sequence[str], rows: Sequence[Row], cells: Callable[[Row], Sequence[str]]) -> str:
    """Aligned, so that it can be read as it is; the first column to the left, figures to the right."""
    lines = [list(titles), *([row["label"], *cells(row)] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]

    def written(line: Sequence[str]) -> str:
        padded = [
            line[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
        ]
        return f"| {' | '.join(padded)} |"

    rule = [f":{'-' * (widths[0] - 1)}", *(f"{'-' * (width - 1)}:" for width in widths[1:])]
    return "\n".join([written(lines[0]), f"| {' | '.join(rule)} |", *map(written, lines[1:])])
