"""A bar of progress on a terminal: what, how far, how long it still takes. Colors, widths and what a terminal can show
are rich's affair, which heeds NO_COLOR.
"""

from __future__ import annotations

import os
import time
from typing import IO

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

_SHOW_CURSOR = "\x1b[?25h"
_INTERVAL = 0.1  # seconds between two drawings
_NAME = 30  # columns at least, so that one bar stands below the other


def is_live(stream: IO[str]) -> bool:
    """Whether lines can be drawn again: a terminal that has a cursor to move."""
    return stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


class Bar:
    """One bar, for a stream that `is_live`. After `start` you must call `close`, or the cursor stays hidden."""

    def __init__(self, text: str, total: float, stream: IO[str], *, in_bytes: bool = False, keep: bool = True) -> None:
        """At 0 of `total` units (0: unknown), and not shown yet. in_bytes: the units are bytes, and shown as such.

        keep: its last state stays as a line, else it vanishes.
        """
        console = Console(file=stream, force_terminal=True, highlight=False)
        column = Column(no_wrap=True, overflow="ellipsis")
        self._name = TextColumn("{task.description}", markup=False, table_column=column)
        wide = console.width >= 80
        size = (DownloadColumn(),) if in_bytes and wide else ()
        bar = BarColumn(bar_width=10 if not wide else 20 if in_bytes else 34)
        counted = (bar, TaskProgressColumn(), *size, TimeRemainingColumn(elapsed_when_finished=True))
        self._counted = bool(total)
        self._progress = Progress(
            *(self._name, *(counted if self._counted else ())),
            console=console,
            transient=not keep,
            # Whoever has replaced standard output or error, or redirected one of them, keeps it.
            redirect_stdout=False,
            redirect_stderr=False,
            auto_refresh=False,  # a thread that draws could outlive an interruption
        )
        self._task = self._progress.add_task(f"{text:<{_NAME}}" if wide else text, total=total or None)
        self._drawn = 0.0
        self._stream = stream

    def start(self) -> None:
        """Shows it. Apart from making it, so that whoever is interrupted within this has something to close."""
        self._progress.start()

    def advance(self, units: float) -> None:
        """So many units are done since the last call."""
        self._progress.advance(self._task, units)
        self._draw()

    def show(self, done: float) -> None:
        """So many units are done in all."""
        self._progress.update(self._task, completed=done)
        self._draw()

    def _draw(self) -> None:
        now = time.monotonic()
        if now - self._drawn >= _INTERVAL:
            self._drawn = now
            self._progress.refresh()

    def close(self) -> None:
        """Leaves the cursor at the beginning of a line. May be called again."""
        if not self._counted:  # nothing is left of it but how long it took
            self._progress.columns = (self._name, TimeElapsedColumn())
        try:
            self._progress.stop()
        except IndexError:
            pass  # rich's own, where Ctrl-C came while it began
        finally:
            # Where Ctrl-C came while rich was drawing, it believes that it still is, and holds everything back.
            self._stream.write(_SHOW_CURSOR)
            self._stream.flush()
