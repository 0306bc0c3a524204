"""A person adds a voice on the Create page: consent first, then it is there, speaks, and can be deleted."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
import requests
import soundfile

from tests.conftest import Installation
from tests.visage.speakers import flite
from visage.tts.cloning.world import RATE

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def recording(seconds: float) -> dict:
    file = io.BytesIO()
    soundfile.write(file, flite("rms")[:round(seconds * RATE)], RATE, format="WAV")
    return {"name": "me.wav", "mimeType": "audio/wav", "buffer": file.getvalue()}


def test_a_voice_is_added_chosen_heard_and_deleted(page: Page, installation: Installation) -> None:
    page.goto("/video_generation")
    page.locator("#lend").click()
    dialog, make = page.locator("#lend-dialog"), page.locator("#lend-make")
    dialog.get_by_text("This is my own voice").wait_for()
    dialog.locator("input[type=file]").set_input_files(recording(60))
    dialog.locator("audio").wait_for()
    page.fill("#lend-name", "Rupert")
    assert make.is_disabled(), "nobody has agreed yet"
    page.check("#lend-agree")
    make.click()
    dialog.get_by_text("Rupert is ready").wait_for(timeout=200_000)
    chosen = page.locator("#voice")
    page.wait_for_function("document.querySelector('#voice').value.startsWith('clone:')")
    assert chosen.locator("option:checked").inner_text() == "Rupert (basic)"
    told = requests.get(f"{installation.url}/api/voices/cloned", timeout=30).json()["voices"]
    assert [voice["id"] for voice in told if voice["name"] == "Rupert"] == [chosen.input_value()]

    with page.expect_response("**/api/voices/preview") as answer:
        dialog.locator("[data-voice]", has_text="Rupert").get_by_text("Listen").click()
    assert answer.value.json()["voice"] == chosen.input_value()
    dialog.locator("[data-voice]", has_text="Rupert").get_by_label("Delete").click()
    page.locator("dialog .danger").click()
    dialog.locator("[data-voice]", has_text="Rupert").wait_for(state="detached")
    page.wait_for_function("!document.querySelector('#voice').value")


def test_a_recording_that_is_too_short_is_told(page: Page) -> None:
    page.goto("/video_generation")
    page.locator("#lend").click()
    dialog = page.locator("#lend-dialog")
    dialog.get_by_text("This is my own voice").wait_for()
    dialog.locator("input[type=file]").set_input_files(recording(2))
    dialog.locator("audio").wait_for()
    page.fill("#lend-name", "Short")
    page.check("#lend-agree")
    page.locator("#lend-make").click()
    dialog.get_by_text("a voice needs at least 5").wait_for(timeout=100_000)
    page.locator("#lend-make:disabled").wait_for()
