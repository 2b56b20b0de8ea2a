"""Silence as a dial: what `--idle-bias` and the cap of a slice do to a conversation, as a curve.

    python -m benchmarks.idle_bias [--model models/pocket-q4_k_m.gguf] [--set pocket] [--biases=-4,-2,-1,0,1,2,4,6]
        [--slice-tokens 10,15] [--temperature 0.8] [--seed 1] [--limit N] [--threads 1] [--out build/idle_bias]
        [--fresh] [--no-plot]

For each point `edge-server run` is started with the two options and `edge-chat eval` played against it. Into the folder
go `idle_bias.json` (each point as soon as it is there: the same command goes on where it was stopped), a table,
`idle_bias.md`, and a plot, `idle_bias.svg`: early interruption against response latency, and rates against the bias.

Exit codes: 0, 1 a point could not be measured, 2 a model, a set or an option that cannot be used, 130 stopped.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import itertools
import json
import math
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.edge import EdgeServer
from benchmarks.machine import describe
from benchmarks.workers import BenchmarkError, ending, start_process
from clients.eval_scenarios import read_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

_MODEL = Path("models") / "pocket-q4_k_m.gguf"
_EVAL = [sys.executable, "-c", "from clients.cli import main; main()", "eval"]
_BIASES = (-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 6.0)
_LINES = ("-", "--", ":", "-.")
LATENCY = "response_latency_slices"
EARLY = "early_interruption"
RATES = (EARLY, "success_reply", "right_answers", "silence_after_end")

Point = dict[str, Any]
"""`slice_tokens`, `idle_bias`, `seconds` that it took, and `metrics` as the evaluation's JSON has them."""


class Curve:
    """The points of one model, set and seed, kept in a file."""

    def __init__(self, path: Path, settings: dict[str, Any], *, fresh: bool = False) -> None:
        """Raises ValueError for a file that is none, or is of other settings, unless `fresh`, and OSError."""
        self._path = path
        self._settings = settings
        self._points: dict[tuple[int, float], Point] = {}
        if fresh or not path.exists():
            return
        try:
            kept = json.loads(path.read_text("utf-8"))
            before = kept["settings"]
            points = {(point["slice_tokens"], point["idle_bias"]): point for point in kept["points"]}
            other = ", ".join(key for key in {**before, **settings} if before.get(key) != settings.get(key))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is no such file: give another --out, or --fresh to replace it") from error
        if other:
            raise ValueError(f"{path} was measured with another {other}: give another --out, or --fresh to replace it")
        self._points = points

    @property
    def points(self) -> list[Point]:
        """In order of cap and bias."""
        return [self._points[key] for key in sorted(self._points)]

    def __contains__(self, key: object) -> bool:
        return key in self._points

    def add(self, point: Point) -> None:
        """Keeps a point. Raises OSError."""
        self._points[point["slice_tokens"], point["idle_bias"]] = point
        partial = self._path.with_name(f"{self._path.name}.partial")
        whole = {"settings": self._settings, **describe(), "points": self.points}
        partial.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")
        partial.replace(self._path)


def measure(options: argparse.Namespace, slice_tokens: int, idle_bias: float) -> Point:
    """Plays the set against a server with these two options. Raises `BenchmarkError`."""
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="idle-bias-")))
        log = stack.enter_context((folder / "server.log").open("w+b"))
        server = stack.enter_context(
            EdgeServer(
                options.model,
                *("--slice-tokens", str(slice_tokens), "--idle-bias", f"{idle_bias:g}", "--no-look-ahead"),
                *("--temperature", f"{options.temperature:g}", "--sessions", "1", "--threads", str(options.threads)),
                log=log,
            )
        )
        found = folder / "eval.json"
        limit = [] if options.limit is None else ["--limit", str(options.limit)]
        _run(
            [*_EVAL, options.set, "--url", server.url, "--seed", str(options.seed), "--json", str(found), *limit],
            f"at {slice_tokens} tokens and bias {idle_bias:g}",
        )
        metrics = json.loads(found.read_text("utf-8"))["metrics"]
    seconds = round(time.monotonic() - began, 1)
    return {"slice_tokens": slice_tokens, "idle_bias": idle_bias, "seconds": seconds, "metrics": metrics}


def _run(command: Sequence[str], where: str) -> None:
    """Runs the evaluation; what it says on standard error, its progress too, is for the user."""
    process = start_process(command, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        code = process.wait()
    except BaseException:  # Ctrl-C: it ends as if it had been pressed there
        process.send_signal(signal.SIGINT)
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
        finally:  # pressed twice: without waiting for it
            process.kill()
            process.wait()
        raise
    if code:
        raise BenchmarkError(f"edge-chat eval ended with {ending(code)} {where}; what it said stands above")


# --- what is shown


def table(points: Sequence[Point]) -> str:
    """A Markdown table, a row a point; rates with their 95 % intervals."""
    names = ["slice tokens", "idle bias", *(name.replace("_", " ") for name in RATES), "response latency, slices"]
    rows = [
        [str(point["slice_tokens"]), f"{point['idle_bias']:g}"]
        + [_rate(point["metrics"][name]) for name in RATES]
        + [_latency(point["metrics"][LATENCY])]
        for point in points
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in [names, ["---"] * len(names), *rows]) + "\n"


def _rate(metric: dict[str, Any]) -> str:
    if metric["rate"] is None:
        return "-"
    return f"{100 * metric['rate']:.1f} % ({100 * metric['low']:.1f} - {100 * metric['high']:.1f}, n {metric['n']})"


def _latency(metric: dict[str, Any]) -> str:
    return "-" if metric["mean"] is None else f"{metric['mean']:.2f} (p95 {metric['p95']:g})"


def draw(points: Sequence[Point], title: str, path: Path) -> None:
    """Writes the plot; the same points give the same file. Needs matplotlib. Raises OSError."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "idle_bias", "font.size": 9}):
        figure = Figure(figsize=(11, 5), layout="constrained")
        against_latency, against_bias = figure.subplots(1, 2)
        for slice_tokens, line in zip(sorted({point["slice_tokens"] for point in points}), itertools.cycle(_LINES)):
            some = [point for point in points if point["slice_tokens"] == slice_tokens]
            _draw_against_latency(against_latency, some, line)
            _draw_against_bias(against_bias, some, line)
        against_latency.set_xlabel("response latency, slices (mean)")
        against_latency.set_ylabel("early interruption, % (95 % interval); the bias beside each point")
        against_bias.set_xlabel("--idle-bias")
        against_bias.set_ylabel("%")
        for axes in (against_latency, against_bias):
            axes.grid(alpha=0.3)
            axes.legend(fontsize=8)
        figure.suptitle(title)
        figure.savefig(path, metadata={"Date": None})


def _draw_against_latency(axes: Axes, points: Sequence[Point], line: str) -> None:
    """One cap's points, in order of bias. Where nothing was answered there is no latency, and no point."""
    known = [
        (point["metrics"][LATENCY]["mean"], point["metrics"][EARLY], point["idle_bias"])
        for point in points
        if point["metrics"][LATENCY]["mean"] is not None and point["metrics"][EARLY]["rate"] is not None
    ]
    rates = [100 * early["rate"] for _, early, _ in known]
    errors = [
        [max(0.0, rate - 100 * early["low"]) for rate, (_, early, _) in zip(rates, known, strict=True)],
        [max(0.0, 100 * early["high"] - rate) for rate, (_, early, _) in zip(rates, known, strict=True)],
    ]
    label = f"--slice-tokens {points[0]['slice_tokens']}"
    axes.errorbar([latency for latency, _, _ in known], rates, yerr=errors, fmt=f"o{line}", capsize=3, label=label)
    for (latency, _, bias), rate in zip(known, rates, strict=True):
        axes.annotate(f"{bias:+g}" if bias else "0", (latency, rate), (5, 5), textcoords="offset points")


def _draw_against_bias(axes: Axes, points: Sequence[Point], line: str) -> None:
    for number, name in enumerate((EARLY, "success_reply", "right_answers")):
        known = [point for point in points if point["metrics"][name]["rate"] is not None]
        rates = [100 * point["metrics"][name]["rate"] for point in known]
        label = f"{name.replace('_', ' ')}, {points[0]['slice_tokens']} tokens"
        axes.plot([point["idle_bias"] for point in known], rates, f"o{line}", color=f"C{number}", label=label)


# --- the command


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="idle_bias", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=_MODEL)
    parser.add_argument("--set", default="pocket", help="a scenario set of edge-chat eval: a name or a file")
    parser.add_argument("--biases", type=_numbers(-20, 20), default=_BIASES, help="with commas; begin them with =")
    parser.add_argument("--slice-tokens", type=_numbers(1, 256), default=(10.0, 15.0), help="with commas")
    parser.add_argument("--temperature", type=float, default=0.8, help="0 is greedy")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, help="so many scenarios of each category at most")
    parser.add_argument("--threads", type=int, default=1, help="one is fastest for a model as small as the pocket one")
    parser.add_argument("--out", type=Path, default=Path("build") / "idle_bias", metavar="FOLDER")
    parser.add_argument("--fresh", action="store_true", help="throw away what the folder holds of an earlier run")
    parser.add_argument("--no-plot", action="store_true")
    options = parser.parse_args(argv)
    if any(not number.is_integer() for number in options.slice_tokens):
        parser.error("--slice-tokens takes whole numbers")
    if not 0 <= options.temperature <= 10:
        parser.error("--temperature must be 0 (greedy) to 10")
    if options.seed < 0 or options.threads < 1 or (options.limit is not None and options.limit < 1):
        parser.error("--seed must be 0 or more, --threads and --limit 1 or more")
    return options


def _numbers(low: float, high: float) -> Any:
    def read(text: str) -> tuple[float, ...]:
        try:
            numbers = tuple(dict.fromkeys(float(one) for one in text.split(",")))
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no list of numbers with commas") from None
        if any(not (math.isfinite(one) and low <= one <= high) for one in numbers):
            raise argparse.ArgumentTypeError(f"{text!r} has a number that is not {low} to {high}")
        return numbers

    return read


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """What a curve's points have in common. Raises ScenarioError, and OSError for a model that cannot be read."""
    digest = hashlib.blake2b(digest_size=16)
    with options.model.open("rb") as file:
        while part := file.read(2**20):
            digest.update(part)
    scenarios = read_set(options.set)
    return {
        "model": options.model.name,
        "model_digest": digest.hexdigest(),
        "set": scenarios.name,
        "set_digest": scenarios.digest,
        "seed": options.seed,
        "temperature": options.temperature,
        "limit": options.limit,
    }


def main(argv: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    options = parse(argv)
    try:
        if not options.no_plot:
            import matplotlib.figure  # noqa: F401 - before an hour is spent on what it is to draw
        settings = settings_of(options)
        options.out.mkdir(parents=True, exist_ok=True)
        curve = Curve(options.out / "idle_bias.json", settings, fresh=options.fresh)
    except ImportError:
        return _fail("the plot needs matplotlib: pip install 'edge-duplex[plot]', or give --no-plot", 2)
    except ValueError as error:  # a ScenarioError too
        return _fail(str(error), 2)
    except OSError as error:
        return _fail(f"cannot use {error.filename}: {error.strerror}", 2)
    todo = [(int(tokens), bias) for tokens in options.slice_tokens for bias in options.biases]
    try:
        for number, key in enumerate(todo, 1):
            if key in curve:
                continue
            print(f"{number} of {len(todo)}: --slice-tokens {key[0]} --idle-bias {key[1]:g}", file=sys.stderr)
            point = measure(options, *key)
            curve.add(point)
            print(table([point]).splitlines()[-1], file=sys.stderr)
        shown = table(curve.points)
        title = f"{settings['model']}, {settings['set']}, temperature {settings['temperature']:g}"
        (options.out / "idle_bias.md").write_text(f"{title}, seed {settings['seed']}\n\n{shown}", "utf-8")
        if not options.no_plot:
            draw(curve.points, title, options.out / "idle_bias.svg")
    except BenchmarkError as error:
        return _fail(str(error), 1)
    except OSError as error:
        return _fail(f"cannot write {error.filename}: {error.strerror}", 1)
    except KeyboardInterrupt:
        return _fail(f"stopped; {options.out} keeps the points that are finished, the same command goes on", 130)
    print(shown, end="")
    return 0


def _fail(message: str, code: int) -> int:
    print(f"idle_bias: {' '.join(message.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
