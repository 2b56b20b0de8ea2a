"""Joins a connection, a chat and whoever shows it: carries out actions, keeps the ticks, understands the commands.

The only place in the client with a clock. Knows a front end by the protocol below, not which one it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from clients.chat import (
    Action,
    Chat,
    Flush,
    Hush,
    Mark,
    Mode,
    Press,
    Reconnect,
    Replied,
    Send,
    Show,
    Slice,
    Speak,
    Speaker,
)
from clients.connection import OPEN_TIMEOUT, Connection, Event, Lost, Opened, Passed, Received, public_url
from clients.pace import Heard, ReplySpeaker

DRAFT_SECONDS = 0.2  # between one draft and the next, at least

COMMANDS = {
    "/new": "begin a new conversation",
    "/help": "show this",
    "/quit": "leave (so does Ctrl-D, and Ctrl-C twice)",
}
HELP = {
    Mode.DUPLEX: "Type at any time, also while the assistant speaks. Finished words leave the line at each slice, and "
    "Enter sends the rest at once. Words that come while the assistant speaks interrupt it; so does Ctrl-C.",
    Mode.CHAT: "Enter sends the line. Ctrl-C during a reply stops the assistant.",
}


class TalkError(RuntimeError):
    """The conversation cannot go on as it should. The message is one line for the user."""


class Ticker:
    """Says when the next tick comes, every `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._next = 0.0  # the event loop's time

    def restart(self, *, at_once: bool = False) -> None:
        """The next tick comes `seconds` from now, or at once, whatever was planned."""
        self._next = asyncio.get_running_loop().time() + (0.0 if at_once else self.seconds)

    async def wait(self) -> None:
        """Returns when the next tick comes. Ticks that nobody waited for are not made up for."""
        clock = asyncio.get_running_loop().time
        while (left := self._next - clock()) > 0:
            await asyncio.sleep(left)  # a restart may have moved the tick meanwhile: look again
        self._next = max(self._next, clock() - self.seconds) + self.seconds


class FrontEnd(Protocol):
    """Whoever shows the conversation and brings the user's words."""

    def due(self, *, tick: bool) -> list[str]:
        """The lines to be entered now. Asked at each tick, and after each reply to the last words (`tick` is False)."""
        ...

    @property
    def typed(self) -> str:
        """What is being typed: nothing where lines come whole. When it changes, `Conversation.typing` is to be told."""
        ...

    def show(self, slice_: Slice) -> None: ...

    def changed(self) -> None:
        """`Conversation.state` may have changed."""
        ...


class Conversation:
    """One run of the client.

    Args:
        quiet_seconds: What passes for silence (`silent`) lasts at least this long, however short the ticks.
        draft_seconds: How often a draft is sent at most, where the server takes any.
        voice: Makes the one that speaks; it is given whom to tell what was heard.
    """

    def __init__(
        self,
        chat: Chat,
        connection: Connection,
        ticker: Ticker,
        *,
        quiet_seconds: float = 1.0,
        draft_seconds: float = DRAFT_SECONDS,
        voice: Callable[[Callable[[Heard], None]], ReplySpeaker] | None = None,
    ) -> None:
        self.chat = chat
        self.state = "connecting"
        self._connection = connection
        self._ticker = ticker
        self._quiet_seconds = quiet_seconds
        self._draft_seconds = draft_seconds
        self._make_voice = voice
        self._voice: ReplySpeaker | None = None
        self._next_draft: asyncio.TimerHandle | None = None
        self._last_draft_at = float("-inf")
        self._nothing_said: asyncio.TimerHandle | None = None
        self._front_end: FrontEnd
        self._online = asyncio.Event()
        self._left = asyncio.Event()
        self._last_words_at = 0.0
        self._last_reason: str | None = None
        self._given_up: str | None = None
        self._failure: OSError | None = None

    @property
    def silent(self) -> bool:
        """Whether nothing more is to be expected from the assistant for now."""
        return self.chat.silent and self.quiet_for >= self._quiet_seconds

    @property
    def quiet_for(self) -> float:
        """Seconds since anyone said anything."""
        return self.now() - self._last_words_at

    async def run(self, front_end: FrontEnd) -> str | None:
        """Talks until someone leaves (`leave`, /quit): then None. Otherwise returns why there is no connection.

        Raises:
            TalkError: Something that was due could not be said, or a front end found that it cannot go on.
            OSError: The front end could not show something.
        """
        self._front_end = front_end
        self._voice = None if self._make_voice is None else self._make_voice(self._heard)
        tasks = [
            asyncio.ensure_future(work)
            for work in (self._connection.run(self._on_event), self._keep_ticks(), self._left.wait())
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            if self._voice is not None:  # first: closing the connection may take a while
                await self._voice.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for timer in (self._next_draft, self._nothing_said):
                if timer is not None:
                    timer.cancel()
            self._perform(self.chat.ended())
        if self._failure is not None:
            raise self._failure
        return self._given_up

    @staticmethod
    def now() -> float:
        """Seconds, of the event loop's clock."""
        return asyncio.get_running_loop().time()

    def leave(self) -> None:
        self._left.set()

    def enter(self, line: str) -> bool:
        """Enter was pressed on `line`: words, sent at once, or a command.

        Returns whether it was taken. If not, a note says why, and the line should stay where it is.
        """
        line = line.strip()
        if line.startswith("/"):
            self._command(line)
            return True
        return self.say(line)

    def say(self, words: str) -> bool:
        """As `enter`, of what is no command, whatever it begins with."""
        if words and not self.chat.listening:
            self.note("Not sent: there is no connection.")
            return False
        self._perform(self.chat.say(words))
        self._ticker.restart()
        self.typing()
        self._front_end.changed()
        return True

    def typing(self) -> None:
        """What is being typed may have changed, or become a draft of the next slice."""
        if self._next_draft is None and self.chat.takes_drafts:
            # Never at once: whoever calls may not have done with the line.
            when = max(self.now(), self._last_draft_at + self._draft_seconds)
            self._next_draft = asyncio.get_running_loop().call_at(when, self._draft)

    def _draft(self) -> None:
        self._next_draft = None
        if self._connection.backlog:  # a draft that has to wait is old when it arrives
            self._last_draft_at = self.now()
            self.typing()
            return
        line = self._front_end.typed
        actions = self.chat.draft("" if line.lstrip().startswith("/") else line)
        if actions:
            self._last_draft_at = self.now()
            self._perform(actions)

    def interrupt(self) -> bool:
        """Ctrl-C was pressed: stops the assistant, or leaves. Returns whether it was the input line that was meant."""
        press = self.chat.press(self.now())
        if press is Press.LEAVE:
            self.leave()
        elif press is Press.STOP:
            self.stop()
        return press is Press.CLEAR

    def stop(self) -> None:
        """The assistant is to be silent."""
        self._perform(self.chat.stop())
        self._ticker.restart()

    def renew(self) -> None:
        """A new conversation is to begin."""
        self._perform(self.chat.renew())

    def note(self, text: str) -> None:
        self._show(Slice(Speaker.NOTE, text))

    def _command(self, line: str) -> None:
        name = line.split()[0]
        if name == "/quit":
            self.leave()
        elif name == "/new":
            self.renew()
        elif name == "/help":
            self.note(HELP[self.chat.mode])
            for command, does in COMMANDS.items():
                self.note(f"{command:6} {does}")
        else:
            self.note(f"There is no command {name}: there are {', '.join(COMMANDS)}.")
        self._front_end.changed()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Opened):
            self.state = "connected"
            self._last_reason = None
            self._nothing_said = asyncio.get_running_loop().call_later(OPEN_TIMEOUT, self._hear_nothing)
            self._perform(self.chat.opened(event.subprotocol))
        elif isinstance(event, Received):
            actions = self.chat.hear(event.frame)
            self._perform(actions)
            # What crosses the user's words is no reply to them.
            if Replied() in actions and not self.chat.unheard:
                self._enter_all(self._front_end.due(tick=False))
        elif isinstance(event, Passed):
            self._perform(self.chat.passed(event.number))
        else:
            self._on_lost(event)
        self._look()
        self._front_end.changed()

    def _look(self) -> None:
        """Whether somebody listens, and how long a slice is, may have changed."""
        if self.chat.slice_seconds is not None:
            self._ticker.seconds = self.chat.slice_seconds
        if not self.chat.listening:
            self._online.clear()
        elif not self._online.is_set():
            self._last_words_at = self.now()
            self._ticker.restart(at_once=True)
            self._online.set()
            self.typing()

    def _heard(self, heard: Heard) -> None:
        self._perform(self.chat.heard(heard.item, heard.end))
        self._front_end.changed()

    def _hear_nothing(self) -> None:
        """A connection is there, and nobody who begins a conversation."""
        if self.chat.listening:
            return
        reason = f"what answers at {public_url(self._connection.url)} begins no conversation: is it an edge-server?"
        if self._connection.patience is None:
            self.note(f"{reason[0].upper()}{reason[1:]}")
        else:
            self._given_up = reason
            self.leave()

    def _on_lost(self, event: Lost) -> None:
        if self._nothing_said is not None:
            self._nothing_said.cancel()
        self._perform(self.chat.lost())
        if event.retry_in is None:
            self._given_up = event.reason
            return
        self.state = f"no connection, next attempt in {event.retry_in:g} s"
        if event.reason != self._last_reason:  # said once, however many attempts fail
            self._last_reason = event.reason
            self.note(f"{event.reason[0].upper()}{event.reason[1:]}. Trying again.")

    async def _keep_ticks(self) -> None:
        while not self._left.is_set():
            await self._online.wait()
            await self._ticker.wait()
            if self._online.is_set() and not self._left.is_set():
                self._tick()

    def _tick(self) -> None:
        lines = self._front_end.due(tick=True)
        if lines:
            self._enter_all(lines)
        elif not self._connection.backlog:  # a silent slice that has to wait means nothing
            self._perform(self.chat.tick())
            self.typing()
        self._front_end.changed()

    def _enter_all(self, lines: list[str]) -> None:
        for line in lines:
            if self.chat.full and line != "/new":
                raise TalkError("the conversation did not fit into the model's context")
            self.enter(line)

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Send):
                self._connection.send(action.frame)
            elif isinstance(action, Mark):
                self._connection.mark(action.number)
            elif isinstance(action, Reconnect):
                self._connection.reconnect()
            elif isinstance(action, Show):
                if action.slice.speaker is not Speaker.NOTE:
                    self._last_words_at = self.now()
                self._show(action.slice)
            elif self._voice is not None:
                self._speak(self._voice, action)

    @staticmethod
    def _speak(voice: ReplySpeaker, action: Speak | Flush | Hush | Replied) -> None:
        if isinstance(action, Speak):
            voice.say(action.item, action.start, action.text)
        elif isinstance(action, Flush):
            voice.flush()
        elif isinstance(action, Hush):
            voice.stop()

    def _show(self, slice_: Slice) -> None:
        try:
            self._front_end.show(slice_)
        except OSError as error:  # a key or a signal may have led here: it is `run` that ends, and says why
            self._failure = error
            self.leave()
