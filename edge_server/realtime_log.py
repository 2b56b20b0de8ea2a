"""The events of one JSON session, numbered: what a client is sent, and sent again where it lost its connection.

Bounded in number and in bytes. A client that is so far behind that what it needs is gone cannot be helped.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import Callable
from typing import Any

MAX_EVENTS = 16384
MAX_BYTES = 4 * 2**20
_EVENT_ID = re.compile(r"event_([0-9]{8,15})")


class Lost(Exception):  # noqa: N818 - a state of the log, told as an exception
    """The event that comes next is not there any more, or never was."""


class EventLog:
    """Append on the event loop; any number of readers, each with a position of its own."""

    def __init__(self, *, events: int = MAX_EVENTS, size: int = MAX_BYTES) -> None:
        """``size``: bytes."""
        self._frames: deque[str] = deque()
        self._first = 1  # the number of the oldest frame
        self._events = events
        self._size = size
        self._bytes = 0
        self._new = asyncio.Event()
        self._gone = asyncio.Event()

    @property
    def size(self) -> int:
        """Bytes of all events that are kept."""
        return self._bytes

    @property
    def last(self) -> int:
        """The number of the newest event; 0: there was none."""
        return self._first + len(self._frames) - 1

    def append(self, event: dict[str, Any]) -> None:
        """Give an event its id, and keep it."""
        frame = json.dumps({"event_id": f"event_{self.last + 1:08d}", **event}, ensure_ascii=False)
        self._frames.append(frame)
        self._bytes += len(frame.encode())
        while len(self._frames) > self._events or (self._bytes > self._size and len(self._frames) > 1):
            self._bytes -= len(self._frames.popleft().encode())
            self._first += 1
            self._gone.set()
        self._new.set()

    def after(self, number: int) -> str:
        """The event behind another, which must be there. Raises Lost."""
        if not self._first - 1 <= number < self.last:
            raise Lost
        return self._frames[number + 1 - self._first]

    def holds(self, number: int) -> bool:
        """Whether everything behind an event is there."""
        return self._first - 1 <= number <= self.last

    async def wait(self, number: int) -> None:
        """Until there is something behind an event."""
        while self.last <= number:
            self._new.clear()
            await self._new.wait()

    async def outrun(self, number: Callable[[], int]) -> None:
        """Until something behind an event, which changes, is gone."""
        while self.holds(number()):
            self._gone.clear()
            await self._gone.wait()


def event_number(event_id: str) -> int | None:
    """The number of an event by its id; None: no such id is given."""
    match = _EVENT_ID.fullmatch(event_id)
    return int(match[1]) if match else None
