"""The comparison of several clips as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval_metrics.report import numbers
from eval_metrics.report.curves import Line, chart, interval_picture, key_of
from eval_metrics.report.figures import way
from eval_metrics.report.markup import Html, both, join, labels, sentence, tag
from eval_metrics.report.page import notice, page, section
from eval_metrics.report.plain import clean, frame_numbers, rate_of, series_of

_STYLES = "abcdefgh"
_SIGN = {"higher": 1, "lower": -1, "nearer to 1": -1, "nearer to 0": -1}


def comparison_html(comparison: Mapping[str, Any], results: Sequence[Mapping[str, Any]] = ()) -> str:
    """A comparison as an HTML file of its own; ``results``, in the same order, add the curves over time."""
    comparison, results = clean(comparison), [clean(result) for result in results]
    names = [clip["name"] for clip in comparison["clips"]]
    settings = {
        "level": f"{comparison['settings']['level']:.0%}",
        "rounds": numbers.count(comparison["settings"]["rounds"]),
    }
    content = join(
        [
            tag(
                "div",
                tag("p", both("compare.kind"), class_="soft small"),
                tag("h1", both("compare.title", n=len(names))),
                tag("p", both("compare.lead", **settings), class_="soft"),
                class_="page-head",
            ),
            tag("div", [notice(sentence(text), kind="warn") for text in comparison["warnings"]], class_="notices")
            if comparison["warnings"]
            else None,
            section("compare.table", _table(comparison, names)),
            _forests(comparison, names, settings["level"]),
            _curves(comparison, names, results),
            section(
                "care.title",
                tag(
                    "ul",
                    [
                        tag("li", both(key))
                        for key in ("compare.care_pairs", "compare.care_many", "care.niqe", "care.fid")
                    ],
                    class_="care",
                ),
            ),
        ]
    )
    return page(" · ".join([*names[:3], *(["…"] if len(names) > 3 else []), "Visage"]), content)


def _table(comparison: Mapping[str, Any], names: Sequence[str]) -> Html:
    head = tag(
        "thead",
        tag("tr", tag("th", both("compare.figure"), scope="col"), [tag("th", name, scope="col") for name in names]),
    )
    return tag(
        "div",
        tag("table", head, tag("tbody", [_table_row(row) for row in comparison["rows"]]), class_="compare"),
        class_="scroll",
        tabindex="0",
        role="region",
        **labels("compare.table"),
    )


def _table_row(row: Mapping[str, Any]) -> Html:
    def cell(n: int, held: Mapping[str, Any]) -> Html:
        if held["value"] is None:
            return tag("td", "–", tag("br"), tag("small", sentence(held["reason"] or held["note"])), class_="none wrap")
        best = row["best"] == n
        return tag(
            "td",
            tag("b", numbers.figure(held["value"], held["error"])),
            tag("br"),
            tag("small", numbers.spread(held["error"])),
            tag("span", both("compare.best"), class_="sr") if best else None,
            class_="best" if best else None,
        )

    none_sure = row["pairs"] and all(pair["low"] is None for pair in row["pairs"])
    note = sentence(row["note"]) if row["note"] else both("compare.no_interval") if none_sure else None
    return tag(
        "tr",
        tag(
            "th",
            tag("span", sentence(row["title"]), class_="name"),
            tag("small", sentence(row["unit"])) if row["unit"] else None,
            way(row),
            tag("small", note) if note else None,
            scope="row",
        ),
        [cell(n, held) for n, held in enumerate(row["values"])],
        data_key=row["key"],
    )


def _forests(comparison: Mapping[str, Any], names: Sequence[str], level: str) -> Html | None:
    """Differences from the first clip, a card a figure."""
    cards = [
        _forest(row, names)
        for row in comparison["rows"]
        if row["better"] and any(pair["low"] is not None for pair in row["pairs"])
    ]
    lead = tag("p", both("compare.forest_lead", reference=tag("b", names[0]), level=level), class_="soft small")
    return (
        section("compare.forest", tag("div", lead, class_="section-head"), tag("div", cards, class_="forest"))
        if cards
        else None
    )


def _forest(row: Mapping[str, Any], names: Sequence[str]) -> Html:
    reach = max(
        (abs(pair[end]) for pair in row["pairs"] for end in ("low", "high", "difference") if pair[end] is not None),
        default=1.0,
    )
    against = [_turned(pair) for pair in row["pairs"] if pair["first"] == 0]
    others = [pair for pair in row["pairs"] if pair["first"] != 0]
    more = (
        tag(
            "details",
            tag("summary", both("compare.all_pairs")),
            tag(
                "ul",
                [
                    _difference(
                        pair, both("compare.pair", first=names[pair["first"]], second=names[pair["second"]]), row, reach
                    )
                    for pair in others
                ],
            ),
            class_="more",
        )
        if others
        else None
    )
    return tag(
        "div",
        tag("div", tag("h3", sentence(row["title"])), tag("p", _unit(row), way(row)), class_="curve-head"),
        tag("ul", [_difference(pair, join([names[pair["first"]]]), row, reach) for pair in against]),
        more,
        class_="card",
        data_key=row["key"],
    )


def _unit(row: Mapping[str, Any]) -> Html | None:
    return tag("span", sentence(row["unit"])) if row["unit"] else None


def _turned(pair: Mapping[str, Any]) -> dict[str, Any]:
    """The same pair the other way round."""

    def minus(value: float | None) -> float | None:
        return None if value is None else -value

    chance = pair["first_better"]
    return {
        **pair,
        "first": pair["second"],
        "second": pair["first"],
        "difference": minus(pair["difference"]),
        "low": minus(pair["high"]),
        "high": minus(pair["low"]),
        "first_better": None if chance is None else 1 - chance,
    }


def _difference(pair: Mapping[str, Any], who: Html, row: Mapping[str, Any], reach: float) -> Html:
    note = tag("span", sentence(pair["note"]), class_="said") if pair["note"] else None
    if pair["difference"] is None:
        return tag("li", tag("span", who, class_="who"), note)
    width = (pair["high"] - pair["low"]) / 4 if pair["low"] is not None else None
    shown = _signed(pair["difference"], width)
    if pair["low"] is None:
        return tag(
            "li",
            tag("span", who, class_="who"),
            tag("span"),
            tag("span", shown, tag("small", both("compare.no_interval")), class_="num"),
            note,
        )
    sign = _SIGN.get(row["better"], 0)
    state = "open" if pair["low"] <= 0 <= pair["high"] or not sign else "good" if sign * pair["low"] > 0 else "bad"
    chance = (
        tag("small", both("compare.chance", p=_percent(pair["first_better"])), class_="sure")
        if pair["first_better"] is not None
        else None
    )
    ends = tag("small", f"[{_signed(pair['low'], width)}, {_signed(pair['high'], width)}]")
    return tag(
        "li",
        tag("span", who, class_="who"),
        interval_picture(pair["low"], pair["high"], pair["difference"], reach, state),
        tag("span", shown, ends, chance, class_="num"),
        note,
        class_=state,
    )


def _signed(value: float, error: float | None) -> str:
    return ("+" if value > 0 else "") + numbers.figure(value, error)


def _percent(share: float) -> str:
    return "> 99 %" if share > 0.99 else "< 1 %" if share < 0.01 else f"{share:.0%}".replace("%", "\u00a0%")


def _curves(comparison: Mapping[str, Any], names: Sequence[str], results: Sequence[Mapping[str, Any]]) -> Html | None:
    """The same figure of every clip in one picture; only as many clips as there are colours."""
    cards = []
    for row in comparison["rows"]:
        lines, shown = [], []
        for n, result in enumerate(results[: len(_STYLES)]):
            detail = result["details"].get(row["key"]) or {}
            values = series_of(detail)
            if len([value for value in values if value is not None]) > 1:
                times = [frame / (rate_of(result) or 25.0) for frame in frame_numbers(detail)]
                lines.append(Line(names[n], times, values, _STYLES[n]))
                shown.append((_STYLES[n], names[n]))
        if len(lines) > 1 and row["better"]:
            title = row["title"]
            cards.append(
                tag(
                    "figure",
                    tag(
                        "figcaption",
                        tag("h3", sentence(row["title"])),
                        tag("p", _unit(row), way(row)),
                        class_="curve-head",
                    ),
                    chart(lines, row["unit"], label=labels("compare.curves_label", title=title)),
                    key_of(shown),
                    class_="card",
                )
            )
    return section("compare.curves", tag("div", cards, class_="curves"), lead="compare.curves_lead") if cards else None
