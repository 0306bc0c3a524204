"""The language of a request, and error texts in it.

The pages translate by themselves (``static/i18n``); the server uses the same
files only for the ``message`` and ``hint`` that older clients print.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from flask import has_request_context, request

LANGUAGES = ("zh", "en")
_FOLDER = Path(__file__).resolve().parents[1] / "static" / "i18n"


def language() -> str:
    """``zh`` or ``en``: the ``lang`` cookie, else what the browser asks for, else ``en``."""
    if not has_request_context():
        return "en"
    chosen = request.cookies.get("lang", "")
    return chosen if chosen in LANGUAGES else (request.accept_languages.best_match(LANGUAGES) or "en")


@cache
def texts(lang: str) -> Mapping[str, Any]:
    """The word list of a language; empty where there is none."""
    file = _FOLDER / f"{lang}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def translate(error: Mapping[str, Any]) -> dict[str, Any]:
    """An error (`VisageError.as_dict`) with message and hint in the language of the request.

    A code or a placeholder that the word list does not know keeps its English text.
    """
    known = texts(language()).get("errors", {}).get(error["code"], {})
    translated = dict(error)
    for part in ("message", "hint"):
        template = known.get(part)
        if template and error.get(part):
            try:
                translated[part] = template.format_map(error.get("params", {}))
            except (KeyError, ValueError, IndexError):
                continue
    return translated
