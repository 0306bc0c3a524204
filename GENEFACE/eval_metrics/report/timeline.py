"""What happens over time: a curve a figure, and the mouth beside the sound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eval_metrics.report import numbers
from eval_metrics.report.curves import Line, chart, key_of
from eval_metrics.report.figures import way
from eval_metrics.report.markup import Html, both, join, labels, sentence, tag, translated, words
from eval_metrics.report.page import section
from eval_metrics.report.plain import (
    frame_numbers,
    number_in,
    numbers_in,
    ordered,
    rate_of,
    series_of,
    text_in,
    title_of,
)

_CURVES = {"mouth_opening": "a", "truth_mouth_opening": "c", "sound_envelope": "b"}
"""Figures whose curves stand in one picture, and their colours."""


def curves(result: Mapping[str, Any]) -> Html | None:
    """A card for every figure that has values over time, its worst frames marked."""
    details = result["details"]
    cards = [
        _curve_card(result, key)
        for key in ordered(details)
        if key not in _CURVES and len(set(numbers_in(details[key]))) > 1
    ]
    return section("curves.title", tag("div", cards, class_="curves"), lead="curves.lead") if cards else None


def _times(result: Mapping[str, Any], detail: Mapping[str, Any]) -> list[float]:
    return [frame / (rate_of(result) or 25.0) for frame in frame_numbers(detail)]


def _curve_card(result: Mapping[str, Any], key: str) -> Html:
    detail = result["details"][key]
    title, unit, values = title_of(key, detail), text_in(detail.get("unit")), series_of(detail)
    held = numbers_in(detail)
    marks = [
        (float(entry["time"]), float(entry["value"]))
        for entry in result.get("worst") or ()
        if entry.get("key") == key
        and number_in(entry.get("value")) is not None
        and number_in(entry.get("time")) is not None
    ]
    low, high = numbers.figure(min(held)), numbers.figure(max(held))
    drawn = chart(
        [Line(title, _times(result, detail), values, chinese=translated(title) or "")],
        unit,
        marks,
        labels("curves.label", title=title, low=low, high=high, unit=unit),
    )
    return tag(
        "figure",
        tag(
            "figcaption",
            tag("h3", sentence(title)),
            tag("p", way(detail), tag("span", f"{low} … {high} ", sentence(unit))),
            class_="curve-head",
        ),
        drawn,
        class_="card",
        data_key=key,
    )


def mouth_and_sound(result: Mapping[str, Any]) -> Html | None:
    """How far the mouth is open and how loud the sound is, over one clock."""
    details = result["details"]
    there = {key: style for key, style in _CURVES.items() if len(numbers_in(details.get(key))) > 1}
    if not {"mouth_opening", "sound_envelope"} <= set(there):
        return None
    lines = [
        Line(
            words()["en"][f"mouth.{key}"],
            _times(result, details[key]),
            series_of(details[key]),
            style,
            words()["zh"][f"mouth.{key}"],
            own_scale=True,
        )
        for key, style in there.items()
    ]
    said = [
        tag("p", join([sentence(title_of(key, details[key])), "\u00a0", tag("b", _with_unit(details[key]))]))
        for key in ("av_offset", "lip_correlation", "sync_score")
        if number_in((details.get(key) or {}).get("value")) is not None
    ]
    picture = tag(
        "figure",
        tag("figcaption", said, class_="curve-head") if said else None,
        chart(lines, tall=True, label=labels("mouth.label")),
        key_of([(style, both(f"mouth.{key}")) for key, style in there.items()]),
        class_="card wide",
        data_key="mouth",
    )
    return section("mouth.title", tag("div", picture, class_="curves"), lead="mouth.lead")


def _with_unit(detail: Mapping[str, Any]) -> str:
    value = numbers.figure(number_in(detail.get("value")), number_in(detail.get("error")))
    return f"{value}\u00a0{text_in(detail.get('unit'))}".rstrip("\u00a0")
