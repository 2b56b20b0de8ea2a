"""A slice, as the conversation grows: the server beside the bare loop and beside what one would use instead.

All contenders hold the same conversation: a text fills it up to each length, then silent ticks follow, of eight tokens
of template and fifteen of reply. They take turns, slice by slice.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.bench import SLICE, Bench, Script, alternating
from benchmarks.figures import Goal, Row, median, show
from benchmarks.workers import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.edge import EdgeServer, Talk
    from benchmarks.workers import Worker

RAW, EDGE, HIGH, SERVER = "raw llama_decode loop", "edge-server, no look-ahead", "llama_cpp.Llama", "llama-server"
OTHER = {
    0: "raw loop with flash attention",
    1: "raw loop without flash attention",
    -1: "raw loop without flash attention",
}
AGAIN = "re-prefilling everything (llama.cpp)"
_ROLLBACKS = 3


class Contender(Protocol):
    """One that continues the conversation."""

    name: str
    times: dict[int, list[dict[str, Any]]]

    def slice(self, user: list[int], text: str) -> dict[str, Any]:
        """Takes the user's half, as tokens or as text, and answers: seconds to `first` (if it shows) and `last`."""


class _Raw:
    def __init__(self, name: str, worker: Worker, script: Script) -> None:
        self.name = name
        self.times: dict[int, list[dict[str, Any]]] = {}
        self._worker, self._begin, self._eos = worker, [script.bos], [script.eos]

    def slice(self, user: list[int], text: str) -> dict[str, Any]:
        answer = self._worker.ask("slice", tokens=self._begin + user, count=SLICE)
        self._begin = self._eos
        return answer


class _Edge:
    name = EDGE

    def __init__(self, talk: Talk) -> None:
        self.times: dict[int, list[dict[str, Any]]] = {}
        self._talk = talk

    def slice(self, user: list[int], text: str) -> dict[str, Any]:
        return {"last": self._talk.ask(text)}


class _Prompted:
    """One that is given the whole prompt every time, and finds out itself what it knows of it."""

    def __init__(self, name: str, ask: Callable[[list[int]], dict[str, Any]], script: Script) -> None:
        self.name = name
        self.times: dict[int, list[dict[str, Any]]] = {}
        self._ask, self._eos = ask, script.eos
        self._tokens = [script.bos]

    def slice(self, user: list[int], text: str) -> dict[str, Any]:
        self._tokens += user
        answer = self._ask(self._tokens)
        self._tokens += [*answer["tokens"], self._eos]
        return answer


def run(bench: Bench) -> list[Row]:
    """The table's slices, and the goals that follow from them."""
    plan, longest = bench.plan, max(bench.plan.lengths)
    cells = -(-(longest + (plan.rounds * len(plan.lengths) + 12) * (SLICE + 12)) // 256) * 256
    bench.need_memory(6, cells)
    with contextlib.ExitStack() as stack:
        bench.say("slices: starting the contenders")
        raw = stack.enter_context(bench.raw(cells))
        script = Script(raw)
        again = stack.enter_context(bench.raw(cells, batch=512))
        edge = stack.enter_context(bench.edge(cells))
        talk = stack.enter_context(edge.talk())
        contenders: list[Contender] = [_Raw(RAW, raw, script), _Edge(talk)]
        # On a CPU the choice matters more than all that a server adds, so the other one is always shown.
        other = stack.enter_context(bench.raw(cells, flash=1 if bench.flash == 0 else 0))
        contenders.append(_Raw(OTHER[bench.flash], other, script))
        high = stack.enter_context(bench.high_level(cells))
        contenders.append(_Prompted(HIGH, lambda tokens: high.ask("slice", tokens=tokens, count=SLICE), script))
        server = stack.enter_context(bench.llama_server(cells, extra_buffers=script.extra_buffers))
        if server is not None:
            contenders.append(_Prompted(SERVER, functools.partial(server.slice, count=SLICE), script))
        prefills: dict[int, list[dict[str, Any]]] = {}
        length = 1
        for target in plan.lengths:
            text = bench.words(max(1, target - length - SLICE - len(script.silence)))
            user = script.text(text)
            for contender in contenders:
                bench.say(f"slices: filling the conversation to {target} tokens, {contender.name}")
                length = contender.slice(user, text).get("length", length)
            for number, turn in alternating(contenders, plan.rounds):
                bench.say(f"slices: at {target} tokens, round {number} of {plan.rounds}")
                for contender in turn:
                    bench.settle()
                    answer = contender.slice(script.silence, "<idle>")
                    contender.times.setdefault(target, []).append(answer)
                    length = answer.get("length", length)
                # As long as all of it takes, what is read again need not be measured often.
                if number == 1 or (number == 2 and target <= 340):
                    bench.settle()
                    prompt = [script.bos] + [script.silence[0]] * (target - 1)
                    prefills.setdefault(target, []).append(again.ask("slice", tokens=prompt, count=SLICE, keep=False))
        rows = _slice_rows(bench, script, contenders, prefills)
        rows += _goals(plan.lengths, {contender.name: contender.times for contender in contenders}, prefills)
        return rows + _rollback(bench, edge, talk, raw, script)


def _slice_rows(
    bench: Bench, script: Script, contenders: list[Contender], prefills: dict[int, list[dict[str, Any]]]
) -> list[Row]:
    rows = []
    for length in bench.plan.lengths:
        floor = _median(contenders[0].times[length], "last")
        raw_rest = floor - _median(contenders[0].times[length], "first")
        for contender in contenders:
            times = contender.times[length]
            last = _median(times, "last")
            if contender.name == EDGE:
                note = f"first token after {show(last - raw_rest, 's')}, reckoned with the raw loop's steps"
            else:
                note = f"first token after {show(_median(times, 'first'), 's')}"
            best: tuple[float, str] = (floor, "raw loop")
            if contender.name == RAW:
                calls = SLICE + 1
                best = (calls * bench.step_limit(length, script.tensor_bytes), "reading weights and KV cache")
            rows.append(Row(f"slice at {length:,} tokens: {contender.name}", last, "s", *best, note=note))
        first = _median(prefills[length], "first")
        rows.append(
            Row(
                f"slice at {length:,} tokens: {AGAIN}",
                _median(prefills[length], "last"),
                "s",
                floor,
                "raw loop",
                note=f"first token after {show(first, 's')}",
            )
        )
    if not any(contender.name == SERVER for contender in contenders):
        rows.append(Row(f"slice: {SERVER}", note="not built: make llama-server"))
    return rows


def _goals(
    lengths: tuple[int, ...],
    times: dict[str, dict[int, list[dict[str, Any]]]],
    prefills: dict[int, list[dict[str, Any]]],
) -> list[Row]:
    def total(name: str) -> float:
        return sum(_median(times[name][length], "last") for length in lengths)

    def at(name: str, length: int) -> float:
        return _median(times[name][length], "last")

    short, long = lengths[0], lengths[-1]
    rate = SLICE * len(lengths) / total(EDGE)
    best = SLICE * len(lengths) / total(RAW)
    rows = [
        Row(
            "slices through the whole server, temperature 0",
            rate,
            "tokens/s",
            best,
            "raw loop",
            goal=Goal(0.95, at_least=True),
        )
    ]
    attention = at(RAW, long) - at(RAW, short)
    rows.append(
        Row(
            f"slice at {long:,} / at {short:,} tokens, beyond attention's own cost",
            at(EDGE, long) - attention,
            "s",
            at(EDGE, short),
            f"at {short:,}",
            goal=Goal(1.05),
            note=f"raw loop's attention, {show(attention, 's')}, taken off",
        )
    )
    for length in lengths:
        limit = {340: 5.0, 2000: 20.0}.get(length)
        if limit is not None:
            again = _median(prefills[length], "last")
            goal = Goal(limit, at_least=True)
            what = f"re-prefilling everything / edge-server, at {length:,} tokens"
            rows.append(Row(what, again, "s", at(EDGE, length), "edge-server", goal=goal))
    what = "slice without look-ahead / llama-server with its prompt cache"
    if SERVER in times:
        rows.append(
            Row(what, total(EDGE) / len(lengths), "s", total(SERVER) / len(lengths), "llama-server", goal=Goal(0.95))
        )
    else:
        rows.append(Row(what, goal=Goal(0.95), note="llama-server is not built: make llama-server"))
    return rows


def _rollback(bench: Bench, edge: EdgeServer, talk: Talk, raw: Worker, script: Script) -> list[Row]:
    """Interrupts slices of the long conversation, and asks the server what taking them back cost."""
    length = max(bench.plan.lengths)
    bench.say(f"rollback: interrupting slices at {length} tokens")
    before = edge.metrics()
    for _ in range(_ROLLBACKS):
        usual = talk.ask("<idle>")
        talk.send("<idle>")
        if talk.quiet(0.7 * usual):  # else the slice is already over
            talk.ask(bench.words(5))
    after = edge.metrics()
    count = after.get("rollbacks", 0) - before.get("rollbacks", 0)
    best = median(raw.ask("rollback", count=SLICE + 1, times=5)["seconds"])
    twice = after.get("tokens_decoded_twice")
    what = f"rollback of a slice at {length:,} tokens"
    rollback = Row(what, None, "s", best, "llama_memory_seq_rm", goal=Goal(200e-6, "value"), note="not exposed")
    if "rollback_seconds" in after and count > 0:
        seconds = (after["rollback_seconds"] - before.get("rollback_seconds", 0)) / count
        rollback = Row(
            what, seconds, "s", best, "llama_memory_seq_rm", goal=Goal(200e-6, "value"), note=f"{count:.0f} of them"
        )
    return [
        rollback,
        Row(
            "tokens decoded twice after interruptions",
            twice,
            "count",
            None,
            "0",
            goal=Goal(0, "value"),
            note="" if twice is not None else "not exposed",
        ),
    ]


def _median(times: list[dict[str, Any]], name: str) -> float:
    if not times:
        raise BenchmarkError("nothing was measured")
    return median(float(time[name]) for time in times)
