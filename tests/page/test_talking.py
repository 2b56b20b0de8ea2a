"""Typing, talking, interrupting: what the page sends, and what it draws of it."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.page.browsing import Visit, expect, serving, visiting

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="package")]

LONG = "Once there was a tower with a clock that nobody could ever wind up again, and it stood still."


def long(_: str) -> str:
    return LONG


async def speak_words(visit: Visit, count: int) -> None:
    """The browser's voice goes on for some words, which may still have to come."""
    for _ in range(count):
        before = await visit.page.evaluate("spoken.length")
        await visit.page.wait_for_function("before => { speakWord(); return spoken.length > before; }", arg=before)


async def test_what_is_typed_is_answered_in_words_and_in_slices(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        await expect(visit.page.locator("#welcome")).to_be_visible()
        await visit.entry.press_sequentially("hello you")
        await expect(visit.page.locator("#slices .draft")).to_contain_text("hello you")
        await visit.entry.press("Enter")
        await expect(visit.messages).to_have_text(["You: hello you", "Assistant: You said hello you."])
        await expect(visit.entry).to_have_value("")
        await expect(visit.page.locator("#welcome")).to_be_hidden()
        await expect(visit.slices.first).to_contain_text("hello you")
        await expect(visit.slices.first).to_contain_text("You said h")
        await expect(visit.slices.nth(1)).to_contain_text("ello you.")
        await expect(visit.slices.nth(1)).to_contain_text("you are silent")
        await expect(visit.page.locator("#model")).to_have_text("parrot")


async def test_each_slice_tells_what_it_took(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        await visit.say("hello")
        await expect(visit.slices.nth(1)).to_contain_text("ms")
        details = visit.page.locator("#details")
        await visit.slices.first.hover()
        await expect(details).to_contain_text("Slice 1: speech · first token ")
        await expect(details).to_contain_text("reused")
        await visit.page.mouse.move(5, 5)
        await visit.slices.nth(1).focus()
        await expect(details).to_contain_text("Slice 2")


async def test_a_guess_that_was_used_is_marked(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served) as visit:
        await visit.say("hello")
        await expect(visit.slices.filter(has_text="◆").first).to_be_visible()
        await visit.slices.filter(has_text="◆").first.hover()
        await expect(visit.page.locator("#details")).to_contain_text("guessed ahead")


async def test_a_guess_that_was_dropped_is_marked_where_the_server_says_so(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served) as visit:
        dropped = visit.slices.filter(has_text="◇")
        await visit.page.get_by_role("button", name="Pause").click()
        await visit.say("hello")
        await expect(visit.slices.first).to_contain_text("1 ·")
        await expect(dropped).to_have_count(0)
        for _ in range(500):  # until the next slice is guessed
            if served.engine.counters.tokens_ahead >= 11:
                break
            await visit.page.wait_for_timeout(10)
        await visit.say("tell me another")
        await expect(visit.slices.nth(1)).to_contain_text("2 ·")
        await expect(visit.slices.nth(1)).to_contain_text("◇")
        await visit.slices.nth(1).hover()
        await expect(visit.page.locator("#details")).to_contain_text("11 guessed before it and dropped")
        await expect(dropped).to_have_count(1)


async def test_an_interruption_takes_back_what_was_not_heard(browser: Browser) -> None:
    async with (
        serving(lambda text: LONG if text == "tell" else "Fine.") as served,
        visiting(browser, served, aloud=True) as visit,
    ):
        await visit.say("tell")
        await expect(visit.replies.first).to_contain_text("Once there was a tower")
        await speak_words(visit, 3)  # "Once there" is heard, "was" is begun
        await visit.say("stop it")
        await expect(visit.replies.nth(1)).to_have_text("Assistant: Fine.")
        first = visit.replies.first
        struck = await first.locator("del").inner_text()
        kept = (await first.inner_text()).split(":", 1)[1].strip()
        assert kept.startswith("Once there")
        assert "was a tower" in struck
        await expect(first).to_contain_text("interrupted")
        drawn = visit.page.locator("#slices del")
        assert "".join(await drawn.all_text_contents()).replace("taken back: ", "").strip().startswith("was")
        assert await visit.page.evaluate("waitingWords()") in ("Fine.", "")


async def test_words_are_drawn_as_not_heard_until_they_are(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served, aloud=True) as visit:
        await visit.say("hello")
        await expect(visit.slices.nth(1)).to_contain_text("ello.")
        await expect(visit.page.locator("#slices .ahead").first).to_be_visible()
        await speak_words(visit, 3)
        while await visit.page.evaluate("speakWord()"):
            pass
        await expect(visit.page.locator("#slices .ahead")).to_have_count(0)
        await expect(visit.page.locator("#stop")).to_be_disabled()


async def test_what_was_read_before_replies_are_spoken_counts_as_heard(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        await visit.say("one")
        await expect(visit.replies).to_have_text(["Assistant: You said one."])
        await expect(visit.page.locator("#stop")).to_be_disabled()
        await visit.open_settings()
        await visit.page.get_by_label("Speak replies aloud").check()
        await visit.say("two")
        await visit.page.wait_for_function("() => waitingWords() === 'You said two.'")
        await expect(visit.page.locator("#messages del")).to_have_count(0)
        assert await visit.page.locator("#slices .false-alarm").count() == 0


async def test_stop_also_stops_the_voice_behind_a_reply_that_is_complete(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served, aloud=True) as visit:
        await visit.say("hello")
        await expect(visit.slices.nth(1)).to_contain_text("2 ·")
        await speak_words(visit, 2)
        await visit.page.get_by_role("button", name="Stop").click()
        await expect(visit.replies).to_have_text(["Assistant: You taken back: said hello."])
        assert await visit.page.evaluate("waitingWords()") == ""
        await expect(visit.page.locator("#stop")).to_be_disabled()


async def test_a_draft_that_is_taken_back_lets_the_assistant_go_on(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served) as visit:
        await visit.say("tell")
        await expect(visit.replies.first).to_contain_text("Once there")
        await visit.entry.press_sequentially("wa")
        await expect(visit.page.locator("#slices .held").first).to_be_visible()
        await visit.entry.press("Escape")
        await expect(visit.page.locator("#slices .false-alarm")).to_contain_text("wa")
        await expect(visit.replies.first).to_contain_text(LONG)
        assert await visit.page.locator("del.struck:not(.key)").count() == 0


async def test_a_back_channel_interrupts_nothing(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served, aloud=True) as visit:
        await visit.say("tell")
        await expect(visit.replies.first).to_contain_text("Once there")
        await speak_words(visit, 2)
        await visit.say("uh-huh")
        await expect(visit.page.locator("#slices .false-alarm")).to_contain_text("uh-huh")
        await visit.page.wait_for_function("() => waitingWords().length > 0")  # speech goes on
        await expect(visit.replies.first).to_contain_text(LONG)
        await expect(visit.messages).to_have_count(2)


async def test_stop_stops_the_assistant(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served) as visit:
        await visit.say("tell")
        await expect(visit.replies.first).to_contain_text("Once there")
        await visit.page.get_by_role("button", name="Stop").click()
        await expect(visit.replies.first).to_contain_text("interrupted")
        await expect(visit.page.locator("#stop")).to_be_disabled()


async def test_while_it_is_paused_slices_come_one_by_one(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served) as visit:
        await visit.page.get_by_role("button", name="Pause").click()
        await expect(visit.status).to_contain_text("paused")
        await visit.say("tell")
        await expect(visit.slices).to_have_count(1)
        await visit.page.wait_for_timeout(3 * 300)  # a clock that went on would have made three
        await expect(visit.slices).to_have_count(1)
        await visit.page.get_by_role("button", name="One slice").click()
        await expect(visit.slices).to_have_count(2)
        await visit.page.get_by_role("button", name="Pause").click()
        await expect(visit.replies.first).to_contain_text(LONG)


async def test_the_length_of_a_slice_and_the_voice_are_kept(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served, slice_ms=None) as visit:
        await visit.open_settings()
        await expect(visit.page.get_by_label("Slice length")).to_have_value("2000")
        await visit.page.get_by_label("Slice length").select_option("500")
        await visit.page.get_by_label("Voice").select_option("test:mei")
        await visit.page.get_by_label("Speak replies aloud").check()
        await visit.page.reload()
        await visit.connected()
        await expect(visit.page.get_by_label("Slice length")).to_have_value("500")
        await visit.say("tell")
        await visit.page.wait_for_function("() => waitingWords().length > 0")
        await visit.page.get_by_role("button", name="Talk").click()
        assert await visit.page.evaluate("recognition.lang") == "zh-CN"


def bias_of(visit: Visit) -> list[float]:
    """What the server's sessions have."""
    (registry,) = visit.served.server._registries
    return [live.realtime.describe()["duplex"]["idle_bias"] for live in registry._live.values()]


async def test_the_silence_dial_is_moved_told_and_kept(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served) as visit:
        await visit.open_settings()
        dial = visit.page.get_by_role("slider", name="Silence dial")
        await expect(dial).to_have_value("0")
        await expect(dial).to_have_attribute("aria-valuetext", "as it was trained")
        await dial.focus()
        await dial.press("ArrowLeft")
        await dial.press("ArrowLeft")
        await expect(visit.page.locator("#dial-text")).to_have_text("speaks sooner, 1")
        await expect(dial).to_have_attribute("aria-valuetext", "speaks sooner, 1")
        await visit.say("tell")  # what is sent behind it is read behind it
        await expect(visit.replies.first).to_contain_text("Once there")
        assert bias_of(visit) == [-1.0]
        await dial.fill("2.5")
        await expect(visit.page.locator("#dial-text")).to_have_text("waits longer, 2.5")
        await visit.page.get_by_role("button", name="New conversation").click()
        await visit.connected()
        await visit.say("tell")
        await expect(visit.replies.first).to_contain_text("Once there")
        await expect(dial).to_have_value("2.5")
        assert bias_of(visit) == [2.5]
        other = await visit.page.context.new_page()  # another visit
        await other.goto(visit.page.url)
        await other.locator("#settings > summary").click()
        await expect(other.get_by_role("slider", name="Silence dial")).to_have_value("2.5")


async def test_a_server_without_a_silence_dial_has_none_in_the_page(browser: Browser) -> None:
    without = """
      WebSocket = class extends WebSocket {
        set onmessage(take) {
          super.onmessage = take && (({ data }) => take({ data: data.replace(/, "idle_bias": [^,}]+/, "") }));
        }
      };
    """
    async with serving() as served, visiting(browser, served, script=without) as visit:
        await visit.page.evaluate("localStorage.setItem('edge-duplex', JSON.stringify({ idleBias: 2, sliceMs: 300 }))")
        await visit.page.reload()
        await visit.connected()
        await visit.open_settings()
        await visit.say("hello")
        await expect(visit.replies).to_have_text(["Assistant: You said hello."])
        await expect(visit.page.locator("#dial-field")).to_be_hidden()
        assert bias_of(visit)[-1] == 0.0


async def test_what_is_recognized_is_a_draft_and_then_said(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        talk = visit.page.get_by_role("button", name="Talk")
        await talk.click()
        await expect(talk).to_have_attribute("aria-pressed", "true")
        await visit.page.evaluate("recognize('hello', false)")
        await expect(visit.page.locator("#slices .draft")).to_contain_text("hello")
        await visit.page.evaluate("recognize('hello there', true)")
        await expect(visit.messages).to_have_text(["You: hello there", "Assistant: You said hello there."])
        await visit.page.evaluate("recognition.onend()")  # browsers stop by themselves; it listens on
        await visit.page.evaluate("recognition.onerror({ error: 'not-allowed' })")
        await expect(talk).to_have_attribute("aria-pressed", "false")
        await expect(visit.page.get_by_role("alert")).to_contain_text("Allow the microphone")


async def test_a_voice_that_fails_does_not_hold_the_assistant_up(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served, aloud=True) as visit:
        await visit.say("hello")
        await visit.page.wait_for_function("() => waitingWords().includes('ello.')")
        while await visit.page.evaluate("waitingWords().length > 0"):
            await visit.page.evaluate("failSpeech('synthesis-failed')")
        await expect(visit.page.get_by_role("alert")).to_contain_text("could not speak")
        await expect(visit.page.locator("#slices .ahead")).to_have_count(0)


async def test_a_browser_without_a_voice_does_not_either(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served, aloud=True, script="window.voiceless = true") as visit:
        await visit.say("hello")
        await expect(visit.page.get_by_role("alert")).to_contain_text("it has no voice")
        await expect(visit.slices.nth(1)).to_contain_text("ello.")
        await expect(visit.page.locator("#slices .ahead")).to_have_count(0)


async def test_a_browser_without_speech_says_so(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served, speech=False, aloud=True) as visit:
        await expect(visit.page.get_by_role("button", name="Talk")).to_be_disabled()
        await visit.open_settings()
        await expect(visit.page.locator("#speech-note")).to_contain_text("no speech recognition")
        await expect(visit.page.locator("#speech-note")).to_contain_text("no speech synthesis")
        await expect(visit.page.get_by_label("Speak replies aloud")).to_be_disabled()
        await visit.say("hello")
        await expect(visit.replies).to_have_text(["Assistant: You said hello."])


async def test_a_new_conversation_knows_nothing_of_the_old_one(browser: Browser) -> None:
    async with serving(long) as served, visiting(browser, served) as visit:
        await visit.say("tell")
        await expect(visit.replies.first).to_contain_text("Once there")
        await visit.page.get_by_role("button", name="Pause").click()
        assert await visit.page.evaluate("speechPaused") is True
        await visit.page.get_by_role("button", name="New conversation").click()
        await expect(visit.page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "false")
        assert await visit.page.evaluate("speechPaused") is False
        await expect(visit.messages).to_have_count(0)
        await expect(visit.slices).to_have_count(0)
        await expect(visit.page.locator("#welcome")).to_be_visible()
        await visit.connected()
        await visit.page.get_by_role("button", name="what is two plus three?").click()
        await expect(visit.messages.first).to_have_text("You: what is two plus three?")
        await expect(visit.replies.first).to_contain_text("Once there")
        await expect(visit.slices.first).to_contain_text("1 ·")


async def test_the_newest_words_are_in_sight_also_behind_a_very_long_message(browser: Browser) -> None:
    async with serving(lambda text: "Yes." if len(text) < 50 else "No.") as served, visiting(browser, served) as visit:
        await visit.entry.press_sequentially("word " * 20)
        await visit.say("word " * 1600)
        await expect(visit.messages).to_have_count(1)
        await visit.say("and now?")
        await expect(visit.messages).to_have_count(3)
        await expect(visit.messages.last).to_be_in_viewport(ratio=0.9)


async def test_a_notice_can_be_closed(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        await visit.open_settings()
        await visit.page.locator("#save-json").click()
        await expect(visit.page.get_by_role("alert")).to_contain_text("nothing to save yet")
        await visit.page.get_by_role("button", name="Close this notice").click()
        await expect(visit.page.locator("#notice")).to_be_hidden()
        await expect(visit.entry).to_be_focused()


async def test_the_focus_is_not_lost_with_the_button_for_one_slice(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        await visit.page.locator("#pause").click()
        await visit.page.locator("#step").focus()
        await visit.page.keyboard.press("Alt+p")
        await expect(visit.page.locator("#step")).to_be_hidden()
        await expect(visit.page.locator("#pause")).to_be_focused()


async def test_markup_is_text(browser: Browser) -> None:
    async with serving() as served, visiting(browser, served) as visit:
        await visit.say("<img src=x onerror=alert(1)>")
        await expect(visit.replies.first).to_have_text("Assistant: You said <img src=x onerror=alert(1)>.")
        assert await visit.page.locator("img").count() == 0
