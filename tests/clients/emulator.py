"""Just enough of a terminal to see what a person would see: lines, a cursor, erasing. Scrolled lines are kept.

Refuses any control sequence that it does not know, so that a test finds out when something else comes through.
"""

from __future__ import annotations

import io
import re

from prompt_toolkit.utils import get_cwidth

_TOKEN = re.compile(r"\x1b\[([0-9;?]*)( ?[A-Za-z])|([^\x00-\x1f\x7f-\x9f])|([\r\n\b])|(.)", re.DOTALL)
_WITHOUT_EFFECT = frozenset("hl") | {" q"}  # modes, the cursor's shape


class Emulator(io.StringIO):
    """A file that is written to as a terminal would be. `lines` is what it shows, from the first line on."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.columns = columns
        self._rows: list[list[str]] = [[]]
        self._row = 0
        self._column = 0
        self.colored = False  # anything was in a color of its own

    @property
    def lines(self) -> list[str]:
        lines = ["".join(row).rstrip() for row in self._rows]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def text(self) -> str:
        """All lines as one, without their indents."""
        return " ".join(line.strip() for line in self.lines)

    def resize(self, columns: int, *, reflow: bool = True) -> None:
        """Lines that do not fit any more are broken into more rows, as most terminals do, or else cut off.

        The cursor stays where it is in the text.
        """
        rows: list[list[str]] = []
        row_before = self._row
        for number, row in enumerate(self._rows):
            parts = [row[start : start + columns] for start in range(0, len(row), columns)] or [[]]
            if not reflow:
                parts = parts[:1]
            if number == row_before:
                if not reflow:
                    down, self._column = 0, min(self._column, columns - 1)
                elif self._column and self._column == len(row):  # a row that is just full is not left yet
                    down, self._column = divmod(self._column - 1, columns)
                    self._column += 1
                else:
                    down, self._column = divmod(self._column, columns)
                parts += [[] for _ in range(down + 1 - len(parts))]
                self._row = len(rows) + down
            rows += parts
        self._rows = rows
        self.columns = columns

    def write(self, text: str) -> int:
        for number, command, character, motion, other in _TOKEN.findall(text):
            if other:
                raise AssertionError(f"a terminal would obey {other!r} in {text!r}")
            if character:
                self._put(character)
            elif motion:
                self._move(motion)
            else:
                self._obey(command, number)
        return super().write(text)

    def _put(self, character: str) -> None:
        width = get_cwidth(character)
        if self._column + width > self.columns:
            self._down(1)
            self._column = 0
        row = self._rows[self._row]
        row += [" "] * (self._column + width - len(row))
        row[self._column : self._column + width] = [character, *[""] * (width - 1)]
        self._column += width

    def _move(self, motion: str) -> None:
        if motion == "\r":
            self._column = 0
        elif motion == "\b":
            self._column = max(0, self._column - 1)
        else:
            self._down(1)

    def _down(self, rows: int) -> None:
        self._row += rows
        self._rows += [[] for _ in range(self._row + 1 - len(self._rows))]

    def _obey(self, command: str, number: str) -> None:
        count = int(number) if number.isdigit() and number != "0" else 1
        if command == "A":
            self._row = max(0, self._row - count)
        elif command == "B":
            self._down(count)
        elif command == "C":
            self._column = min(self.columns - 1, self._column + count)
        elif command == "D":
            self._column = max(0, self._column - count)
        elif command in "JK" and number in ("", "0"):
            del self._rows[self._row][self._column :]
            if command == "J":
                del self._rows[self._row + 1 :]
        elif command == "m":
            self.colored |= any(part[:1] in "349" and len(part) > 1 for part in number.split(";"))
        elif (command, number) == ("K", "2"):
            self._rows[self._row].clear()
        elif command not in _WITHOUT_EFFECT:
            raise AssertionError(f"a terminal would obey CSI {number}{command}")
