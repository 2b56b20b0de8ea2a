"""Any interleaving of slices, new sessions and interruptions: every slice is reported, and no word changes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection

from edge_server.events import Event, Mode, NewSession, Say, Silence, UserText
from edge_server.protocol import end_sentences
from tests.edge_server.serving import ByteVocabulary, serving
from tests.edge_server.stepping import SteppedEngine, Talker
from tests.edge_server.test_connection_report import babbler, no_more, play, reporting, until_report

pytestmark = pytest.mark.real

TEXTS = ("hello", "stop", "tell me more")
slices = st.sampled_from([*TEXTS, *["<idle>"] * 4])
thorough = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Move:
    """A frame, and whether the client then waits for the report of all that it has sent."""

    frame: str
    waits: bool


moves = st.lists(
    st.builds(
        Move, slices | st.sampled_from(["<!new_session!>", "<!new_ordinary_session!>", "<!seed!>7", ""]), st.booleans()
    ),
    max_size=30,
)


class Client:
    """Plays moves. `sent`: how many slices each conversation had; `reports`: the numbers that came."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.sent = [0]
        self.reports: list[int] = []

    async def send(self, frame: str) -> None:
        await self._socket.send(frame)
        if frame.startswith("<!new"):
            self.sent.append(0)
        self.sent[-1] += frame in (*TEXTS, "<idle>")

    @property
    def first_of_its_number(self) -> bool:
        """Whether no earlier conversation can be meant by a report of all that was sent in this one."""
        return self.sent[-1] > max(self.sent[:-1], default=0)

    async def catch_up(self) -> None:
        while self.sent[-1] not in self.reports:
            self.reports.append((await until_report(self._socket))[1])


async def report_any(moves: Sequence[Move]) -> None:
    async with serving(context=babbler()) as served, reporting(served) as socket:
        client = Client(socket)
        for move in moves:
            await client.send(move.frame)
            if move.waits and client.first_of_its_number:
                await client.catch_up()
        while not client.first_of_its_number:
            await client.send("<idle>")
        await client.catch_up()
        await no_more(socket)
    # Rising within each conversation, none of more slices than it had: each is of the earliest that it can be of.
    conversation, last = 0, 0
    for number in client.reports:
        while not last < number <= client.sent[conversation]:
            conversation, last = conversation + 1, 0
            assert conversation < len(client.sent), f"{client.reports} do not report {client.sent}"
        last = number
    assert client.reports[-1] == client.sent[-1]


@given(moves)
@thorough
def test_every_slice_is_reported_once_in_any_interleaving(moves: list[Move]) -> None:
    asyncio.run(report_any(moves))


# --- the words


def answers_of_the_session(frames: Sequence[str], seed: int) -> list[list[str]]:
    """What a session answers to each slice where nobody reports anything: no socket, no thread."""
    engine = SteppedEngine(babbler())
    talk = Talker(engine, ctx=1024, slice_tokens=15, vocabulary=ByteVocabulary())
    talk.send(NewSession(Mode.DUPLEX, seed))
    answers = []
    for frame in frames:
        said = len(talk.actions)
        event: Event = Silence() if frame == "<idle>" else UserText(frame)
        talk.send(event)
        talk.settle()
        answers.append([end_sentences(action.text) for action in talk.actions[said:] if isinstance(action, Say)])
    engine.close()
    return answers


async def answers_reported(before: Sequence[Move], frames: Sequence[str], seed: int) -> list[list[str]]:
    """What it answers on a connection with reports, behind whatever was said there before."""
    async with serving(context=babbler()) as served, reporting(served) as socket:
        client = Client(socket)
        for move in before:
            await client.send(move.frame)
        while not client.first_of_its_number:
            await client.send("<idle>")
        await client.catch_up()
        await socket.send(f"<!seed!>{seed}")
        await socket.send("<!new_session!>")
        answers = await play(socket, frames)
        await no_more(socket)
    return answers


@given(moves, st.lists(slices, min_size=1, max_size=12), st.integers(0, 2**63 - 1))
@thorough
def test_a_seed_decides_the_words_and_reports_change_none(before: list[Move], frames: list[str], seed: int) -> None:
    assert asyncio.run(answers_reported(before, frames, seed)) == answers_of_the_session(frames, seed)
