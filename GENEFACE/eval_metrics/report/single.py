"""The report of one clip as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from eval_metrics.report import numbers
from eval_metrics.report.curves import Line, chart, key_of
from eval_metrics.report.facts import facts
from eval_metrics.report.figures import figure_rows, scores, way
from eval_metrics.report.markup import Html, both, join, known, labels, sentence, tag, translated, words
from eval_metrics.report.page import notice, page, section
from eval_metrics.report.plain import (
    clean,
    frame_numbers,
    number_in,
    numbers_in,
    ordered,
    rate_of,
    series_of,
    text_in,
    title_of,
)
from eval_metrics.report.worst import heat_legend

_CURVES = {"mouth_opening": "a", "truth_mouth_opening": "c", "sound_envelope": "b"}
"""Figures whose curves stand in one picture, and their colours."""


def as_html(result: Mapping[str, Any]) -> str:
    """One result as an HTML file that needs no other file and no network, in English and Chinese."""
    result = clean(result)
    name, details = _name(result.get("pred")) or "?", result["details"]
    return page(f"{name} · Visage", join([
        _head(result, name),
        scores(details),
        tag("div", [notice(sentence(text_in(text)), kind="warn") for text in result.get("warnings") or ()],
            class_="notices") if result.get("warnings") else None,
        facts(result),
        figure_rows([(key, details[key]) for key in ordered(details)
                     if number_in(details[key].get("value")) is not None or details[key].get("series")]),
        _absent(details),
        _mouth(result),
        _curves(result),
        _moments(result),
        _care(details),
    ]), foot=_foot(result))


def _name(path: Any) -> str:
    return PurePath(text_in(path).replace("\\", "/")).name


def _head(result: Mapping[str, Any], name: str) -> Html:
    truth = _name(result.get("truth"))
    against = both("head.against", truth=tag("b", truth)) if truth else both("head.alone")
    return tag("div", tag("p", both("head.kind"), class_="soft small"), tag("h1", name), tag("p", against, class_="soft"),
               class_="page-head")


def _foot(result: Mapping[str, Any]) -> str:
    version = text_in((result.get("product") or {}).get("visage"))
    return f"Visage {version}" if version else ""


def _absent(details: Mapping[str, Any]) -> Html | None:
    """What is null, why, and what mends it."""
    def entry(key: str) -> Html:
        detail = details[key]
        remedy = text_in(detail.get("remedy"))
        why = text_in(detail.get("reason")) or text_in(detail.get("note"))
        return tag("li", tag("strong", sentence(title_of(key, detail))), tag("p", sentence(why) if why else both("absent.silent")),
                   remedied(remedy) if remedy else None, data_key=key)
    keys = [key for key in ordered(details) if number_in(details[key].get("value")) is None]
    return section("absent.title", tag("ul", [entry(key) for key in keys], class_="absent"), lead="absent.lead") if keys else None


def remedied(remedy: str) -> Html:
    """A command to copy, or a step in words."""
    if remedy.endswith((".", "。")):
        return tag("p", sentence(remedy))
    return tag("div", tag("code", sentence(remedy)), tag("button", both("copy"), class_="copy", type="button"), class_="remedy")


def _curves(result: Mapping[str, Any]) -> Html | None:
    details = result["details"]
    cards = [_curve_card(result, key) for key in ordered(details)
             if key not in _CURVES and len(set(numbers_in(details[key]))) > 1]
    return section("curves.title", tag("div", cards, class_="curves"), lead="curves.lead") if cards else None


def _times(result: Mapping[str, Any], detail: Mapping[str, Any]) -> list[float]:
    return [frame / (rate_of(result) or 25.0) for frame in frame_numbers(detail)]


def _curve_card(result: Mapping[str, Any], key: str) -> Html:
    detail = result["details"][key]
    title, unit, values = title_of(key, detail), text_in(detail.get("unit")), series_of(detail)
    held = numbers_in(detail)
    marks = [(float(entry["time"]), float(entry["value"]), "") for entry in result.get("worst") or ()
             if entry.get("key") == key and number_in(entry.get("value")) is not None and number_in(entry.get("time")) is not None]
    low, high = numbers.figure(min(held)), numbers.figure(max(held))
    drawn = chart([Line(title, _times(result, detail), values, chinese=translated(title) or "")], unit, marks,
                  labels("curves.label", title=_braceless(title), low=low, high=high, unit=_braceless(unit)))
    return tag("figure", tag("figcaption", tag("h3", sentence(title)), tag("p", way(detail), tag("span", f"{low} … {high} {unit}".rstrip())), class_="curve-head"),
               drawn, class_="card", data_key=key)


def _braceless(text: str) -> str:
    return text.replace("{", "(").replace("}", ")")


def _mouth(result: Mapping[str, Any]) -> Html | None:
    """How far the mouth is open and how loud the sound is, over one clock."""
    details = result["details"]
    there = {key: style for key, style in _CURVES.items() if len(numbers_in(details.get(key))) > 1}
    if not {"mouth_opening", "sound_envelope"} <= set(there):
        return None
    lines = [Line(words()["en"][f"mouth.{key}"], _times(result, details[key]), series_of(details[key]), style,
                  words()["zh"][f"mouth.{key}"], own_scale=True) for key, style in there.items()]
    said = [tag("p", join([sentence(title_of(key, details[key])), "\u00a0", tag("b", _with_unit(details[key]))]))
            for key in ("av_offset", "lip_correlation", "sync_score")
            if number_in((details.get(key) or {}).get("value")) is not None]
    picture = tag("figure", tag("figcaption", said, class_="curve-head") if said else None,
                  chart(lines, tall=True, label=labels("mouth.label")),
                  key_of([(style, both(f"mouth.{key}")) for key, style in there.items()]),
                  class_="card wide", data_key="mouth")
    return section("mouth.title", tag("div", picture, class_="curves"), lead="mouth.lead")


def _with_unit(detail: Mapping[str, Any]) -> str:
    value = numbers.figure(number_in(detail.get("value")), number_in(detail.get("error")))
    return f"{value}\u00a0{text_in(detail.get('unit'))}".rstrip("\u00a0")


def _moments(result: Mapping[str, Any]) -> Html | None:
    """The worst frames, the picture of each once, with all that is bad about it."""
    frames: dict[Any, list[Mapping[str, Any]]] = {}
    for entry in result.get("worst") or ():
        frames.setdefault(entry.get("index"), []).append(entry)
    cards = [_moment(result, entries) for _, entries in sorted(frames.items(), key=lambda item: number_in(item[0]) or 0)]
    scale = next((number_in(entry.get("scale")) for entries in frames.values() for entry in entries if entry.get("difference")), None)
    return section("moments.title", tag("div", cards, class_="moments"), heat_legend(scale) if scale else None,
                   lead="moments.lead") if cards else None


def _moment(result: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> Html:
    first = entries[0]
    shown = [(name, first[name]) for name in ("pred", "truth", "difference") if _is_picture(first.get(name))]
    bad = [join([sentence(text_in((result["details"].get(entry.get("key")) or {}).get("title")) or text_in(entry.get("key"))), "\u00a0",
                 tag("b", numbers.figure(number_in(entry.get("value")))), "\u00a0",
                 text_in((result["details"].get(entry.get("key")) or {}).get("unit"))]) for entry in entries]
    time = number_in(first.get("time")) or 0.0
    return tag("figure", tag("figcaption", tag("strong", f"{time:.2f}\u00a0s"), tag("span", both("moments.frame", n=text_in(first.get("index"))), class_="soft"),
                             [tag("span", text, class_="soft") for text in bad]),
               tag("div", [tag("div", tag("img", src=data, **_named(name)), both(f"moments.{name}")) for name, data in shown],
                   class_="trio" if len(shown) > 1 else "trio one"), class_="card moment")


def _named(name: str) -> dict[str, str]:
    said = labels(f"moments.{name}")
    return {"alt": said["aria_label"], **said}


def _is_picture(data: Any) -> bool:
    return isinstance(data, str) and data.startswith(("data:image/jpeg;base64,", "data:image/png;base64,"))


def _care(details: Mapping[str, Any]) -> Html | None:
    """What must not be concluded from the figures that are there."""
    said = [key for key in ("few", "niqe", "fid", "psnr", "lse_c", "sync_score") if known(f"care.{key}")
            and (key == "few" or number_in((details.get(key) or {}).get("value")) is not None)]
    return section("care.title", tag("ul", [tag("li", both(f"care.{key}")) for key in said], class_="care"))
