"""A person who talks with the product in a real browser: Chromium with a file as its microphone; the page measures."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

_START_MS = 60_000
_STATE = "() => document.documentElement.dataset.talk"


@contextmanager
def talking(url: str, said: Path) -> Iterator[Page]:
    """The Talk page, connected, its microphone on and hearing ``said`` over and over.

    Raises `RuntimeError` without a Chromium, or with what the page says when it cannot talk live.
    """
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        raise RuntimeError("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=[
            "--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={said}", "--disable-background-networking", "--disable-sync",
            "--disable-component-update", "--no-first-run"])
        page = browser.new_context(base_url=url, permissions=["microphone"], locale="en-US").new_page()
        page.goto("/chat_system")
        _until(page, "ready")
        page.click("#mic")
        _until(page, "listening", "hearing", "thinking", "speaking")
        try:
            yield page
        finally:
            browser.close()


def listen(page: Page, seconds: float) -> dict[str, Any]:
    """What the page measured in so many seconds of conversation; see ``static/js/measure.js``."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        page.wait_for_timeout(1000 * min(left, 5.0))
    return page.evaluate("window.visageLive")


def _until(page: Page, *states: str) -> None:
    end = time.monotonic() + _START_MS / 1000
    while time.monotonic() < end:
        if page.evaluate(_STATE) in states:
            return
        page.wait_for_timeout(100)
    raise RuntimeError(f"the page is {page.evaluate(_STATE)!r} instead of {states[0]!r}; it says: "
                       + " ".join(page.inner_text("#problem").split()))
