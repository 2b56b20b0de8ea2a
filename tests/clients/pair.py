"""A client's chat and the server's own state machine of the JSON protocol, with a wire between them and no sockets.

What is on the wire arrives when the test says so, and what is on it when the connection is lost is lost. The engine
says what the test tells it to say.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Any
from urllib.parse import parse_qs

from clients.chat import Action, Flush, Hush, Mode, Reconnect, Send, Show, Slice, Speak, Speaker
from clients.chat_realtime import RealtimeChat
from tests.edge_server.realtime_peers import Client


class Voice:
    """Speaks as far as the test lets it: every character of a reply once, in order."""

    def __init__(self) -> None:
        self.waiting: list[Speak] = []
        self._item, self._spoken = "", 0  # the reply that was spoken last, and how far

    def take(self, action: Action) -> None:
        if isinstance(action, Speak):
            last = self.waiting[-1] if self.waiting else None
            item, end = (self._item, self._spoken) if last is None else (last.item, last.start + len(last.text))
            assert action.start == (end if item == action.item else 0), "spoken twice, or never"
            self.waiting.append(action)
        elif isinstance(action, Hush):
            self.waiting.clear()

    def speak(self, characters: int) -> tuple[str, int, int]:
        """So many characters of what waits first, or fewer: of which reply, how far it is heard then, how many."""
        first = self.waiting[0]
        taken = min(characters, len(first.text))
        rest = Speak(first.item, first.start + taken, first.text[taken:])
        self.waiting[:1] = [rest] if rest.text else []
        self._item, self._spoken = first.item, rest.start
        return first.item, first.start + taken, taken


class Pair:
    """Both ends of a connection."""

    def __init__(
        self, mode: Mode = Mode.DUPLEX, *, aloud: bool = False, slice_tokens: int = 10, **options: Any
    ) -> None:
        self.chat = RealtimeChat(
            mode, aloud=aloud, tap=lambda sender, event: self.tape.append((sender, event)), **options
        )
        self.server = Client(slice_tokens=slice_tokens)
        self.tape: list[tuple[str, Any]] = []
        self.shown: list[Slice] = []
        self.actions: list[Action] = []
        self.voice = Voice()
        self.connected = False
        self.up: deque[str] = deque()  # frames on their way to the server
        self.down: deque[str] = deque()
        self._written = 0  # events that were put on the wire
        self._last: str | None = None  # of the client's events that came
        self.connect()
        self.settle()

    @property
    def engine(self) -> Any:
        return self.server.engine

    def do(self, actions: list[Action]) -> None:
        """What a conversation does with a chat's actions."""
        self.actions += actions
        for action in actions:
            if isinstance(action, Send):
                assert self.connected, "nothing can be sent without a connection"
                self.up.append(action.frame)
            elif isinstance(action, Show):
                self.shown.append(action.slice)
            elif isinstance(action, Reconnect):
                self.renew()
            elif isinstance(action, Speak | Flush | Hush):
                self.voice.take(action)

    def connect(self) -> None:
        """A new connection, to the session that the chat asks for."""
        query = parse_qs(self.chat.query().removeprefix("?"))
        again = bool(query)
        self._written = int(query["after"][0].removeprefix("event_")) if "after" in query else 0
        self.connected = True
        self.do(self.chat.opened(None))
        if again:
            self.server.realtime.resumed(self._last)
            self.server.realtime.go_on()

    def lose(self) -> None:
        """The connection breaks off."""
        self.connected = False
        self.up.clear()
        self.down.clear()
        self.server.realtime.pause()
        self.do(self.chat.lost())

    def renew(self) -> None:
        self.server = Client(slice_tokens=10)
        self.up.clear()
        self.down.clear()
        self._written, self._last = 0, None

    def arrive_up(self) -> None:
        """One frame arrives at the server."""
        if self.up:
            frame = self.up.popleft()
            event = json.loads(frame)
            self.server.send(event.pop("type"), **event)
            self._last = event["event_id"]

    def arrive_down(self) -> None:
        """One frame arrives at the client."""
        self._write()
        if self.down:
            self.do(self.chat.hear(self.down.popleft()))

    def _write(self) -> None:
        for event in self.server.events[self._written :] if self.connected else []:
            self._written += 1
            resume = {"resume": {"token": "secret", "window": 300.0}}
            session = {"session": {**event["session"], **resume}} if "session" in event else {}
            self.down.append(json.dumps({"event_id": f"event_{self._written:08d}", **event, **session}))

    def settle(self) -> None:
        """Everything arrives."""
        self._write()
        while self.up or self.down:
            self.arrive_up()
            self.arrive_down()
            self._write()

    def say(self, words: str) -> None:
        self.do(self.chat.say(words))
        self.settle()

    def type(self, line: str) -> None:
        self.do(self.chat.draft(line))
        self.settle()

    def answer(self, text: str) -> None:
        """The slice that was asked for, and its end."""
        self.engine.answer(text)
        self.settle()

    def hear(self, characters: int) -> None:
        """The voice speaks so many characters, as far as there are."""
        while characters > 0 and self.voice.waiting:
            item, heard, taken = self.voice.speak(characters)
            characters -= max(1, taken)
            self.do(self.chat.heard(item, heard))
        self.settle()

    def wait(self, seconds: float) -> None:
        self.server.wait(seconds)
        self.settle()

    def lines(self) -> list[str]:
        """What is shown, a line a speaker."""
        lines: list[str] = []
        before: Speaker | None = None
        for slice_ in self.shown:
            if slice_.speaker is before and before is Speaker.ASSISTANT:
                lines[-1] += slice_.text
            else:
                cut = " —" if slice_.interrupts else ""
                if cut:
                    lines[-1] += cut
                lines.append(f"{slice_.speaker.value}: {slice_.text.strip()}")
            before = slice_.speaker
        return lines
