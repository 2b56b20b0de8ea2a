"""Park and restore: two conversations share a server with room for one, and take turns at it.

Slices are of one token, so that what a switch costs does not drown in how much a whole slice's time varies.
"""

from __future__ import annotations

import time

from benchmarks.bench import SLICE, Bench, Script
from benchmarks.edge import has_option
from benchmarks.figures import Goal, Row, median, show

_SILENT_AFTER = 6.5  # seconds: a newcomer is refused while everyone who has a place is speaking


def run(bench: Bench) -> list[Row]:
    """What it costs to come back: the slice after the other's, less a slice after one's own."""
    plan = bench.plan
    ctx = -(-(plan.parked + (4 * plan.switches + 6) * (SLICE + 12)) // 256) * 256
    bench.need_memory(2, ctx)
    options = ("--slice-tokens", "1", *(("--park-memory", "4096") if has_option("--park-memory") else ()))
    with bench.raw(ctx) as raw, bench.edge(ctx, *options) as edge:
        script = Script(raw)
        page = bench.words(plan.parked - SLICE - len(script.silence))
        bench.say("park and restore: the bare loop")
        prompt = [script.bos, *script.text(page)]
        prefill = raw.ask("slice", tokens=prompt, count=SLICE)["first"]
        state = raw.ask("state", times=5)
        with edge.talk() as one, edge.talk() as other:
            bench.say("park and restore: filling the first conversation")
            talk_seconds = one.ask(page)
            time.sleep(_SILENT_AFTER)
            bench.say(f"park and restore: filling the second conversation, some {talk_seconds:.0f} s")
            other.ask(page)
            before = edge.metrics()
            coming_back, staying = [], []
            for number in range(plan.switches):
                bench.say(f"park and restore: switch {number + 1} of {plan.switches}")
                for talk in (one, other):
                    coming_back.append(talk.ask("<idle>"))
                    staying.append(talk.ask("<idle>"))
            after = edge.metrics()
    cost = max(0.0, median(coming_back) - median(staying))
    copy = median(state["out"]) + median(state["back"])
    restored = after.get("restored", 0) - before.get("restored", 0)
    note = f"{restored:.0f} restored" if "restored" in after else "restoring is not exposed"
    note += f"; raw copy out {show(median(state['out']), 's')}, in {show(median(state['back']), 's')}"
    what = f"a parked session of {plan.parked} tokens comes back"
    return [
        Row(what, cost, "s", copy, "raw state copy, out and in", goal=Goal(2.0), note=note),
        Row(f"{what}, against prefilling it", cost, "s", prefill, "raw prefill"),
    ]
