"""A page that is reloaded goes on with the conversation; one that cannot says so."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page

from edge_server.realtime_connection import Live
from tests.page.browsing import Visit, expect, serving, visiting
from tests.page.test_talking import LONG, long, speak_words

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="package")]

STORED = "sessionStorage.getItem('edge-duplex')"


def lives(visit: Visit) -> list[Live]:
    """The server's sessions."""
    (registry,) = visit.served.server._registries
    return list(registry._live.values())


async def shown(visit: Visit) -> list[tuple[float, float, str]]:
    """Of each slice: where it is, how broad, and what is in it."""
    places: list[list[object]] = await visit.slices.evaluate_all(
        "all => all.map(each => [each.offsetLeft, each.offsetWidth, each.innerText])"
    )
    return [tuple(place) for place in places]  # type: ignore[misc]


async def reload(visit: Visit) -> None:
    await visit.page.reload()
    await visit.connected()


async def test_a_reload_in_the_middle_of_speech_loses_nothing_and_says_nothing_twice(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served) as visit:
        await visit.say("tell")
        await expect(visit.replies.first).to_contain_text("Once there was")
        for _ in range(2):
            await reload(visit)
            await expect(visit.messages.first).to_have_text("You: tell")
        await expect(visit.replies.first).to_have_text(f"Assistant: {LONG}")
        await expect(visit.messages).to_have_count(2)
        said = "".join(await visit.page.locator("#slices .assistant .clamp").all_text_contents())
        assert said.replace("Assistant: ", "") == LONG
        assert len(lives(visit)) == 1
        assert served.engine.counters.tokens_decoded_twice == 0
        await visit.say("again")
        await expect(visit.replies.nth(1)).to_have_text(f"Assistant: {LONG}")


async def test_the_picture_after_a_reload_is_the_one_before_it(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served) as visit:
        await visit.say("tell")
        await expect(visit.replies.first).to_contain_text("Once there was")
        await visit.say("uh-huh")
        await expect(visit.page.locator("#slices .false-alarm")).to_be_visible()
        await visit.page.wait_for_timeout(400)
        await visit.page.get_by_role("button", name="Stop").click()
        await expect(visit.replies.first).to_contain_text("interrupted")
        await visit.page.wait_for_timeout(1200)  # the clock stands, which the picture shows
        await visit.say("another")
        await expect(visit.replies.nth(1)).to_have_text(f"Assistant: {LONG}")
        await expect(visit.page.locator("#stop")).to_be_disabled()
        before, messages = await shown(visit), await visit.messages.all_inner_texts()
        gaps = await visit.page.locator("#slices .gap").all_inner_texts()
        assert gaps
        await reload(visit)
        await expect(visit.slices).to_have_count(len(before))
        assert await visit.messages.all_inner_texts() == messages
        assert await visit.page.locator("#slices .gap").all_inner_texts() == gaps
        assert [text for _, _, text in await shown(visit)] == [text for _, _, text in before]
        assert "uh-huh" in await visit.page.locator("#slices .false-alarm").inner_text()
        await expect(visit.page.locator("#stop")).to_be_disabled()


async def test_a_reply_that_is_spoken_goes_on_where_it_was_heard(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served, aloud=True) as visit:
        await visit.say("tell")
        await speak_words(visit, 3)  # "Once there" is heard, "was" is begun
        await expect(visit.replies.first).to_contain_text("there was a")
        await reload(visit)
        await visit.page.wait_for_function("() => waitingWords().startsWith('was a')")
        assert await visit.page.evaluate("spoken") == [], "nothing is said again"
        await expect(visit.page.locator("#slices .ahead").first).to_be_visible()
        await expect(visit.replies.first).to_have_text(f"Assistant: {LONG}")
        while await visit.page.evaluate("speakWord()"):
            pass
        rest = LONG[len("Once there ") :].replace(" ", "")
        assert "".join(await visit.page.evaluate("spoken")) == rest
        await expect(visit.page.locator("#slices .ahead")).to_have_count(0)
        await expect(visit.page.locator("#stop")).to_be_disabled()
        await reload(visit)
        await expect(visit.replies.first).to_have_text(f"Assistant: {LONG}")
        await expect(visit.page.locator("#slices .ahead")).to_have_count(0)
        assert await visit.page.evaluate("waitingWords()") == ""


async def test_of_two_tabs_only_the_one_that_has_the_conversation_speaks(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served, aloud=True) as visit:
        await visit.say("tell")
        await speak_words(visit, 3)
        other = Visit(await copied(visit), served)
        await other.connected()
        await other.page.wait_for_function("() => waitingWords().startsWith('was a')")
        await expect(visit.status).to_contain_text("goes on elsewhere")
        assert await visit.page.evaluate("waitingWords()") == ""
        await expect(other.replies.first).to_have_text(f"Assistant: {LONG}")
        await speak_words(other, 2)
        await visit.page.get_by_role("button", name="Go on here").click()
        await visit.page.wait_for_function("() => waitingWords().startsWith('a tow')")
        await expect(visit.replies.first).to_have_text(f"Assistant: {LONG}")
        assert await other.page.evaluate("waitingWords()") == ""


async def test_what_was_being_typed_and_the_pause_stay(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served) as visit:
        await visit.say("tell")
        await expect(visit.replies.first).to_contain_text("Once there")
        await visit.page.get_by_role("button", name="Pause").click()
        await visit.entry.fill("and then")
        await expect(visit.page.locator("#slices .draft")).to_contain_text("and then")
        await expect(visit.page.locator("#slices .held").first).to_be_visible()
        await reload(visit)
        await expect(visit.entry).to_have_value("and then")
        await expect(visit.page.locator("#slices .draft")).to_contain_text("and then")
        await expect(visit.page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "true")
        await expect(visit.status).to_contain_text("paused")
        await visit.entry.press("Enter")
        await expect(visit.messages.nth(2)).to_have_text("You: and then")
        await expect(visit.page.locator("#messages .draft")).to_have_count(0)


async def test_a_screen_reader_is_not_told_all_again(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        await visit.say("hello")
        await expect(visit.replies).to_have_text(["Assistant: You said hello."])
        await reload(visit)
        await expect(visit.replies).to_have_text(["Assistant: You said hello."])
        assert await visit.page.locator("#live").inner_text() == ""


async def test_the_token_is_in_this_tab_alone_and_goes_with_the_session(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        assert await visit.page.evaluate(STORED) is None, "there is nothing to come back to"
        await reload(visit)
        await visit.say("hello")
        await expect(visit.replies).to_have_text(["Assistant: You said hello."])
        (live,) = lives(visit)  # the one that nothing was said in was ended
        assert await visit.page.evaluate(STORED) == live.token
        assert live.token not in await visit.page.evaluate("JSON.stringify(localStorage)")
        await visit.page.get_by_role("button", name="New conversation").click()
        assert await visit.page.evaluate(STORED) is None
        await visit.connected()
        await reload(visit)
        await expect(visit.messages).to_have_count(0)
        await expect(visit.page.get_by_role("alert")).to_be_hidden()


async def gone(visit: Visit) -> None:
    await expect(visit.page.get_by_role("alert")).to_contain_text("conversation of before cannot go on")
    await expect(visit.messages).to_have_count(0)
    await visit.connected()
    await visit.say("two")
    await expect(visit.messages).to_have_text(["You: two", "Assistant: You said two."])
    await expect(visit.page.locator("#slices .boundary")).to_have_count(0)
    await reload(visit)
    await expect(visit.messages).to_have_text(["You: two", "Assistant: You said two."])


async def test_a_session_that_is_gone_is_told_and_begun_anew(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        await visit.say("one")
        await expect(visit.replies).to_have_text(["Assistant: You said one."])
        (registry,) = served.server._registries
        for live in lives(visit):
            registry.forget(live)
        await visit.page.reload()
        await gone(visit)


async def test_so_is_one_whose_first_events_are_not_kept_any_more(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        await visit.say("one")
        await expect(visit.replies).to_have_text(["Assistant: You said one."])
        (live,) = lives(visit)
        live.log._frames.popleft()
        live.log._first += 1
        await visit.page.reload()
        await gone(visit)


async def copied(visit: Visit) -> Page:
    """The tab, duplicated: it has the storage of the other."""
    other = await visit.page.context.new_page()
    await other.add_init_script(f"sessionStorage.setItem('edge-duplex', '{await visit.page.evaluate(STORED)}')")
    await other.goto(visit.page.url)
    return other


async def test_of_two_tabs_the_newer_has_the_conversation_and_the_older_can_take_it_back(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        await visit.say("one")
        await expect(visit.replies).to_have_text(["Assistant: You said one."])
        await visit.entry.fill("hm")
        await expect(visit.page.locator("#messages .draft")).to_be_visible()
        (live,) = lives(visit)
        while live.realtime._draft != "hm":
            await visit.page.wait_for_timeout(10)
        other = Visit(await copied(visit), served)
        await other.connected()
        await expect(other.replies).to_have_text(["Assistant: You said one."])
        await expect(visit.status).to_contain_text("goes on elsewhere")
        await expect(other.entry).to_have_value("hm")
        await expect(visit.entry).to_have_value("")
        await expect(visit.page.locator("#messages .draft")).to_have_count(0)
        await other.say("two")
        await expect(other.replies.nth(1)).to_have_text("Assistant: You said two.")
        await other.page.get_by_role("button", name="Pause").click()
        await other.entry.fill("and")
        await expect(other.page.locator("#messages .draft")).to_be_visible()
        await visit.page.get_by_role("button", name="Go on here").click()
        await visit.connected()
        await expect(visit.replies.nth(1)).to_have_text("Assistant: You said two.")
        await expect(other.status).to_contain_text("goes on elsewhere")
        assert len(lives(visit)) == 1
        await expect(visit.status).to_contain_text("paused")
        await expect(visit.entry).to_have_value("and")
        await visit.page.get_by_role("button", name="Pause").click()
        await visit.say("three")
        await expect(visit.replies.nth(2)).to_have_text("Assistant: You said three.")
