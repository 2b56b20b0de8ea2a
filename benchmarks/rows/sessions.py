"""Many sessions at once: how many slices are answered in time, and tokens a second beside a bare batch of as many."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

from benchmarks.bench import SLICE, Bench, Script
from benchmarks.figures import Goal, Row, median
from benchmarks.workers import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.edge import EdgeServer, Talk
    from benchmarks.workers import Worker

_CTX = 512
_FLAT_OUT = 3  # slices of each session


def run(bench: Bench) -> list[Row]:
    """First flat out and without look-ahead, beside the bare loop; then at a conversation's pace, with the defaults."""
    most = max(bench.plan.sessions)
    bench.need_memory(2, most * _CTX)
    with bench.raw(most * _CTX, sequences=most) as raw, bench.edge(_CTX, sessions=most) as edge:
        rows = _flat_out(bench, raw, edge)
    with bench.edge(_CTX, sessions=most, ahead=None) as edge:
        return rows + _paced(bench, edge)


def _flat_out(bench: Bench, raw: Worker, edge: EdgeServer) -> list[Row]:
    script = Script(raw)
    tick = [script.eos, *script.silence]
    ours: dict[int, list[float]] = {}
    floor: dict[int, list[float]] = {}
    for number in range(bench.plan.batch_rounds):
        for count in bench.plan.sessions:
            bench.say(f"{count} sessions flat out, round {number + 1} of {bench.plan.batch_rounds}")
            bench.settle()
            for sequence in range(count):
                raw.ask("clear", sequence=sequence)
            raw.ask("batch", tokens=[script.bos, *script.text("tell me a story")], count=SLICE, sequences=count)
            seconds = [raw.ask("batch", tokens=tick, count=SLICE, sequences=count)["seconds"] for _ in range(_FLAT_OUT)]
            floor.setdefault(count, []).append(count * SLICE * _FLAT_OUT / sum(seconds))
            bench.settle()
            with contextlib.ExitStack() as stack:
                talks = [stack.enter_context(edge.talk()) for _ in range(count)]
                _together(talks, lambda talk: talk.ask("tell me a story"))
                begin = time.perf_counter()
                _together(talks, lambda talk: [talk.ask("<idle>") for _ in range(_FLAT_OUT)])
                ours.setdefault(count, []).append(count * SLICE * _FLAT_OUT / (time.perf_counter() - begin))
    rows = []
    for count in bench.plan.sessions:
        goal = Goal(0.9, at_least=True) if count == 4 else None
        what = f"{count} session{'s' if count > 1 else ''} flat out, all slices' tokens"
        best = f"raw batch of {count}"
        rows.append(Row(what, median(ours[count]), "tokens/s", median(floor[count]), best, goal=goal))
    return rows


def _paced(bench: Bench, edge: EdgeServer) -> list[Row]:
    rows = []
    for count in bench.plan.sessions:
        bench.say(f"{count} sessions, a slice every {bench.plan.slice_seconds:g} s")
        with contextlib.ExitStack() as stack:
            talks = [stack.enter_context(edge.talk()) for _ in range(count)]
            _together(talks, lambda talk: talk.ask("tell me a story"))
            in_time: list[bool] = []
            starts = {talk: time.perf_counter() + bench.plan.slice_seconds * n / count for n, talk in enumerate(talks)}
            _together(talks, lambda talk: in_time.extend(_pace(talk, starts[talk], bench)))  # noqa: B023 - over at once
        what = f"{count} session{'s' if count > 1 else ''}: slices answered within {bench.plan.slice_seconds:g} s"
        rows.append(Row(what, sum(in_time) / len(in_time), "share", 1.0, "all", note=f"of {len(in_time)}"))
    return rows


def _pace(talk: Talk, start: float, bench: Bench) -> list[bool]:
    """A silent tick every slice; the next one comes at once where the answer was late."""
    answered = []
    for _ in range(bench.plan.paced):
        time.sleep(max(0.0, start - time.perf_counter()))
        seconds = talk.ask("<idle>")
        answered.append(seconds <= bench.plan.slice_seconds)
        start = max(start + bench.plan.slice_seconds, time.perf_counter())
    return answered


def _together(talks: Sequence[Talk], act: Callable[[Talk], object]) -> None:
    """Lets every conversation act in a thread of its own, and waits for all. Raises what one of them raised."""
    errors: list[BenchmarkError] = []

    def run_one(talk: Talk) -> None:
        try:
            act(talk)
        except Exception as error:
            errors.append(error if isinstance(error, BenchmarkError) else BenchmarkError(f"a session failed: {error}"))

    threads = [threading.Thread(target=run_one, args=(talk,), daemon=True) for talk in talks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
