"""The report of one clip as a page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from eval_metrics.report.facts import facts
from eval_metrics.report.figures import figure_rows, scores
from eval_metrics.report.markup import Html, both, join, known, sentence, tag
from eval_metrics.report.moments import moments
from eval_metrics.report.page import notice, page, section
from eval_metrics.report.plain import clean, is_infinite, number_in, ordered, text_in, title_of
from eval_metrics.report.timeline import curves, mouth_and_sound

_COMMAND = re.compile(r"(?:GENEFACE/)?scripts/\w+(?: [\w.-]+)*|^--\w[\w-]*(?: \w+)?$|^(?:python|pip) .*")
"""What of a remedy can be pasted into a terminal."""


def as_html(result: Mapping[str, Any]) -> str:
    """One result as an HTML file that needs no other file and no network, in English and Chinese."""
    result = clean(result)
    name, details = _name(result.get("pred")) or "?", result["details"]
    return page(
        f"{name} · Visage",
        join(
            [
                _head(result, name),
                scores(details),
                tag(
                    "div",
                    [notice(sentence(text_in(text)), kind="warn") for text in result.get("warnings") or ()],
                    class_="notices",
                )
                if result.get("warnings")
                else None,
                facts(result),
                figure_rows(
                    [
                        (key, details[key])
                        for key in ordered(details)
                        if number_in(details[key].get("value")) is not None or is_infinite(details[key])
                    ]
                ),
                _absent(details),
                mouth_and_sound(result),
                curves(result),
                moments(result),
                _care(details),
            ]
        ),
        foot=_foot(result),
    )


def _name(path: Any) -> str:
    return PurePath(text_in(path).replace("\\", "/")).name


def _head(result: Mapping[str, Any], name: str) -> Html:
    truth = _name(result.get("truth"))
    against = both("head.against", truth=tag("b", truth)) if truth else both("head.alone")
    return tag(
        "div",
        tag("p", both("head.kind"), class_="soft small"),
        tag("h1", name),
        tag("p", against, class_="soft"),
        class_="page-head",
    )


def _foot(result: Mapping[str, Any]) -> str:
    version = text_in((result.get("product") or {}).get("visage"))
    return f"Visage {version}" if version else ""


def _absent(details: Mapping[str, Any]) -> Html | None:
    """What is null, why, and what mends it."""

    def entry(key: str) -> Html:
        detail = details[key]
        remedy = text_in(detail.get("remedy"))
        why = text_in(detail.get("reason")) or text_in(detail.get("note"))
        return tag(
            "li",
            tag("strong", sentence(title_of(key, detail))),
            tag("p", sentence(why) if why else both("absent.silent")),
            remedied(remedy) if remedy else None,
            data_key=key,
        )

    keys = [
        key
        for key in ordered(details)
        if number_in(details[key].get("value")) is None and not is_infinite(details[key])
    ]
    return (
        section("absent.title", tag("ul", [entry(key) for key in keys], class_="absent"), lead="absent.lead")
        if keys
        else None
    )


def remedied(remedy: str) -> Html:
    """A command to copy, or a step in words."""
    command = _COMMAND.search(remedy)
    if command is None:
        return tag("p", sentence(remedy))
    written = command[0].rstrip(". ")
    return tag(
        "div",
        None if written == remedy.rstrip(". ") else tag("p", sentence(remedy)),
        _to_copy(written),
        class_="remedies",
    )


def _to_copy(command: str) -> Html:
    return tag("div", tag("code", command), tag("button", both("copy"), class_="copy", type="button"), class_="remedy")


def _care(details: Mapping[str, Any]) -> Html | None:
    """What must not be concluded from the figures that are there."""
    said = [
        key
        for key in ("few", "niqe", "fid", "psnr", "lse_c", "sync_score")
        if known(f"care.{key}") and (key == "few" or number_in((details.get(key) or {}).get("value")) is not None)
    ]
    return section("care.title", tag("ul", [tag("li", both(f"care.{key}")) for key in said], class_="care"))
