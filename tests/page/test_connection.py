"""A connection that is lost, and a session that is: nothing is said twice, nothing is lost unsaid."""

from __future__ import annotations

import socket

import pytest
from playwright.async_api import Browser

from tests.page.browsing import expect, serving, visiting
from tests.page.test_talking import LONG, long

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="package")]


async def test_after_a_lost_connection_the_conversation_goes_on_without_loss(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served) as visit:
        await visit.say("tell")
        await expect(visit.replies.first).to_contain_text("Once there")
        for _ in range(2):
            await visit.lose_connection()
            await visit.connected()
        await expect(visit.replies.first).to_have_text(f"Assistant: {LONG}")
        await expect(visit.messages).to_have_count(2)
        said = "".join(await visit.page.locator("#slices .assistant .clamp").all_text_contents())
        assert said.replace("Assistant: ", "") == LONG
        assert served.context.complaints == []


async def test_what_is_said_while_there_is_no_connection_is_said_afterwards_and_once(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        await visit.say("one")
        await expect(visit.replies).to_have_text(["Assistant: You said one."])
        visit.cut()  # the page does not know yet: the words go into a connection that is dead
        await visit.say("two")
        await expect(visit.messages).to_have_text(
            ["You: one", "Assistant: You said one.", "You: two", "Assistant: You said two."]
        )
        assert await visit.page.locator("#messages .draft").count() == 0


async def test_a_session_that_is_lost_is_told_and_begun_anew(browser: Browser) -> None:
    async with serving(resume_window=0) as served, visiting(browser, served) as visit:
        await visit.say("one")
        await expect(visit.replies).to_have_text(["Assistant: You said one."])
        await visit.lose_connection()
        await expect(visit.page.get_by_role("alert")).to_contain_text("The session was lost")
        await visit.connected()
        await visit.say("two")
        await expect(visit.messages).to_have_text(
            ["You: one", "Assistant: You said one.", "You: two", "Assistant: You said two."]
        )
        await expect(visit.page.locator("#slices .boundary")).to_have_text("new session")


async def test_what_never_came_into_a_session_that_is_gone_is_said_in_the_next_one(browser: Browser) -> None:
    async with serving(resume_window=0) as served, visiting(browser, served) as visit:
        await visit.say("one")
        await expect(visit.replies).to_have_text(["Assistant: You said one."])
        visit.cut()  # the page does not know yet: the words go into a connection that is dead
        await visit.say("two")
        await expect(visit.page.get_by_role("alert")).to_contain_text("The session was lost")
        await expect(visit.messages).to_have_text(
            ["You: one", "Assistant: You said one.", "You: two", "Assistant: You said two."]
        )
        assert await visit.page.locator("#messages .draft").count() == 0


async def test_while_there_is_no_server_the_page_says_so_and_tries_on(browser: Browser) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = taken.getsockname()[1]
    away = (
        "WebSocket = class extends WebSocket { constructor(url, name) {"
        f" super(window.away ? url.replace(/:\\d+/, ':{nobody}') : url, name); }} }};"
    )
    async with serving() as served, visiting(browser, served, complaints=(f":{nobody}/",), script=away) as visit:
        await visit.page.evaluate("window.away = true")
        visit.cut()
        await expect(visit.status).to_contain_text("next attempt in")
        await expect(visit.page.get_by_role("button", name="Try now")).to_be_visible()
        await visit.page.wait_for_timeout(1500)  # until the attempts are far apart
        await visit.page.evaluate("window.away = false; document.getElementById('retry').click()")
        await visit.connected()
        visit.outside.clear()  # the port that the test pointed to
        await visit.say("one")
        await expect(visit.replies).to_have_text(["Assistant: You said one."])
