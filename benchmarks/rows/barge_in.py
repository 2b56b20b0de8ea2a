"""Barge-in: how long after a text frame its first token is sampled, while the server decodes and while it prefills.

The text protocol delivers whole slices, so the server is started with short ones, and the decode steps behind the first
token (as the bare loop takes them) are taken off the time to the frame. A sample counts only if the interrupted slice
was never delivered.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.bench import SLICE, Bench, Script
from benchmarks.figures import Goal, Row, median, percentile

if TYPE_CHECKING:
    from benchmarks.edge import EdgeServer, Talk
    from benchmarks.workers import Worker

_TOKENS = 4  # of a slice: long enough to be interrupted between two of them
_CTX = 1024
_LENGTH = 340
_STOPS_WITHIN = 0.1
_TRIES = 3  # for each sample that is wanted


def run(bench: Bench) -> list[Row]:
    """Latencies beside what the bare loop needs for the new tokens alone."""
    bench.need_memory(2, _CTX)
    with bench.raw(_CTX) as raw, bench.edge(_CTX, "--slice-tokens", str(_TOKENS)) as edge:
        script = Script(raw)
        return [*_while_decoding(bench, raw, edge, script), *_while_prefilling(bench, raw, edge, script)]


def _while_decoding(bench: Bench, raw: Worker, edge: EdgeServer, script: Script) -> list[Row]:
    text = bench.words(5)
    long = bench.words(_LENGTH)
    # What the server decodes for the text: the interrupted slice's end, `<idle></s>`, and the text's half of the pair.
    new = [script.silence[0], script.eos, *script.text(text)]
    raw.ask("slice", tokens=[script.bos, *script.text(long)], count=SLICE)
    floors = [raw.ask("slice", tokens=new, count=SLICE, keep=False) for _ in range(5)]
    ticks = [raw.ask("slice", tokens=[script.eos, *script.silence], count=2, keep=False) for _ in range(5)]
    step, first = median(one["step"] for one in floors), median(one["first"] for one in floors)
    tick_first = median(one["first"] for one in ticks)
    samples: list[float] = []
    with edge.talk() as talk:
        talk.ask(long)
        usual = median([talk.ask("<idle>") for _ in range(3)])
        for _ in range(_TRIES * bench.plan.barge_ins):
            bench.say(f"barge-in while decoding, {len(samples) + 1} of {bench.plan.barge_ins}")
            talk.send("<idle>")
            _sleep_until(time.perf_counter() + tick_first + bench.random.uniform(0.2, _TOKENS - 1.2) * step)
            seconds = _interrupt(talk, text, usual)
            if seconds is not None:
                samples.append(seconds - _TOKENS * step)
            if len(samples) == bench.plan.barge_ins:
                break
    limit = 2 * step + first  # the step in progress, the new tokens, one more step
    rows = []
    for share in (0.5, 0.95):
        what = f"barge-in while decoding, text in to its first token, p{100 * share:.0f}"
        if not samples:
            rows.append(Row(what, goal=Goal(limit, "value"), note="no slice could be interrupted"))
            continue
        value = percentile(samples, share)
        note = f"n = {len(samples)}"
        rows.append(Row(what, value, "s", first, "raw prefill of the text", goal=Goal(limit, "value"), note=note))
    return rows


def _while_prefilling(bench: Bench, raw: Worker, edge: EdgeServer, script: Script) -> list[Row]:
    """A pasted page is interrupted by a text, which must wait for the rest of the page, and by a new conversation."""
    text, page = bench.words(5), bench.words(bench.plan.page)
    tokens = [script.bos, *script.text(page)]
    short = [script.bos, *script.text(text)]
    raw.ask("clear", sequence=0)
    whole = median(raw.ask("slice", tokens=tokens, count=1, keep=False)["first"] for _ in range(2))
    after = [script.silence[0], script.eos, *script.text(text)]
    both = [raw.ask("slice", tokens=tokens + after, count=8, keep=False) for _ in range(2)]
    step, first = min(one["step"] for one in both), median(one["first"] for one in both)
    alone = median(raw.ask("slice", tokens=short, count=_TOKENS, keep=False)["last"] for _ in range(5))
    answers, floors, stops = [], [], []
    for number in range(bench.plan.pages):
        bench.say(f"barge-in while prefilling a page, {number + 1} of {bench.plan.pages}")
        wait = bench.random.uniform(0.1, 0.6) * whole
        bench.settle()
        with edge.talk() as talk:
            sent = talk.send(page)
            _sleep_until(sent + wait)
            seconds = _interrupt(talk, text, whole)
            if seconds is not None:
                answers.append(seconds - _TOKENS * step)
                floors.append(first - wait)
        bench.settle()
        with edge.talk() as talk:
            usual = median([_afresh(talk, text) for _ in range(3)])
            sent = talk.send(page)
            _sleep_until(sent + wait)
            stops.append(_afresh(talk, text) - min(usual, alone))
    rows = []
    what = "barge-in while prefilling a page, text in to its first token"
    for share in (0.5, 0.95):
        if answers:
            best = percentile(floors, share)
            floor = "raw prefill of the rest of the page and the text"
            rows.append(Row(f"{what}, p{100 * share:.0f}", percentile(answers, share), "s", best, floor))
        else:
            rows.append(Row(f"{what}, p{100 * share:.0f}", note="no page could be interrupted"))
    what = f"until the prefill of a page of {len(tokens)} tokens stops"
    for share in (0.5, 0.95):
        value = max(0.0, percentile(stops, share))
        goal = Goal(_STOPS_WITHIN, "value")
        rows.append(Row(f"{what}, p{100 * share:.0f}", value, "s", None, "0", goal=goal, note=f"n = {len(stops)}"))
    return rows


def _interrupt(talk: Talk, text: str, usual: float) -> float | None:
    """Seconds from a text frame to its reply; None where the slice before was delivered after all."""
    sent = talk.send(text)
    seconds = talk.reply()[0] - sent
    return seconds if talk.quiet(1.5 * usual + 0.05) else None


def _afresh(talk: Talk, text: str) -> float:
    """Seconds from a new conversation's first text to its reply."""
    talk.send("<!new_session!>")
    return talk.ask(text)


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.perf_counter()))
