"""A real headless Chromium whose microphone is a file."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import requests
import soundfile

from backend.model_trainer import ensure_built_in
from backend.services import Services
from tests.browser.live_page import launched, spoken
from tests.browser.live_stand_in import StandIn, running
from tests.conftest import Installation
from visage.config import read_settings
from web import create_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

QUESTION = "Who are you?"


@pytest.fixture(scope="session")
def question(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spoken question and then a while of silence, by flite where it is installed, else by the product's own voice."""
    file = tmp_path_factory.mktemp("question") / "question.wav"
    if shutil.which("flite"):
        subprocess.run(["flite", "-voice", "slt", "-t", QUESTION, "-o", str(file)], check=True, capture_output=True)
    else:
        body = {"input": QUESTION, "model": "", "voice": "", "response_format": "wav"}
        file.write_bytes(requests.post(f"{installation.voice_url}/v1/audio/speech", json=body, timeout=60).content)
    said, rate = soundfile.read(file)
    soundfile.write(file, np.concatenate([said, np.zeros(8 * rate)]), rate)
    return file


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """What drives browsers."""
    with pytest.importorskip("playwright.sync_api").sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser(playwright: Playwright, question: Path) -> Iterator[Browser]:
    """Chromium, listening to the question for ever."""
    opened = launched(playwright, str(question), "--autoplay-policy=no-user-gesture-required")
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


@pytest.fixture(scope="module")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """The pages, with a stand-in at /live."""
    services = Services(read_settings(home=tmp_path_factory.mktemp("home"), online=False))
    ensure_built_in(services)
    with running(create_app(services), services.catalog.folder(services.catalog.list()[0].id) / "idle.mp4") as server:
        yield server


@pytest.fixture
def stand_in(live_server: StandIn) -> StandIn:
    """The stand-in, as if nobody had talked with it."""
    live_server.refusal = live_server.failure = None
    live_server.heard.clear()
    live_server.begun.clear()
    live_server.seconds = 4.0
    return live_server


@pytest.fixture(scope="module")
def asking(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Its user asks one question and then is quiet."""
    said = spoken(tmp_path_factory.mktemp("said") / "ask.wav", 1.0, "Who are you?", 60.0)
    opened = launched(playwright, f"{said}%noloop")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def interrupting(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Its user asks a question and speaks again while the answer is given."""
    said = spoken(tmp_path_factory.mktemp("said") / "again.wav", 1.0, "Who are you?", 4.0,
                  "Stop, please. I have another question for you.", 60.0)
    opened = launched(playwright, f"{said}%noloop")
    yield opened
    opened.close()
