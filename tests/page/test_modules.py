"""The page's state, without the page: its modules run in the browser, on events that the test makes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.edge_server.serving import serving
from tests.page.browsing import visiting

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="package")]

# What the server sends first, and a timeline that has taken a list of [milliseconds, event].
_DRAW = """
async (events) => {
  const { Timeline } = await import("/static/timeline.js");
  const timeline = new Timeline();
  for (const [at, event] of events) timeline.take(event, at);
  return {
    slices: timeline.slices.map((slice) => ({ ...slice, words: timeline.parts(slice) })),
    items: timeline.items, pending: timeline.pending, speaking: timeline.speaking,
  };
}
"""
# A client before a socket that the test holds: `sockets`, `sent`, `states`.
_CLIENT = """
async () => {
  const { Client, backoff } = await import("/static/protocol.js");
  Object.assign(window, { sockets: [], states: [], events: [], backoff });
  class Socket {
    constructor(url) { this.url = url; this.sent = []; sockets.push(this); }
    send(text) { this.sent.push(JSON.parse(text)); }
    close(code) { this.closed = code; }
    say(event) { this.onmessage({ data: JSON.stringify(event) }); }
  }
  window.client = new Client({
    url: "ws://x/v1/realtime", Socket, duplex: () => ({ heard: "assumed" }),
    onEvent: (event) => events.push(event.type), onState: (state) => states.push(state),
  });
  window.CREATED = { type: "session.created", event_id: "event_00000001", session: { resume: { token: "t&1" } } };
  client.start();
}
"""


@pytest_asyncio.fixture(loop_scope="package")
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with serving() as served, visiting(browser, served) as visit:
        yield visit.page


def created(**duplex: object) -> tuple[int, dict[str, Any]]:
    session = {"model": "m", "duplex": {"slice_ms": 2000, "heard": "assumed", **duplex}}
    return 0, {"type": "session.created", "session": session}


def committed(at: int, number: int, text: str) -> tuple[int, dict[str, Any]]:
    return at, {"type": "input_text_buffer.committed", "item_id": f"item_{number}", "text": text}


def began(at: int, number: int) -> tuple[int, dict[str, Any]]:
    return at, {"type": "response.output_item.added", "item": {"id": f"item_{number}"}}


def delta(at: int, number: int, text: str) -> tuple[int, dict[str, Any]]:
    return at, {"type": "response.output_text.delta", "item_id": f"item_{number}", "delta": text}


def over(
    at: int, number: int, kind: str = "speech", *, guessed: int = 0, dropped: int = 0, more: bool = True
) -> tuple[int, dict[str, Any]]:
    tokens = {"reused": 4, "prefilled": 8, "sampled": 5, "guessed": guessed, "dropped": dropped}
    report = {"number": number, "kind": kind, "more": more, "tokens": tokens, "ms": {"first_token": 1.0, "total": 2.0}}
    return at, {"type": "duplex.slice", **report}


def truncated(at: int, number: int, characters: int) -> tuple[int, dict[str, Any]]:
    return at, {"type": "conversation.item.truncated", "item_id": f"item_{number}", "characters": characters}


async def drawn(page: Page, *events: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    picture: dict[str, Any] = await page.evaluate(_DRAW, [list(event) for event in events])
    return picture


async def test_silence_words_and_the_time_that_the_clock_stood(page: Page) -> None:
    picture = await drawn(
        page,
        created(),
        committed(0, 1, "hi"),
        began(10, 2),
        delta(10, 2, "He"),
        delta(20, 2, "llo"),
        over(30, 1),
        over(2030, 2, "silence", more=False),
        committed(12_030, 3, "and?"),
        over(12_040, 3, "silence", more=False),
    )
    first, second, third = picture["slices"]
    assert (first["user"], first["words"]) == ([{"text": "hi", "state": "said"}], [{"text": "Hello", "state": "said"}])
    assert (second["kind"], second["words"], second["gap"]) == ("silence", [], 0)
    assert third["gap"] == 8000
    assert [each["number"] for each in picture["slices"]] == [1, 2, 3]
    assert not any(each["open"] for each in picture["slices"])


async def test_the_cut_goes_through_a_delta_and_counts_code_points(page: Page) -> None:
    picture = await drawn(
        page,
        created(),
        committed(0, 1, "hi"),
        began(1, 2),
        delta(1, 2, "😀 one two"),
        over(2, 1),
        delta(2000, 2, " three"),
        over(2001, 2),
        truncated(2500, 2, 5),
    )
    assert picture["slices"][0]["words"] == [{"text": "😀 one", "state": "said"}, {"text": " two", "state": "struck"}]
    assert picture["slices"][1]["words"] == [{"text": " three", "state": "struck"}]


async def test_a_slice_that_was_cut_short_is_not_taken_for_the_words_that_cut_it(page: Page) -> None:
    hidden = await drawn(
        page,
        created(),
        committed(0, 1, "hi"),
        over(1, 1),
        committed(2100, 2, "no"),
        over(2101, 2, "interrupted"),
        began(2110, 3),
        delta(2110, 3, "Ok"),
        over(2120, 3),
    )
    assert [(each["number"], each["kind"]) for each in hidden["slices"]] == [
        (1, "speech"),
        (2, "interrupted"),
        (3, "speech"),
    ]
    assert hidden["slices"][2]["user"] == [{"text": "no", "state": "said"}]
    shown = await drawn(
        page,
        created(),
        committed(0, 1, "hi"),
        began(1, 2),
        delta(1, 2, "We"),
        committed(50, 3, "no"),
        over(51, 1, "interrupted"),
        over(60, 2, "silence", more=False),
    )
    assert [each["number"] for each in shown["slices"]] == [1, 2]
    assert [bool(each["words"]) for each in shown["slices"]] == [True, False]


async def test_words_that_were_held_back_come_to_their_own_slice(page: Page) -> None:
    events = [
        created(),
        committed(0, 1, "hi"),
        began(1, 2),
        delta(1, 2, "One"),
        over(2, 1),
        (1900, {"type": "input_text_buffer.append", "text": "hm", "replace": True}),
        (1910, {"type": "duplex.barge_in", "item_id": "item_2", "characters": 3}),
        over(2050, 2),
        (2500, {"type": "input_text_buffer.commit"}),
        (2510, {"type": "input_text_buffer.cleared"}),
        (2510, {"type": "duplex.resumed", "reason": "back_channel", "item_id": "item_2", "characters": 3}),
        delta(2511, 2, " two"),
        delta(4600, 2, " three"),
        over(4601, 3),
    ]
    picture = await drawn(page, *events)
    words = [[part["text"] for part in each["words"]] for each in picture["slices"]]
    assert words == [["One"], [" two"], [" three"]]
    assert picture["slices"][1]["user"] == [{"text": "hm", "state": "back_channel"}]
    assert picture["pending"] == ""


async def test_guesses_that_were_used_and_that_were_dropped(page: Page) -> None:
    told = [
        over(1, 1),
        over(2001, 2, guessed=5),
        over(3001, 3, dropped=4, more=False),
        over(9001, 4, guessed=3, dropped=2),
    ]
    described = await page.evaluate(
        """async (slices) => {
          const { describe } = await import("/static/picture.js");
          return slices.map(([, slice]) => describe({ ...slice, gap: 0, held: false }));
        }""",
        [list(each) for each in told],
    )
    assert ["ahead" in each for each in described] == [False, True, False, True]
    assert ["dropped" in each for each in described] == [False, False, True, True]
    assert "5 sampled, 3 guessed ahead · 2 guessed before it and dropped." in described[3]


async def test_words_not_heard_yet_and_another_session(page: Page) -> None:
    said = [
        created(heard="reported"),
        committed(0, 1, "hi"),
        began(1, 2),
        delta(1, 2, "one two"),
        over(2, 1),
        (5, {"type": "conversation.item.heard", "item_id": "item_2", "characters": 4}),
        (6, {"type": "conversation.item.heard", "item_id": "item_2", "characters": 2}),
    ]
    picture = await drawn(page, *said)
    assert picture["slices"][0]["words"] == [{"text": "one ", "state": "said"}, {"text": "two", "state": "ahead"}]
    again = [
        created(heard="reported"),
        committed(100, 1, "hi"),
        began(101, 2),
        delta(101, 2, "new"),
        truncated(102, 2, 0),
    ]
    picture = await drawn(page, *said, *again)
    assert [each["session"] for each in picture["slices"]] == [False, True]
    assert [each["kept"] for each in picture["items"]] == [None, None, None, 0]


async def test_a_client_comes_back_with_what_it_saw_and_sends_again_what_did_not_come(page: Page) -> None:
    await page.evaluate(_CLIENT)
    await page.evaluate("client.send('input_text_buffer.append', { text: 'early' }); sockets[0].say(CREATED)")
    sent = await page.evaluate("sockets[0].sent")
    assert [each["type"] for each in sent] == ["session.update", "input_text_buffer.append"]
    assert sent[0]["session"]["duplex"] == {"heard": "assumed"}
    await page.evaluate("for (const n of ['a', 'b']) client.send('input_text_buffer.append', { text: n })")
    came = await page.evaluate("sockets[0].sent[2].event_id")
    await page.evaluate("sockets[0].say({ type: 'x', event_id: 'event_00000007' }); sockets[0].onclose({ code: 1006 })")
    assert await page.evaluate("client.state") == "waiting"
    await page.evaluate("client.send('input_text_buffer.commit'); client.retry()")
    path, _, query = (await page.evaluate("sockets[1].url")).partition("?")
    asked = parse_qs(query)
    assert (path, asked["resume"], asked["after"]) == ("ws://x/v1/realtime", ["t&1"], ["event_00000007"])
    say = (
        "([came, connection]) => sockets[1].say({ type: 'session.resumed', event_id: 'event_00000008', connection,"
        " last_client_event_id: came, session: { resume: { token: 't&1' } } })"
    )
    await page.evaluate(say, [came, "an earlier one, whose answer was lost on its way"])
    assert await page.evaluate("client.state") == "connecting", "the answer to this connection comes behind it"
    assert await page.evaluate("sockets[1].sent") == []
    await page.evaluate(say, [came, *asked["connection"]])
    again = await page.evaluate("sockets[1].sent")
    assert [(each["type"], each.get("text")) for each in again] == [
        ("input_text_buffer.append", "b"),
        ("input_text_buffer.commit", None),
    ]
    assert len({each["event_id"] for each in [*sent, *again]}) == 4
    await page.evaluate("client.end()")
    assert await page.evaluate("sockets[1].closed") == 1000


async def test_a_client_whose_session_is_gone_begins_anew_and_one_that_was_taken_over_rests(page: Page) -> None:
    await page.evaluate(_CLIENT)
    await page.evaluate("sockets[0].say(CREATED); sockets[0].onclose({ code: 1006 }); client.retry()")
    await page.evaluate("sockets[1].say({ type: 'error', error: { code: 'session_not_found' } })")
    assert await page.evaluate("states") == ["connecting", "open", "waiting", "connecting", "lost", "connecting"]
    assert await page.evaluate("sockets[2].url") == "ws://x/v1/realtime"
    await page.evaluate("sockets[2].say(CREATED); sockets[2].onclose({ code: 4001 })")
    assert await page.evaluate("client.state") == "taken"
    assert await page.evaluate("sockets.length") == 3


async def test_attempts_grow_apart_up_to_a_limit(page: Page) -> None:
    await page.evaluate(_CLIENT)
    waits = await page.evaluate("[0, 1, 2, 5, 50].map((attempt) => backoff(attempt, 0.5))")
    assert waits == [250, 500, 1000, 8000, 8000]
    spread = await page.evaluate("[backoff(2, 0), backoff(2, 1)].map(Math.round)")
    assert spread == [800, 1200]
    await page.evaluate("sockets[0].onclose({ code: 1006 })")
    assert await page.evaluate("states") == ["connecting", "waiting"]
    await page.evaluate("client.end()")
