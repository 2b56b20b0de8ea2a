"""Start-up time, and memory beyond the model and its KV cache."""

from __future__ import annotations

import time

from benchmarks.bench import Bench, Script
from benchmarks.figures import Goal, Row, median
from benchmarks.machine import resident

_CTX = 1024


def run(bench: Bench) -> list[Row]:
    """Starts server and bare loop in turn; both have answered a slice when their memory is read."""
    bench.need_memory(1, _CTX)
    starts: dict[str, list[float]] = {"edge": [], "raw": []}
    beyond: dict[str, list[float]] = {"edge": [], "raw": []}
    for number in range(bench.plan.starts):
        bench.say(f"start-up, round {number + 1} of {bench.plan.starts}")
        begin = time.perf_counter()
        with bench.raw(_CTX) as raw:
            raw.ask("hello")
            starts["raw"].append(time.perf_counter() - begin)
            script = Script(raw)
            raw.ask("slice", tokens=[script.bos, *script.text("hello")], count=15)
            kv = raw.ask("hello")["kv_bytes"]
            _note(beyond["raw"], raw.pid, bench, script.repacked_bytes + kv)
        with bench.edge(_CTX) as edge:
            starts["edge"].append(edge.ready_seconds)
            with edge.talk() as talk:
                talk.ask("hello")
                _note(beyond["edge"], edge.pid, bench, script.repacked_bytes + kv)
    rows = [Row("start-up, to the ready line", median(starts["edge"]), "s", median(starts["raw"]), "bare loop")]
    what = "resident memory beyond model and KV cache"
    goal = Goal(300e6, "value")
    if beyond["edge"]:
        rows.append(Row(what, max(beyond["edge"]), "B", median(beyond["raw"]), "bare loop", goal=goal))
    else:
        rows.append(Row(what, goal=goal, note="only Linux tells"))
    return rows


def _note(found: list[float], pid: int, bench: Bench, held: float) -> None:
    """Adds what a process holds beside the mapped model, repacked weights and KV cache."""
    sizes = resident(pid, bench.path)
    if sizes is not None:
        total, mapped = sizes
        found.append(total - mapped - held)
