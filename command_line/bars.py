"""A bar of progress on a terminal: what, how far, how long it still takes. Colors, widths and what a terminal can show
are rich's affair, which heeds NO_COLOR.
"""

from __future__ import annotations

import os
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

_NAME = 30  # columns at least, so that one bar stands below the other


def is_live(stream: IO[str]) -> bool:
    """Whether lines can be drawn again: a terminal that has a cursor to move."""
    return stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


class Bar:
    """One bar, shown at once. For a stream that `is_live`."""

    def __init__(self, text: str, total: float, stream: IO[str], *, in_bytes: bool = False, keep: bool = True) -> None:
        """Begins at 0 of `total` units (0: unknown). keep: its last state stays as a line, else it vanishes.

        in_bytes: the units are bytes, shown as such.
        """
        console = Console(file=stream, force_terminal=True, highlight=False)
        column = Column(no_wrap=True, overflow="ellipsis")
        self._name = TextColumn("{task.description}", markup=False, table_column=column)
        wide = console.width >= 80
        bar = BarColumn(bar_width=10 if not wide else 20 if in_bytes else 34)
        size = (DownloadColumn(),) if in_bytes and wide else ()
        self._counted = bool(total)
        time = TimeRemainingColumn(elapsed_when_finished=True) if self._counted else TimeElapsedColumn()
        self._progress = Progress(
            *(self._name, bar, TaskProgressColumn(), *size, time),
            console=console,
            transient=not keep,
            # Whoever has replaced standard output or error, or redirected one of them, keeps it.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task(f"{text:<{_NAME}}" if wide else text, total=total or None)
        self._progress.start()

    def advance(self, units: float) -> None:
        """So many units are done since the last call."""
        self._progress.advance(self._task, units)

    def show(self, done: float) -> None:
        """So many units are done in all."""
        self._progress.update(self._task, completed=done)

    def close(self) -> None:
        """Leaves the cursor at the beginning of a line. May be called again."""
        if not self._counted:  # nothing is left of it but how long it took
            self._progress.columns = (self._name, TimeElapsedColumn())
        self._progress.stop()
