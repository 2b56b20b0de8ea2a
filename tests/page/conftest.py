"""One browser for all tests of the page."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
_ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def chromium() -> str | None:
    """Where the browser is."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    return found or (str(_MACOS) if _MACOS.exists() else None)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser() -> AsyncIterator[Browser]:
    """A browser with a new, empty profile."""
    path = chromium()
    if path is None:
        pytest.skip(
            "no Chromium; install it (Debian: apt-get install chromium; macOS: brew install --cask google-chrome)"
        )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*_ARGUMENTS])
        yield browser
        await browser.close()
