"""The file that keeps what was played: a header, then a line of JSON for each scenario, written at once.

It is what makes an evaluation resumable: a run that finds its file goes on with what is missing. What is kept is what
was said and heard, not how it was judged.
"""

from __future__ import annotations

import errno
import fcntl
import json
import math
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from clients.eval_played import Played, PlayedSlice

VERSION = 1


class RecordError(Exception):
    """The file cannot be used. The message is one line for the user."""


class Record:
    """A file of played scenarios.

    Args:
        path: Made if it is not there.
        settings: What the header holds: all that changes how a scenario goes. JSON values.
        fresh: Whether what is there is thrown away.

    Raises:
        RecordError: The file cannot be read or written, is none of these, was played with other settings, or somebody
            else is writing to it.
    """

    def __init__(self, path: Path, settings: dict[str, Any], *, fresh: bool = False) -> None:
        self.path = path
        self.played: dict[str, Played] = {}
        try:
            self._file = path.open("rb+" if path.exists() else "xb+", buffering=0)
        except OSError as error:
            raise self._unusable(error) from None
        try:
            self._begin({"edge-chat eval": VERSION, **settings}, fresh=fresh)
        except BaseException:
            self._file.close()
            raise

    def _begin(self, header: dict[str, Any], *, fresh: bool) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until it is closed, however this ends
            data = b"" if fresh else self._file.read()
            # A line that was being written when the machine went down has no end, and may break off within a character.
            whole = data[: data.rfind(b"\n") + 1]
            if not whole and not _as_line(header).startswith(data):
                raise self._refused("holds something else")
            if whole:
                self._read(whole.decode(), header)
            self._file.seek(len(whole))
            self._file.truncate()
            if not whole:
                self._write(header)
        except BlockingIOError:
            text = f"another edge-chat eval writes to {self.path}: wait for its end, or give another --out"
            raise RecordError(text) from None
        except UnicodeDecodeError:
            raise self._refused("is not a text file") from None
        except OSError as error:
            raise self._unusable(error) from None

    def add(self, played: Played) -> None:
        """Keeps a scenario; it is in the file when this returns. Raises OSError."""
        self.played[played.id] = played
        slices = [asdict(one) for one in played.slices]
        self._write({"id": played.id, "complete": played.complete, "slices": slices})

    def close(self) -> None:
        self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        data = _as_line(line)
        if self._file.write(data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _read(self, text: str, header: dict[str, Any]) -> None:
        first, *lines = text.removesuffix("\n").split("\n")
        try:
            found = json.loads(first)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or "edge-chat eval" not in found:
            raise self._refused("holds something else")
        other = [key for key, value in header.items() if found.get(key) != value]
        if other:
            differences = ", ".join(f"{key} {_shown(found.get(key))} instead of {_shown(header[key])}" for key in other)
            raise self._refused(f"belongs to another evaluation ({differences})")
        for number, line in enumerate(lines, start=2):
            played = _read_played(line)
            if played is None:
                raise self._refused(f"is broken in line {number}")
            self.played[played.id] = played

    def _unusable(self, error: OSError) -> RecordError:
        return RecordError(f"cannot use the results {self.path}: {error.strerror or error}")

    def _refused(self, what: str) -> RecordError:
        return RecordError(f"{self.path} {what}: give another --out, or --fresh to throw it away")


def _read_played(line: str) -> Played | None:
    """None: the line is not one that was written here."""
    try:
        read = json.loads(line)
        slices = tuple(PlayedSlice(**one) for one in read["slices"])
        played = Played(read["id"], slices, read["complete"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    sound = isinstance(played.id, str) and isinstance(played.complete, bool)
    sound &= all(isinstance(one.step, int) and isinstance(one.said, str | None) for one in slices)
    sound &= all(isinstance(one.reply, str) for one in slices)
    sound &= all(_is_time(one.sent) and (one.first is None or _is_time(one.first)) for one in slices)
    return played if sound else None


def _is_time(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _as_line(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False) + "\n").encode()


def _shown(value: object) -> str:
    return "unknown" if value is None else str(value)[:60]
