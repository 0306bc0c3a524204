"""What tests of the live Talk page share: the stand-in, browsers whose users say something, and what to wait for."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from tests.browser.live_stand_in import StandIn

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

    from tests.conftest import Installation

SOON, MINUTE = 20_000, 60_000
WATCH = """() => { window.states = [];
  new MutationObserver(() => { const now = document.documentElement.dataset.talk;
                               if (window.states.at(-1) !== now) window.states.push(now); })
    .observe(document.documentElement, { attributes: true, attributeFilter: ['data-talk'] }); }"""
"""Keeps every state that the page shows."""
LIVE = "[...document.querySelectorAll('.stage-live')]"
SPOKEN = f"() => {LIVE}.some((video) => video.matches('.on') && !video.paused && video.currentTime > 0.4)"
STILL = f"{LIVE}.every((video) => video.paused || !video.matches('.on'))"


def spoken(file: Path, *parts: str | float) -> Path:
    """A recording of sentences and of seconds of silence."""
    if not shutil.which("flite"):
        pytest.skip("flite, which speaks the questions, is not on this machine: apt-get install flite")
    sounds = []
    for number, part in enumerate(parts):
        if isinstance(part, str):
            one = file.with_suffix(f".{number}.wav")
            subprocess.run(["flite", "-voice", "slt", "-t", part, "-o", str(one)], check=True, capture_output=True)
            sounds.append(soundfile.read(one)[0])
        else:
            sounds.append(np.zeros(round(part * 16_000)))
    soundfile.write(file, np.concatenate(sounds), 16_000)
    return file


def launched(playwright: Playwright, said: str, *more: str) -> Browser:
    """Chromium whose microphone hears a file."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    return playwright.chromium.launch(executable_path=found, args=[
        "--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={said}", "--disable-background-networking", "--disable-sync",
        "--disable-component-update", "--no-first-run", *more])


@contextmanager
def talking(browser: Browser, server: StandIn | Installation, prepare: Callable[[Page], Any] = lambda _: None,
            **options: Any) -> Iterator[Page]:
    """The Talk page in a browser of its own; it must not complain in the console."""
    given = {"locale": "en-US", "permissions": ["microphone"], **options}
    context = browser.new_context(base_url=server.url, **given)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    # What Chromium says of its own about refused requests and cut sockets is what the page is there to bear.
    page.on("console", lambda told: None if told.type != "error" or re.match(
        "Failed to load resource|WebSocket connection", told.text) else complaints.append(told.text))
    try:
        prepare(page)
        page.goto("/chat_system")
        page.evaluate(WATCH)
        yield page
        text = page.inner_text("body")
        assert not re.search(r"\b(?:live|live_\w+|talk|page)\.[a-z]\w+", text), text
    finally:
        # a page that is left behind by a failure goes on talking to the server of the next test
        context.close()
    assert not complaints


def until(page: Page, state: str, timeout: float = SOON) -> None:
    page.wait_for_function("(state) => document.documentElement.dataset.talk === state", arg=state, timeout=timeout)


def eventually(page: Page, true: Callable[[], bool]) -> None:
    """What the server hears a little later than the page shows it."""
    for _ in range(100):
        try:
            if true():
                return
        except (IndexError, StopIteration):
            pass
        page.wait_for_timeout(100)
    assert true()


def ask(page: Page, text: str = "Are you there?") -> None:
    page.fill("#text", text)
    page.press("#text", "Enter")


def measured(page: Page) -> dict[str, Any]:
    return page.evaluate("window.visageLive")
