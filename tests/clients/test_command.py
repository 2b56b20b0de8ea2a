"""The command line: what it refuses and prints, how it ends, and that it leaves the terminal as it was."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from pathlib import Path

import pytest

from clients import command
from clients.chat import Mode
from clients.chat_text import DRAFT_SUBPROTOCOL, IDLE, NEW_ORDINARY_SESSION
from tests.clients.peer import Peer, serving
from tests.clients.terminals import COMMAND, ROOT, on_a_terminal

TEXT = ("--protocol", "text")  # which the peer speaks; test_talk.py has the other


def run_here(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of the command, run in this process."""
    monkeypatch.setattr(sys, "argv", ["edge-chat", *arguments])
    return command.run()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--url", "localhost:8765"], "is not a WebSocket address"),
        (["--url", "http://localhost"], "is not a WebSocket address"),
        (["--tick", "0"], "--tick 0 is not a length"),
        (["--tick", "-2"], "--tick -2 is not a length"),
        (["--tick", "nan"], "--tick nan is not a length"),
        (["--tick", "soon"], "edge-chat: --tick soon is not a length: it takes 0.2 to 10 seconds\n"),
        (["--tick", "\x1b[2J"], "edge-chat: --tick [2J is not a length"),
        (["--tick", ""], "edge-chat: --tick '' is not a length"),
        (["--wait", "-1"], "--wait -1 is not a time"),
        (["--wait", "inf"], "--wait inf is not a time"),
        (["--wait", "long"], "edge-chat: --wait long is not a time: it takes 0 seconds or more\n"),
        (["--mode", "triplex"], "edge-chat: --mode triplex is no way to talk: it takes duplex or chat\n"),
        (["--script", "no/such/file"], "cannot read the script no/such/file"),
        (["--scrip", "x"], "--scrip"),
        (["hello"], "hello"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(
    arguments: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(monkeypatch, *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"edge-chat: [^\n]*\n", err)
    assert complaint in err


def test_a_script_that_is_not_understood_is_bad_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("0: hello\nlater: goodbye\n")
    assert run_here(monkeypatch, "--script", str(path)) == 2
    assert "mine.txt, line 2: 'later' is no moment" in capsys.readouterr().err


def test_help_names_every_option_and_key(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here(monkeypatch, "--help") == 0
    out, err = capsys.readouterr()
    assert err == ""
    for word in ("--url", "--tick", "--mode", "--script", "--no-times", "--wait", "ws://localhost:8765", "8766"):
        assert word in out
    for word in (
        "duplex|chat",
        "json|text",
        "SECONDS",
        "[default: duplex]",
        "--wpm",
        "--voice",
        "--record",
        "--replay",
    ):
        assert word in out
    for word in ("Enter", "Ctrl-C", "/new", "/help", "/quit", "docs/conversation.txt"):
        assert word in out


async def run(*arguments: str, typed: bytes = b"") -> tuple[int | None, str, str]:
    """The exit code, the output and the errors of the command with `typed` coming from a pipe."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(typed)
    return process.returncode, out.decode(), err.decode()


@pytest.mark.real
async def test_a_pipe_is_a_conversation() -> None:
    async with serving() as peer:
        arguments = (*TEXT, "--url", peer.url, "--mode", "chat", "--tick", "0.2")
        ended = await run(*arguments, typed=b"of france?\na story")
        assert peer.texts() == [NEW_ORDINARY_SESSION, "of france?", "a story"]
    assert ended == (
        0,
        "you: of france?\nassistant: The capital of France is Paris.\nyou: a story\n"
        "assistant: Once upon a time there was a fox who lived in a wood. It was very old.\n",
        "",
    )


@pytest.mark.real
async def test_a_script_is_a_transcript(tmp_path: Path) -> None:
    path = tmp_path / "script.txt"
    path.write_text("0: tell me a story\nafter 2 replies: stop\n")
    async with serving() as peer:
        code, out, err = await run(*TEXT, "--url", peer.url, "--tick", "0.2", "--script", str(path), "--no-times")
        assert (code, err) == (0, "")
        assert peer.offered == [[]], "a script is not typed"
        assert out == ("you        tell me a story\nassistant  Once upon\nassistant  a time there —\nyou        stop\n")
        timed = (await run(*TEXT, "--url", peer.url, "--tick", "0.2", "--script", str(path)))[1]
    assert re.sub(r"^ *[0-9]+\.[0-9]  ", "", timed, flags=re.MULTILINE) == out


@pytest.mark.real
async def test_without_a_server_it_fails_in_one_line_that_says_how_to_start_one() -> None:
    code, out, err = await run("--url", "ws://localhost:1", "--wait", "0")
    assert (code, out) == (1, "")
    assert err == "edge-chat: no server at ws://localhost:1/v1/realtime: start one with `edge-server run`\n"


@pytest.mark.real
async def test_a_script_whose_conversation_breaks_off_fails(tmp_path: Path) -> None:
    path = tmp_path / "script.txt"
    path.write_text("0: tell me a story\nafter 99 replies: hello\n")
    async with serving() as peer:
        running = asyncio.create_task(run(*TEXT, "--url", peer.url, "--script", str(path), "--no-times"))
        await peer.until(lambda peer: bool(peer.frames) and len(peer.texts()) == 2)
        await peer.connections[0].close(1012, "restarting")
        code, out, err = await running
    assert (code, err) == (1, "edge-chat: the server closed the connection: restarting\n")
    assert out.startswith("you        tell me a story\n")
    assert out.endswith("\n")


@pytest.mark.real
async def test_it_ends_quietly_when_nobody_reads_the_output_or_ctrl_c_is_pressed(tmp_path: Path) -> None:
    path = tmp_path / "script.txt"
    path.write_text("0: tell me a story\nafter 99 replies:\n")
    async with serving(Peer(answer=lambda text: ["x " * 1000] * 1000)) as peer:
        for reader_leaves, code in ((True, 1), (False, 130)):
            process = await asyncio.create_subprocess_exec(
                *COMMAND, *TEXT, "--url", peer.url, "--tick", "0.01", "--script", str(path),
                cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert process.stdout is not None
            assert process.stderr is not None
            await process.stdout.readline()
            if reader_leaves:
                process.stdout._transport.close()  # type: ignore[attr-defined]
            else:
                process.send_signal(signal.SIGINT)
            assert await process.stderr.read() == b""
            assert await process.wait() == code


@pytest.mark.real
@pytest.mark.parametrize("leave", ["\x04", "\x03\x03", "terminate"])
async def test_on_a_terminal_one_can_talk_and_leaves_it_as_it_was(leave: str) -> None:
    async with serving() as peer, on_a_terminal(*TEXT, "--url", peer.url, "--tick", "0.05") as terminal:
        before = terminal.settings()
        await terminal.until(lambda text: "listening" in text)
        terminal.press("tell me a story\r")
        await terminal.until(lambda text: "It was very old." in text)
        terminal.press("and th")
        await terminal.until(lambda text: "> th" in text)
        await terminal.until(lambda text: "listening" in text)
        assert IDLE in peer.frames[0]
        if leave == "terminate":
            terminal.process.terminate()
        else:
            terminal.press(leave)
        assert await terminal.process.wait() == 0
        await asyncio.sleep(0)
        assert terminal.settings() == before
        await terminal.until(lambda text: "listening" not in text)
        assert terminal.screen.lines[0] == "      you  tell me a story"
        assert peer.offered == [[DRAFT_SUBPROTOCOL]]


@pytest.mark.real
async def test_on_a_terminal_what_is_typed_is_a_draft_in_duplex_mode_only() -> None:
    for mode in Mode:
        async with serving(Peer(takes_drafts=True)) as peer:
            async with on_a_terminal(*TEXT, "--url", peer.url, "--tick", "60", "--mode", mode.value) as terminal:
                await terminal.until(lambda text: "listening" in text)
                terminal.press("what is the capital")
                if mode is Mode.DUPLEX:
                    await peer.until(lambda peer: peer.drafts()[-1:] == ["what is the capital"])
                terminal.press(" of france?\r")
                await peer.until(lambda peer: peer.texts()[1:] == ["what is the capital of france?"])
            assert (peer.drafts() == []) == (mode is Mode.CHAT)
            assert peer.offered == [[DRAFT_SUBPROTOCOL] if mode is Mode.DUPLEX else []]


@pytest.mark.real
async def test_on_a_terminal_it_waits_for_a_server() -> None:
    async with on_a_terminal("--url", "ws://127.0.0.1:1") as terminal:
        await terminal.until(lambda text: "No server at ws://127.0.0.1:1/v1/realtime" in text)
        await terminal.until(lambda text: "next attempt in 1 s" in text)
        assert terminal.screen.text.count("No server") == 1, "it is said once"
        terminal.press("\x04")
        assert await terminal.process.wait() == 0
