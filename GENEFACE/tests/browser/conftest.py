"""A real headless Chromium whose microphone is a file."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from tests.conftest import Installation

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

QUESTION = "Who are you?"


def _chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def question(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spoken question, by flite where it is installed, else by the product's own voice."""
    file = tmp_path_factory.mktemp("question") / "question.wav"
    if shutil.which("flite"):
        subprocess.run(["flite", "-voice", "slt", "-t", QUESTION, "-o", str(file)], check=True, capture_output=True)
    else:
        body = {"input": QUESTION, "model": "", "voice": "", "response_format": "wav"}
        file.write_bytes(requests.post(f"{installation.voice_url}/v1/audio/speech", json=body, timeout=60).content)
    return file


@pytest.fixture(scope="module")
def browser(question: Path) -> Iterator[Browser]:
    """Chromium, listening to the question for ever."""
    playwright = pytest.importorskip("playwright.sync_api")
    executable = _chromium()
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=executable, args=[
            "--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={question}", "--autoplay-policy=no-user-gesture-required",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, installation: Installation) -> Iterator[Page]:
    """A tab of a browser of its own, which fails the test when the page complains in the console."""
    context = browser.new_context(base_url=installation.url, permissions=["microphone"], locale="en-US")
    tab = context.new_page()
    complaints: list[str] = []
    # Chromium itself reports refused requests; what the page makes of them is what tests look at.
    tab.on("console", lambda told: complaints.append(told.text)
           if told.type == "error" and not told.text.startswith("Failed to load resource") else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda asked: None if asked.url.startswith((installation.url, "blob:", "data:"))
           else complaints.append(f"asked for {asked.url}"))
    yield tab
    context.close()
    assert not complaints
