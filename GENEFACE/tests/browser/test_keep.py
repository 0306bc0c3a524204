"""What a conversation leaves is handed out in a real browser: film with progress, cancelling, words, both languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import av
import pytest

from backend.services import Services
from tests.conftest import Installation
from tests.talks_on_hand import answer
from tests.visage.media_clips import babble
from visage.config import read_settings
from visage.media.probe import probe
from visage.storage.records import Caption

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
SAID = "I am fine, thank you."


def talk(installation: Installation, page: Page, seconds: float = 2.0) -> str:
    """A conversation of this browser with a spoken question and a live answer."""
    made = str(page.request.post("/api/conversations", data={"avatar": "astronaut"}).json()["id"])
    services = Services(read_settings(home=installation.home))
    kept = services.talks.begin(made)
    kept.ask(babble(1.0))
    for part in answer(seconds):
        kept.append(part)
    kept.finish("How are you?", SAID, captions=[Caption(SAID, 0.0, seconds)])
    services.database.dispose()
    return made


def opened(page: Page, conversation: str | None) -> None:
    """The menu on a page that has nothing else to do with it."""
    page.add_style_tag(url="/static/css/keep.css")
    page.evaluate("""async (id) => {
        const { keepMenu } = await import("/static/js/keep.js");
        document.querySelector("main").prepend(keepMenu(() => id));
    }""", conversation)
    page.locator(".keep-opener").click()
    page.locator("dialog.keep").wait_for()


def test_a_film_is_made_and_downloaded_with_its_subtitles(page: Page, installation: Installation, tmp_path: Path
                                                          ) -> None:
    page.goto("/")
    opened(page, talk(installation, page))
    page.locator(".keep .primary").click()
    page.locator("a.keep-film").wait_for(timeout=120_000)
    with page.expect_download() as coming:
        page.locator("a.keep-film").click()
    film = tmp_path / "film.mp4"
    coming.value.save_as(film)
    assert re.fullmatch(r"Eileen-[\d-]+\.mp4", coming.value.suggested_filename)
    info = probe(film, "video")
    assert info.has_sound
    assert info.frames == round((0.4 + 1.0 + 0.3) * 25) + 50
    with av.open(str(film)) as container:
        assert len(container.streams.subtitles) == 1


def test_the_words_are_downloaded_and_change_with_the_language(page: Page, installation: Installation, tmp_path: Path
                                                               ) -> None:
    page.goto("/")
    opened(page, talk(installation, page))
    said = {}
    for ending, words in (("srt", "Subtitles (SRT)"), ("txt", "Transcript"), ("json", "Data (JSON)")):
        with page.expect_download() as coming:
            page.get_by_role("button", name=words, exact=True).click()
        assert coming.value.suggested_filename.endswith(f".{ending}")
        coming.value.save_as(tmp_path / ending)
        said[ending] = (tmp_path / ending).read_text(encoding="utf-8")
        assert SAID in said[ending]
    assert said["srt"].startswith("1\n00:00:00,") and "# Conversation with Eileen" in said["txt"]
    page.keyboard.press("Escape")
    page.locator("#language-button").click()
    page.locator(".keep-opener").click()
    assert page.locator("#keep-title").inner_text() == "保存这场对话"
    with page.expect_download() as coming:
        page.get_by_role("button", name="文字记录", exact=True).click()
    coming.value.save_as(tmp_path / "zh")
    assert "与 Eileen 的对话" in (tmp_path / "zh").read_text(encoding="utf-8")


def test_a_film_can_be_cancelled_and_asked_for_again(page: Page, installation: Installation) -> None:
    page.goto("/")
    opened(page, talk(installation, page, 4.0))
    page.locator("input[value=burnt]").check()
    page.locator(".keep .primary").click()
    page.locator(".keep-state").get_by_role("button", name="Cancel").click()
    page.locator(".keep-state .progress").wait_for(state="detached", timeout=60_000)
    assert page.locator(".keep .primary").is_enabled()
    assert page.locator("a.keep-film").count() == 0


def test_before_anything_was_said_there_is_nothing_to_keep(page: Page, installation: Installation) -> None:
    page.goto("/")
    opened(page, None)
    assert page.locator("dialog.keep").inner_text().endswith("Nothing was said yet.")
    page.keyboard.press("Escape")
    page.evaluate("document.querySelector('.keep-opener').remove()")
    opened(page, str(page.request.post("/api/conversations", data={"avatar": "astronaut"}).json()["id"]))
    for choice in (page.locator(".keep .primary"), page.get_by_role("button", name="Transcript", exact=True)):
        choice.click()
        page.locator(".keep .notice", has_text="Nothing was said in this conversation yet.").first.wait_for()
