"""What the server does between two decode calls, at its default temperature, with peaked and with flat logits."""

from __future__ import annotations

from benchmarks.bench import SLICE, Bench, Script
from benchmarks.figures import Goal, Row, median, show
from benchmarks.real_shape import PEAKED_SPREAD, set_logit_spread

_CTX = 1024
_GOALS = {"peaked": 0.03, "flat": 0.10}
_DEFAULTS = {"temperature": 0.8, "top_p": 0.8}  # the server's own


def run(bench: Bench) -> list[Row]:
    """The server's slice, less what the bare loop spends in llama_decode for the same calls, a token of it."""
    bench.need_memory(2, _CTX)
    rows = []
    for kind, goal in _GOALS.items():
        set_logit_spread(bench.path, bench.config, PEAKED_SPREAD if kind == "peaked" else None)
        try:
            rows.append(_row(bench, kind, goal))
        finally:
            set_logit_spread(bench.path, bench.config, None)
    return rows


def _row(bench: Bench, kind: str, limit: float) -> Row:
    with bench.raw(_CTX) as raw, bench.edge(_CTX, temperature=_DEFAULTS["temperature"]) as edge, edge.talk() as talk:
        script = Script(raw)
        text = (
            "tell me a story"  # not silence: flat logits may draw what ends a message, and silence is not answered then
        )
        raw.ask("slice", tokens=[script.bos, *script.text(text)], count=SLICE)
        talk.ask(text)
        overheads, steps = [], []
        for number in range(bench.plan.sampling_rounds):
            bench.say(f"sampling {kind} logits, round {number + 1} of {bench.plan.sampling_rounds}")
            bench.settle()
            floor = raw.ask("slice", tokens=[script.eos, *script.text(text)], count=SLICE)
            bench.settle()
            overheads.append((talk.ask(text) - floor["decoding"]) / SLICE)
            steps.append(floor["step"])
        chain = raw.ask("sample", times=5, **_DEFAULTS)
    best = median(steps)
    return Row(
        f"between decode calls, {kind} logits, temperature 0.8",
        median(overheads),
        "s",
        best,
        "a decode step",
        goal=Goal(limit),
        note=f"llama.cpp's own sampler chain takes {show(median(chain['seconds']), 's')}",
    )
