"""The page in a real browser, opened from disk: it works on its own, in both languages, light, dark and narrow."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eval_metrics.report import as_html, compare, comparison_html
from eval_metrics.report.worst import choose
from tests.eval.report_results import result

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api")
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not executable:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of pages on disk."""
    folder = tmp_path_factory.mktemp("pages")
    told = result(pred='<img src=x onerror="document.title=1">.mp4')
    told["worst"] = [
        entry | {"pred": PIXEL, "truth": PIXEL, "difference": PIXEL, "scale": 64} for entry in choose(told)
    ]
    several = [result(f"checkpoint_{n}.mp4", seed=10 * n, psnr=30 + 4 * n) for n in range(4)]
    pages = {
        "one": as_html(told),
        "alone": as_html(result(truth=None)),
        "compared": comparison_html(compare(several), several),
    }
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in pages}


@pytest.fixture
def tab(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A tab that fails the test when the page complains or asks for anything but itself."""
    context = browser.new_context(**{"locale": "en-US", **getattr(request, "param", {})})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda told: complaints.append(told.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else complaints.append(asked.url))
    yield page
    context.close()
    assert not complaints


VIEWS = [
    {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "locale": locale}
    for width, scheme, locale in (
        (1440, "light", "en-US"),
        (768, "dark", "en-US"),
        (390, "dark", "zh-CN"),
        (390, "light", "en-US"),
    )
]


@pytest.mark.parametrize(
    "tab", VIEWS, indirect=True, ids=lambda view: f"{view['viewport']['width']}-{view['color_scheme']}"
)
@pytest.mark.parametrize("name", ["one", "alone", "compared"])
def test_nothing_is_asked_for_and_nothing_sticks_out(tab: Page, files: dict[str, str], name: str) -> None:
    tab.goto(files[name])
    assert tab.locator("h1").is_visible()
    assert not tab.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert tab.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth)")


def test_the_language_switches_all_words_at_once_and_back(tab: Page, files: dict[str, str]) -> None:
    tab.goto(files["one"])
    heading = tab.get_by_role("heading", level=2)
    assert "All figures" in heading.all_inner_texts()
    tab.locator("#language").click()
    assert "全部指标" in heading.all_inner_texts() and "All figures" not in heading.all_inner_texts()
    assert tab.evaluate("document.documentElement.lang") == "zh-CN"
    assert tab.locator("#theme").get_attribute("aria-label") == "浅色或深色"
    tab.locator("#language").click()
    assert "All figures" in heading.all_inner_texts()


@pytest.mark.parametrize("tab", [{"locale": "zh-CN"}], indirect=True)
def test_a_chinese_browser_gets_chinese(tab: Page, files: dict[str, str]) -> None:
    tab.goto(files["one"])
    assert "最差的时刻" in tab.get_by_role("heading", level=2).all_inner_texts()


def test_the_theme_switches_and_is_dark(tab: Page, files: dict[str, str]) -> None:
    tab.goto(files["one"])
    paper = "getComputedStyle(document.body).backgroundColor"
    light = tab.evaluate(paper)
    tab.locator("#theme").click()
    assert tab.evaluate(paper) != light
    tab.reload()
    assert tab.evaluate(paper) != light, "the choice is kept"
    tab.locator("#theme").click()
    assert tab.evaluate(paper) == light


def test_pointing_at_a_curve_tells_its_value_there(tab: Page, files: dict[str, str]) -> None:
    tab.goto(files["one"])
    values = result()["details"]["psnr"]["series"]
    plot = tab.locator('figure[data-key="psnr"] .plot')
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    told = plot.locator(".told")
    assert told.is_hidden()
    tab.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 40)
    assert told.inner_text().splitlines() == ["4.00 s", f"{float(f'{values[100]:.5g}'):g} dB"]
    tab.mouse.move(box["x"] + box["width"] * 0.4, box["y"] - 60)
    assert told.is_hidden()


def test_the_keyboard_reads_a_curve_too(tab: Page, files: dict[str, str]) -> None:
    tab.goto(files["compared"])
    plot = tab.locator(".plot").first
    plot.focus()
    for _ in range(3):
        tab.keyboard.press("ArrowRight")
    lines = plot.locator(".told").inner_text().splitlines()
    assert lines[0] == "0.12 s" and len(lines) == 5
    assert lines[1].startswith("checkpoint_0.mp4 ")
    tab.keyboard.press("Escape")
    assert plot.locator(".told").is_hidden()


def test_null_figures_show_reason_and_remedy_and_rows_open(tab: Page, files: dict[str, str]) -> None:
    tab.goto(files["one"])
    absent = tab.locator('.absent [data-key="fid"]')
    assert "There are no Inception weights" in absent.inner_text()
    assert absent.locator("code").inner_text() == "scripts/weights inception"
    row = tab.locator('details[data-key="ssim"]')
    assert row.get_by_text("11, 11").is_hidden()
    row.locator("summary").click()
    assert row.get_by_text("11, 11").is_visible()


def test_a_name_made_of_markup_is_shown_and_not_run(tab: Page, files: dict[str, str]) -> None:
    tab.goto(files["one"])
    assert tab.locator("h1").inner_text() == '<img src=x onerror="document.title=1">.mp4'
    assert tab.title() != "1"


def test_the_best_is_marked_and_differences_are_drawn(tab: Page, files: dict[str, str]) -> None:
    tab.goto(files["compared"])
    assert tab.locator('tr[data-key="psnr"] td.best').inner_text().startswith("4")
    assert tab.locator('.card[data-key="psnr"] svg.interval.good').count() == 3
    assert tab.locator('tr[data-key="ssim"] td.best').count() == 0


def test_it_prints_light_with_everything_open(tab: Page, files: dict[str, str], tmp_path: Path) -> None:
    tab.goto(files["one"])
    tab.locator("#theme").click()
    tab.emulate_media(media="print")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.locator("#language").is_hidden()
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.locator("details:not([open])").count() == 0
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.locator("details[open]").count() == 0
    assert tab.pdf(format="A4").startswith(b"%PDF")
