"""HTML from values: whatever is not markup already is escaped, and every sentence is there in both languages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_EMPTY = {"meta", "img", "br", "path", "circle", "rect", "line", "stop", "use"}


class Html(str):
    """Text that is markup already; made by `tag`, `both` and `join` only."""

    __slots__ = ()


def tag(name: str, /, *children: Any, **attributes: Any) -> Html:
    """An element.  ``class_`` is ``class``, ``data_x`` is ``data-x``; None and False leave an attribute out."""
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Html(f"<{name}{written}/>" if name in _EMPTY else f"<{name}{written}>{join(children)}</{name}>")


def join(parts: Iterable[Any]) -> Html:
    """Children one after another; None is left out, lists are opened, text is escaped."""
    return Html(
        "".join(
            part
            if isinstance(part, Html)
            else ""
            if part is None
            else join(part)
            if isinstance(part, (list, tuple))
            else escape(str(part))
            for part in parts
        )
    )


@cache
def words() -> dict[str, dict[str, str]]:
    """Words of the reports: ``en`` and ``zh`` by key, ``sentences`` of results from English to Chinese."""
    return json.loads((HERE / "words.json").read_text(encoding="utf-8"))


def both(key: str, **values: Any) -> Html:
    """The words of a key in both languages, of which the page shows one; ``values`` may be markup."""
    return _pair(*(_filled(words()[language][key], values) for language in ("en", "zh")))


def labels(key: str, **values: str) -> dict[str, str]:
    """Attributes that name an element in the language shown."""
    english, chinese = (words()[language][key].format(**values) for language in ("en", "zh"))
    return {"aria_label": english, "data_en": english, "data_zh": chinese}


def known(key: str) -> bool:
    """Whether there are words of this key."""
    return key in words()["en"]


def sentence(text: str) -> Html:
    """A sentence that a result says in English, in both languages where its Chinese is known."""
    chinese = translated(text)
    return join([text]) if chinese is None else _pair(escape(text), escape(chinese))


def translated(text: str) -> str | None:
    """Chinese of what a result says in English, as a whole or sentence by sentence; None when it is not known."""
    whole = _translated(text)
    if whole is not None or ". " not in text:
        return whole
    parts = [_translated(part) for part in re.split(r"(?<=\.) ", text)]
    return "".join(part for part in parts if part is not None) if None not in parts else None


def _translated(text: str) -> str | None:
    stored = words()["sentences"]
    if text in stored:
        return stored[text]
    for pattern, template in _patterns():
        if found := pattern.fullmatch(text):
            return template.format(**{name: stored.get(value, value) for name, value in found.groupdict().items()})
    return None


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Sentences with ``{names}`` in them as patterns, and their Chinese."""
    return tuple(
        (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(english)), re.S), chinese)
        for english, chinese in words()["sentences"].items()
        if "{" in english
    )


def _filled(template: str, values: dict[str, Any]) -> str:
    return escape(template, quote=False).format(**{name: join([value]) for name, value in values.items()})


def _pair(english: str, chinese: str) -> Html:
    if english == chinese:
        return Html(english)
    return Html(f'<span class="w" lang="en">{english}</span><span class="w" lang="zh-CN">{chinese}</span>')
