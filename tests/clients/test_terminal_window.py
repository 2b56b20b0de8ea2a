"""A window of another width shows everything once, and loses nothing that was printed."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from clients.terminal import reflows
from tests.clients.peer import serving
from tests.clients.person import ENTER, left, sitting

pytestmark = pytest.mark.real


@pytest.fixture
def reflowing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XTERM_VERSION", "STY", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.usefixtures("reflowing")
@pytest.mark.parametrize("signalled", [True, False])
@pytest.mark.parametrize("typed", ["", "unfinish", "just-as-long-as-it-needs-to-be--3", "long enough " * 6])
async def test_a_window_that_becomes_narrower_or_wider_shows_everything_once(typed: str, signalled: bool) -> None:
    async with serving() as peer, sitting(peer, columns=60) as person:
        person.press("tell me a story", ENTER)
        await person.until(lambda: "Once upon" in person.sees)
        for piece in (" a time there was a fox", " who lived"):
            await peer.connections[0].send(piece)
        await person.until(lambda: "who lived" in person.sees)
        person.press(typed)
        await person.until(lambda: person.terminal.typed == typed)
        for columns, key in ((35, "k"), (47, "l"), (33, "m"), (90, "n")):
            person.screen.resize(columns)
            if signalled:
                os.kill(os.getpid(), signal.SIGWINCH)
            # Something that is drawn in the new window only, with the signal or before it has come.
            person.press(key)
            drawn = f"{key} assistant speaking"
            await person.until(lambda: drawn in person.sees)  # noqa: B023 - it is awaited here
            await asyncio.sleep(0)
            assert person.screen.lines[0] == "      you  tell me a story"
            assert person.sees.count("Once upon") == 1, person.screen.lines
            assert person.sees.count("speaking") == 1, person.screen.lines
            assert person.sees.count(">") == 1, person.screen.lines
        lines = await left(person)
    assert " ".join(line.strip() for line in lines) == (
        "you  tell me a story assistant  Once upon a time there was a fox who lived"
    )


async def test_a_terminal_that_cuts_lines_off_loses_nothing_that_was_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XTERM_VERSION", "XTerm(390)")
    monkeypatch.delenv("TMUX", raising=False)
    async with serving() as peer, sitting(peer, columns=60) as person:
        person.press("tell me a story", ENTER)
        await person.until(lambda: "Once upon" in person.sees)
        await peer.connections[0].send(" a time there was a fox")
        await person.until(lambda: "fox" in person.sees)
        person.screen.resize(35, reflow=False)
        os.kill(os.getpid(), signal.SIGWINCH)
        person.press("x")
        await person.until(lambda: "> x" in person.sees)
        assert person.screen.lines[:3] == [
            "      you  tell me a story",
            "assistant  Once upon a time there",
            "           was a fox",
        ]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm-256color", "XTERM_VERSION": "XTerm(390)"}, False),
        ({"TERM": "screen-256color", "TMUX": "/run/tmux", "XTERM_VERSION": "XTerm(390)"}, True),
        ({"TERM": "screen", "STY": "1.pts-0"}, False),
        ({"TERM": "linux"}, False),
        ({"TERM": "st-256color"}, False),
        ({}, True),
    ],
)
def test_terminals_that_do_not_reflow_are_known(environ: dict[str, str], expected: bool) -> None:
    assert reflows(environ) is expected


async def test_on_a_very_narrow_terminal_the_line_that_grows_is_seen_to_its_end() -> None:
    async with serving() as peer, sitting(peer, columns=20) as person:
        person.press("a story", ENTER)
        await person.until(lambda: person.screen.lines[:3] == ["      you  a story", "assistant  Once upon", ">"])
        await peer.connections[0].send(" a time")
        await person.until(lambda: person.screen.lines[1:4] == ["assistant  Once upon", " a time", ">"])
