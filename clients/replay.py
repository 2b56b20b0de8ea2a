"""Conversations that were recorded: shown again as they were, or with the user's part played to a server anew."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TextIO

from clients.chat import Mode, Show, Slice
from clients.chat_realtime import RealtimeChat
from clients.deeds import Deed, Renewed, Said, Typed
from clients.realtime_session import EventError
from clients.recording import Recording
from clients.transcript import Transcript

if TYPE_CHECKING:
    from clients.conversation import Conversation

LAST_SECONDS = 120.0  # for which an assistant that goes on and on is listened to behind the last deed


async def replay(
    recording: Recording, *, out: TextIO, notes: TextIO, times: bool = True, paced: bool = True, stats: bool = False
) -> None:
    """Prints a recording's transcript.

    Args:
        times: Whether lines begin with the seconds.
        paced: Whether it takes the time that it took; otherwise it comes at once.
        stats: Whether what its slices took is printed behind it.
    """
    duplex = any(one.event["type"].startswith(("duplex.", "input_text_buffer.")) for one in recording.events)
    chat = RealtimeChat(Mode.DUPLEX if duplex else Mode.CHAT)
    began = recording.events[0].at if recording.events else 0.0
    at = 0.0
    transcript = Transcript(out=out, notes=notes, clock=(lambda: at) if times else None)
    clock = asyncio.get_running_loop().time
    start = clock()
    try:
        for one in recording.events:
            at = one.at - began
            if paced and (left := start + at - clock()) > 0:
                await asyncio.sleep(left)
            for slice_ in _shown(chat, one.sender, one.event):
                transcript.show(slice_)
    finally:
        transcript.close()
    if stats:
        for line in chat.stats.report:
            print(line, file=notes)


def _shown(chat: RealtimeChat, sender: str, event: dict[str, object]) -> list[Slice]:
    try:
        if sender == "server":
            another = event["type"] == "session.created" and chat.listening
            actions = [*(chat.renew() if another else []), *chat.take(event)]
        elif event["type"] == "conversation.item.heard":
            item, characters = event.get("item_id"), event.get("characters")
            actions = chat.heard(item, characters) if isinstance(item, str) and isinstance(characters, int) else []
        else:
            actions = []
    except EventError:
        return []  # nothing in a file is believed; what is whole is shown
    return [action.slice for action in actions if isinstance(action, Show)]


class DeedsFrontEnd:
    """The front end that does what the user did in a recording, at the same times, and prints the transcript."""

    def __init__(
        self, conversation: Conversation, deeds: list[Deed], *, out: TextIO, notes: TextIO, times: bool = True
    ) -> None:
        self._conversation = conversation
        self._deeds = deeds
        self._transcript = Transcript(out=out, notes=notes, clock=self._time if times else None)
        self._started_at: float | None = None
        self._last_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._typed = ""

    @property
    def typed(self) -> str:
        return self._typed

    def due(self, *, tick: bool) -> list[str]:
        if self._started_at is None:
            self._started_at = self._last_at = self._conversation.now()
            self._wind()
        over = self._conversation.silent or self._conversation.now() - self._last_at >= LAST_SECONDS
        return ["/quit"] if tick and not self._deeds and over else []

    def show(self, slice_: Slice) -> None:
        self._transcript.show(slice_)

    def changed(self) -> None:
        pass

    def close(self) -> None:
        """As a transcript; and nothing more is done."""
        if self._timer is not None:
            self._timer.cancel()
        self._transcript.close()

    def _time(self) -> float:
        return 0.0 if self._started_at is None else self._conversation.now() - self._started_at

    def _wind(self) -> None:
        if self._deeds:
            assert self._started_at is not None
            when = self._started_at + self._deeds[0].at
            self._timer = asyncio.get_running_loop().call_at(when, self._do)

    def _do(self) -> None:
        deed = self._deeds.pop(0)
        self._last_at = self._conversation.now()
        if isinstance(deed, Typed):
            self._typed = deed.text
            self._conversation.typing()
        elif isinstance(deed, Said):
            self._typed = ""
            self._conversation.say(deed.text)
        elif isinstance(deed, Renewed):
            self._typed = ""
            self._conversation.renew()
        else:
            self._conversation.stop()
        self._wind()
