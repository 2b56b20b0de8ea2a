"""`make bench`: every row in one run, on the pocket model's shape and on MiniCPM-duplex's; a table, and a line of JSON.

    python -m benchmarks [--quick] [--model pocket|real|both] [--only ROW ...] [--quant q4_k_m|q4_0] [--results FILE]

Model files are written for the run, with random weights and a made-up vocabulary, and removed at its end. Progress goes
to standard error; standard output gets the table and, as its last line, JSON. A full run also writes RESULTS.md. The
rows of `slices` are those of rollback too.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import shlex
import signal
import sys
import tempfile
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from benchmarks.bench import FULL, QUICK, ROOT, Bench
from benchmarks.figures import Row, json_line, table
from benchmarks.machine import available_disk, describe, load, read_bandwidth
from benchmarks.real_shape import FILE_TYPES, REAL_CONFIG, write_model
from benchmarks.results import write_results
from benchmarks.rows import barge_in, conversion, footprint, park, sampling, sessions, slices, ticks
from benchmarks.workers import BenchmarkError
from edge_server.cores import physical_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROWS: dict[str, Callable[[Bench], list[Row]]] = {
    "footprint": footprint.run,
    "slices": slices.run,
    "ticks": ticks.run,
    "barge-in": barge_in.run,
    "park": park.run,
    "sessions": sessions.run,
    "sampling": sampling.run,
}
CONVERSION = "conversion"
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
_BUFFER, _SMALL_BUFFER = 1 << 30, 1 << 28  # bytes: the large one is more than caches hold
_FLASH = {"auto": -1, "off": 0, "on": 1}
_BUSY = 0.3  # of a CPU for each thread: more load than that before the run makes its figures doubtful
_LENGTH = 4096  # tokens that a model file claims to have been trained on, so that 2,000 fit


def options_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a smoke run: fewer of everything; default model: pocket")
    parser.add_argument("--model", choices=("pocket", "real", "both"), help="whose shape; default: both")
    parser.add_argument("--only", action="append", choices=(*ROWS, CONVERSION), help="these rows; repeatable")
    parser.add_argument("--quant", choices=tuple(FILE_TYPES), default="q4_k_m", help="of the real shape")
    parser.add_argument("--tokenizer", type=Path, help="folder with MiniCPM-duplex's tokenizer, for the real shape")
    parser.add_argument(
        "--flash-attention", choices=tuple(_FLASH), default="auto", help="in the bare loop; default: auto"
    )
    parser.add_argument("--threads", type=int, default=physical_cores(), help="of every contender; default: the cores")
    parser.add_argument(
        "--convert-real", type=Path, metavar="DIR", help="also convert the real shape; DIR has config and tokenizer"
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "build", help="where model files are written meanwhile")
    parser.add_argument("--results", type=Path, help="file to write; default for a full run: benchmarks/RESULTS.md")
    return parser


def main() -> NoReturn:
    """Exit codes: 0, 1 (a row failed), 2 (bad usage, or the machine is too small), 130 (Ctrl-C)."""
    options = options_parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = run(options)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        print("\nbenchmarks: stopped; nothing was written", file=sys.stderr)
        code = 130
    sys.exit(code)


def run(options: argparse.Namespace) -> int:
    """Measures, prints, writes. Raises `BenchmarkError`."""
    if options.threads < 1:
        raise BenchmarkError(f"--threads {options.threads} cannot be used: give at least 1")
    models = [options.model] if options.model in ("pocket", "real") else ["pocket", "real"]
    if options.quick and options.model is None:
        models = ["pocket"]
    wanted = list(dict.fromkeys(options.only or (*ROWS, CONVERSION)))
    facts: dict[str, Any] = {
        **describe(),
        "command": shlex.join(["python -m benchmarks", *sys.argv[1:]]).replace("'", ""),
    }
    rows: list[Row] = []
    failed: list[str] = []
    options.folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=options.folder)))
        log = stack.enter_context((folder / "contenders.log").open("w+b"))
        busy = load()
        if busy is not None and busy > _BUSY * options.threads:
            print(f"benchmarks: the machine is busy (load {busy:.1f}): end other programs first", file=sys.stderr)
        facts["load"] = busy
        bandwidth = read_bandwidth(options.threads, _SMALL_BUFFER if options.quick else _BUFFER)
        facts |= {"threads": options.threads, "read_gb_per_second": round(bandwidth / 1e9, 1)}
        for name in models if any(row in ROWS for row in wanted) else []:
            path, config = _write(name, folder, options)
            plan = (QUICK if options.quick else FULL)[name]
            flash = _FLASH[options.flash_attention]
            bench = Bench(name, path, config, plan, options.threads, log, bandwidth, flash)
            facts[f"{name}_model"] = {
                "bytes": path.stat().st_size,
                "quant": options.quant if name == "real" else "q4_k_m",
            }
            for row in (row for row in wanted if row in ROWS):
                rows += _measured(row, name, failed, functools.partial(ROWS[row], bench))
            path.unlink()
        if CONVERSION in wanted:
            rows += _measured(CONVERSION, "", failed, lambda: conversion.pocket(ROOT, folder))
        if options.convert_real:
            rows += _measured(CONVERSION, "", failed, lambda: conversion.real(folder, options.convert_real))
    _print(rows, facts)
    results = options.results or (
        None if options.quick or options.only or options.model in ("pocket", "real") else RESULTS
    )
    if results:
        write_results(results, facts, rows)
        print(f"benchmarks: wrote {results}", file=sys.stderr)
    for line in failed:
        print(f"benchmarks: {line}", file=sys.stderr)
    return 1 if failed else 0


def _write(name: str, folder: Path, options: argparse.Namespace) -> tuple[Path, dict[str, Any]]:
    """The model file of a shape."""
    tokenizer = options.tokenizer
    config = REAL_CONFIG
    if name == "pocket":
        tokenizer = ROOT / "models" / "pocket"
        config = json.loads((tokenizer / "config.json").read_text(encoding="utf-8"))
    config = {**config, "max_position_embeddings": _LENGTH}
    needed, free = (3e9 if name == "real" else 5e7), available_disk(folder)
    if free < needed:
        raise BenchmarkError(f"{folder} has {free / 1e9:.1f} GB free and {needed / 1e9:.1f} are needed: give --folder")
    print(f"writing a model of the {name} shape with random weights", file=sys.stderr, flush=True)
    path = folder / f"{name}.gguf"
    try:
        write_model(
            path, config, quant=options.quant if name == "real" else "q4_k_m", tokenizer=tokenizer, name=f"{name} shape"
        )
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be written: {error.strerror}") from error
    return path.resolve(), config


def _measured(row: str, name: str, failed: list[str], measure: Callable[[], list[Row]]) -> list[Row]:
    """The rows; one that says so where they failed, since the others are worth having."""
    try:
        measured = measure()
    except Exception as error:
        if not isinstance(error, BenchmarkError):
            traceback.print_exc()  # a defect of the benchmark
        failed.append(f"{name} {row}: {error}".strip())
        measured = [Row(row, note=f"failed: {error}")]
    # The goals were set for the real shape: on a small one, what is around a decode call is most of it.
    return [replace(one, model=name, goal=one.goal if name == "real" else None) for one in measured]


def _print(rows: Sequence[Row], facts: dict[str, Any]) -> None:
    for name in dict.fromkeys(row.model for row in rows):
        print(f"\n{f'the {name} shape' if name else 'conversion'}\n")
        print(table([row for row in rows if row.model == name]))
    print()
    print(json_line(facts, rows), flush=True)


if __name__ == "__main__":
    main()
