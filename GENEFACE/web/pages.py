"""The pages: GET `/`, `/model_training`, `/video_generation`, `/chat_system`, `/evaluation`, `/face_swap`,
`/verify`.

A page is a template with empty elements that name their words
(``data-i18n="home.title"``); they are filled here in the reader's language, so
that nothing flickers, and filled again in the browser when the language changes.
"""

from __future__ import annotations

import json
import re

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from web.words import language, texts

THEMES = ("light", "dark")
TABS = (("train", "/model_training"), ("create", "/video_generation"), ("talk", "/chat_system"),
        ("evaluation", "/evaluation"), ("swap", "/face_swap"))
"""Name and address of every tab of the bar, in order."""
_EMPTY = re.compile(r'data-i18n="([\w.]+)"([^>]*)></')

bp = Blueprint("pages", __name__)


@bp.get("/")
def home() -> ResponseReturnValue:
    """A face that speaks within one click."""
    return _page("home")


@bp.get("/model_training")
def train() -> ResponseReturnValue:
    """Make a face."""
    return _page("train")


@bp.get("/video_generation")
def create() -> ResponseReturnValue:
    """Make a face say something."""
    return _page("create")


@bp.get("/chat_system")
def talk() -> ResponseReturnValue:
    """Talk with a face."""
    return _page("talk")


@bp.get("/evaluation")
def evaluation() -> ResponseReturnValue:
    """Measure how good a clip is."""
    return _page("evaluation")


@bp.get("/face_swap")
def swap() -> ResponseReturnValue:
    """Put another face on a picture or a video."""
    return _page("swap")


@bp.get("/verify")
def verify() -> ResponseReturnValue:
    """Is a file labelled as made by a machine."""
    return _page("verify")


def _page(name: str) -> ResponseReturnValue:
    words, theme = texts(language()), request.cookies.get("theme", "")
    embedded = json.dumps(words, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    html = render_template(f"{name}.html", page=name, language=language(), tabs=TABS, words=Markup(embedded),
                           theme=theme if theme in THEMES else "", title=words[f"{name}.tab"])
    response = make_response(_EMPTY.sub(
        lambda found: f'data-i18n="{found[1]}"{found[2]}>{escape(words.get(found[1], found[1]))}</', html))
    response.headers["Vary"] = "Cookie, Accept-Language"
    response.headers["Cache-Control"] = "no-cache"
    return response
