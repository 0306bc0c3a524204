"""What a person does: a first face in one click, then upload, train, create, talk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Installation
from tests.web.test_api import talking_clip  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser]

MINUTE = 60_000
PLAYED = """() => [...document.querySelectorAll('#stage .stage-clip, #stage .stage-live')].some(
    (video) => video.matches('.on') && video.videoWidth > 0 && video.currentTime > 0.3)"""
"""True once a video on the stage really plays: a clip, or a live answer."""


def test_a_face_speaks_within_one_click(page: Page) -> None:
    page.goto("/")
    page.fill("#greeting", "Hello from a test.")
    page.click("#speak")
    page.wait_for_function(PLAYED, timeout=MINUTE)


def test_the_language_changes_at_once_and_stays(page: Page) -> None:
    page.goto("/model_training")
    page.wait_for_selector("#avatars .card, #avatars > *")
    english = page.inner_text("h1")
    page.click("#language-button")
    page.wait_for_function("() => /[\\u4e00-\\u9fff]/.test(document.querySelector('h1').innerText)")
    assert page.inner_text("h1") != english
    page.goto("/video_generation")
    assert any("\u4e00" <= letter <= "\u9fff" for letter in page.inner_text("h1"))


def test_a_bad_upload_says_what_to_do(page: Page, tmp_path: Path) -> None:
    fake = tmp_path / "holiday.mp4"
    fake.write_text("this is not a video")
    page.goto("/model_training")
    with page.expect_response(lambda response: "/api/uploads" in response.url) as answer:
        page.set_input_files("#source input[type=file]", str(fake))
    assert answer.value.status in (415, 422)
    page.wait_for_selector("#source .notice")
    assert "holiday.mp4" in page.inner_text("#source") or page.inner_text("#source .notice")


def test_the_quality_is_chosen_and_sent(page: Page) -> None:
    page.goto("/model_training")
    page.wait_for_selector("#avatars > *")
    page.click("#source summary")
    page.fill("#path", "static/nobody.mp4")
    page.press("#path", "Enter")
    page.wait_for_selector("#qualities input[value=fast]:checked")
    short = page.inner_text("#expected")
    page.click("#qualities label:has(input[value=fine])")
    assert page.inner_text("#expected") != short
    with page.expect_request("**/api/jobs/train") as sent:
        page.click("#make button[type=submit]")
    assert sent.value.post_data_json["quality"] == "fine"
    page.wait_for_selector("#problem .notice")


@pytest.mark.slow
def test_upload_train_create_talk(page: Page, installation: Installation, tmp_path: Path,
                                  talking_clip: bytes) -> None:  # noqa: F811
    clip = tmp_path / "speaker.mp4"
    clip.write_bytes(talking_clip)
    page.goto("/model_training")
    page.set_input_files("#source input[type=file]", str(clip))
    page.wait_for_selector("#make:not([hidden])", timeout=2 * MINUTE)
    page.fill("#name", "Browser face")
    page.click("#more summary")
    page.fill("#epochs", "1")
    page.click("#make button[type=submit]")
    page.wait_for_selector("#job .chip", timeout=MINUTE)
    page.reload()
    page.wait_for_selector("#job a[href*='/video_generation']", timeout=5 * MINUTE)
    page.click("#job a[href*='/video_generation']")
    page.wait_for_selector("#faces *")
    page.fill("#text", "I was trained in a browser.")
    page.click("#make")
    page.wait_for_function(PLAYED, timeout=2 * MINUTE)
    page.goto(page.url.replace("/video_generation", "/chat_system"))
    page.wait_for_selector("#mic:not([disabled])", timeout=MINUTE)
    box = page.locator("#mic").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.wait_for_timeout(2500)
    page.mouse.up()
    page.wait_for_function(PLAYED, timeout=2 * MINUTE)
    page.wait_for_function("() => document.querySelector('#turns .says.it')?.innerText.length > 10", timeout=MINUTE)
    assert page.inner_text("#turns .says.me").strip()


def test_a_typed_question_works_without_a_microphone(page: Page) -> None:
    page.context.clear_permissions()
    page.add_init_script("navigator.mediaDevices.getUserMedia = () => "
                         "Promise.reject(new DOMException('Permission denied', 'NotAllowedError'))")
    page.goto("/chat_system")
    page.wait_for_selector("#mic:not([disabled])", timeout=MINUTE)
    page.click("#mic")
    page.wait_for_selector("#problem .notice")
    page.fill("#text", "What is two plus three?")
    page.press("#text", "Enter")
    page.wait_for_function(PLAYED, timeout=2 * MINUTE)
    page.wait_for_function("() => document.querySelector('#turns .says.it')?.innerText.length > 0", timeout=MINUTE)
