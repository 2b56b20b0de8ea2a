"""Runs an evaluation: reads the set, plays what is to be played, keeps it, and writes what comes of it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from clients.cli import INTERRUPTED
from clients.connection import UrlError, check_url
from clients.eval_play import Pace, PlayError, play_all
from clients.eval_played import Played, fits
from clients.eval_plot import PlotError, check_plot, draw
from clients.eval_record import Record, RecordError
from clients.eval_report import as_json, as_table, misses, report
from clients.eval_scenarios import CATEGORIES, Scenario, ScenarioSet, read_set, shipped_sets
from clients.eval_yaml import ScenarioError


@dataclass(frozen=True)
class Options:
    """As on the command line; times in seconds."""

    scenarios: str
    url: str
    categories: tuple[str, ...]
    language: str | None
    limit: int | None
    seed: int
    clock: float | None
    patience: int
    wait: float
    out: Path | None
    fresh: bool
    json: Path | None
    plot: Path | None
    misses: int


class OptionsError(ValueError):
    """Options that fit nothing. The message is one line for the user."""


def run(options: Options, only: Literal["check", "list"] | None = None) -> int:
    """Does what the options ask for, or reads the set `only`; returns the exit code. Says on stderr what went wrong."""
    try:
        if only == "list":
            for name in shipped_sets():
                shipped = read_set(name)
                print(f"{name:<12}  {len(shipped.scenarios):>4} scenarios  {shipped.about}")
            return 0
        found = read_set(options.scenarios)
        if only == "check":
            print(describe_set(found))
            return 0
        check_url(options.url)
        chosen = choose(found, options)
        _check_results(options)
        return _evaluate(found, chosen, options)
    except (OptionsError, PlotError, RecordError, ScenarioError, UrlError) as error:
        _say(str(error))
        return 2
    except BrokenPipeError:  # whoever read it has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        _say(f"cannot write {error.filename or 'the results'}: {error.strerror or error}")
        return 1


def _check_results(options: Options) -> None:
    """Raises OptionsError or PlotError if a result could not be written: before anything is played for it."""
    files = {"--out": options.out, "--json": options.json, "--plot": options.plot}
    seen: dict[Path, str] = {}
    for option, path in files.items():
        if path is None:
            continue
        if not path.absolute().parent.is_dir():
            raise OptionsError(f"{option} {path}: there is no folder {path.parent}")
        if path.is_dir():
            raise OptionsError(f"{option} {path} is a folder: name a file in it")
        other = seen.setdefault(path.resolve(), option)
        if other != option:
            raise OptionsError(f"{option} {path} would overwrite what {other} writes: give another file")
    if options.plot is not None:
        check_plot(options.plot)


def describe_set(found: ScenarioSet) -> str:
    """How many scenarios of which category and language there are, as lines."""
    counts = Counter((one.category, one.language) for one in found.scenarios)
    lines = [f"{found.name}: {found.about}"]
    for category in CATEGORIES:
        languages = {language: n for (one, language), n in sorted(counts.items()) if one == category}
        shown = f"  ({', '.join(f'{language} {n}' for language, n in languages.items())})" if languages else ""
        lines.append(f"  {category:<14} {sum(languages.values()):>5}{shown}")
    lines.append(f"  {'in all':<14} {len(found.scenarios):>5}")
    return "\n".join(lines)


def choose(found: ScenarioSet, options: Options) -> list[Scenario]:
    """The scenarios that the options ask for, in the set's order.

    Raises:
        OptionsError: There are none.
    """
    unknown = [one for one in options.categories if one not in CATEGORIES]
    if unknown:
        raise OptionsError(f"--category {unknown[0]} is none: there are {', '.join(CATEGORIES)}")
    counts: Counter[str] = Counter()
    chosen = []
    for one in found.scenarios:
        if options.categories and one.category not in options.categories:
            continue
        if options.language is not None and options.language not in (one.language, one.language.partition("-")[0]):
            continue
        counts[one.category] += 1
        if options.limit is None or counts[one.category] <= options.limit:
            chosen.append(one)
    if not chosen:
        languages = sorted({one.language for one in found.scenarios})
        raise OptionsError(
            f"no scenario of {found.name} is of that category and language: it is in {', '.join(languages)}"
        )
    return chosen


def _evaluate(found: ScenarioSet, chosen: list[Scenario], options: Options) -> int:
    settings = {
        "set": found.name,
        "digest": found.digest,
        "seed": options.seed,
        "clock": options.clock,
        "patience": options.patience,
    }
    with ExitStack() as stack:
        record = None
        played: dict[str, Played] = {}
        if options.out is not None:
            record = Record(options.out, settings, fresh=options.fresh)
            stack.callback(record.close)
            played = {one.id: record.played[one.id] for one in chosen if one.id in record.played}
            other = next((one.id for one in chosen if one.id in played and not fits(played[one.id], one)), None)
            if other is not None:
                raise RecordError(
                    f"{options.out} holds another {other} than the set: give another --out, or --fresh to throw it away"
                )
        code = _play(found.name, chosen, played, record, options)
    kept = f"; {options.out} keeps them, the same command goes on" if options.out is not None else ""
    if code:
        _say(f"{len(played)} of {len(chosen)} scenarios are finished{kept}")
    if not played or code == 1:
        return code
    result = report(found, played, settings)
    print(as_table(result), flush=True)
    if options.misses:
        print("\n".join(misses(result, options.misses)), file=sys.stderr)
    if code == 0 and options.json is not None:
        _write_whole(options.json, as_json(result))
    if code == 0 and options.plot is not None:
        draw(result, options.plot)
    return code


def _play(name: str, chosen: list[Scenario], played: dict[str, Played], record: Record | None, options: Options) -> int:
    """Plays those of the chosen that are not `played` yet; returns the exit code that this comes to."""
    pace = Pace(options.clock, options.patience, options.wait)
    with _progress(name, len(chosen), len(played)) as (advance, note):

        def done(one: Played) -> None:
            if record is not None:
                record.add(one)
            played[one.id] = one
            advance()

        todo = [one for one in chosen if one.id not in played]
        try:
            if todo:
                asyncio.run(play_all(todo, options.url, seed=options.seed, pace=pace, done=done, note=note))
        except KeyboardInterrupt:
            return INTERRUPTED
        except PlayError as error:
            note(str(error))
            return 1
    return 0


@contextmanager
def _progress(name: str, total: int, finished: int) -> Iterator[Any]:
    """A bar on standard error if that is a terminal: what moves it by one, and what prints a remark above it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda: None, _say
        return
    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(name, total=total, completed=finished)

        def note(text: str) -> None:
            progress.console.print(f"edge-chat: {text}", markup=False, highlight=False, soft_wrap=True)

        yield lambda: progress.advance(task), note


def _write_whole(path: Path, content: dict[str, Any]) -> None:
    """Writes the file as a whole, so that nobody reads half of it. Raises OSError."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _say(text: str) -> None:
    print(f"edge-chat: {text}", file=sys.stderr)
