"""A live conversation with the real product: its ears, its voice, its face, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.live_page import MINUTE, SPOKEN, STILL, ask, measured, talking, until
from tests.conftest import Installation

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser]


def test_asked_aloud_interrupted_and_asked_again_in_writing(asking: Browser, installation: Installation) -> None:
    with talking(asking, installation) as page:
        until(page, "ready", MINUTE)
        page.click("#mic")
        page.wait_for_function(SPOKEN, timeout=2 * MINUTE)
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("Escape")
        assert page.evaluate(STILL)
        page.wait_for_selector("#turns .cut-note", timeout=MINUTE)
        assert page.locator("#turns .says.me").first.inner_text().strip()
        page.click("#mic")
        until(page, "ready", MINUTE)
        ask(page, "What is two plus three?")
        page.wait_for_function(SPOKEN, timeout=2 * MINUTE)
        page.wait_for_function("() => visageLive.turns.at(-1).stages", timeout=2 * MINUTE)
        spoken, typed = measured(page)["turns"][0], measured(page)["turns"][-1]
        assert spoken["first_frame_ms"] > 0
        assert not spoken["typed"]
        assert typed["typed"]
        assert typed["seconds"] > 0.5
        assert {stage["name"] for stage in typed["stages"]} >= {"llm", "tts", "render"}
        conversation = page.evaluate("Object.entries(sessionStorage).find(([key]) => key.includes('conversation'))[1]")
        kept = page.request.get(f"/api/conversations/{conversation}").json()["turns"]
        assert kept[-1]["question"] == "What is two plus three?"
        page.click(".keep-opener")
        page.wait_for_selector("dialog.keep .keep-part", timeout=MINUTE)
        with page.expect_download() as coming:
            page.get_by_role("button", name="Transcript", exact=True).click()
        assert "What is two plus three?" in coming.value.path().read_text(encoding="utf-8")
        page.keyboard.press("Escape")
        page.reload()
        page.wait_for_selector("#turns .cut-note", timeout=MINUTE)
        assert page.locator("#turns .says.me").last.inner_text() == "What is two plus three?"
