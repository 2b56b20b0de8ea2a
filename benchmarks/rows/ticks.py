"""Silent ticks while the assistant speaks: frame in to frame out, with look-ahead and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.bench import SLICE, Bench, Script
from benchmarks.edge import has_option
from benchmarks.figures import Goal, Row, median, percentile, show

if TYPE_CHECKING:
    from benchmarks.edge import Talk

_CTX = 1024
_GOALS = {0.5: 0.005, 0.95: 0.020}


def run(bench: Bench) -> list[Row]:
    """Two phases of each kind, alternating; never at once, because a server that guesses keeps the machine busy."""
    plan = bench.plan
    with_guesses = has_option("--no-look-ahead")
    bench.need_memory(3, _CTX)
    with bench.raw(_CTX) as raw, bench.edge(_CTX) as plain, bench.edge(_CTX, ahead=True) as ahead:
        script = Script(raw)
        times: dict[bool, list[float]] = {True: [], False: []}
        floor: list[float] = []
        before = ahead.metrics()
        raw.ask("slice", tokens=[script.bos, *script.text(bench.words(5))], count=SLICE)
        tick = [script.eos, *script.silence]
        slice_seconds = raw.ask("slice", tokens=tick, count=SLICE)["last"]
        # Where a slice takes longer than a tick, no guess is ever ready in time. What is asked here is what an answer
        # costs that is ready, so it gets the time.
        pace = max(plan.tick_seconds, 1.5 * slice_seconds)
        for phase in range(2):
            for guessing, server in ((True, ahead), (False, plain)):
                if guessing and not with_guesses:
                    continue
                kind = "with" if guessing else "without"
                bench.say(f"silent ticks {kind} look-ahead, phase {phase + 1} of 2")
                wait = pace if guessing else 0.0
                bench.settle()
                with server.talk() as talk:
                    talk.ask(bench.words(5))
                    times[guessing] += _ticks(talk, plan.ticks // 2, wait)
            bench.settle()
            raw.ask("clear", sequence=0)
            raw.ask("slice", tokens=[script.bos, *script.text(bench.words(5))], count=SLICE)
            floor += [raw.ask("slice", tokens=tick, count=SLICE)["last"] for _ in range(plan.ticks // 2)]
        after = ahead.metrics()
        step = raw.ask("slice", tokens=[script.eos, *script.silence], count=SLICE)["step"]
    rows = []
    for share, limit in _GOALS.items():
        what = f"silent tick with look-ahead, frame in to frame out, p{100 * share:.0f}"
        goal = Goal(limit, "value")
        if not with_guesses:
            rows.append(Row(what, goal=goal, note="this server has no look-ahead"))
            continue
        note = _used(before, after) + f"{show(pace, 's')} between ticks, {show(step, 's')} a step"
        rows.append(Row(what, percentile(times[True], share), "s", None, "0: it is ready", goal=goal, note=note))
    for share in _GOALS:
        what = f"silent tick without look-ahead, frame in to frame out, p{100 * share:.0f}"
        rows.append(Row(what, percentile(times[False], share), "s", median(floor), "raw loop"))
    return rows


def _ticks(talk: Talk, count: int, wait: float) -> list[float]:
    seconds = []
    for _ in range(count):
        talk.quiet(wait)
        seconds.append(talk.ask("<idle>"))
    return seconds


def _used(before: dict[str, float], after: dict[str, float]) -> str:
    if "guesses" not in after:
        return ""
    made, used = (after.get(name, 0) - before.get(name, 0) for name in ("guesses", "guesses_used"))
    return f"{used:.0f} of {made:.0f} guesses used, "
