"""What a conversation over the JSON protocol has taken: its slices, their times and tokens, and what interrupted them.

Pure: is told the server's events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

MOST = 10**15  # of anything: numbers above it are none
_TOKENS = ("reused", "prefilled", "sampled", "guessed", "dropped")


@dataclass(frozen=True)
class _Slice:
    number: int
    kind: str
    tokens: Mapping[str, int]
    first_token: float | None  # milliseconds from when it was asked for
    total: float


class Stats:
    """Of one conversation, or of several one after the other."""

    def __init__(self) -> None:
        self._slices: list[_Slice] = []
        self._events: Counter[str] = Counter()
        self._usage: Counter[str] = Counter()

    def take(self, event: Mapping[str, Any]) -> None:
        """An event of the server's."""
        kind = event["type"]
        if kind == "duplex.slice":
            one = _slice(event)
            if one is not None:
                self._slices.append(one)
        elif kind == "response.created":
            self._events["replies"] += 1
        elif kind == "response.done":
            self._count_response(event.get("response"))
        elif kind in ("duplex.resumed", "session.resumed"):
            self._events[kind] += 1

    def _count_response(self, response: object) -> None:
        if not isinstance(response, dict):
            return
        details = response.get("status_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        if response.get("status") == "cancelled":
            self._events["stopped" if reason == "client_cancelled" else "interrupted"] += 1
        usage = response.get("usage")
        if isinstance(usage, dict):
            details = usage.get("input_token_details")
            cached = details.get("cached_tokens") if isinstance(details, dict) else 0
            counts = {"input": usage.get("input_tokens"), "output": usage.get("output_tokens"), "cached": cached}
            self._usage.update({name: count for name, count in counts.items() if _is_count(count)})

    @property
    def last(self) -> tuple[str, ...]:
        """The last slice, in a few words each; none before there is one."""
        if not self._slices:
            return ()
        last = self._slices[-1]
        words = [f"slice {last.number}"]
        if last.first_token is not None:
            words.append(f"first token {_ms(last.first_token)}")
        return *words, f"{last.tokens['reused']} reused", f"{self._guessed}/{len(self._slices)} guessed"

    @property
    def _guessed(self) -> int:
        """Slices that were made before they were asked for."""
        return sum(one.tokens["guessed"] > 0 for one in self._slices)

    @property
    def report(self) -> list[str]:
        """Everything, in lines; none, if nothing was said."""
        rows: list[tuple[str, str]] = []
        if self._slices:
            kinds = Counter(one.kind for one in self._slices)
            parts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
            rows.append(("slices", f"{len(self._slices)}: {parts}"))
            firsts = [one.first_token for one in self._slices if one.first_token is not None]
            if firsts:
                rows.append(("first token", _spread(firsts)))
            rows.append(("whole slice", _spread([one.total for one in self._slices])))
            sums = {name: sum(one.tokens[name] for one in self._slices) for name in _TOKENS}
            rows.append(("tokens", ", ".join(f"{sums[name]} {name}" for name in _TOKENS[:3])))
            ahead = f"{sums['guessed']} of the sampled tokens; {sums['dropped']} more were dropped"
            rows.append(("guessed", f"{self._guessed} of {len(self._slices)} slices, {ahead}"))
        elif self._events["replies"]:
            read, cached, sampled = (self._usage[name] for name in ("input", "cached", "output"))
            rows.append(("tokens", f"{cached} reused, {read - cached} prefilled, {sampled} sampled"))
        if self._events["replies"]:
            ends = [f"{self._events[name]} {name}" for name in ("interrupted", "stopped") if self._events[name]]
            rows.append(("replies", ", ".join([str(self._events["replies"]), *ends])))
        for name, event in (("false alarms", "duplex.resumed"), ("came back", "session.resumed")):
            if self._events[event]:
                rows.append((name, str(self._events[event])))
        return [f"{name:<12}  {text}" for name, text in rows]


def _slice(event: Mapping[str, Any]) -> _Slice | None:
    """None: the event is not what the protocol says."""
    tokens, ms, number = event.get("tokens"), event.get("ms"), event.get("number")
    if not isinstance(tokens, dict) or not isinstance(ms, dict) or not _is_count(number):
        return None
    tokens = {"dropped": 0, **tokens}  # a recording may be of an earlier server
    known = {name: tokens[name] for name in _TOKENS if _is_count(tokens.get(name))}
    first, total = ms.get("first_token"), ms.get("total")
    if len(known) < len(_TOKENS) or not _is_time(total) or not (first is None or _is_time(first)):
        return None
    return _Slice(number, str(event.get("kind")), known, first, total)


def _is_count(value: object) -> TypeGuard[int]:
    """Nothing in a recording, or of a server, is believed."""
    return isinstance(value, int) and 0 <= value <= MOST


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and 0 <= value <= MOST


def _spread(values: list[float]) -> str:
    values = sorted(values)
    middle, high = (values[min(len(values) - 1, round(share * (len(values) - 1)))] for share in (0.5, 0.95))
    return f"median {_ms(middle)}, 95 % {_ms(high)}, most {_ms(values[-1])}"


def _ms(value: float) -> str:
    if value >= 1000:
        return f"{value / 1000:.1f} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"
