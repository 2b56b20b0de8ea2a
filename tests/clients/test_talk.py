"""The options of a conversation, and whole conversations over the JSON protocol with a real server."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from clients import talk
from clients.chat import Mode
from clients.connection import UrlError
from clients.deeds import Said
from clients.protocols import Protocol
from clients.recording import RecordingError, read_recording
from clients.script import ScriptError
from clients.talk import OptionError, Options, read_options
from tests.clients.terminals import COMMAND, ROOT
from tests.edge_server.serving import Served, serving

GIVEN: dict[str, Any] = {
    "url": None,
    "protocol": "json",
    "mode": "duplex",
    "tick": None,
    "wpm": None,
    "voice": False,
    "stats": False,
    "record": None,
    "script": None,
    "times": True,
    "wait": "10",
}


def options(**given: Any) -> Options:
    return read_options(**{**GIVEN, **given})


def refusal(**given: Any) -> str:
    """Why options are refused, which is one line."""
    with pytest.raises((OptionError, UrlError, ScriptError, RecordingError)) as error:
        options(**given)
    assert str(error.value).isprintable()
    return str(error.value)


# --- options


def test_without_options_it_is_a_duplex_conversation_over_json() -> None:
    read = options()
    assert (read.url, read.protocol, read.mode) == ("ws://localhost:8765/v1/realtime", Protocol.JSON, Mode.DUPLEX)
    assert (read.tick, read.wpm, read.voice, read.record) == (None, None, None, None)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"protocol": "text"}, "ws://localhost:8765"),
        ({"mode": "chat"}, "ws://localhost:8765/v1/realtime"),
        ({"protocol": "text", "mode": "chat"}, "ws://localhost:8766"),
        ({"url": "ws://there:1"}, "ws://there:1/v1/realtime"),
        ({"url": "wss://there/?x=1"}, "wss://there/v1/realtime?x=1"),
        ({"url": "wss://there/duplex/v1/realtime"}, "wss://there/duplex/v1/realtime"),
        ({"url": "ws://there:1", "protocol": "text"}, "ws://there:1"),
    ],
)
def test_the_address_follows_from_protocol_and_mode(given: dict[str, str], url: str) -> None:
    assert options(**given).url == url


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"protocol": "xml"}, "--protocol xml is no protocol: it takes json or text"),
        ({"tick": "0.1"}, "--tick 0.1 is not a length: it takes 0.2 to 10 seconds"),
        ({"tick": "11"}, "it takes 0.2 to 10 seconds"),
        ({"wpm": "5"}, "--wpm 5 is no rate: it takes 20 to 1000 words a minute"),
        ({"wpm": "fast\x1b[0m"}, "--wpm fast[0m is no rate"),
        ({"wpm": "nan"}, "is no rate"),
        ({"wpm": "100", "protocol": "text"}, "--wpm needs to know more than the text protocol says"),
        ({"stats": True, "protocol": "text"}, "--stats needs to know more"),
        ({"record": Path("x.json"), "protocol": "text"}, "--record needs to know more"),
        ({"wpm": "100", "mode": "chat"}, "--wpm needs an assistant that can be interrupted: leave out --mode chat"),
        ({"record": Path("/no/such/folder/x.json")}, "there is no folder /no/such/folder"),
        ({"url": "localhost"}, "is not a WebSocket address"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_remedy(given: dict[str, Any], why: str) -> None:
    assert why in refusal(**given)


def test_a_recording_is_not_written_over_another_file(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text("mine")
    assert "exists: give another name" in refusal(record=path)
    assert path.read_text() == "mine"


def test_where_nothing_can_speak_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "find_voice", lambda: None)
    assert "install espeak-ng" in refusal(voice=True)


def test_a_script_keeps_its_own_clock(tmp_path: Path) -> None:
    path = tmp_path / "script.txt"
    path.write_text("0: hello\n")
    assert options(script=path, tick="0.05").tick == 0.05
    assert options(script=path).cues is not None


def test_a_script_may_be_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text(json.dumps(recording(commit("hello", at=500))))
    read = options(script=path)
    assert read.cues is None
    assert read.deeds is not None
    assert [deed for deed in read.deeds if isinstance(deed, Said)] == [Said(0.5, "hello")]
    assert "leave out --protocol text" in refusal(script=path, protocol="text")
    path.write_text("{}")
    assert "holds no recorded conversation" in refusal(script=path)


@pytest.mark.parametrize("given", [{"script": Path("/no/such.txt")}, {"script": Path("/")}])
def test_a_script_that_cannot_be_read_is_named(given: dict[str, Any]) -> None:
    assert f"cannot read the script {given['script']}: " in refusal(**given)


def test_a_script_may_come_from_a_pipe() -> None:
    for written, is_script in (("0: hello\n", True), (json.dumps(recording(commit("hello", at=500))), False)):
        ours, theirs = os.pipe()
        os.write(theirs, written.encode())
        os.close(theirs)
        try:
            read = options(script=Path(f"/dev/fd/{ours}"))
        finally:
            os.close(ours)
        assert (read.cues is not None, read.deeds is not None) == (is_script, not is_script)


# --- conversations


def commit(text: str, *, at: int) -> list[dict[str, Any]]:
    append = {"type": "input_text_buffer.append", "text": text, "replace": True}
    return [
        {"at": at, "from": "client", "event": append},
        {"at": at, "from": "client", "event": {"type": "input_text_buffer.commit"}},
    ]


def recording(*deeds: list[dict[str, Any]]) -> dict[str, Any]:
    events = [event for deed in deeds for event in deed]
    return {"format": "edge-duplex conversation", "version": 1, "began": "2026-01-01T00:00:00Z", "events": events}


@dataclasses.dataclass
class Ended:
    code: int | None
    out: str
    err: str


async def run(*arguments: str, typed: bytes = b"", env: dict[str, str] | None = None) -> Ended:
    """The command, with `typed` coming from a pipe."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        cwd=ROOT,
        env=env,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(typed), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ended(process.returncode, out.decode(), err.decode())


STORY = " Once upon a time there was a fox."


def answer(text: str) -> str:
    return {"hello": " Hello to you.", "a story": STORY}.get(text, "")


@asynccontextmanager
async def telling(answers: Callable[[str], str] = answer, **given: Any) -> AsyncIterator[Served]:
    async with serving(answers, **given) as served:
        yield served


@pytest.mark.real
async def test_a_pipe_is_a_conversation() -> None:
    async with telling() as served:
        ended = await run("--url", served.url(), "--tick", "0.2", typed=b"a story\n\nhello\n")
    assert ended == Ended(0, f"you: a story\nassistant:{STORY}\nyou: hello\nassistant: Hello to you.\n", "")


@pytest.mark.real
async def test_a_script_is_a_transcript_a_slice_a_line(tmp_path: Path) -> None:
    path = tmp_path / "script.txt"
    path.write_text("0: a story\nafter 2 replies: stop it\n+2: hello\nafter silence:\n")
    async with telling() as served:
        ended = await run("--url", served.url(), "--tick", "0.05", "--script", str(path), "--no-times", "--stats")
    assert ended.code == 0
    assert ended.out == (
        "you        a story\nassistant  Once upon\nassistant  a time th —\nyou        stop it\n"
        "you        hello\nassistant  Hello to\nassistant  you.\n"
    )
    assert "replies       2, 1 interrupted" in ended.err
    assert ended.err.startswith("slices        ")


@pytest.mark.real
async def test_turn_by_turn_over_json() -> None:
    async with telling() as served:
        ended = await run("--url", served.url(), "--mode", "chat", typed=b"hello\na story\n")
    assert ended == Ended(0, f"you: hello\nassistant: Hello to you.\nyou: a story\nassistant:{STORY}\n", "")


@pytest.mark.real
async def test_a_conversation_is_recorded_shown_again_and_played_again(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    async with telling() as served:
        ended = await run("--url", served.url(), "--tick", "0.2", "--record", str(path), typed=b"a story\nhello\n")
        assert ended.code == 0
        said = [one for one in ended.out.splitlines() if one]
        assert "token" not in [*read_recording(path).events[0].event["session"]]
        shown = await run("--replay", str(path), "--no-times", "--stats")
        again = await run("--url", served.url(), "--tick", "0.2", "--script", str(path), "--no-times")
    assert shown.code == 0
    assert "replies       2" in shown.err
    for transcript in (shown.out, again.out):
        lines = transcript.splitlines()
        assert "you        a story" in lines
        words = " ".join(line.removeprefix("assistant").strip() for line in lines if line.startswith("assistant"))
        assert words.replace(" ", "") == "".join(one.split(":")[1] for one in said if one[0] == "a").replace(" ", "")


@pytest.mark.real
async def test_a_recording_with_two_conversations_is_played_as_two(tmp_path: Path) -> None:
    path, again = tmp_path / "talk.json", tmp_path / "again.json"
    began: list[dict[str, Any]] = [
        {"at": at, "from": "server", "event": {"type": "session.created"}} for at in (0, 400)
    ]
    taken: dict[str, Any] = {
        "at": 1,
        "from": "server",
        "event": {"type": "input_text_buffer.committed", "text": "hello"},
    }
    deeds = ([began[0]], commit("hello", at=0), [taken, began[1]], commit("/quit", at=800))
    path.write_text(json.dumps(recording(*deeds)))
    async with telling(lambda _: "") as served:
        ended = await run("--url", served.url(), "--script", str(path), "--no-times", "--record", str(again))
    assert (ended.code, ended.err) == (0, "A new conversation.\n")
    assert ended.out == "you        hello\nyou        /quit\n"
    types = [one.event["type"] for one in read_recording(again).events]
    assert types.count("session.created") == 2
    shown = await run("--replay", str(again), "--no-times")
    assert (shown.out, shown.err) == (ended.out, ended.err)


@pytest.mark.real
async def test_heard_at_a_rate_an_interruption_leaves_what_was_heard(tmp_path: Path) -> None:
    path, record = tmp_path / "talk.json", tmp_path / "again.json"
    path.write_text(json.dumps(recording(commit("a story", at=0), commit("stop it", at=1500))))
    async with telling() as served:
        given = ("--url", served.url(), "--tick", "0.2", "--no-times")
        ended = await run(*given, "--wpm", "200", "--script", str(path), "--record", str(record))
    assert ended.code == 0
    story, cut = ended.out.splitlines()[1:3]
    assert cut == "you        stop it"
    assert story.endswith(" —")
    heard = story.removeprefix("assistant  ").removesuffix(" —")
    assert STORY.strip().startswith(heard)
    assert 1 <= len(heard.split()) <= 7, "200 words a minute for a second and a half"
    events = [one.event for one in read_recording(record).events]
    (kept,) = [event["text"] for event in events if event["type"] == "conversation.item.truncated"]
    assert kept.strip() == heard, "what the assistant remembers is what was on the screen"


@pytest.mark.real
async def test_after_a_lost_connection_the_conversation_goes_on() -> None:
    # Half a second of real time passes here: the client waits before it tries again.
    asked = threading.Event()

    def tell(text: str) -> str:
        if text == "a story":
            asked.set()
        return answer(text)

    async with telling(tell) as served, Cable(served.ports[0].number) as cable:
        process = asyncio.create_task(run("--url", cable.url, "--tick", "0.2", typed=b"a story\nhello\n"))
        assert await asyncio.to_thread(asked.wait, 30)
        cable.cut()
        ended = await process
    assert ended.code == 0
    assert ended.out == f"you: a story\nassistant:{STORY}\nyou: hello\nassistant: Hello to you.\n"
    assert ended.err.splitlines() == [
        "The connection broke off. Trying again.",
        "Connected again: the conversation goes on.",
    ]


class Cable:
    """Carries bytes to a port and back, until it is cut; then again. `called`: somebody wants to be carried."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.called, self.open = asyncio.Event(), asyncio.Event()
        self.open.set()
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Cable:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.called.set()
        await self.open.wait()
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, back]
        for one, other in ((reader, back), (there, writer)):
            self._tasks.add(asyncio.create_task(self._carry(one, other)))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


@pytest.mark.real
async def test_a_server_without_the_json_protocol_is_told_with_the_remedy() -> None:
    async with telling(upstream=True) as served:
        ended = await run("--url", served.url(), typed=b"hello\n")
        assert ended.code == 1
        assert ended.err.count("\n") == 1
        assert "add --protocol text" in ended.err
        ended = await run("--url", served.url(), "--protocol", "text", "--tick", "0.2", typed=b"hello\n")
        assert ended.code == 0


@pytest.mark.real
async def test_options_that_do_not_go_with_a_replay_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text(json.dumps(recording(commit("hello", at=0))))
    ended = await run("--replay", str(path), "--url", "ws://localhost:1")
    assert ended == Ended(
        2, "", "edge-chat: --url does not go with --replay, which talks with no server: leave it out\n"
    )
    ended = await run("--replay", str(tmp_path / "none.json"))
    assert (ended.code, ended.out) == (2, "")
    assert "cannot read the recording" in ended.err


@pytest.mark.real
async def test_a_recording_that_cannot_be_written_is_told_and_the_conversation_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "talk.json"
    path.parent.mkdir()
    async with telling() as served, Cable(served.ports[0].number) as cable:
        cable.open.clear()
        given = ("--url", cable.url, "--record", str(path), "--tick", "0.2")
        process = asyncio.create_task(run(*given, typed=b"hello\n"))
        await cable.called.wait()  # the options were read
        path.parent.rmdir()
        cable.open.set()
        ended = await process
    why = f"cannot record to {path}: No such file or directory"
    assert ended == Ended(1, "you: hello\nassistant: Hello to you.\n", f"C{why[1:]}.\nedge-chat: {why}\n")
