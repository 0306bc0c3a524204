"""The frame of a report: one file that asks nothing of any network, with its look and its behaviour inside."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from eval_metrics.report.markup import HERE, Html, both, join, labels, tag

_MARK = Html(
    '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="M7 4.2C3.6 8 3.8 16.6 12 21c8.2-4.4 '
    '8.4-13 5-16.8"/><path d="M9.2 15.2c1.7 1.5 3.9 1.5 5.6 0"/><path d="M8.4 10.2h.9M14.7 10.2h.9"/></svg>'
)
_THEME = Html(
    '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="8"/>'
    '<path class="full" d="M12 4a8 8 0 0 1 0 16z"/></svg>'
)
_PRINT = Html(
    '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="M7 9V4h10v5M7 17H4.500V9h15v8H17M7 14h10'
    'v6H7z"/></svg>'
)


def page(title: str, content: Html, foot: str = "") -> str:
    """A whole HTML file.  Its policy lets run and load nothing but what is written here."""
    look, act = _text("look.css"), _text("act.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(look)}'; script-src '{_digest(act)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = join(
        [
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=policy),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("meta", name="referrer", content="no-referrer"),
            tag("title", title),
            tag("style", Html(look)),
        ]
    )
    body = join(
        [
            tag(
                "header",
                tag("span", _MARK, tag("span", "Visage"), class_="mark"),
                tag("div", _tools(), class_="tools"),
                class_="bar",
            ),
            tag("main", content, id="main"),
            tag("footer", both("foot"), tag("span", foot) if foot else None, class_="foot"),
            tag("script", Html(act)),
        ]
    )
    return "<!doctype html>\n" + tag("html", tag("head", head), tag("body", body), lang="en", data_language="en") + "\n"


def _tools() -> list[Html]:
    return [
        tag("button", both("bar.other"), class_="tool", id="language", type="button", **labels("bar.language")),
        tag("button", _THEME, class_="tool", id="theme", type="button", **labels("bar.theme")),
        tag("button", _PRINT, class_="tool", id="print", type="button", **labels("bar.print")),
    ]


def section(key: str, *children: object, lead: str = "") -> Html:
    """A part of a page below its heading."""
    return tag(
        "section",
        tag(
            "div",
            tag("h2", both(key)),
            tag("p", both(lead), class_="soft small") if lead else None,
            class_="section-head",
        ),
        *children,
        class_="section",
    )


def notice(*children: object, kind: str = "") -> Html:
    """Something that a reader must know."""
    return tag("div", *children, class_=f"notice {kind}".strip())


@cache
def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
