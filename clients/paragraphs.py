"""How slices become paragraphs and paragraphs become lines of a given width.

Pure: knows no screen and no colours. A paragraph is all that one speaker says without another in between. It only
ever grows at its end, and so do its lines: a line that another one follows never changes again. So all lines but
the last can be printed for good, and whoever draws has one line to keep up to date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from prompt_toolkit.utils import get_cwidth

from clients.chat import CUT_MARK, Slice, Speaker

# A word with the spaces after it; a double-width character is a word of its own.
_CHUNK = re.compile(r"\n|[^\S\n]+|[^\s\u2e80-\u9fff\uf900-\ufaff\uff01-\uff60]+[^\S\n]*|.[^\S\n]*", re.DOTALL)


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` columns, not counting the white space that each may end with.

    The lines joined are `text`. A word wider than `width` is divided, and a line holds at least one character.
    """
    lines: list[str] = []
    line, used = "", 0
    for chunk in _CHUNK.findall(text):
        if line.endswith("\n") or (line and used + _columns(chunk.rstrip()) > width):
            lines.append(line)
            line, used = "", 0
        for character in chunk:
            columns = _columns(character)
            if line and used + columns > width and not character.isspace():
                lines.append(line)
                line, used = "", 0
            line += character
            used += columns
    return [*lines, line]


def _columns(text: str) -> int:
    # A character at a time: prompt_toolkit remembers the width of every short string that it is asked for.
    return sum(map(get_cwidth, text))


def join(before: str, piece: str) -> str:
    """A paragraph's text and the next piece of it, with one space where both bring one."""
    return before + (piece.lstrip(" ") if not before or before[-1].isspace() else piece)


@dataclass(frozen=True)
class Line:
    """A line as it stands on the screen; `first` of its paragraph, which is where the speaker's name goes."""

    speaker: Speaker
    text: str
    first: bool


@dataclass
class _Paragraph:
    speaker: Speaker
    text: str
    taken: int = 0  # characters that `Page.take_finished` has given away

    def close(self, mark: str) -> None:
        self.text = self.text[: self.taken] + self.text[self.taken :].rstrip() + mark

    def lines(self, width: int) -> Iterator[tuple[Line, int]]:
        """What is not yet taken, each line with the length of the text it stands for."""
        start = self.taken
        for text in wrap(self.text[start:], width):
            yield Line(self.speaker, text.rstrip(), first=start == 0), len(text)
            start += len(text)


class Page:
    """What has been said and is not yet printed for good."""

    def __init__(self) -> None:
        self._paragraphs: list[_Paragraph] = []

    def add(self, slice_: Slice) -> None:
        last = self._paragraphs[-1] if self._paragraphs else None
        if last is None or last.speaker is not slice_.speaker or slice_.speaker is Speaker.NOTE:
            if last is not None and slice_.interrupts and last.speaker is Speaker.ASSISTANT:
                last.close(CUT_MARK)
            self._paragraphs.append(_Paragraph(slice_.speaker, slice_.text.lstrip()))
        elif slice_.speaker is Speaker.YOU:
            last.text += f" {slice_.text}"
        else:
            last.text = join(last.text, slice_.text)

    def take_finished(self, width: int) -> list[Line]:
        """The lines that will not change any more, each given once. The width may change between calls."""
        finished = []
        while self._paragraphs:
            paragraph = self._paragraphs[0]
            lines = list(paragraph.lines(width))
            if len(self._paragraphs) == 1 and paragraph.speaker is not Speaker.NOTE:
                for line, length in lines[:-1]:
                    finished.append(line)
                    paragraph.taken += length
                break
            while lines and not lines[-1][0].text:
                lines.pop()  # white space at a paragraph's end
            finished += [line for line, _ in lines]
            del self._paragraphs[0]
        return finished

    def take_all(self, width: int) -> list[Line]:
        """Everything that is left: for the end."""
        finished = self.take_finished(width) + self.growing(width)
        self._paragraphs.clear()
        return finished

    def followed_by(self, slices: list[Slice]) -> Page:
        """What this page would be with `slices` added to it; it stays as it is."""
        page = Page()
        page._paragraphs = [replace(paragraph) for paragraph in self._paragraphs]
        for slice_ in slices:
            page.add(slice_)
        return page

    def growing(self, width: int) -> list[Line]:
        """The lines that are not taken: after `take_finished` with the same width, the last one or none."""
        return [line for paragraph in self._paragraphs for line, _ in paragraph.lines(width)]
