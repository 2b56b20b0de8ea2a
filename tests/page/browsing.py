"""The page in a real browser, before the real server with a parrot for a model; the browser's speech is the test's."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Request, WebSocket, expect

from tests.edge_server.serving import Served, serving

__all__ = ["SLICE_MS", "Visit", "expect", "serving", "visiting"]

SLICE_MS = 300
PATIENCE = 15_000  # milliseconds; nothing but a failure takes so long
expect.set_options(timeout=PATIENCE)

# Synthesis speaks when the test says so, a word at a time; recognition understands what the test says.
_SPEECH = """
(() => {
  const waiting = [];
  window.spoken = [];
  const synthesis = {
    getVoices: () => [
      { voiceURI: "test:anna", name: "Anna", lang: "en-GB" }, { voiceURI: "test:mei", name: "Mei", lang: "zh-CN" },
    ],
    addEventListener() {},
    speak(utterance) {
      if (window.voiceless) return;
      utterance.begun = 0;
      waiting.push(utterance);
      queueMicrotask(() => utterance.onstart?.({}));
    },
    cancel() { for (const each of waiting.splice(0)) each.onerror?.({ error: "interrupted" }); },
    pause() { window.speechPaused = true; },
    resume() { window.speechPaused = false; },
  };
  window.speakWord = () => {
    const [utterance] = waiting;
    if (!utterance) return false;
    const rest = utterance.text.slice(utterance.begun);
    const word = /^\\s*\\S+/.exec(rest);
    if (word) {
      const charIndex = utterance.begun + word[0].length - word[0].trimStart().length;
      utterance.onboundary?.({ name: "word", charIndex });
      utterance.begun += word[0].length;
      window.spoken.push(word[0].trim());
    } else {
      waiting.shift();
      utterance.onend?.({});
    }
    return true;
  };
  window.failSpeech = (error) => waiting.shift().onerror({ error });
  window.waitingWords = () => waiting.map(({ text, begun }) => text.slice(begun)).join("");
  Object.defineProperty(window, "speechSynthesis", { value: synthesis, configurable: true });
  window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
  window.SpeechRecognition = class {
    start() { window.recognition = this; }
    stop() { this.onend?.(); }
  };
  window.recognize = (transcript, isFinal) =>
    window.recognition.onresult({ resultIndex: 0, results: [Object.assign([{ transcript }], { isFinal })] });
})();
"""
_NO_SPEECH = """
for (const name of ["SpeechRecognition", "webkitSpeechRecognition", "SpeechSynthesisUtterance"]) {
  Object.defineProperty(window, name, { value: undefined });
}
Object.defineProperty(window, "speechSynthesis", { value: undefined });
"""


@dataclass
class Visit:
    """A page that was opened."""

    page: Page
    served: Served
    complaints: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    sockets: int = 0

    @property
    def entry(self) -> Locator:
        return self.page.get_by_label("Your words")

    @property
    def messages(self) -> Locator:
        return self.page.locator("#messages > li:not(.draft)")

    @property
    def replies(self) -> Locator:
        return self.page.locator("#messages > .assistant")

    @property
    def slices(self) -> Locator:
        return self.page.locator("#slices button.slice")

    @property
    def status(self) -> Locator:
        return self.page.locator("#status")

    async def connected(self) -> None:
        await expect(self.status).to_have_attribute("data-state", "open")

    async def say(self, text: str) -> None:
        await self.entry.fill(text)
        await self.entry.press("Enter")

    async def open_settings(self) -> None:
        await self.page.locator("#settings > summary").click()

    def cut(self) -> None:
        """The connection ends as networks end it: without a word."""
        for client in list(self.served.server._clients):
            client.transport.abort()

    async def lose_connection(self) -> None:
        """The connection ends. Returns when the page comes back."""
        before = self.sockets
        self.cut()

        async def come_back() -> None:
            while self.sockets == before:
                await asyncio.sleep(0.01)

        await asyncio.wait_for(come_back(), PATIENCE / 1000)


@contextlib.asynccontextmanager
async def visiting(
    browser: Browser,
    served: Served,
    *,
    speech: bool = True,
    aloud: bool = False,
    slice_ms: int | None = SLICE_MS,
    complaints: tuple[str, ...] = (),
    script: str = "",
    **options: Any,
) -> AsyncIterator[Visit]:
    """The page, connected. Holds that it asks for nothing outside and that the browser complains of nothing.

    ``complaints``: parts of messages that the test provokes; ``script``: runs before the page's own.
    """
    context = await browser.new_context(viewport=options.pop("viewport", {"width": 1100, "height": 800}), **options)
    settings = json.dumps({"aloud": aloud, "sliceMs": slice_ms})
    await context.add_init_script(
        f"localStorage.setItem('edge-duplex', localStorage.getItem('edge-duplex') ?? '{settings}')"
    )
    await context.add_init_script(_SPEECH if speech else _NO_SPEECH)
    await context.add_init_script(script)
    page = await context.new_page()
    page.set_default_timeout(PATIENCE)
    visit = Visit(page, served)
    here = served.url().removeprefix("ws://")

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(part in message.text for part in complaints):
            visit.complaints.append(message.text)

    def see(request: Request) -> None:
        if urlsplit(request.url).netloc not in (here, ""):
            visit.outside.append(request.url)

    def meet(socket: WebSocket) -> None:
        visit.sockets += 1
        if urlsplit(socket.url).netloc != here:
            visit.outside.append(socket.url)

    page.on("console", hear)
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.on("request", see)
    page.on("websocket", meet)
    try:
        await page.goto(served.url().replace("ws:", "http:") + "/")
        await visit.connected()
        yield visit
        said = list(visit.complaints)  # a socket that is still being opened complains of the closing below
    finally:
        await context.close()
    assert said == [], said
    assert visit.outside == []
