"""Pictures of every page to look at: ``python -m tests.browser.screenshots [http://127.0.0.1:5001]``.

Each page × {1440, 768, 390 px} × {light, dark} × {zh, en} goes to ``tests/browser/screenshots/`` (ignored by git).
Console errors and sideways scrolling are printed and make the exit status 1.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import BrowserContext, sync_playwright

OUT = Path(__file__).with_name("screenshots")
PAGES = {"home": "/", "train": "/model_training", "create": "/video_generation", "talk": "/chat_system",
         "evaluation": "/evaluation", "swap": "/face_swap"}
SIZES = {1440: 900, 768: 1024, 390: 844}
LANGUAGES = {"zh": "zh-CN", "en": "en-US"}
_SIDEWAYS = "document.documentElement.scrollWidth > innerWidth"


def shoot(context: BrowserContext, address: str, suffix: str) -> list[str]:
    """A picture of each page; returns what is wrong."""
    wrong: list[str] = []
    for name, path in PAGES.items():
        page = context.new_page()
        page.on("console", lambda told, name=name: wrong.append(f"{name}-{suffix}: {told.text}")
                if told.type in ("error", "warning") else None)
        page.on("pageerror", lambda error, name=name: wrong.append(f"{name}-{suffix}: {error}"))
        page.goto(address + path)
        page.wait_for_timeout(1500)
        if page.evaluate(_SIDEWAYS):
            wrong.append(f"{name}-{suffix}: scrolls sideways")
        page.screenshot(path=str(OUT / f"{name}-{suffix}.png"), full_page=True)
        page.close()
    return wrong


def main(address: str) -> int:
    """All pictures; the exit status."""
    OUT.mkdir(exist_ok=True)
    wrong: list[str] = []
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for (width, height), theme, (short, locale) in itertools.product(
                SIZES.items(), ("light", "dark"), LANGUAGES.items()):
            view = {"width": width, "height": height}
            context = browser.new_context(viewport=view, color_scheme=theme, locale=locale)
            wrong += shoot(context, address.rstrip("/"), f"{width}-{theme}-{short}")
            context.close()
        browser.close()
    print("\n".join([*wrong, f"pictures are in {OUT}"]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:5001"))
