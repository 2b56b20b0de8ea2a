"""A conversation of the page before a socket that the test holds: what it sends and speaks, and at what times."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.edge_server.serving import serving
from tests.page.browsing import visiting

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="package")]

# `talk(token, settings)` begins one; `say(type, fields)` is the server's, on the newest connection.
_TALK = """
async () => {
  const { Conversation } = await import("/static/conversation.js");
  const sockets = [], drafts = [], spoken = [];
  let number = 0;
  window.WebSocket = class {
    constructor(url) { this.url = url; this.sent = []; sockets.push(this); }
    send(text) { this.sent.push(JSON.parse(text)); }
    close() {}
  };
  const speaker = {
    say: (id, text) => spoken.push(text), again: (id, text, from) => spoken.push(text.slice(from)),
    stop: () => spoken.splice(0), flush() {}, hold() {},
  };
  Object.assign(window, {
    sockets, drafts, spoken,
    talk(token, settings) {
      window.talked = new Conversation({
        url: "ws://x/v1/realtime", speaker, token,
        settings: { aloud: false, sliceMs: null, idleBias: null, ...settings },
        onDraft: (text) => drafts.push(text), onToken() {}, onChange() {}, onState() {}, onWords() {}, onNotice() {},
      });
    },
    say(type, fields = {}) {
      const event = { type, event_id: `event_${String(++number).padStart(8, "0")}`, ...fields };
      sockets.at(-1).onmessage({ data: JSON.stringify(event) });
    },
    session: (duplex) => ({
      model: "m",
      duplex: { heard: "assumed", clock: "server", idle_bias: 0, slice_ms: 2000, ...duplex },
      resume: { token: "t" },
    }),
    resumed(fields) {
      const connection = new URLSearchParams(sockets.at(-1).url.split("?")[1]).get("connection");
      const nothing = { last_client_event_id: null, draft: "", item_id: null, characters: 0 };
      say("session.resumed", { connection, ...nothing, ...fields });
    },
    times: () => talked.recording.events.filter(({ from }) => from === "server").map(({ at }) => at),
    sent: () => sockets.at(-1).sent.map(({ event_id, ...event }) => event),
  });
}
"""


@pytest_asyncio.fixture(loop_scope="package")
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with serving() as served, visiting(browser, served) as visit:
        await visit.page.evaluate(_TALK)
        yield visit.page


async def begin(page: Page, **settings: object) -> None:
    """A session of its own, in which the user has said something and the assistant answers."""
    duplex = {"heard": "reported" if settings.get("aloud") else "assumed"}
    await page.evaluate("settings => talk(null, settings)", settings)
    await page.evaluate(
        """(duplex) => {
          say("session.created", { session: { ...session(), duplex: null } });
          say("session.updated", { session: session(duplex), at_ms: 3 });
          talked.commit("hi");
          say("input_text_buffer.committed", { item_id: "item_1", text: "hi", at_ms: 10 });
          say("response.output_item.added", { item: { id: "item_2" }, at_ms: 11 });
          say("response.output_text.delta", { item_id: "item_2", delta: "Hello.", at_ms: 12 });
        }""",
        duplex,
    )


async def take_back(page: Page) -> None:
    """The user goes on here with what another tab has taken."""
    await page.evaluate("talked.client.takeBack()")


async def taken(page: Page) -> None:
    await page.evaluate("sockets.at(-1).onclose({ code: 4001 })")


async def test_what_another_tab_has_spoken_is_not_spoken_again(page: Page) -> None:
    await begin(page, aloud=True)
    await taken(page)
    await take_back(page)
    await page.evaluate(
        """() => {
          say("input_text_buffer.committed", { item_id: "item_3", text: "and?", at_ms: 20_000 });
          say("response.output_item.added", { item: { id: "item_4" }, at_ms: 20_010 });
          say("response.output_text.delta", { item_id: "item_4", delta: "No more.", at_ms: 20_020 });
        }"""
    )
    assert await page.evaluate("spoken") == []
    await page.evaluate(
        "resumed({ session: session({ heard: 'reported' }), item_id: 'item_4', characters: 8, at_ms: 30_000 })"
    )
    assert await page.evaluate("spoken") == []
    await page.evaluate(
        "say('response.output_text.delta', { item_id: 'item_4', delta: ' Or is there?', at_ms: 30_500 })"
    )
    assert await page.evaluate("spoken") == [" Or is there?"]


async def test_what_happened_in_another_tab_has_the_times_that_it_had(page: Page) -> None:
    await begin(page)
    await taken(page)
    await take_back(page)
    await page.evaluate(
        """() => {
          for (const at_ms of [20_000, 21_000, 25_000]) say("duplex.x", { at_ms });
          resumed({ session: session(), at_ms: 30_000 });
          say("duplex.x", { at_ms: 30_002 });
        }"""
    )
    *_, begun, one, two, three, back, after = await page.evaluate("times()")
    assert (two - one, three - two, back - three) == (1000, 4000, 5000)
    assert 18_000 < one - begun < 20_000
    assert 0 <= after - back < 2000, "and the clock goes on from there"


async def test_what_was_typed_goes_with_the_session_to_another_tab_and_is_not_missed_when_it_comes_back(
    page: Page,
) -> None:
    await begin(page)
    await page.evaluate("talked.type('and then')")
    await taken(page)
    assert await page.evaluate("talked.timeline.pending") == ""
    await take_back(page)
    await page.evaluate("resumed({ session: session(), at_ms: 30_000 })")  # there it was said, or cleared
    assert await page.evaluate("sent()") == []
    await page.evaluate("talked.commit('and then')")
    kinds = [event["type"] for event in await page.evaluate("sent()")]
    assert kinds == ["input_text_buffer.append", "input_text_buffer.commit"]


async def test_what_is_typed_while_another_tab_has_the_session_is_sent_when_it_comes_back(page: Page) -> None:
    await begin(page)
    await taken(page)
    await page.evaluate("talked.type('and')")
    await take_back(page)
    await page.evaluate("resumed({ session: session(), draft: 'or', at_ms: 30_000 })")
    assert await page.evaluate("sent()") == [{"type": "input_text_buffer.append", "text": "and", "replace": True}]
    assert await page.evaluate("drafts") == []


async def test_a_session_that_is_lost_in_the_middle_of_coming_again_does_not_stop_the_clock(page: Page) -> None:
    await page.evaluate("talk('t')")
    await page.evaluate(
        """() => {
          say("session.created", { session: { ...session(), duplex: null } });
          say("session.updated", { session: session(), at_ms: 3 });
          say("input_text_buffer.committed", { item_id: "item_1", text: "hi", at_ms: 600_000 });
          sockets.at(-1).onclose({ code: 1006 });
          talked.client.retry();
          say("error", { error: { code: "session_not_found" } });
          say("session.created", { session: { ...session(), duplex: null } });
        }"""
    )
    await page.wait_for_timeout(100)
    await page.evaluate("say('session.updated', { session: session(), at_ms: 100 })")
    *_, begun, now = await page.evaluate("times()")
    assert begun >= 600_000
    assert now - begun >= 90


async def test_a_page_that_comes_back_has_the_bias_that_its_dial_shows(page: Page) -> None:
    await page.evaluate("talk('t', { idleBias: 2 })")
    came: list[dict[str, Any]] = await page.evaluate(
        """() => {
          say("session.created", { session: { ...session(), duplex: null } });
          say("session.updated", { session: session(), at_ms: 3 });
          const early = sent();
          resumed({ session: session(), at_ms: 30_000 });
          return [...early, ...sent()];
        }"""
    )
    assert came == [{"type": "session.update", "session": {"type": "realtime", "duplex": {"idle_bias": 2}}}]


async def test_a_page_that_comes_back_to_the_bias_that_it_has_changes_nothing(page: Page) -> None:
    await page.evaluate("talk('t', { idleBias: 2 })")
    await page.evaluate("resumed({ session: session({ idle_bias: 2 }), at_ms: 30_000 })")
    assert await page.evaluate("sent()") == []


async def test_nothing_that_is_committed_takes_the_draft_back(page: Page) -> None:
    """A recognizer may take back what it seemed to understand; else it would hold the assistant back."""
    await begin(page)
    await page.evaluate("talked.type('uh'); talked.commit(''); talked.commit(' ')")
    appended = [event["text"] for event in await page.evaluate("sent()") if event["type"] == "input_text_buffer.append"]
    assert appended[-2:] == ["uh", ""]
    commits = [event for event in await page.evaluate("sent()") if event["type"] == "input_text_buffer.commit"]
    assert len(commits) == 1, "the one at the beginning"
