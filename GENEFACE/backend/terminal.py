"""Words for people who sit at a terminal: English or Chinese by the locale, aligned, coloured where that works."""

from __future__ import annotations

import os
import sys
import unicodedata

_COLOURS = {"green": "32", "yellow": "33", "red": "31", "dim": "2", "bold": "1"}


def language() -> str:
    """``"zh"`` when the locale of this terminal is Chinese, else ``"en"``."""
    chosen = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "zh" if chosen.lower().startswith("zh") else "en"


def words(english: str, chinese: str) -> str:
    """The one of two wordings that the locale asks for."""
    return chinese if language() == "zh" else english


def tell(english: str, chinese: str) -> None:
    """Print a line at once, in the language of the locale."""
    print(words(english, chinese), flush=True)


def columns(text: str) -> int:
    """Cells that a text takes on screen; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def pad(text: str, width: int) -> str:
    """The text, filled with spaces to that many cells."""
    return text + " " * max(0, width - columns(text))


def paint(text: str, colour: str) -> str:
    """The text in ``green``, ``yellow``, ``red``, ``dim`` or ``bold``; plain unless a terminal reads it."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\033[{_COLOURS[colour]}m{text}\033[0m"
