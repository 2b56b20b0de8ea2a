"""Without a terminal a conversation is lines: from a pipe in turn, from a person at once, one line a paragraph."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.chat import Mode, Slice, Speaker
from clients.chat_text import CONTROL_FRAMES, TextChat
from clients.connection import Connection
from clients.conversation import Conversation, Ticker
from clients.lines import LINES_AHEAD, LONGEST_LINE, Lines, read_lines
from tests.clients.peer import Peer, in_step, serving
from tests.clients.properties import a_few

pytestmark = pytest.mark.real


async def talk(peer: Peer, lines: list[str], mode: Mode = Mode.DUPLEX) -> tuple[str, str]:
    """What is printed and noted when `lines` come from a pipe."""
    out, notes = io.StringIO(), io.StringIO()
    conversation = in_step(peer, mode)
    front_end = Lines(conversation, out=out, notes=notes, in_turn=True)

    async def bring_all() -> None:
        for line in [*lines, None]:
            await front_end.bring(line)

    bringing = asyncio.create_task(bring_all())
    assert await conversation.run(front_end) is None
    await bringing
    front_end.close()
    return out.getvalue(), notes.getvalue()


@pytest.mark.parametrize("mode", Mode)
async def test_lines_from_a_pipe_are_said_in_turn_and_no_answer_is_interrupted(mode: Mode) -> None:
    async with serving() as peer:
        out, notes = await talk(peer, ["tell me a story", "", "   ", "capital of france?", "stop"], mode)
        words = [frame for frame in peer.frames[0] if frame not in CONTROL_FRAMES]
        assert words == ["tell me a story", "capital of france?", "stop"]
    assert out.splitlines() == [
        "you: tell me a story",
        "assistant: Once upon a time there was a fox who lived in a wood. It was very old.",
        "you: capital of france?",
        "assistant: The capital of France is Paris.",
        "you: stop",
    ]
    assert notes == ""


async def test_more_lines_than_are_read_ahead_are_all_said() -> None:
    lines = [f"line {number}" for number in range(LINES_AHEAD + 20)]
    async with serving() as peer:
        out, _ = await talk(peer, lines)
    assert out == "".join(f"you: {line}\n" for line in lines)


async def test_an_empty_pipe_is_a_conversation_without_words() -> None:
    async with serving() as peer:
        assert await talk(peer, []) == ("", "")


async def test_a_person_is_heard_at_once_and_interrupts() -> None:
    out = io.StringIO()
    async with serving() as peer:
        conversation = Conversation(TextChat(Mode.DUPLEX), Connection(peer.url), Ticker(60))
        front_end = Lines(conversation, out=out, notes=io.StringIO(), in_turn=False)
        running = asyncio.create_task(conversation.run(front_end))
        await peer.until(lambda peer: bool(peer.frames and peer.frames[0]))
        await front_end.bring("tell me a story")
        while "Once" not in out.getvalue():
            await asyncio.sleep(0)
        await front_end.bring("stop")
        await front_end.bring("/quit")
        await running
        front_end.close()
    assert out.getvalue() == "you: tell me a story\nassistant: Once upon —\nyou: stop\n"


async def test_notes_do_not_mix_with_what_was_said() -> None:
    async with serving() as peer:
        out, notes = await talk(peer, ["/new", "of france?"])
    assert out == "you: of france?\nassistant: The capital of France is Paris.\n"
    assert notes == "A new conversation.\n"


async def test_what_is_printed_grows_by_what_was_added() -> None:
    class Recorder(io.StringIO):
        writes: list[str] = []  # noqa: RUF012 - one test's

        def write(self, text: str) -> int:
            self.writes.append(text)
            return super().write(text)

    out = Recorder()
    async with serving() as peer:
        front_end = Lines(in_step(peer), out=out, notes=io.StringIO(), in_turn=True)
        for text in (" Once", " upon a\n", "time. ", "Then"):
            front_end.show(Slice(Speaker.ASSISTANT, text))
    assert out.writes == ["assistant: Once", " upon a", " time.", " Then"]


async def read(write: Callable[[int], object]) -> list[str | None]:
    """What `read_lines` brings of what is written to a pipe."""
    brought: list[str | None] = []
    ended = asyncio.Event()

    async def bring(line: str | None) -> None:
        brought.append(line)
        if line is None:
            ended.set()

    source, sink = os.pipe()
    try:
        read_lines(source, bring)
        write(sink)
        os.close(sink)
        await ended.wait()
    finally:
        os.close(source)
    return brought


@a_few
@given(st.lists(st.text("aé€👩 \t"), max_size=5), st.integers(1, 4))
def test_lines_are_read_whole_however_their_bytes_come(lines: list[str], step: int) -> None:
    data = "\n".join(lines).encode()

    def write(sink: int) -> None:
        for start in range(0, len(data), step):
            os.write(sink, data[start : start + step])

    expected = lines if lines and lines[-1] else lines[:-1]
    assert asyncio.run(read(write)) == [*expected, None]


async def test_what_is_not_text_is_read_as_replacement_characters() -> None:
    assert await read(lambda sink: os.write(sink, b"a\xff\nb")) == ["a�", "b", None]


async def test_what_has_no_line_ends_is_divided(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("a" * (3 * LONGEST_LINE) + "\nb")
    brought: asyncio.Queue[str | None] = asyncio.Queue()
    with path.open() as file:
        read_lines(file.fileno(), brought.put)
        lines: list[str] = []
        while (line := await brought.get()) is not None:
            lines.append(line)
    assert "".join(lines) == "a" * (3 * LONGEST_LINE) + "b"
    assert len(lines) > 3
    assert max(map(len, lines)) < LONGEST_LINE + 65536


async def test_a_file_is_read_no_further_than_the_conversation_needs(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("line\n" * 50_000)
    brought = 0
    enough = asyncio.Event()

    async def bring(line: str | None) -> None:
        nonlocal brought
        brought += 1
        if brought == 10:
            enough.set()
            await asyncio.Event().wait()

    with path.open() as file:
        read_lines(file.fileno(), bring)
        await enough.wait()
        for _ in range(100):
            await asyncio.sleep(0)
    assert brought == 10
