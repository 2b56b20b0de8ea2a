"""Shows how far a conversion is: one line that is rewritten on a terminal, one line a stage elsewhere. Knows nothing of
what is being done.
"""

from __future__ import annotations

import time
from typing import TextIO

_INTERVAL_SECONDS = 0.1


class Progress:
    """Stages with a total; the caller reports what was done since the last call."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._text = ""
        self._total = self._done = 0
        self._shown = 0.0

    def stage(self, text: str, total: int = 0) -> None:
        """Begins a stage of `total` units (0: nothing to count), ending the one before."""
        self.end()
        self._text, self._total, self._done, self._shown = text, total, 0, 0.0
        if self._live:
            self._show()
        else:
            print(text, file=self._stream, flush=True)

    def advance(self, units: int) -> None:
        self._done += units
        if self._live and time.monotonic() - self._shown >= _INTERVAL_SECONDS:
            self._show()

    def end(self) -> None:
        """Leaves the cursor on a new line. Call it before anything else is printed."""
        if self._live and self._text:
            self._show()
            print(file=self._stream, flush=True)
        self._text = ""

    def _show(self) -> None:
        self._shown = time.monotonic()
        share = f" {min(100, 100 * self._done // self._total):3d} %" if self._total else ""
        print(f"\r\x1b[K{self._text}{share}", end="", file=self._stream, flush=True)
