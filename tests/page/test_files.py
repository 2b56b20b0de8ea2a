"""Saving a conversation, and replaying it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.page.browsing import Visit, expect, serving, visiting
from tests.page.test_talking import long, speak_words

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="package")]


async def saved(visit: Visit, button: str) -> str:
    async with visit.page.expect_download() as download:
        await visit.page.get_by_role("button", name=button).click()
    assert (await download.value).suggested_filename.startswith("conversation-2")
    return Path(await (await download.value).path()).read_text("utf-8")


async def open_file(visit: Visit, text: str, name: str = "mine.json") -> None:
    file = {"name": name, "mimeType": "application/json", "buffer": text.encode()}
    await visit.page.locator("#file").set_input_files(file)  # type: ignore[arg-type]


async def test_a_saved_conversation_is_replayed_as_it_was(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        await visit.open_settings()
        await visit.say("hello")
        await expect(visit.slices.nth(1)).to_contain_text("2 ·")
        text = await saved(visit, "Save as text")
        assert [line.split(maxsplit=1)[1] for line in text.splitlines()] == [
            "you        hello",
            "assistant  You said h",
            "assistant  ello.",
        ]
        document = await saved(visit, "Save as JSON")
        assert json.loads(document)["format"] == "edge-duplex conversation"
        assert '"session"' in document
        assert '"resume"' not in document  # who has the token has the conversation
        columns = await visit.slices.all_inner_texts()

        await visit.page.get_by_role("button", name="New conversation").click()
        await expect(visit.messages).to_have_count(0)
        await open_file(visit, document)
        await expect(visit.page.locator("#replay-text")).to_contain_text("mine.json")
        assert not await visit.page.locator("#settings").evaluate("panel => panel.open"), "it would hide the words"
        await visit.page.get_by_role("button", name="Show all").click()
        await expect(visit.messages).to_have_text(["You: hello", "Assistant: You said hello."])
        assert await visit.slices.all_inner_texts() == columns
        await visit.page.get_by_role("button", name="Back to the conversation").click()
        await expect(visit.messages).to_have_count(0)
        await visit.say("again")
        await expect(visit.replies).to_have_text(["Assistant: You said again."])


async def test_the_text_has_what_was_heard_and_a_dash_where_it_was_interrupted(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served, aloud=True) as visit:
        await visit.open_settings()
        await visit.say("tell")
        await expect(visit.replies.first).to_contain_text("Once there was a tow")
        await speak_words(visit, 3)
        await visit.page.get_by_role("button", name="Stop").click()
        await expect(visit.replies.first.locator("del")).to_be_visible()
        text = await saved(visit, "Save as text")
        lines = [line.split(maxsplit=1)[1] for line in text.splitlines()]
        assert lines == ["you        tell", "assistant  Once there —"]


async def test_a_replay_takes_the_time_that_it_took(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        await visit.open_settings()
        await visit.say("hello")
        await expect(visit.slices.nth(1)).to_contain_text("2 ·")
        document = await saved(visit, "Save as JSON")
        await open_file(visit, document)
        await expect(visit.messages).to_have_count(0)
        await expect(visit.messages).to_have_text(["You: hello", "Assistant: You said hello."])
        await expect(visit.page.locator("#replay-text")).to_have_text("Replayed: mine.json")


def recorded(*events: dict[str, object]) -> str:
    entries = [{"at": at, "from": "server", "event": event} for at, event in enumerate(events)]
    return json.dumps({"format": "edge-duplex conversation", "version": 1, "events": entries})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hello", "not JSON"),
        ("[]", "no saved conversation"),
        ('{"format": "edge-duplex conversation", "version": 2, "events": []}', "version 2"),
        ('{"format": "edge-duplex conversation", "version": 1, "events": [{"at": "x"}]}', "damaged"),
        (recorded({"type": "response.done"}), "damaged"),
        (recorded({"type": "input_text_buffer.committed", "item_id": "item_1"}), "damaged"),
        (recorded({"type": "duplex.slice", "number": 1, "kind": "silence", "more": False}), "damaged"),
    ],
)
async def test_other_files_are_refused_in_words(browser: Browser, text: str, told: str) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        await open_file(visit, text)
        await expect(visit.page.get_by_role("alert")).to_contain_text(told)
        await visit.say("hello")
        await expect(visit.replies).to_have_text(["Assistant: You said hello."])


async def test_nothing_is_not_saved(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        await visit.open_settings()
        await visit.page.get_by_role("button", name="Save as JSON").click()
        await expect(visit.page.get_by_role("alert")).to_contain_text("nothing to save")
