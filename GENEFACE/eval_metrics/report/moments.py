"""The worst moments, with their pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval_metrics.report import numbers
from eval_metrics.report.markup import Html, both, labels, sentence, tag
from eval_metrics.report.page import section
from eval_metrics.report.plain import number_in, text_in, title_of
from eval_metrics.report.worst import heat_legend


def moments(result: Mapping[str, Any]) -> Html | None:
    """The worst frames, the picture of each once, with all that is bad about it."""
    frames: dict[Any, list[Mapping[str, Any]]] = {}
    for entry in result.get("worst") or ():
        frames.setdefault(entry.get("index"), []).append(entry)
    cards = [
        _moment(result, entries) for _, entries in sorted(frames.items(), key=lambda item: number_in(item[0]) or 0)
    ]
    scale = next(
        (number_in(entry.get("scale")) for entries in frames.values() for entry in entries if entry.get("difference")),
        None,
    )
    return (
        section(
            "moments.title",
            tag("div", cards, class_="moments"),
            heat_legend(scale) if scale else None,
            lead="moments.lead",
        )
        if cards
        else None
    )


def _moment(result: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> Html:
    first = entries[0]
    shown = [(name, first[name]) for name in ("pred", "truth", "difference") if _is_picture(first.get(name))]
    details = result["details"]
    bad = [_bad(entry, details.get(entry.get("key")) or {}) for entry in entries]
    time = number_in(first.get("time")) or 0.0
    return tag(
        "figure",
        tag(
            "figcaption",
            tag("strong", f"{time:.2f}\u00a0s"),
            tag("span", both("moments.frame", n=text_in(first.get("index"))), class_="soft"),
            bad,
        ),
        tag(
            "div",
            [tag("div", tag("img", src=data, **_named(name)), both(f"moments.{name}")) for name, data in shown],
            class_="trio" if len(shown) > 1 else "trio one",
        ),
        class_="card moment",
    )


def _bad(entry: Mapping[str, Any], detail: Mapping[str, Any]) -> Html:
    """A figure and its value at that moment."""
    return tag(
        "span",
        sentence(title_of(text_in(entry.get("key")), detail)),
        "\u00a0",
        tag("b", numbers.figure(number_in(entry.get("value")))),
        "\u00a0",
        sentence(text_in(detail.get("unit"))),
        class_="soft",
    )


def _named(name: str) -> dict[str, str]:
    said = labels(f"moments.{name}")
    return {"alt": said["aria_label"], **said}


def _is_picture(data: Any) -> bool:
    return isinstance(data, str) and data.startswith(("data:image/jpeg;base64,", "data:image/png;base64,"))
