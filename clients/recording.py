"""Conversations as they were: the events of both sides with their times, in a file, and read back from one.

The format is the page's "Save as JSON" (`edge_server/static/recording.js`), so that each plays what the other saved:
a JSON document {format, version, began, events: [{at, from, event}]}, `at` in milliseconds since the beginning.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

FORMAT = "edge-duplex conversation"
VERSION = 1
MOST_EVENTS = 100_000  # a day of talk has fewer
LARGEST_FILE = 128 * 1024 * 1024  # bytes
DEEPEST = 32  # collections inside one another; the protocol's events have 6
LATEST = 1e12  # milliseconds

Sender = Literal["client", "server"]

_END = b"\n]}\n"
_REMEDY = "choose a file that “edge-chat --record” or the page's “Save as JSON” has made"


class RecordingError(Exception):
    """The file cannot be used. The message is one line for the user."""


class Recorder:
    """Writes a conversation down while it goes on. After every `add` the file is a whole document.

    Args:
        path: The file; made here.
        began: When; now, if not given.

    Raises:
        RecordingError: There is a file already, or it cannot be written.
    """

    def __init__(self, path: Path, began: datetime | None = None) -> None:
        self.path = path
        self._events = 0
        moment = (began or datetime.now(timezone.utc)).astimezone(timezone.utc)
        began_text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        head = {"format": FORMAT, "version": VERSION, "began": began_text}
        start = f"{_as_json(head)[:-1]},".encode() + b'"events":['
        self._end = 0  # where the next event begins
        try:
            self._file = path.open("xb", buffering=0)
        except FileExistsError:
            raise RecordingError(f"{path} exists: give another name to record to, or delete it") from None
        except OSError as error:
            raise RecordingError(f"cannot record to {path}: {error.strerror or error}") from None
        try:
            self._put(start)
        except OSError as error:
            self._file.close()
            path.unlink(missing_ok=True)
            raise RecordingError(f"cannot record to {path}: {error.strerror or error}") from None

    @property
    def full(self) -> bool:
        """Whether nothing more is kept: there are `MOST_EVENTS`, or the file is as large as one that is read."""
        return self._events >= MOST_EVENTS or self._end >= LARGEST_FILE

    def add(self, sender: Sender, event: Mapping[str, Any], at: float) -> None:
        """Keeps an event, without the token by which the conversation could be taken over.

        Args:
            sender: Who sent it.
            event: JSON values.
            at: Seconds since the beginning, 0 or more.

        Raises:
            RecordingError: It could not be written. The file has what came before; nothing more is kept in it.
        """
        if self.full or self._file.closed:
            return
        entry = {"at": round(at * 1000), "from": sender, "event": _without_token(event)}
        line = (b",\n" if self._events else b"\n") + _encoded(entry)
        if self._end + len(line) + len(_END) > LARGEST_FILE:
            self._events = MOST_EVENTS
            return
        try:
            self._put(line)
        except OSError as error:
            with suppress(OSError):
                self._put(b"")  # of the disk that much was its own before
                os.ftruncate(self._file.fileno(), self._end + len(_END))
            self._file.close()
            why = error.strerror or str(error)
            raise RecordingError(f"{self.path}: recording ends here ({why}); what came before is kept") from None
        self._events += 1

    def close(self) -> None:
        """The file is whole without it too."""
        self._file.close()

    def _put(self, data: bytes) -> None:
        """Writes over the brackets at the end, with them behind it: one call, so that nothing can come between."""
        rest, place = data + _END, self._end
        while rest:
            count = os.pwrite(self._file.fileno(), rest, place)
            rest, place = rest[count:], place + count
        self._end += len(data)


@dataclass(frozen=True)
class Recorded:
    """An event of a recording. `at`: seconds since the beginning, 0 or more."""

    at: float
    sender: Sender
    event: dict[str, Any]


@dataclass(frozen=True)
class Recording:
    """A conversation that was read. `events` are in the order of their times; `began` is an ISO 8601 time."""

    began: str
    events: tuple[Recorded, ...]


def read_recording(path: Path) -> Recording:
    """The recording in a file. Nothing in it is believed: not what an event's fields are, but for its `type`.

    Raises:
        RecordingError: It cannot be read, or is none.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise RecordingError(f"cannot read the recording {path}: {error.strerror or error}") from None
    return parse_recording(data, path)


def parse_recording(data: bytes, path: Path) -> Recording:
    """The recording in a file's bytes, as `read_recording`; `path` is what errors call it."""
    if len(data) > LARGEST_FILE:
        raise RecordingError(f"{path} is larger than {LARGEST_FILE // 2**20} MiB, which no recording is: {_REMEDY}")
    try:
        document = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise RecordingError(f"{path} is no JSON document: {_REMEDY}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise RecordingError(f"{path} holds no recorded conversation: {_REMEDY}")
    if (version := document.get("version")) != VERSION or isinstance(version, bool):
        raise RecordingError(f"{path} is in version {str(version)[:20]!r} of the format, and this reads {VERSION}")
    began = document.get("began")
    if not isinstance(began, str) or not _is_moment(began):
        raise _damaged(path, "“began” is no time")
    entries = document.get("events")
    if not isinstance(entries, list):
        raise _damaged(path, "“events” is no list")
    if len(entries) > MOST_EVENTS:
        raise _damaged(path, f"it has more than {MOST_EVENTS} events")
    events = [_read_event(path, number, entry) for number, entry in enumerate(entries, start=1)]
    return Recording(began, tuple(sorted(events, key=lambda one: one.at)))


def _read_event(path: Path, number: int, entry: object) -> Recorded:
    if not isinstance(entry, dict):
        raise _damaged(path, f"event {number} is no object")
    at, sender, event = entry.get("at"), entry.get("from"), entry.get("event")
    if isinstance(at, bool) or not isinstance(at, int | float) or not 0 <= at <= LATEST:
        raise _damaged(path, f"event {number} has no time from 0 on in “at”")
    if sender not in ("client", "server"):
        raise _damaged(path, f"event {number} is “from” neither client nor server")
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise _damaged(path, f"event {number} has no type")
    if _is_deep(event):
        raise _damaged(path, f"event {number} is nested deeper than {DEEPEST}")
    return Recorded(at / 1000, sender, event)


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict | list):
                inner += one.values() if isinstance(one, dict) else one
        if not inner:
            return False
        level = inner
    return any(isinstance(one, dict | list) for one in level)


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text.removesuffix("Z") + ("+00:00" if text.endswith("Z") else ""))
    except ValueError:
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _damaged(path: Path, what: str) -> RecordingError:
    return RecordingError(f"{path} is damaged: {what}; {_REMEDY}")


def _without_token(event: Mapping[str, Any]) -> dict[str, Any]:
    """Who has the token has the conversation: it is in no file."""
    session = event.get("session")
    if not isinstance(session, Mapping) or "resume" not in session:
        return dict(event)
    return {**event, "session": {key: value for key, value in session.items() if key != "resume"}}


def _as_json(value: object, *, ascii_only: bool = False) -> str:
    return json.dumps(value, ensure_ascii=ascii_only, allow_nan=False, separators=(",", ":"))


def _encoded(value: object) -> bytes:
    try:
        return _as_json(value).encode()
    except UnicodeEncodeError:  # half of a character: JSON has a way to write it, UTF-8 none
        return _as_json(value, ascii_only=True).encode()
