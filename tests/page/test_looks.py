"""For everybody: keyboard, screen reader, phone, dark, no motion; and closed against the outside."""

from __future__ import annotations

import asyncio
import urllib.request
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from tests.page.browsing import Visit, expect, serving, visiting
from tests.page.test_talking import LONG, long

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="package")]

PHONE = {"width": 375, "height": 667}


async def interrupted(visit: Visit) -> None:
    """A conversation with all that is drawn: words, silence, what was taken back, a false alarm, a draft."""
    await visit.say("tell")
    await expect(visit.replies.first).to_contain_text("Once there")
    await visit.say("uh-huh")
    await expect(visit.page.locator("#slices .false-alarm")).to_be_visible()
    await visit.say("tell me another")
    await expect(visit.replies.nth(1)).to_contain_text("Once there")
    await visit.page.get_by_role("button", name="Pause").click()
    await visit.entry.fill("and then")
    await expect(visit.page.locator("#slices .draft")).to_be_visible()


async def violations(visit: Visit) -> list[str]:
    results = await Axe().run(visit.page)
    found: list[dict[str, Any]] = results.response["violations"]
    return [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, {"width": 1100, "height": 800}], ids=["phone", "desk"])
async def test_axe_finds_nothing(browser: Browser, scheme: str, viewport: dict[str, int]) -> None:
    options: dict[str, Any] = {"color_scheme": scheme, "viewport": viewport, "reduced_motion": "reduce"}
    async with serving(long) as served, visiting(browser, served, aloud=True, **options) as visit:
        assert await violations(visit) == []
        await interrupted(visit)
        await expect(visit.page.locator("#slices del").first).to_be_attached()
        assert await violations(visit) == []
        await visit.open_settings()
        assert await violations(visit) == []


async def test_a_phone_needs_no_scrolling_sideways(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served, viewport=PHONE, has_touch=True) as visit:
        too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await visit.page.evaluate(too_wide) == 0
        await interrupted(visit)
        await visit.say("word" * 60)
        await expect(visit.messages).to_have_count(6)
        assert await visit.page.evaluate(too_wide) == 0
        await visit.open_settings()
        assert await visit.page.evaluate(too_wide) == 0
        for name in ("New conversation", "Pause", "Send", "Stop", "Talk"):
            box = await visit.page.get_by_role("button", name=name).bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= PHONE["width"]
            assert box["height"] >= 40, "a finger needs room"


async def test_on_a_phone_the_words_stay_in_sight_while_the_settings_are_open(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served, viewport=PHONE, has_touch=True) as visit:
        await interrupted(visit)
        for opened in (True, False):
            await visit.open_settings()  # or closes them
            await expect(visit.page.locator("section.picture")).to_be_visible(visible=not opened)
            frame = await visit.page.locator("#messages-frame").bounding_box()
            entry = await visit.entry.bounding_box()
            newest = await visit.page.locator("#messages > li").last.bounding_box()
            assert frame is not None
            assert entry is not None
            assert newest is not None
            assert frame["height"] >= 120
            assert frame["y"] + frame["height"] <= entry["y"]
            assert frame["y"] <= newest["y"]
            assert newest["y"] + newest["height"] <= frame["y"] + frame["height"] + 1
        end = "(frame => frame.scrollWidth - frame.clientWidth - frame.scrollLeft)(document.getElementById('scroll'))"
        assert await visit.page.evaluate(end) <= 8, "and the newest slice is in sight again"


async def test_dark_is_dark(browser: Browser) -> None:
    async with serving() as served:
        grounds = []
        for scheme in ("light", "dark"):
            async with visiting(browser, served, color_scheme=scheme) as visit:
                color = await visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
                grounds.append(sum(int(part) for part in color[4:-1].split(",")))
        assert grounds[0] > 3 * 200
        assert grounds[1] < 3 * 60


async def test_nothing_moves_for_whom_nothing_may(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served, reduced_motion="reduce", aloud=True) as visit:
        await interrupted(visit)
        await expect(visit.page.locator("#slices del").first).to_be_attached()
        names = await visit.page.eval_on_selector_all(
            ".struck", "all => all.map(e => getComputedStyle(e).animationName)"
        )
        assert names
        assert set(names) == {"none"}


async def test_all_can_be_done_from_the_keyboard(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served) as visit:
        keys = visit.page.keyboard
        await expect(visit.entry).to_be_focused()
        await keys.type("tell")
        await keys.press("Enter")
        await expect(visit.replies.first).to_contain_text("Once there")
        await keys.press("Escape")
        await expect(visit.replies.first).to_contain_text("interrupted")
        await keys.press("Alt+p")
        await expect(visit.page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "true")
        await keys.press("Alt+p")
        await keys.press("Alt+t")
        await expect(visit.page.get_by_role("button", name="Talk")).to_have_attribute("aria-pressed", "true")
        await keys.press("Alt+t")
        await keys.type("tell")
        await keys.press("Enter")
        await expect(visit.replies.nth(1)).to_contain_text(LONG)
        seen = []
        await visit.page.evaluate("document.activeElement.blur()")
        for _ in range(30):
            await keys.press("Tab")
            seen.append(await visit.page.evaluate("document.activeElement.id || document.activeElement.className"))
            if seen[-1] == "slice":
                break
        assert seen[-1] == "slice", seen
        await keys.press("End")
        await expect(visit.slices.last).to_be_focused()
        await keys.press("ArrowLeft")
        await expect(visit.slices.nth(-2)).to_be_focused()
        outline = await visit.slices.nth(-2).evaluate("each => getComputedStyle(each).outlineStyle")
        assert outline == "solid"
        await keys.press("Alt+n")
        await expect(visit.messages).to_have_count(0)
        await expect(visit.entry).to_be_focused()


async def test_a_screen_reader_is_told_phrases_and_not_each_delta(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        await visit.page.evaluate(
            "window.told = []; new MutationObserver(() => told.push(document.getElementById('live').textContent))"
            ".observe(document.getElementById('live'), { childList: true })"
        )
        await visit.say("hello")
        await visit.page.wait_for_function("() => told.join('|').endsWith('ello.')")
        assert await visit.page.evaluate("told") == ["You said h", "ello."]
        assert await visit.page.locator("#messages").get_attribute("aria-live") is None


async def test_the_policy_forbids_what_the_page_does_not_need(browser: Browser) -> None:
    blocked = ("Content Security Policy", "Refused", "violates")
    async with serving() as served, visiting(browser, served, complaints=blocked) as visit:

        def fetch() -> str:
            with urllib.request.urlopen(served.url().replace("ws:", "http:") + "/", timeout=10) as response:  # noqa: S310
                return str(response.headers["Content-Security-Policy"])

        policy = await asyncio.to_thread(fetch)
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert (
            await visit.page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'fetched', () => 'blocked')")
            == "blocked"
        )
        await visit.page.evaluate(
            "() => { const script = document.createElement('script'); script.textContent = 'window.ran = true';"
            " document.head.append(script); }"
        )
        assert await visit.page.evaluate("window.ran") is None
        visit.outside.clear()


async def test_it_works_where_nothing_else_can_be_reached(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        here = served.url().removeprefix("ws://")
        await visit.page.context.route(lambda url: here not in url, lambda route: route.abort())
        await visit.page.reload()
        await visit.connected()
        await visit.say("hello")
        await expect(visit.replies).to_have_text(["Assistant: You said hello."])
