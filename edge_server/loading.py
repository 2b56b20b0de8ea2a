"""What every command does before it has a model: sets the log up, finds the file, shows the loading, heeds Ctrl-C."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from command_line.bars import Bar, is_live
from edge_server.backend import is_duplex
from edge_server.config import find_model

_log = logging.getLogger("edge_server")


def log_to_stderr(verbose: bool) -> None:
    """Sends the log to standard error: warnings of our own, or with `verbose` everything, llama.cpp's too."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    _log.setLevel(logging.DEBUG if verbose else logging.WARNING)
    logging.getLogger("llama.cpp").setLevel(logging.DEBUG if verbose else logging.CRITICAL)
    # A client that goes away in the middle of something is no news.
    logging.getLogger("websockets").setLevel(logging.INFO if verbose else logging.CRITICAL)


def model_folders() -> tuple[Path, ...]:
    """Where models are looked for: models/ here, and beside the program."""
    return tuple(dict.fromkeys([Path("models").resolve(), Path(__file__).resolve().parent.parent / "models"]))


def choose_model(asked: Path | None) -> Path:
    """The model file to use: what was asked for, else the newest duplex model in models/, which the log then names.

    Raises ConfigError if there is none.
    """
    if asked is not None:
        return asked
    model = find_model(model_folders(), is_duplex)
    _log.warning("model: %s", model)
    return model


class Interruptible:
    """Ctrl-C and SIGTERM while a model loads: only noted, because no exception can pass through llama.cpp."""

    def __init__(self) -> None:
        self._noted = False

    def check(self) -> None:
        """Raises KeyboardInterrupt if a signal was noted."""
        if self._noted:
            raise KeyboardInterrupt

    def __enter__(self) -> Interruptible:
        def note(_number: int, _frame: object) -> None:
            self._noted = True

        self._before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def loading(path: Path, interruptible: Interruptible) -> Iterator[Callable[[float], None]]:
    """While a model loads: gives the function to call with the share done, 0 to 1; a terminal sees it as a bar.

    None is shown where the log is verbose, whose lines would tear it.
    """
    bar = None
    if is_live(sys.stderr) and not _log.isEnabledFor(logging.DEBUG):
        bar = Bar(f"loading {path.name}", 1.0, sys.stderr, keep=False)

    def progress(done: float) -> None:
        interruptible.check()
        if bar is not None:
            bar.show(done)

    try:
        if bar is not None:
            bar.start()
        yield progress
    finally:
        if bar is not None:
            bar.close()
