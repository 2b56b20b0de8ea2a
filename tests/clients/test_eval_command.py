"""edge-chat eval as a user runs it: what it refuses, prints and writes, how it goes on and how it ends."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from clients import command
from tests.clients.peer import STORY, Peer, serving
from tests.clients.terminals import COMMAND, ROOT, on_a_terminal
from tests.clients.test_command import run

SET = """\
name: tour
about: a capital and a story
scenarios:
- id: capital
  category: basic
  language: en
  steps:
  - {say: what is the capital, as: unfinished}
  - {say: "of france?", as: question, answer: {text: The capital of France is Paris.}}
- id: story
  category: termination
  language: en
  steps:
  - {say: tell me a story, as: question, slices: 3, answer: {has: [fox]}}
  - {say: uh-huh, as: noise}
  - {say: stop please, as: stop}
  - silent: 3
- id: wood
  category: termination
  language: zh
  steps:
  - {say: a story, as: question, answer: {lacks: [wood]}}
"""


def answer(text: str) -> list[str] | None:
    if text == "uh-huh":
        return None
    if text == "of france?":
        return [" The capital", " of France", " is Paris.\n"]
    return STORY if "story" in text else []


@pytest.fixture
def scenarios(tmp_path: Path) -> str:
    path = tmp_path / "tour.yaml"
    path.write_text(SET)
    return str(path)


def run_here(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["edge-chat", *arguments])
    return command.run()


def metrics(path: Path) -> dict[str, Any]:
    """A report's figures without those that depend on the time."""
    found = json.loads(path.read_text())
    for group in (found["metrics"], *found["by_category"].values(), *found["by_language"].values()):
        del group["response_latency_ms"]
    assert isinstance(found, dict)
    return found


@pytest.mark.real
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["no-such-set"], "there is no scenario set 'no-such-set'"),
        (["n" * 300], "cannot read the scenarios nnn"),
        (["SET", "--url", "http://localhost"], "is not a WebSocket address"),
        (["SET", "--category", "sports"], "--category sports is none: there are basic, interweaving"),
        (["SET", "--language", "fr"], "no scenario of tour is of that category and language: it is in en, zh"),
        (["SET", "--category", "basic", "--language", "zh"], "no scenario of tour is of that category and language"),
        (["SET", "--limit", "0"], "--limit"),
        (["SET", "--seed", "-1"], "--seed"),
        (["SET", "--clock", "0"], "--clock 0 is not a length: it takes 0.01 to 60 seconds"),
        (["SET", "--clock", "nan"], "--clock nan is not a length"),
        (["SET", "--patience", "0"], "--patience"),
        (["SET", "--wait", "-1"], "--wait -1 is not a time"),
        (["SET", "--wait", "inf"], "--wait inf is not a time"),
        (["SET", "--fresh"], "--fresh throws away what --out holds: give --out too"),
        (["SET", "--json", "no/such/folder.json"], "--json no/such/folder.json: there is no folder no/such"),
        (["SET", "--plot", "picture.pdf"], "end its name in .png or .svg"),
        (["SET", "--json", "."], "--json . is a folder: name a file in it"),
        (["SET", "--plot", "no/such/folder.png"], "--plot no/such/folder.png: there is no folder no/such"),
        (["SET", "--out", "."], "--out . is a folder: name a file in it"),
        (["SET", "--out", "one.png", "--json", "./one.png"], "--json one.png would overwrite what --out writes"),
        (["SET", "--json", "one.png", "--plot", "one.png"], "--plot one.png would overwrite what --json writes"),
        (["SET", "more"], "more"),
        (["SET", "--sed", "1"], "--sed"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(
    arguments: list[str],
    complaint: str,
    scenarios: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [scenarios if one == "SET" else one for one in arguments]
    assert run_here(monkeypatch, "eval", *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("edge-chat: ")
    assert complaint in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("option", [["--url", "ws://localhost"], ["--tick", "1"], ["--no-times"]])
def test_options_of_the_conversation_are_not_options_of_the_evaluation(
    option: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(monkeypatch, *option, "eval", "--list") == 2
    assert capsys.readouterr().err == f"edge-chat: {option[0].replace('no-', '')} stands before eval: "\
        "write options behind it\n"  # fmt: skip


@pytest.mark.real
def test_a_set_is_checked_and_the_shipped_ones_listed(
    scenarios: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(monkeypatch, "eval", scenarios, "--check") == 0
    assert capsys.readouterr().out.splitlines()[:3] == [
        "tour: a capital and a story",
        "  basic              1  (en 1)",
        "  interweaving       0",
    ]
    assert run_here(monkeypatch, "eval", "--list") == 0
    assert "general-en" in capsys.readouterr().out


@pytest.mark.real
async def test_it_plays_scores_and_writes_the_same_whatever_was_played_before(scenarios: str, tmp_path: Path) -> None:
    out, first, second = tmp_path / "out.jsonl", tmp_path / "first.json", tmp_path / "second.json"
    plot = tmp_path / "plot.svg"
    async with serving(Peer(reports=True, answer=answer)) as peer:
        arguments = ("eval", scenarios, "--url", peer.url, "--out", str(out))
        code, table, err = await run(*arguments, "--limit", "1", "--json", str(tmp_path / "some.json"))
        assert (code, err) == (0, "")
        assert len(out.read_text().splitlines()) == 3
        code, table, err = await run(*arguments, "--json", str(first), "--plot", str(plot), "--misses", "1")
        assert (code, table.splitlines()[0]) == (0, "tour: 3 scenarios, seed 1")
        assert len(peer.connections) == 2
        assert "what is the capital" not in peer.frames[1], "it was played in the first run"
        # All is there already: nobody is asked.
        assert (await run(*arguments[:-3], "ws://localhost:1", *arguments[-2:]))[:2] == (0, table)
        await run("eval", scenarios, "--url", peer.url, "--json", str(second))
    assert err.splitlines()[:3] == ["", "right_answers: wood, step 1", "> user       a story"]
    assert metrics(first) == metrics(second)
    assert plot.read_bytes().startswith(b"<?xml")
    assert {name: (one["k"], one["n"]) for name, one in metrics(first)["metrics"].items() if one.get("k")} == {
        "success_reply": (3, 3), "right_answers": (2, 3), "success_interrupt": (1, 1), "termination": (1, 1),
        "silence_after_end": (5, 5),
    }  # fmt: skip
    assert metrics(first)["metrics"]["noise_interruption"]["n"] == 1


@pytest.mark.real
async def test_only_some_scenarios_are_played_on_request(scenarios: str) -> None:
    async with serving(Peer(reports=True, answer=answer)) as peer:
        code, table, _ = await run(
            "eval", scenarios, "--url", peer.url, "--category", "termination", "--language", "zh"
        )
    assert (code, table.splitlines()[0]) == (0, "tour: 1 scenarios, seed 1")
    assert "a story" in peer.frames[0]
    assert "tell me a story" not in peer.frames[0]


@pytest.mark.real
async def test_a_file_of_another_seed_is_refused_unless_it_is_thrown_away(scenarios: str, tmp_path: Path) -> None:
    out = str(tmp_path / "out.jsonl")
    async with serving(Peer(reports=True, answer=answer)) as peer:
        arguments = ("eval", scenarios, "--url", peer.url, "--out", out)
        assert (await run(*arguments))[0] == 0
        code, table, err = await run(*arguments, "--seed", "2")
        assert (code, table) == (2, "")
        assert "belongs to another evaluation (seed 1 instead of 2): give another --out, or --fresh" in err
        code, table, _ = await run(*arguments, "--seed", "2", "--fresh")
    assert (code, table.splitlines()[0]) == (0, "tour: 3 scenarios, seed 2")


@pytest.mark.real
async def test_without_a_server_it_fails_in_one_line(scenarios: str, tmp_path: Path) -> None:
    code, table, err = await run("eval", scenarios, "--url", "ws://localhost:1", "--wait", "0")
    assert (code, table) == (1, "")
    assert err == (
        "edge-chat: no server at ws://localhost:1: start one with `edge-server run`\n"
        "edge-chat: 0 of 3 scenarios are finished\n"
    )


@pytest.mark.real
async def test_ctrl_c_shows_what_is_finished_and_the_same_command_goes_on(scenarios: str, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    async with serving(Peer(reports=True, answer=answer)) as peer:
        peer.mute_after = "uh-huh"
        arguments = ("eval", scenarios, "--url", peer.url, "--out", str(out))
        process = await asyncio.create_subprocess_exec(
            *COMMAND, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        await peer.until(lambda peer: bool(peer.frames) and "uh-huh" in peer.frames[0])
        process.send_signal(signal.SIGINT)
        table, err = await process.communicate()
        assert process.returncode == 130
        assert err.decode() == (
            f"edge-chat: 1 of 3 scenarios are finished; {out} keeps them, the same command goes on\n"
        )
        assert table.decode().startswith("tour: 1 scenarios, seed 1\n")
        peer.mute_after = None
        code, whole, _ = await run(*arguments)
    assert (code, whole.splitlines()[0]) == (0, "tour: 3 scenarios, seed 1")


@pytest.mark.real
async def test_on_a_terminal_there_is_a_bar(scenarios: str) -> None:
    async with (
        serving(Peer(reports=True, answer=answer)) as peer,
        on_a_terminal("eval", scenarios, "--url", peer.url) as terminal,
    ):
        peer.mute_after = "uh-huh"
        await terminal.until(lambda text: "1/3" in text)
        terminal.process.send_signal(signal.SIGINT)
        assert await terminal.process.wait() == 130
        await terminal.until(lambda text: "1 of 3 scenarios are finished" in text)


@pytest.mark.real
async def test_a_server_without_reports_is_played_with_by_the_clock(scenarios: str) -> None:
    async with serving(Peer(answer=answer)) as peer:
        code, table, err = await run("eval", scenarios, "--url", peer.url, "--clock", "0.05", "--limit", "1")
        assert len(peer.connections) == 2
    assert (code, table.splitlines()[0]) == (0, "tour: 2 scenarios, seed 1")
    assert err == "edge-chat: the server does not report slices (duplex.report): playing one every 0.05 s\n"
