"""One session of the JSON protocol over as many connections as it takes: events out and in, none lost, none twice.

Pure: no socket, no clock. Every event that goes out has an id of its own and is kept. After a lost connection the
server says which was the last to come, and what was sent behind it is sent again; what the server sent meanwhile
comes again by itself (docs/realtime.md, "Resuming").
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from clients.chat import Action, Send
from clients.recording import Sender

KEPT = 1024  # events that may have to be sent again

Tap = Callable[[Sender, Mapping[str, Any]], None]


class EventError(ValueError):
    """A frame is no event. The message says what is wrong with it, in words for the user."""


def parse(frame: str) -> dict[str, Any]:
    """The event in a frame of the server's.

    Raises:
        EventError: There is none.
    """
    try:
        event = json.loads(frame, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        raise EventError("a frame that is not JSON") from None
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise EventError("a frame that is no event")
    return event


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"{number} is too large")
    return value


class Session:
    """The client's side of one session.

    Args:
        tap: Is told every event once, in the order in which they go out and come in.
    """

    def __init__(self, tap: Tap | None = None) -> None:
        self._tap = tap
        self._number = 0
        self._connected = False
        self.forget()

    def forget(self) -> None:
        """The session is over: the next connection begins another."""
        self._token: str | None = None
        self._last: str | None = None
        self._kept: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._connected = False

    @property
    def connected(self) -> bool:
        """Whether the session is there, on a connection."""
        return self._connected

    def query(self) -> str:
        """What goes behind the address when the next connection is made."""
        if self._token is None:
            return ""
        place = {"resume": self._token} | ({} if self._last is None else {"after": self._last})
        return f"?{urlencode(place, errors='replace')}"

    @property
    def asked_for(self) -> bool:
        """Whether a connection is to go on with the session, and the server has not said yet that it does."""
        return self._token is not None and not self._connected

    def lost(self) -> None:
        """The connection is no more; the session may still be there."""
        self._connected = False

    def send(self, kind: str, **fields: Any) -> tuple[str, list[Action]]:
        """An event goes out, now or with the next connection to this session: its id, and what is to be done."""
        self._number += 1
        event = {"type": kind, **fields, "event_id": f"chat-{self._number}"}
        self._kept.append(event)
        if self._tap is not None:
            self._tap("client", event)
        return event["event_id"], [_frame(event)] if self._connected else []

    def receive(self, event: Mapping[str, Any]) -> list[Action]:
        """An event has come in: takes from it what concerns the session."""
        if self._tap is not None:
            self._tap("server", event)
        identity = event.get("event_id")
        self._last = identity if isinstance(identity, str) else self._last
        session = event.get("session")
        resume = session.get("resume") if isinstance(session, dict) else None
        if isinstance(resume, dict) and isinstance(resume.get("token"), str):
            self._token = resume["token"]
        if event["type"] == "session.created":
            self._connected = True
        elif event["type"] == "session.resumed" and not self._connected:
            # Where the connection before was lost so early that it did not come, it comes again, and then another: what
            # is sent behind the first arrives behind the second, which does not know of it.
            self._connected = True
            return self._again(event.get("last_client_event_id"))
        return []

    def _again(self, last_that_came: object) -> list[Action]:
        came = [index for index, event in enumerate(self._kept) if event["event_id"] == last_that_came]
        for _ in range(came[0] + 1 if came else 0):
            self._kept.popleft()
        return [_frame(event) for event in self._kept]


def _frame(event: Mapping[str, Any]) -> Send:
    frame = json.dumps(event, ensure_ascii=False)
    try:
        frame.encode()
    except UnicodeEncodeError:  # half of a character, in an id of the server's
        frame = json.dumps(event)
    return Send(frame)
