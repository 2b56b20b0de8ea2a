"""Shows how far a conversion is: a bar a stage on a terminal, one line a stage elsewhere. Knows nothing of what is
being done.
"""

from __future__ import annotations

from typing import TextIO

from command_line.bars import Bar, is_live


class Progress:
    """Stages with a total; the caller reports what was done since the last call."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = is_live(stream)
        self._bar: Bar | None = None

    def stage(self, text: str, total: int = 0, *, in_bytes: bool = False) -> None:
        """Begins a stage of `total` units (0: nothing to count), ending the one before; in_bytes: they are bytes."""
        self.end()
        if self._live:
            self._bar = Bar(text, total, self._stream, in_bytes=in_bytes)
            self._bar.start()
        else:
            print(text, file=self._stream, flush=True)

    def advance(self, units: int) -> None:
        if self._bar is not None:
            self._bar.advance(units)

    def end(self) -> None:
        """Leaves the cursor on a new line. Call it before anything else is printed."""
        if self._bar is not None:
            self._bar.close()
        self._bar = None
