"""A conversation printed as it goes: a line a slice, with the seconds since the start before it.

Knows text streams, and the clock that it is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TextIO

from clients.chat import CUT_MARK, Slice, Speaker
from clients.paragraphs import join


class Transcript:
    """What each speaker says goes to `out`, notes to `notes`.

    Args:
        clock: Seconds since the start, which lines begin with; None: they do not, so that two conversations with the
            same words print the same.
    """

    def __init__(self, *, out: TextIO, notes: TextIO, clock: Callable[[], float] | None) -> None:
        self._out = out
        self._notes = notes
        self._clock = clock
        self._speaker: Speaker | None = None  # of the line that is open
        self._text = ""
        self._written = 0

    def show(self, slice_: Slice) -> None:
        if slice_.speaker is Speaker.NOTE:
            print(slice_.text, file=self._notes, flush=True)
            return
        text = re.sub(r"\s+", " ", slice_.text)
        if not slice_.continues or slice_.speaker is not self._speaker:
            self._end_line(CUT_MARK if slice_.interrupts else "")
            time = "" if self._clock is None else f"{self._clock():6.1f}  "
            self._out.write(f"{time}{slice_.speaker.value:<9}  ")
            self._speaker, self._text, self._written = slice_.speaker, "", 0
        self._text = join(self._text, text)
        grown = self._text.rstrip()  # white space waits until something follows it
        self._out.write(grown[self._written :])
        self._out.flush()
        self._written = max(self._written, len(grown))

    def close(self) -> None:
        """Ends the last line. Call it when the conversation is over, however it ended."""
        self._end_line("")

    def _end_line(self, mark: str) -> None:
        if self._speaker is not None:
            self._out.write(f"{mark}\n")
            self._out.flush()
            self._speaker = None
