"""The figures of a result: the six that lead, and all of them as rows that open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval_metrics.report import numbers
from eval_metrics.report.markup import Html, both, join, known, sentence, tag
from eval_metrics.report.page import section
from eval_metrics.report.plain import LEADING, is_infinite, number_in, text_in, title_of

_UP = Html('<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M8 13V3M4 7l4-4 4 4"/></svg>')
_DOWN = Html('<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M8 3v10M4 9l4 4 4-4"/></svg>')
_TO = Html(
    '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M1 8h4M3.5 6l2 2-2 2M15 8h-4M12.5 6l-2 2 2 2M8 4v8"/></svg>'
)
_WAYS = {
    "higher": (_UP, "way.higher"),
    "lower": (_DOWN, "way.lower"),
    "nearer to 1": (_TO, "way.one"),
    "nearer to 0": (_TO, "way.zero"),
}


def way(detail: Mapping[str, Any], short: bool = False) -> Html | None:
    """Arrow and words for the better direction; None where a figure has none."""
    arrow, key = _WAYS.get(text_in(detail.get("better")), (None, ""))
    return (
        tag("span", arrow, tag("span", both(key), class_="sr") if short else both(key), class_="way") if arrow else None
    )


def shown(detail: Mapping[str, Any]) -> str:
    """The value as it is written; a dash for none."""
    return (
        "∞" if is_infinite(detail) else numbers.figure(number_in(detail.get("value")), number_in(detail.get("error")))
    )


def scores(details: Mapping[str, Any]) -> Html:
    """The six figures that every report has, large."""

    def score(key: str) -> Html:
        detail = details.get(key) or {}
        unit, error, there = text_in(detail.get("unit")), number_in(detail.get("error")), shown(detail) != "–"
        below = way(detail) if there else both("scores.none")
        return tag(
            "div",
            tag("h3", sentence(text_in(detail.get("title")) or key.upper())),
            tag("p", shown(detail), tag("small", sentence(unit)) if unit and there else None, class_="value"),
            tag("p", numbers.spread(error)) if there and error is not None else None,
            tag("p", below),
            class_="score" if there else "score none",
            data_key=key,
        )

    return tag("div", [score(key) for key in LEADING], class_="scores")


def figure_rows(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> Html | None:
    """One row a figure: value and spread, direction, frames, seconds; what it was computed with folded away."""
    head = [
        tag("span", both(f"rows.{name}"), class_=style)
        for name, style in (("figure", None), ("value", None), ("way", None), ("frames", "end"), ("seconds", "end"))
    ]
    return (
        section(
            "rows.title",
            tag("div", tag("div", head, class_="head"), [_row(key, detail) for key, detail in rows], class_="rows"),
            lead="rows.lead",
        )
        if rows
        else None
    )


def _row(key: str, detail: Mapping[str, Any]) -> Html:
    error, unit = number_in(detail.get("error")), text_in(detail.get("unit"))
    value = [tag("b", shown(detail)), tag("span", "\u00a0", sentence(unit)) if unit else None]
    summary = tag(
        "summary",
        tag("span", sentence(title_of(key, detail)), class_="name"),
        tag("span", value, " ", tag("span", numbers.spread(error)), class_="value"),
        way(detail) or tag("span", class_="way"),
        tag("span", numbers.count(number_in(detail.get("frames"))), class_="end frames"),
        tag("span", numbers.seconds(number_in(detail.get("seconds"))), class_="end time"),
    )
    meaning = f"about.{key}"
    return tag(
        "details",
        summary,
        tag(
            "div",
            tag("p", both(meaning)) if known(meaning) else None,
            tag("p", sentence(text_in(detail["note"]))) if detail.get("note") else None,
            tag("p", sentence(text_in(detail["reason"]))) if detail.get("reason") else None,
            tag(
                "div",
                _data("rows.parameters", detail.get("parameters")),
                _data("rows.weights", detail.get("weights"), code=True),
                class_="columns",
            )
            if detail.get("parameters") or detail.get("weights")
            else None,
            class_="inside",
        ),
        data_key=key,
    )


def _data(title: str, held: Any, code: bool = False) -> Html | None:
    """Names and values; None when there are none."""
    if not isinstance(held, Mapping) or not held:
        return None
    return tag(
        "div",
        tag("h4", both(title)),
        tag(
            "dl",
            [
                join(
                    [
                        tag("dt", name.replace("_", " ")),
                        tag("dd", numbers.plain(value), class_="code" if code else None),
                    ]
                )
                for name, value in held.items()
            ],
            class_="data",
        ),
    )
