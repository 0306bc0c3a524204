"""Measuring in a browser: a clip by its button, a pair on the page, comparing, and both languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from tests.conftest import Installation
from tests.web.test_api import post

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser]
MINUTE = 60_000
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def clip(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of the product, also as a file."""
    job = installation.wait(post(installation, "/api/jobs/generate", avatar="astronaut", text="One, two.").json())
    assert job["state"] == "succeeded", job["error"]
    file = tmp_path_factory.mktemp("clip") / "one two.mp4"
    file.write_bytes(requests.get(installation.url + job["result"]["url"], timeout=30).content)
    return file


def test_a_clip_is_measured_by_the_button_beside_it(page: Page, clip: Path) -> None:
    page.goto("/video_generation")
    card = page.locator("#clips .face", has_text="One, two.").first
    card.locator(".measure").click()
    card.locator(".measured .face-figures > span").first.wait_for(timeout=3 * MINUTE)
    assert re.search(r"NIQE\s*\d", card.locator(".measured").inner_text())
    with page.expect_popup() as opened:
        card.locator(".measured a").click()
    opened.value.wait_for_selector("h1")
    assert opened.value.locator("h1").inner_text()
    page.reload()
    page.locator("#clips .face", has_text="One, two.").first.locator(".measured").wait_for()


def test_a_pair_is_measured_shown_and_compared(page: Page, clip: Path) -> None:
    page.goto("/evaluation")
    assert page.locator("#start").is_disabled()
    page.set_input_files("#pred input[type=file]", str(clip))
    page.locator("#pred video").wait_for()
    page.locator("#truth-select option").nth(1).wait_for(state="attached")
    page.select_option("#truth-select", index=1)
    page.locator("#truth video").wait_for()
    page.check("#region-mouth")
    page.click("#start")
    page.wait_for_selector("#job .chip")
    page.reload()
    page.wait_for_selector("#found:not([hidden]) .figures", timeout=4 * MINUTE)
    assert page.locator("#found [role=tab]").count() == 2
    assert "SSIM" in page.inner_text("#found .figures")
    page.locator("#found summary", has_text="could not be found").click()
    assert page.locator("#found .missing dt").count() > 0
    page.locator("#found summary", has_text="report here").click()
    page.frame_locator("#found iframe").locator("h1").wait_for()
    for box in page.locator("#list input[type=checkbox]").all()[:2]:
        box.check()
    with page.expect_popup() as opened:
        page.click("#compare")
    opened.value.wait_for_selector("table")
    page.click("#language-button")
    page.wait_for_function("() => /[\\u4e00-\\u9fff]/.test(document.querySelector('h1').innerText)")
    assert CHINESE.search(page.inner_text("#list article"))
    assert CHINESE.search(page.inner_text("#found .figures thead"))


def test_a_file_that_is_no_video_says_so(page: Page, tmp_path: Path) -> None:
    fake = tmp_path / "notes.mp4"
    fake.write_text("no video")
    page.goto("/evaluation")
    page.set_input_files("#pred input[type=file]", str(fake))
    page.wait_for_selector("#pred .notice")
    assert page.locator("#start").is_disabled()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_scrolls_sideways(page: Page, installation: Installation, clip: Path, width: int, language: str
                                  ) -> None:
    page.context.add_cookies([{"name": "lang", "value": language, "url": installation.url}])
    page.set_viewport_size({"width": width, "height": 844})
    for address in ("/evaluation", "/video_generation", "/model_training", "/"):
        page.goto(address)
        page.wait_for_timeout(800)
        if address == "/evaluation":
            page.locator("#list article").nth(1).locator("button").first.click()
            page.locator("#found .figures").first.wait_for()
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), address
