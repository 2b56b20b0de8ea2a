"""The conversation as plain lines, for when there is no terminal: words come from a pipe or go to a file.

Knows text streams; what is said, and when, it is told. Where the input is a file or a pipe its lines are said in
turn, each when the assistant has fallen silent: the whole file at once would interrupt every answer. Lines from a
person are said when they come.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import threading
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from clients.chat import CUT_MARK, Slice, Speaker
from clients.paragraphs import join

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from clients.conversation import Conversation

LINES_AHEAD = 100  # read from the input before they are said
LONGEST_LINE = 256 * 1024  # characters: what has no line ends is divided


class Lines:
    """The front end in lines: what each speaker says in one line of `out`, notes to `notes`.

    Args:
        in_turn: Whether a line waits until the assistant is silent.
    """

    def __init__(self, conversation: Conversation, *, out: TextIO, notes: TextIO, in_turn: bool) -> None:
        self._conversation = conversation
        self._out = out
        self._notes = notes
        self._in_turn = in_turn
        self._waiting: asyncio.Queue[str | None] = asyncio.Queue(LINES_AHEAD)
        self._ended = False
        self._speaker: Speaker | None = None  # of the line that is being written
        self._text = ""
        self._written = 0

    async def bring(self, line: str | None) -> None:
        """A line was read; None: it was the last. Returns when there is room for more."""
        if line is None or self._in_turn:
            await self._waiting.put(line)
        else:
            self._conversation.enter(line)

    def due(self, *, tick: bool) -> list[str]:
        silent = self._conversation.silent
        if not tick or (self._speaker is not None and not silent):
            return []
        self._end_line("")
        while not self._ended and not self._waiting.empty():
            line = self._waiting.get_nowait()
            if line is None:
                self._ended = True
            elif line.strip():
                return [line]
        return ["/quit"] if self._ended and silent else []

    def show(self, slice_: Slice) -> None:
        if slice_.speaker is Speaker.NOTE:
            print(slice_.text, file=self._notes, flush=True)
            return
        if slice_.speaker is not self._speaker:
            self._end_line(CUT_MARK if slice_.interrupts else "")
            self._speaker = slice_.speaker
            self._text = f"{slice_.speaker.value}: "
            self._written = 0
        elif slice_.speaker is Speaker.YOU:
            self._text += " "
        self._text = join(self._text, slice_.text.replace("\n", " "))
        # White space waits until something follows it.
        grown = self._text.rstrip()
        self._out.write(grown[self._written :])
        self._out.flush()
        self._written = max(self._written, len(grown))

    @property
    def typed(self) -> str:
        return ""

    def changed(self) -> None:
        pass

    def close(self) -> None:
        """Ends the last line. Call it when the conversation is over, however it ended."""
        self._end_line("")

    def _end_line(self, mark: str) -> None:
        if self._speaker is not None:
            self._out.write(f"{mark}\n")
            self._out.flush()
            self._speaker = None


def read_lines(descriptor: int, bring: Callable[[str | None], Coroutine[None, None, None]]) -> None:
    """Reads the lines of a file descriptor in a thread of its own and brings them, and then None, in the running loop.

    A thread because a regular file cannot be waited for, and reading a terminal cannot be given up: it ends with the
    process. It reads the descriptor itself, since a lock held on `sys.stdin` would stand in the way of that end.
    """
    loop = asyncio.get_running_loop()

    def bring_all() -> None:
        for line in _lines(descriptor):
            if not _bring(line):
                return
        _bring(None)

    def _bring(line: str | None) -> bool:
        work = bring(line)
        try:
            asyncio.run_coroutine_threadsafe(work, loop).result()
        except (RuntimeError, CancelledError):  # the conversation is over
            work.close()
            return False
        return True

    threading.Thread(target=bring_all, daemon=True).start()


def _lines(descriptor: int) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    rest = ""
    with suppress(OSError):  # a terminal that was hung up has no more lines
        while data := os.read(descriptor, 65536):
            *lines, rest = (rest + decoder.decode(data)).split("\n")
            yield from lines
            if len(rest) >= LONGEST_LINE:
                yield rest
                rest = ""
    if rest:
        yield rest
