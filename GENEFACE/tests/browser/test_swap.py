"""Another face in a browser: photo, consent with proof, swap, comparison, erasing; and a clip that gets one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from tests.backend.test_face_swapper import picture
from tests.conftest import Installation
from tests.web.test_swap import PROOF

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser
MINUTE = 60_000


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a photo, a target, a proof and a file that is none."""
    folder = tmp_path_factory.mktemp("faces")
    picture(folder, "photo.png")
    picture(folder, "target.png", mirrored=True)
    (folder / "proof.pdf").write_bytes(PROOF)
    (folder / "false.pdf").write_text("no document")
    return folder


def agree(page: Page, files: Path, proof: str = "proof.pdf") -> None:
    """Give a photo and record that its person agreed."""
    page.set_input_files("#whose input[type=file], #appearance input[type=file]", str(files / "photo.png"))
    give = page.locator("#consent-give")
    give.wait_for(timeout=MINUTE)
    page.get_by_label("Whose face is it?").fill("Eileen")
    page.set_input_files(".consent-step input[type=file]", str(files / proof))
    assert give.is_disabled(), "nobody has agreed yet"
    page.locator(".consent-step [id$=-agree]").check()
    give.click()


def cut(figure: Locator) -> float:
    """Where the line of a comparison is, in per cent."""
    return float(figure.evaluate("figure => figure.style.getPropertyValue('--cut')").rstrip("%"))


def gone(installation: Installation, address: str) -> bool:
    return requests.get(installation.url + address, timeout=30).status_code == 404


def test_a_face_is_agreed_to_put_in_compared_found_again_and_erased(page: Page, installation: Installation,
                                                                    files: Path) -> None:
    page.goto("/face_swap")
    page.set_input_files("#target input[type=file]", str(files / "target.png"))
    page.locator(".box").wait_for(timeout=MINUTE)
    page.get_by_text("One face was found.").wait_for()
    page.locator(".box").click()
    page.get_by_text("Only face 1 is changed.").wait_for()
    agree(page, files)
    page.get_by_text("Eileen agreed to the use of these photos.").wait_for()
    page.click("#start")
    figure = page.locator("#found .compare")
    figure.wait_for(timeout=2 * MINUTE)
    assert "metadata are in the file" in page.inner_text("#found") and "engine named basic" in page.inner_text("#found")

    assert cut(figure) == 50
    box = figure.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.2, box["y"] + 40)
    assert 18 <= cut(figure) <= 22
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageUp")
    assert 29 <= cut(figure) <= 33

    page.reload()
    figure.wait_for()
    page.locator("#results [data-job]").first.wait_for()
    made = page.get_attribute("#found .compare-after", "src")
    page.locator("#consents").get_by_text("Erase all").click()
    assert "results: 1" in page.inner_text("dialog[open]")
    page.locator("dialog .danger").click()
    page.locator("#erased", has_text="Erased for Eileen").wait_for()
    assert gone(installation, made) and page.locator("#found").is_hidden()
    page.get_by_text("Nobody's consent is recorded here yet.").wait_for()
    page.locator("#results [data-job]").wait_for(state="detached")


def test_a_proof_that_is_none_is_refused_and_asked_for_again(page: Page, files: Path) -> None:
    page.goto("/face_swap")
    agree(page, files, "false.pdf")
    page.locator(".consent-step .notice", has_text="E09").wait_for()
    assert page.locator("#start").is_disabled()
    page.set_input_files(".consent-step input[type=file]", str(files / "proof.pdf"))
    page.locator("#consent-give").click()
    page.locator("#consent-found").wait_for()
    page.locator("#consents article", has_text="with proof").wait_for()


def test_a_clip_gets_another_face_and_both_are_played_in_step(page: Page, files: Path) -> None:
    page.goto("/video_generation")
    page.locator("#faces input").first.wait_for()
    page.fill("#text", "Hello.")
    page.click("#appearance-another")
    page.wait_for_function("document.querySelector('#make').disabled")
    agree(page, files)
    page.locator("#consent-found").wait_for()
    with page.expect_request("**/api/jobs/generate") as asked:
        page.click("#make")
    assert asked.value.post_data_json["appearance"]["consent"]
    page.locator("#result a[download]").wait_for(timeout=3 * MINUTE)
    assert "engine named basic" in page.inner_text("#problem")

    page.goto("/face_swap")
    page.locator("#target-select option").nth(1).wait_for(state="attached")
    page.select_option("#target-select", index=1)
    page.locator(".box").first.wait_for(timeout=MINUTE)
    page.click("#appearance-clearer")
    page.click("#start")
    page.locator("#found .compare video").first.wait_for(timeout=3 * MINUTE)
    page.wait_for_function("[...document.querySelectorAll('.compare video')].every(one => one.readyState > 1)")
    seek = page.get_by_label("Position in the video")
    seek.fill("0.4")
    page.wait_for_function("""[...document.querySelectorAll('.compare video')]
        .every(one => !one.seeking && Math.abs(one.currentTime - 0.4) < 0.02)""")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_scrolls_sideways(page: Page, installation: Installation, width: int, language: str) -> None:
    page.context.add_cookies([{"name": "lang", "value": language, "url": installation.url}])
    page.set_viewport_size({"width": width, "height": 844})
    page.goto("/face_swap")
    page.locator("#swap > details > summary").click()
    page.locator("#swap-engines .engine").nth(1).wait_for(timeout=MINUTE)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
