"""A conversation of thousands of slices: what is in sight is drawn, and not much more; nothing else is missed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from tests.page.browsing import Visit, expect, serving, visiting
from tests.page.test_looks import violations

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="package")]

MOST = 160  # slices that are drawn at a time; messages are fewer
# A server that says what the test wants it to: `talk(n)` for n slices more, ten a turn.
_SERVER = """
window.WebSocket = class {
  constructor() {
    window.socket = this;
    const duplex = { slice_ms: 2000, heard: "assumed", idle_bias: 0 };
    setTimeout(() => this.say({ type: "session.created", session: { model: "long", duplex, resume: { token: "t" } } }));
  }
  say(event) { this.onmessage({ data: JSON.stringify(event) }); }
  send() {}
  close() {}
};
let slices = 0, item = null;
window.talk = (count) => {
  for (let each = 0; each < count; each++) {
    const number = ++slices;
    if (number % 10 === 1) {
      if (item) socket.say({ type: "response.done", response: { status: "completed", output: [{ id: item }] } });
      socket.say({ type: "input_text_buffer.committed", item_id: `u${number}`, text: `question ${number}?` });
      item = `a${number}`;
      socket.say({ type: "response.output_item.added", item: { id: item } });
    }
    const delta = ` word ${number}` + (number % 3 ? "" : " and a few more of them");
    socket.say({ type: "response.output_text.delta", item_id: item, delta });
    const tokens = { reused: 4, prefilled: 8, sampled: 11, guessed: 11, dropped: 0 };
    const ms = { first_token: 1, total: 2 };
    socket.say({ type: "duplex.slice", number, kind: "speech", more: true, item_id: item, tokens, ms });
  }
};
"""
# The numbers of the slices in sight, and whether they fill the picture without a hole.
_SIGHT = """
() => {
  const frame = document.getElementById("scroll").getBoundingClientRect();
  const seen = [...document.querySelectorAll("#slices > li:not(.pending)")]
    .map((each) => ({ place: Number(each.ariaPosInSet), box: each.getBoundingClientRect() }))
    .filter(({ box }) => box.right > frame.left + 1 && box.left < frame.right - 1);
  const full = seen.length > 0 && seen[0].box.left <= frame.left + 12 && seen.at(-1).box.right >= frame.right - 12;
  const drawn = document.querySelectorAll("button.slice").length;
  return { places: seen.map(({ place }) => place), full, drawn, first: seen[0]?.box.left };
}
"""
_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"


async def sight(visit: Visit) -> dict[str, Any]:
    await visit.page.evaluate(_FRAMES)
    seen: dict[str, Any] = await visit.page.evaluate(_SIGHT)
    assert seen["drawn"] <= MOST
    assert seen["places"] == list(range(seen["places"][0], seen["places"][-1] + 1))
    return seen


async def scroll(visit: Visit, left: str) -> dict[str, Any]:
    await visit.page.evaluate(
        f"(() => {{ const frame = document.getElementById('scroll'); frame.scrollLeft = {left}; }})()"
    )
    return await sight(visit)


async def talk(visit: Visit, slices: int) -> None:
    await visit.page.evaluate(f"talk({slices})")
    await visit.page.evaluate(_FRAMES)


async def test_what_is_in_sight_is_drawn_wherever_that_is(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served, script=_SERVER, reduced_motion="reduce") as visit:
        await talk(visit, 3000)
        seen = await sight(visit)
        assert seen["places"][-1] == 3000, "the newest is in sight"
        await talk(visit, 300)
        assert (await sight(visit))["places"][-1] == 3300
        for _ in range(40):  # back by less than what is in sight: none is jumped over
            before = seen = await scroll(visit, "frame.scrollLeft - 700")
            assert seen["full"]
            assert seen["places"][-1] >= before["places"][0] - 1
        assert seen["places"][-1] < 3300 - MOST
        for share in (0.5, 0.02, 0.9, 0.3):
            seen = await scroll(visit, f"frame.scrollWidth * {share}")
            assert seen["full"]
            assert abs(seen["places"][0] / 3300 - share) < 0.15
        assert (await scroll(visit, "0"))["places"][0] == 1
        await talk(visit, 1)
        assert (await sight(visit))["places"][0] == 1, "whoever looks back is left there"
        await scroll(visit, "frame.scrollWidth")
        await talk(visit, 1)
        assert (await sight(visit))["places"][-1] == 3302, "and at the end the picture runs on"
        sizes = await visit.page.eval_on_selector_all("#slices > li", "all => all.map((each) => each.ariaSetSize)")
        assert set(sizes) == {"3302"}
        assert await violations(visit) == []


async def test_what_is_in_sight_stays_where_it_is_while_slices_come_and_go(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served, script=_SERVER, reduced_motion="reduce") as visit:
        await talk(visit, 1000)
        before = await scroll(visit, "frame.scrollLeft - 3000")
        for _ in range(10):
            await talk(visit, 40)
            seen = await sight(visit)
            assert (seen["places"], seen["first"]) == (before["places"], before["first"])
        # As many are drawn anew when the edge of what is drawn comes near; nothing jumps then.
        for _ in range(60):
            before = seen
            seen = await scroll(visit, "frame.scrollLeft - 50")
            moved = seen["places"][0] - before["places"][0]
            assert -2 <= moved <= 0


async def test_scrolling_does_not_mind_a_slice_that_is_not_drawn_yet(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served, script=_SERVER, reduced_motion="reduce") as visit:
        await talk(visit, 30)
        await scroll(visit, "frame.scrollLeft - 300")
        await visit.page.evaluate("socket.say({ type: 'input_text_buffer.committed', item_id: 'mine', text: 'no' })")
        await sight(visit)
        cut_short = {"type": "duplex.slice", "number": 31, "kind": "interrupted", "more": True, "tokens": {}, "ms": {}}
        await visit.page.evaluate(  # it was before the words that cut it; and the browser tells of scrolling first
            "cut => { socket.say(cut); document.getElementById('scroll').scrollLeft -= 50; }", cut_short
        )
        await sight(visit)
        await expect(visit.slices).to_have_count(32)
        assert visit.complaints == []


async def test_the_keys_reach_every_slice(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served, script=_SERVER, reduced_motion="reduce") as visit:
        await talk(visit, 700)
        keys, details = visit.page.keyboard, visit.page.locator("#details")
        await visit.slices.last.focus()
        await keys.press("Home")
        await expect(details).to_contain_text("Slice 1:")
        for _ in range(MOST + 20):
            await keys.press("ArrowRight")
        await expect(details).to_contain_text(f"Slice {MOST + 21}:")
        seen = await sight(visit)
        assert MOST + 21 in seen["places"]
        await expect(visit.page.locator("button.slice:focus")).to_have_count(1)
        await keys.press("End")
        await expect(details).to_contain_text("Slice 700:")
        for _ in range(MOST + 20):
            await keys.press("ArrowLeft")
        await expect(details).to_contain_text(f"Slice {700 - MOST - 20}:")
        await expect(visit.page.locator('button.slice[tabindex="0"]')).to_have_count(1)
        await expect(visit.page.locator('button.slice[aria-current="true"]')).to_have_count(1)


async def test_whoever_stands_on_a_slice_stays_on_it(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served, script=_SERVER, reduced_motion="reduce") as visit:
        await talk(visit, 300)
        await visit.slices.last.focus()
        for _ in range(12):
            await talk(visit, 40)
            assert await visit.page.evaluate("document.activeElement.parentElement.ariaPosInSet") == "300"
            assert (await sight(visit))["drawn"] <= MOST
        await scroll(visit, "0")  # whoever scrolls away from it keeps a place in the list
        assert await visit.page.evaluate("document.activeElement.className") == "slice"
        await visit.page.keyboard.press("End")
        await expect(visit.page.locator("#details")).to_contain_text("Slice 780:")


async def test_earlier_messages_are_a_button_away_and_all_are_saved(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served, script=_SERVER, reduced_motion="reduce") as visit:
        await talk(visit, 1500)
        assert await visit.messages.count() <= MOST
        await expect(visit.messages.last).to_contain_text("word 1500")
        earlier = visit.page.get_by_role("button", name="Show earlier messages")
        first = str(await visit.messages.first.text_content()).split(": ")[1]
        await visit.page.evaluate("document.getElementById('messages-frame').scrollTop = 0")
        await visit.page.evaluate(_FRAMES)
        place = await visit.messages.first.bounding_box()
        await earlier.click()
        same = visit.messages.filter(has_text=first).first
        assert place is not None
        assert ((await same.bounding_box()) or place)["y"] == pytest.approx(place["y"], abs=50)
        while await earlier.is_visible():
            await earlier.click()
        await expect(visit.messages).to_have_count(300)
        assert await visit.page.evaluate("document.activeElement.id") == "messages-frame"
        await talk(visit, 10)
        await expect(visit.messages).to_have_count(302)  # whoever reads back keeps what is being read
        await visit.page.evaluate("document.getElementById('messages-frame').scrollTop = 1e9")
        await visit.page.evaluate(_FRAMES)
        await talk(visit, 10)
        assert await visit.messages.count() <= MOST

        await visit.open_settings()
        async with visit.page.expect_download() as download:
            await visit.page.get_by_role("button", name="Save as text").click()
        text = Path(await (await download.value).path()).read_text("utf-8")
        assert all(f"word {number}\n" in text for number in range(1, 1520) if number % 3)
