"""The page and `edge-chat --record` have one format: each plays what the other saved."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser

from clients.deeds import Said, Stopped, Typed, users_part
from clients.recording import Recorder, read_recording
from tests.clients.taping import taping
from tests.page.browsing import Visit, expect, serving, visiting
from tests.page.test_files import open_file, saved
from tests.page.test_reload import reload
from tests.page.test_talking import long

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="package")]


async def replay(visit: Visit, path: Path) -> None:
    """The page plays a recording, to its end."""
    await open_file(visit, path.read_text("utf-8"), path.name)
    await expect(visit.page.locator("#replay-text")).to_have_text(f"Replayed: {path.name}")
    await visit.page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")


async def test_the_page_plays_what_was_recorded_for_the_terminal(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    async with taping(path) as tape:
        await tape.send("input_text_buffer.append", text="what is 二?")
        await tape.send("input_text_buffer.commit")
        while (await tape.until("duplex.slice"))["more"]:
            await tape.send("duplex.tick")
    async with serving() as served, visiting(browser, served) as visit:
        await replay(visit, path)
        await expect(visit.messages).to_have_text(["You: what is 二?", "Assistant: You said what is 二?."])
        slices = [recorded for recorded in read_recording(path).events if recorded.event["type"] == "duplex.slice"]
        assert len(slices) > 1
        await expect(visit.slices).to_have_count(len(slices))
        await expect(visit.page.locator("#model")).to_have_text("parrot")


async def test_what_the_page_saved_is_read_and_recorded_anew_it_is_the_same(browser: Browser, tmp_path: Path) -> None:
    async with serving(long) as served, visiting(browser, served) as visit:
        await visit.open_settings()
        await visit.entry.press_sequentially("tell", delay=1)
        await visit.entry.press("Enter")
        await expect(visit.replies.first).to_contain_text("Once there")
        await visit.page.get_by_role("button", name="Stop").click()
        await visit.say("你好")
        await expect(visit.messages).to_have_count(4)
        path = tmp_path / "mine.json"
        path.write_text(await saved(visit, "Save as JSON"), "utf-8")
        recording = read_recording(path)
        found = users_part(recording)
        assert [one.text for one in found if isinstance(one, Said)] == ["tell", "你好"]
        drafts = [one.text for one in found if isinstance(one, Typed)]
        assert all("tell".startswith(draft) or draft == "你好" for draft in drafts)
        assert {"tell", "你好"} <= set(drafts)
        assert sum(isinstance(one, Stopped) for one in found) == 1

        again = tmp_path / "again.json"
        recorder = Recorder(again)
        for recorded in recording.events:
            recorder.add(recorded.sender, recorded.event, recorded.at)
        recorder.close()
        assert read_recording(again).events == recording.events
        await replay(visit, path)
        await expect(visit.messages).to_have_count(4)
        messages, slices = await visit.messages.all_text_contents(), await visit.slices.all_text_contents()
        await visit.page.get_by_role("button", name="Back to the conversation").click()
        await replay(visit, again)
        await expect(visit.messages).to_have_text(messages)
        await expect(visit.slices).to_have_text(slices)


async def test_what_was_said_before_a_reload_is_the_users_in_the_recording_too(
    browser: Browser, tmp_path: Path
) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        await visit.say("one")
        await expect(visit.replies.first).to_have_text("Assistant: You said one.")
        await reload(visit)
        await visit.say("two")
        await expect(visit.replies.nth(1)).to_have_text("Assistant: You said two.")
        path = tmp_path / "mine.json"
        await visit.open_settings()
        path.write_text(await saved(visit, "Save as JSON"), "utf-8")
        found = users_part(read_recording(path))
        assert [one.text for one in found if isinstance(one, Said)] == ["one", "two"]
        await replay(visit, path)
        await expect(visit.messages).to_have_count(4)
        await expect(visit.page.locator(".draft")).to_have_count(0)
