"""`edge-server tune`: measures this machine with a model and prints the options to use.

Puts it together: what is tried (`tune_search`), how it is measured (`tune_works`), what it means (`tune_advice`).
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from command_line.bars import is_live
from edge_server.config import Config, ConfigError
from edge_server.context import EngineError
from edge_server.cores import physical_cores
from edge_server.llama import Model
from edge_server.loading import Interruptible, choose_model, loading, log_to_stderr
from edge_server.machine import usable_cpus
from edge_server.tune_advice import Line, Speeds, advice, best_ration, option_line, table, verdict
from edge_server.tune_search import (
    DECODE,
    TICK,
    Axis,
    OutOfTime,
    RefusedError,
    Search,
    Setting,
    Trial,
    Weights,
    axes,
    thread_counts,
)
from edge_server.tune_works import DEPTH, Bench, describe

GPU_CALL_SECONDS = 0.1  # a GPU's decode call cannot be stopped: an interruption waits for its end
_BUILD_SHARE = 0.15  # of the time: to fill the first context
_SEARCH_SHARE = 0.85  # the rest is for what the advice needs
_BUSY = 1.3  # the same measurement differs by so much only where others use the machine


def tune(
    model: Path | None,
    ctx: int | None,
    sessions: int,
    slice_tokens: int | None,
    gpu_layers: int,
    seconds: float,
    show_table: bool | None,
) -> None:
    """Measures for at most `seconds` and prints the verdict, what would help and last the command to run.

    model: None is the one that run would take. show_table: also what was tried; None: on a terminal. Raises
    ConfigError, ModelError and EngineError.
    """
    began = time.monotonic()
    log_to_stderr(False)
    if not 1 <= seconds <= 3600:
        raise ConfigError(f"--seconds {seconds:g} cannot be used: give 1 to 3600")
    path = choose_model(model)
    config = Config(model=path, ctx=ctx, sessions=sessions, slice_tokens=slice_tokens, gpu_layers=gpu_layers)
    with Interruptible() as interruptible, loading(path, interruptible) as progress:
        loaded = Model.load(path, gpu_layers=gpu_layers, on_progress=progress)
    with loaded:
        tuning = _Tuning(loaded, config, began + seconds)
        tuning.run()
        on_terminal = sys.stdout.isatty() if show_table is None else show_table
        extra = [] if model is None else ["--model", str(model)]
        extra += [] if ctx is None else ["--ctx", str(ctx)]
        extra += [] if slice_tokens is None else ["--slice-tokens", str(slice_tokens)]
        extra += [] if sessions == Config.sessions else ["--sessions", str(sessions)]
        extra += [] if gpu_layers == -1 else ["--gpu-layers", str(gpu_layers)]
        for line in tuning.report(extra, whole=on_terminal):
            print(line)


@dataclass
class _Progress:
    """One line on a terminal, redrawn; elsewhere a line for each option that is tried."""

    on_terminal: bool
    began: float
    _told: str = ""

    def show(self, axis: Axis, settings: list[Setting], number: int) -> None:
        name = axis.name.removeprefix("--").replace("-", "_")
        text = f"trying {axis.name} {', '.join(str(getattr(one, name)) for one in settings)}"
        if self.on_terminal:
            line = f"{text}: round {number}, {time.monotonic() - self.began:.0f} s"
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        else:
            self.say(text)

    def say(self, text: str) -> None:
        if self.on_terminal:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
        elif text != self._told:
            print(text, file=sys.stderr, flush=True)
        self._told = text

    def clear(self) -> None:
        if self.on_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


class _Tuning:
    """One model's measurements on a thread of their own, so that Ctrl-C and the end of the time stop a decode call."""

    def __init__(self, model: Model, config: Config, deadline: float) -> None:
        self._machine = describe(model, config)
        self._model = model
        self._began = time.monotonic()
        self._deadline = deadline
        left = deadline - self._began
        self._bench = Bench(
            model, sessions=config.sessions, build_seconds=_BUILD_SHARE * left, depth=min(DEPTH, self._machine.ctx)
        )
        self._progress = _Progress(is_live(sys.stderr), self._began)
        self._weights = Weights(self._machine.slice_tokens)
        self._speeds: Speeds | None = None
        self._search = Search(
            self._bench,
            Setting(threads=physical_cores()),
            self._weights,
            call_limit=GPU_CALL_SECONDS if self._machine.on_gpu else self._machine.slice_seconds,
            clock=time.monotonic,
            deadline=self._began + _SEARCH_SHARE * left,
            on_round=self._progress.show,
        )

    def run(self) -> None:
        """Measures until all is done or the time is over. Raises EngineError where that was not enough for anything."""
        try:
            self._bench.run(self._measure, self._deadline)
        finally:
            self._progress.clear()
        self._bench.close()

    def _measure(self) -> None:
        search, machine = self._search, self._machine
        try:
            try:
                self._progress.say(f"filling {self._bench.depth} tokens of context")
                counts = thread_counts(physical_cores(), usable_cpus())
                search.run(axes(counts, on_gpu=machine.on_gpu))
                self._progress.say("measuring short and long contexts, and several sessions")
                self._speeds = self._bench.speeds(search.best, machine.sessions)
            except OutOfTime:
                tick, decode = self._measured(TICK), self._measured(DECODE)
                if tick is None or decode is None:
                    raise
                self._speeds = Speeds(self._bench.depth, Line(tick, 0.0), Line(decode, 0.0), sloped=False)
        except OutOfTime:
            raise EngineError(
                f"{self._model.path}: the time was over before anything was measured; give more --seconds"
            ) from None
        except RefusedError as error:
            raise EngineError(str(error)) from error

    def _measured(self, work: str) -> float | None:
        """Seconds of a work with the best setting: of the last axis that measured it, else of what it replaced."""
        trials = [trial for step in reversed(self._search.steps) for trial in step.trials]
        same = [trial for trial in trials if trial.setting == self._search.best]
        return next((one for trial in [*same, *trials] if (one := trial.median(work)) is not None), None)

    def report(self, extra: list[str], *, whole: bool) -> list[str]:
        """What to print: the table if `whole`, the verdict, what would help, the command."""
        speeds, machine, search = self._speeds, self._machine, self._search
        assert speeds is not None, "run ended without an error"
        lines = []
        if whole:
            cores = f"{physical_cores()} cores, {usable_cpus()} CPUs{', a GPU' if machine.on_gpu else ''}"
            lines.append(f"{self._model.path.name} ({self._model.description}, {machine.size / 1e9:.2f} GB), {cores}")
            lines += [*table(search.steps, speeds, self._weights, speeds.depth), ""]
        if (unrest := _unrest(search.steps[0].trials[0], self._weights)) > _BUSY:
            lines.append(
                f"the machine was busy: the same work took up to {unrest:.1f} times as long; tune again when it is idle"
            )
        lines.append(verdict(speeds, machine)[1])
        helps = advice(speeds, machine)
        if helps:
            lines += ["what would help:", *(f"  {line}" for line in helps)]
        lines.append(option_line(search.best, best_ration(speeds, machine), extra))
        return lines


def _unrest(trial: Trial, weights: Weights) -> float:
    """How many times as long as the shortest the longest round of a setting took."""
    sizes = [len(one) for one in trial.rounds]
    costs = [weights.seconds(one) for one in trial.rounds if len(one) == max(sizes)]
    return max(costs) / min(costs) if costs else 1.0
