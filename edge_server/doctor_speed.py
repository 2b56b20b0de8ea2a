"""How fast this machine is with a model, in a few seconds: `tune`'s measuring, with the options that run would use."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from edge_server.config import Config
from edge_server.cores import physical_cores
from edge_server.llama import Model
from edge_server.loading import Interruptible, loading
from edge_server.tune_advice import Line, Machine, Speeds
from edge_server.tune_search import DECODE, TICK, OutOfTime, Setting
from edge_server.tune_works import DEPTH, Bench, describe

SECONDS = 15.0  # at most, after the model is loaded; the pocket model takes two
_BUILD_SECONDS = 3.0  # of them, to fill the context


def measure_speed(path: Path, config: Config) -> tuple[Speeds, Machine]:
    """Loads the model and measures slices. Tells on standard error what it does.

    Raises ModelError, ConfigError, EngineError, RefusedError, or OutOfTime where nothing could be measured in time.
    """
    with Interruptible() as interruptible, loading(path, interruptible) as progress:
        model = Model.load(path, gpu_layers=config.gpu_layers, on_progress=progress)
    with model:
        interruptible.check()
        machine = describe(model, config)
        bench = Bench(model, sessions=config.sessions, build_seconds=_BUILD_SECONDS, depth=min(DEPTH, machine.ctx))
        measuring = _Measuring(bench, Setting(threads=config.threads or physical_cores()), config.sessions)
        told = f"measuring {path.name}, up to {SECONDS:.0f} s"
        on_terminal = sys.stderr.isatty()
        print(told, end="" if on_terminal else "\n", file=sys.stderr, flush=True)
        try:
            bench.run(measuring.run, time.monotonic() + SECONDS)
        finally:
            if on_terminal:
                print("\r\033[K", end="", file=sys.stderr, flush=True)
        bench.close()
        assert measuring.speeds is not None, "run ended without an error"
        return measuring.speeds, machine


class _Measuring:
    """One slice first, which is always there in time; then short and long contexts, and several sessions."""

    def __init__(self, bench: Bench, setting: Setting, sessions: int) -> None:
        self._bench = bench
        self._setting = setting
        self._sessions = sessions
        self.speeds: Speeds | None = None

    def run(self) -> None:
        """Measures on the bench's thread. Raises OutOfTime where not even a slice was measured."""
        self._bench.prepare(self._setting)
        tick, decode = (self._bench.measure(self._setting, work) for work in (TICK, DECODE))
        self.speeds = Speeds(self._bench.depth, Line(tick, 0.0), Line(decode, 0.0), sloped=False)
        try:
            self.speeds = self._bench.speeds(self._setting, self._sessions)
        except OutOfTime:
            return
