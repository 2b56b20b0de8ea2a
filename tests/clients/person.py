"""A person at a terminal, who presses keys and sees what is drawn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from clients.chat import Mode
from clients.chat_text import DRAFT_SUBPROTOCOL, NEW_SESSION, TextChat
from clients.connection import Connection
from clients.conversation import Conversation, Ticker
from clients.terminal import Terminal
from tests.clients.emulator import Emulator
from tests.clients.peer import Peer

SELDOM = 60.0  # seconds a tick: there is the first one, and no other
OFTEN = 0.02
CTRL_C, CTRL_D, ENTER, LEFT, UP, UNDO = "\x03", "\x04", "\r", "\x1b[D", "\x1b[A", "\x1f"


@dataclass
class Person:
    """A person at the terminal: presses keys, sees the output, and waits for things to happen."""

    terminal: Terminal
    keys: PipeInput
    screen: Emulator
    running: asyncio.Task[str | None]

    def press(self, *keys: str) -> None:
        self.keys.send_text("".join(keys))

    @property
    def sees(self) -> str:
        """The text on the screen."""
        return self.screen.text

    async def until(self, happened: Callable[[], object]) -> None:
        while not happened():
            assert not self.running.done(), "it has ended"
            await asyncio.sleep(0.002)

    async def until_said(self, peer: Peer, *words: str) -> None:
        """Until what the server was told, silence aside, are these words in this order."""
        await self.until(lambda: peer.frames and " ".join(peer.texts()) == " ".join([NEW_SESSION, *words]))


@asynccontextmanager
async def sitting(
    peer: Peer, tick: float = SELDOM, mode: Mode = Mode.DUPLEX, columns: int = 60
) -> AsyncIterator[Person]:
    screen = Emulator(columns)
    with create_pipe_input() as keys:
        output = Vt100_Output(screen, lambda: Size(rows=20, columns=screen.columns), enable_cpr=False)
        connection = Connection(peer.url, offer=DRAFT_SUBPROTOCOL)
        conversation = Conversation(TextChat(mode), connection, Ticker(tick), draft_seconds=0)
        terminal = Terminal(conversation, where=peer.url, input_=keys, output=output)
        running = asyncio.create_task(terminal.run())
        person = Person(terminal, keys, screen, running)
        try:
            await person.until(lambda: conversation.chat.listening)
            yield person
        finally:
            conversation.leave()
            assert await running is None


async def left(person: Person) -> list[str]:
    """The lines that stay on the terminal when the client has gone."""
    person.press(CTRL_D)
    await person.running
    return person.screen.lines
