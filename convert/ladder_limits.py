"""The limits that a quantised model must stay within, and the smallest that does. Pure: knows figures by their names,
not where they come from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convert.errors import InputError

DEFAULT = "idle_agreement>=0.99,kl<=0.05"
# What can be limited; besides these the rates of the eval, by the names that it gives them.
FIGURES = (
    "bits_per_weight",
    "bytes",
    "perplexity",
    "perplexity_ratio",
    "kl",
    "kl_p99",
    "top1",
    "idle_agreement",
    "false_speech",
    "false_silence",
    "idle_shift",
    "idle_distance",
    "prefill_32",
    "prefill_512",
    "decode",
    "prefill_32_ratio",
    "prefill_512_ratio",
    "decode_ratio",
)
_LIMIT = re.compile(r"\s*([a-z][a-z0-9_]*)\s*(<=|>=)\s*([-+.\deE]+)\s*")


@dataclass(frozen=True)
class Limit:
    """A bound that the figure `name` may reach and not pass. Rates are shares of 1; speeds are tokens a second."""

    name: str
    at_least: bool
    bound: float

    def holds(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{self.name} {'>=' if self.at_least else '<='} {self.bound:g}"


def read_limits(text: str, *, evaluated: bool) -> tuple[Limit, ...]:
    """The limits of a list such as "kl<=0.05,top1>=0.98". `evaluated`: whether there will be rates of the eval.

    Raises `InputError` for what is not one, or speaks of a figure that will not be there.
    """
    limits = []
    for part in text.split(","):
        found = _LIMIT.fullmatch(part)
        try:
            limit = Limit(found[1], found[2] == ">=", float(found[3])) if found else None
        except ValueError:
            limit = None
        if limit is None:
            raise InputError(f"--limits: {part.strip()!r} is no limit; write name<=number or name>=number, with commas")
        if limit.name not in FIGURES and not evaluated:
            raise InputError(
                f"--limits: there is no figure {limit.name} (with --eval its rates count too); "
                f"choose of {', '.join(FIGURES)}"
            )
        limits.append(limit)
    return tuple(limits)


def check_rates(limits: Sequence[Limit], rates: Mapping[str, Any]) -> None:
    """Raises `InputError` for a limit on what is neither a figure nor one of the `rates` that the eval has given."""
    known = [name for name, value in rates.items() if isinstance(value, dict) and "rate" in value]
    for limit in limits:
        if limit.name not in (*FIGURES, *known):
            raise InputError(
                f"--limits: there is no figure {limit.name}; choose of {', '.join(FIGURES)}, "
                f"or of the eval's {', '.join(known)}"
            )


def figures(row: Mapping[str, Any]) -> dict[str, float]:
    """Every figure of a row of the ladder that is there, by name; a rate is its share."""
    found: dict[str, float] = {}
    for group in (row, row.get("quality"), row.get("speed"), row.get("eval")):
        for name, value in (group or {}).items():
            number = value.get("rate") if isinstance(value, dict) else value
            if isinstance(number, int | float) and not isinstance(number, bool):
                found[name] = float(number)
    return found


def broken(limits: Sequence[Limit], row: Mapping[str, Any]) -> list[str]:
    """The limits that a row does not keep, with what it has instead."""
    found = figures(row)
    told = []
    for limit in limits:
        if limit.name not in found:
            told.append(f"{limit.name} not measured")
        elif not limit.holds(found[limit.name]):
            told.append(f"{limit.name} {found[limit.name]:.4g}")
    return told


def smallest(limits: Sequence[Limit], rows: Sequence[Mapping[str, Any]]) -> str | None:
    """The label of the smallest file that keeps every limit; of two of a size the first. None where none does."""
    kept = [row for row in rows if not broken(limits, row)]
    return str(min(kept, key=lambda row: row["bytes"])["label"]) if kept else None
