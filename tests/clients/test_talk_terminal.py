"""A conversation over the JSON protocol on a terminal, with a real server."""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.clients.terminals import on_a_terminal
from tests.edge_server.serving import serving

pytestmark = pytest.mark.real

STORY = " Once upon a time there was a fox who lived in a wood."


def answer(text: str) -> str:
    return {"hello": " Hello to you.", "a story": STORY}.get(text, "")


async def test_one_talks_interrupts_and_begins_anew() -> None:
    async with serving(answer) as served, on_a_terminal("--url", served.url(), "--stats") as terminal:
        await terminal.until(lambda text: "listening" in text)
        terminal.press("a story\r")
        await terminal.until(lambda text: "Once upon" in text)
        terminal.press("wait")
        await terminal.until(lambda text: "the assistant waits while you type" in text)
        terminal.press("\x7f\x7f\x7f\x7f")
        await terminal.until(lambda text: "assistant speaking" in text)
        terminal.press("wait now\r")
        await terminal.until(lambda text: "— you  wait now" in text)
        await terminal.until(lambda text: "listening" in text and "reused" in text)
        terminal.press("/new\r")
        await terminal.until(lambda text: "A new conversation." in text)
        terminal.press("hello\r")
        await terminal.until(lambda text: "Hello to" in text and "slice 1 ·" in text)
        terminal.press("\x04")
        assert await terminal.process.wait() == 0
        await terminal.until(lambda text: "slices        " in text and "false alarms  1" in text)


async def test_a_back_channel_does_not_interrupt() -> None:
    async with serving(answer) as served, on_a_terminal("--url", served.url(), "--tick", "0.5") as terminal:
        await terminal.until(lambda text: "listening" in text)
        terminal.press("a story\r")
        await terminal.until(lambda text: "Once upon" in text)
        terminal.press("yeah\r")
        await terminal.until(lambda text: "you  (yeah)" in text and "wood." in text)


async def test_ctrl_c_stops_the_assistant() -> None:
    async with serving(answer) as served, on_a_terminal("--url", served.url()) as terminal:
        await terminal.until(lambda text: "listening" in text)
        terminal.press("a story\r")
        await terminal.until(lambda text: "Once upon" in text)
        terminal.press("\x03")
        await terminal.until(lambda text: "listening" in text)
        terminal.press("hello\r")
        await terminal.until(lambda text: "— you  hello" in text)


async def test_words_appear_at_a_rate_and_what_was_not_heard_never() -> None:
    async with serving(answer) as served, on_a_terminal("--url", served.url(), "--wpm", "120") as terminal:
        await terminal.until(lambda text: "listening" in text)
        terminal.press("a story\r")
        await terminal.until(lambda text: "Once" in text)
        terminal.press("no more\r")
        await terminal.until(lambda text: "you  no more" in text)
        before = terminal.screen.text.split("you  no more")[0]
        assert before.rstrip().endswith("—")
        assert "wood" not in terminal.screen.text


@pytest.mark.parametrize("variable", ["", "1"])
async def test_colors_are_left_out_where_nobody_wants_them(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", variable)
    async with serving(answer) as served, on_a_terminal("--url", served.url()) as terminal:
        await terminal.until(lambda text: "listening" in text)
        terminal.press("hello\r")
        await terminal.until(lambda text: "Hello to" in text)
        assert terminal.screen.colored == (not variable)
    assert os.environ["NO_COLOR"] == variable


async def test_on_a_dumb_terminal_a_conversation_is_lines() -> None:
    async with serving(answer) as served, on_a_terminal("--url", served.url(), term="dumb") as terminal:
        while "you: hello" not in terminal.screen.text:  # until there is a connection
            terminal.press("hello\n")
            await asyncio.sleep(0.5)
        await terminal.until(lambda text: "assistant: Hello to" in text)
        terminal.press("\x04")
        assert await terminal.process.wait() == 0
        assert "\x1b" not in terminal.screen.getvalue()
