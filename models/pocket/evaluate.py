"""Measures the pocket model's behaviour on held-out phrasings, through the server's own session code; prints a table.

With --slides: what becomes of it in conversations that have outgrown the context. Knows the command line, the converter
and the table; what is measured is in `measure.py` and `sliding.py`. Exit codes: 0, 1 a goal is missed or a model cannot
be run, 2 bad usage or input, 130 stopped.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sliding
from driver import GREEDY, Talk
from measure import (
    AFTER_ONE,
    ANSWERS,
    ANSWERS_GOAL,
    BEHAVIOURS,
    Case,
    Tally,
    answered_kinds,
    earlier,
    right_answer,
    room_of,
)
from slices import HERE, DuplexTokenizer

from edge_server.backend import Backend
from edge_server.config import Config, ConfigError
from edge_server.engine import EngineError, Sampling
from edge_server.llama import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

NEAR: Final = " (near 1,024 tokens)"
CHINESE: Final = " (Chinese)"
QUANTS: Final = ("f16", "q8_0", "q4_k_m")
Row = tuple[str, float | None, Tally]


def measure(backend: Backend, tokenizer: DuplexTokenizer, cases: int, sampling: Sampling) -> list[Row]:
    """Every row of the table for one model: in fresh conversations, near the end of the context, and in Chinese.

    Every behaviour gets `cases` conversations, half as many near the end and in Chinese; right answers get twice as
    many, over all kinds.
    """
    rows: list[Row] = []
    handle = backend.engine.open()

    def run(
        tally: Tally, name: str, check: Callable[[Case], tuple[bool, str]], count: int, room: int | None, language: str
    ) -> None:
        before = None
        for i in range(count):
            if room is not None and i % AFTER_ONE == 0:
                before = earlier(f"{name}/before/{i}", tokenizer, room)
            talk = Talk(backend, handle, sampling=replace(sampling, seed=sampling.seed + i))
            tally.add(*check(Case(f"{name}/{i}/{room is None}/{language}", talk, tokenizer, before, language)))

    for suffix, language in (("", "en"), (NEAR, "en"), (CHINESE, "zh")):
        near = suffix == NEAR
        count = cases // 2 if suffix else cases
        kinds: list[Row] = []
        total = Tally()
        answered = answered_kinds(language)
        for kind in answered:
            tally = Tally()
            each = -(-2 * count // len(answered))
            run(tally, kind, right_answer(kind), each, room_of(kind) if near else None, language)
            kinds.append((f"- {kind.replace('_', ' ')}{suffix}", None, tally))
            total.right += tally.right
            total.count += tally.count
        rows.append((ANSWERS + suffix, ANSWERS_GOAL, total))
        for behaviour in BEHAVIOURS:
            tally = Tally()
            run(tally, behaviour.name, behaviour.check, count, behaviour.room if near else None, language)
            rows.append((behaviour.name + suffix, behaviour.goal, tally))
        rows += kinds
    return rows


def measure_file(path: Path, checkpoint: Path, cases: int, sampling: Sampling) -> list[Row]:
    """Load one converted model and measure it; one thread is fastest for a model this small.

    Raises ModelError, ConfigError or EngineError, each one line.
    """
    with Backend(path, Config(path, sessions=2, threads=1, look_ahead=False)) as backend:
        return measure(backend, DuplexTokenizer(checkpoint / "tokenizer.model"), cases, sampling)


def measure_slides(pool: ProcessPoolExecutor, path: Path, options: argparse.Namespace) -> str:
    """The tables of `sliding.py` for one converted model. Raises ModelError, ConfigError or EngineError."""
    tokenizer = options.checkpoint / "tokenizer.model"
    jobs = {pool.submit(sliding.measure_way, path, tokenizer, way, options.cases): way for way in sliding.ways()}
    results = {}
    for job in as_completed(jobs):
        results[jobs[job]] = job.result()
        print(f"{len(results)} of {len(jobs)}: {jobs[job] or 'before any slide'}", file=sys.stderr, flush=True)
    print("\n".join(sliding.differences(results, options.show)), file=sys.stderr)
    return sliding.table(results)


def table(results: dict[str, list[Row]]) -> str:
    """The rows as markdown, one column a quantisation."""
    quants = list(results)
    lines = [
        f"| behaviour | goal | n | {' | '.join(quants)} |",
        f"|---|---|---|{'---|' * len(quants)}",
    ]
    for same_row in zip(*results.values(), strict=True):
        name, goal, first = same_row[0]
        shares = " | ".join(f"{100 * tally.share:.1f} %" for _, _, tally in same_row)
        lines.append(f"| {name} | {f'>= {100 * goal:g} %' if goal else ''} | {first.count} | {shares} |")
    return "\n".join(lines)


def convert(checkpoint: Path, quant: str, folder: Path) -> Path:
    """Convert the checkpoint as any other. Raises CalledProcessError; the converter has then said why."""
    out = folder / f"pocket-{quant}.gguf"
    command = Path(sys.executable).with_name("edge-convert")
    subprocess.run(
        [str(command), str(checkpoint), "--quant", quant, "--out", str(out)], check=True, stdout=subprocess.DEVNULL
    )
    return out


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the pocket model on held-out conversations.")
    parser.add_argument("--checkpoint", type=Path, default=HERE)
    parser.add_argument("--quants", nargs="+", help=f"default: {' '.join(QUANTS)}; with --slides: {QUANTS[-1]}")
    parser.add_argument(
        "--cases",
        type=int,
        help="conversations a row, 2 or more; half as many near 1,024 tokens and in Chinese, twice as many of right "
        "answers; default: 200, with --slides: 50, by fives",
    )
    parser.add_argument(
        "--slides", action="store_true", help="what forgetting costs, by how much is forgotten at a time"
    )
    parser.add_argument("--temperature", type=float, default=0.0, help="0: greedy, the default")
    parser.add_argument("--top-p", type=float, default=0.8, help="with a temperature; default: 0.8, as the server's")
    parser.add_argument("--seed", type=int, default=1, help="of the first conversation, with a temperature")
    parser.add_argument("--show", type=int, default=3, help="misses to print for each row of the last quantisation")
    options = parser.parse_args(argv)
    if options.cases is not None and options.cases < 2:
        parser.error(f"--cases {options.cases} cannot be used: give 2 or more")
    if options.slides and options.temperature:
        parser.error("--slides is measured greedily: leave --temperature out")
    options.quants = options.quants or (QUANTS[-1:] if options.slides else QUANTS)
    options.cases = options.cases or (50 if options.slides else 200)
    return options


def main() -> int:
    options = parse()
    began = time.monotonic()
    try:
        sampling = Sampling(options.temperature, 0, options.top_p, options.seed) if options.temperature else GREEDY
    except ValueError as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch, ProcessPoolExecutor(os.cpu_count()) as pool:
        try:
            paths = {quant: convert(options.checkpoint, quant, Path(scratch)) for quant in options.quants}
            if options.slides:
                for quant, path in paths.items():
                    print(f"{quant}. {measure_slides(pool, path, options)}")
                return 0
            jobs = {
                quant: pool.submit(measure_file, path, options.checkpoint, options.cases, sampling)
                for quant, path in paths.items()
            }
            results = {quant: job.result() for quant, job in jobs.items()}
        except subprocess.CalledProcessError as error:
            return error.returncode
        except (ConfigError, EngineError, ModelError) as error:
            print(f"evaluate: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            print("evaluate: stopped", file=sys.stderr)
            return 130
    print(f"measured in {time.monotonic() - began:.0f} s", file=sys.stderr)
    print(table(results))
    for name, _, tally in list(results.values())[-1]:
        for miss in tally.misses[: options.show]:
            print(f"  {name}: {miss}", file=sys.stderr)
    missed = [
        f"{name} at {quant}: {100 * tally.share:.1f} %, the goal is {100 * goal:g} %"
        for quant, rows in results.items()
        for name, goal, tally in rows
        if goal is not None and tally.share < goal
    ]
    print("\n".join(missed) or "every goal is reached", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
