"""Which of several clips is better, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import PurePath
from typing import Any

import numpy as np

from eval_metrics.report.bootstrap import FEWEST, compare_means
from eval_metrics.report.plain import clean, frame_numbers, number_in, ordered, rate_of, series_of, table, text_in
from visage.errors import InvalidRequest

LEVEL = 0.95
ROUNDS = 2000

_COLUMNS = (
    "key",
    "title",
    "unit",
    "better",
    "first",
    "second",
    "first_value",
    "second_value",
    "difference",
    "low",
    "high",
    "first_better",
    "frames",
    "best",
    "note",
)
_MEASURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "nearer to 1": lambda means: np.abs(means - 1),
    "nearer to 0": np.abs,
}


def compare(
    results: Sequence[Mapping[str, Any]],
    names: Sequence[str] | None = None,
    rounds: int = ROUNDS,
    level: float = LEVEL,
    seed: int = 0,
) -> dict[str, Any]:
    """The results side by side, JSON-ready: ``clips``, ``rows`` (a figure each, with ``pairs``), ``settings``.

    A pair holds ``difference`` (first minus second; of the distances for figures that should be near a target), its
    interval ``low`` to ``high`` and ``first_better``, the share of resampled differences that favour the first.
    ``best`` is the clip that is better than every other one by its interval, None otherwise and when the clips were
    measured in different regions.  Raises `InvalidRequest`.
    """
    if len(results) < 2:
        raise InvalidRequest(
            "A comparison needs at least two results.",
            code="evaluation.compare_one",
            hint="Name two or more result files.",
        )
    results = [clean(result) for result in results]
    names = _distinct(list(names or (_name(result) for result in results)))
    keys = ordered({key: None for result in results for key in result["details"]})
    return {
        "clips": [_clip(result, name) for result, name in zip(results, names, strict=True)],
        "rows": [_row(key, results, {"level": level, "rounds": rounds, "seed": seed}) for key in keys],
        "settings": {"level": level, "rounds": rounds, "seed": seed, "method": "circular block bootstrap"},
        "warnings": _warnings(results),
    }


def comparison_csv(comparison: Mapping[str, Any]) -> str:
    """A row a figure and pair of clips: both values, the difference, its interval, how likely the first is better."""
    names = [clip["name"] for clip in comparison["clips"]]
    return table(_COLUMNS, (_csv_row(row, pair, names) for row in comparison["rows"] for pair in row["pairs"]))


def _csv_row(row: Mapping[str, Any], pair: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    first, second = pair["first"], pair["second"]
    best = names[row["best"]] if row["best"] is not None else ""
    return [
        row["key"],
        row["title"],
        row["unit"],
        row["better"],
        names[first],
        names[second],
        row["values"][first]["value"],
        row["values"][second]["value"],
        *(pair[name] for name in ("difference", "low", "high", "first_better", "frames")),
        best,
        pair["note"],
    ]


def _name(result: Mapping[str, Any]) -> str:
    return PurePath(text_in(result.get("pred")).replace("\\", "/")).name or "?"


def _clock(result: Mapping[str, Any]) -> float:
    return round(rate_of(result) or 0.0, 3)


def _distinct(names: list[str]) -> list[str]:
    return [f"{name} ({names[:n].count(name) + 1})" if name in names[:n] else name for n, name in enumerate(names)]


def _clip(result: Mapping[str, Any], name: str) -> dict[str, Any]:
    pair = result.get("pair") or {}
    return {
        "name": name,
        "pred": result.get("pred"),
        "truth": result.get("truth"),
        "region": result.get("region"),
        "fps": rate_of(result),
        "frames": pair.get("frames"),
        "product": result.get("product"),
    }


def _warnings(results: Sequence[Mapping[str, Any]]) -> list[str]:
    said = []
    for field, text in (
        ("region", "The clips were measured in different regions of the picture, so that none is marked as better."),
        ("truth", "The clips were measured against different ground truths."),
    ):
        if len({text_in(result.get(field)) for result in results}) > 1:
            said.append(text)
    if len({_clock(result) for result in results}) > 1:
        said.append("The clips have different frame rates, so that frames are not paired.")
    return said


def _row(key: str, results: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> dict[str, Any]:
    details = [result["details"].get(key) or {} for result in results]
    known = next(detail for detail in details if detail)
    # a figure without a value does not know its unit and direction
    told = next((detail for detail in details if number_in(detail.get("value")) is not None), known)
    better, note = text_in(told.get("better")), _unlike(details)
    row: dict[str, Any] = {
        "key": key,
        "title": text_in(known.get("title")) or key,
        "unit": text_in(told.get("unit")),
        "better": better,
        "values": [
            {
                "value": number_in(detail.get("value")),
                "error": number_in(detail.get("error")),
                "frames": number_in(detail.get("frames")),
                "note": text_in(detail.get("note")),
                "reason": text_in(detail.get("reason")) or ("" if detail else "It was not measured."),
            }
            for detail in details
        ],
        "note": note,
        "best": None,
        "pairs": [],
    }
    if note:
        return row
    same_clock = len({_clock(result) for result in results}) == 1
    row["pairs"] = [
        _pair((a, b), details, better, same_clock, settings) for a, b in combinations(range(len(details)), 2)
    ]
    one_region = len({text_in(result.get("region")) for result in results}) == 1
    row["best"] = _best(row, len(details)) if one_region else None
    return row


def _unlike(details: Sequence[Mapping[str, Any]]) -> str:
    """Why values of the same name must not be compared; empty when they may be."""
    measured = [detail for detail in details if number_in(detail.get("value")) is not None]
    if len(measured) < 2:
        return "Fewer than two clips have this figure."
    if len({text_in(detail.get("weights") or None) for detail in measured}) > 1:
        return "Not comparable: computed with different weights."
    if len({text_in(detail.get("unit")) for detail in measured}) > 1:
        return "Not comparable: the units differ."
    return ""


def _pair(
    which: tuple[int, int],
    details: Sequence[Mapping[str, Any]],
    better: str,
    same_clock: bool,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    first, second = (details[n] for n in which)
    pair: dict[str, Any] = {"first": which[0], "second": which[1], "paired": same_clock, "frames": 0, "note": ""}
    pair |= dict.fromkeys(("difference", "low", "high", "first_better", "block"))
    values = [number_in(first.get("value")), number_in(second.get("value"))]
    if None in values:
        return pair | {"note": "One of the two has no value."}
    measure = _MEASURES.get(better)
    series = _together(first, second) if same_clock else [_finite(detail) for detail in (first, second)]
    if not all(map(len, series)):
        one, other = (np.asarray(value) if measure is None else measure(np.asarray(value)) for value in values)
        note = "It has no values over time, so that no interval is known."
        return pair | {"difference": float(one - other), "note": note}
    pair["frames"] = min(map(len, series))
    found = compare_means(series[0], series[1], same_clock, measure, **settings)
    if found is None:
        return pair | {"note": f"Fewer than {FEWEST} values in common: too few for an interval."}
    share = found.share_above if better == "higher" else 1 - found.share_above
    return pair | {
        "difference": found.difference,
        "low": found.low,
        "high": found.high,
        "block": found.block,
        "first_better": share if better else None,
        "note": _different_mean(values, series),
    }


def _finite(detail: Mapping[str, Any]) -> np.ndarray:
    return np.array([value for value in series_of(detail) if value is not None])


def _together(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[np.ndarray]:
    """Values of both at the frames at which both have one."""
    one, other = (dict(zip(frame_numbers(detail), series_of(detail), strict=True)) for detail in (first, second))
    frames = [frame for frame in one if one[frame] is not None and other.get(frame) is not None]
    return [np.array([held[frame] for frame in frames]) for held in (one, other)]


def _different_mean(values: Sequence[float | None], series: Sequence[np.ndarray]) -> str:
    """A word where the figures are not the means of the compared frames."""
    for value, held in zip(values, series, strict=True):
        room = 1e-6 + 0.02 * max(float(held.std()), 1e-3 * abs(value or 0))
        if abs(float(held.mean()) - (value or 0)) > room:
            return "The difference is that of the means over the frames in common."
    return ""


def _best(row: Mapping[str, Any], clips: int) -> int | None:
    """The clip that is better than each other one that has a value; None when no interval says so."""
    sign = {"higher": 1, "lower": -1, "nearer to 1": -1, "nearer to 0": -1}.get(row["better"], 0)
    beaten: dict[int, set[int]] = {n: set() for n in range(clips)}
    for pair in row["pairs"]:
        if pair["low"] is None or not sign:
            continue
        low, high = sorted((sign * pair["low"], sign * pair["high"]))
        if low > 0:
            beaten[pair["first"]].add(pair["second"])
        elif high < 0:
            beaten[pair["second"]].add(pair["first"])
    there = {n for n, held in enumerate(row["values"]) if held["value"] is not None}
    return next((n for n in sorted(there) if there - {n} and beaten[n] >= there - {n}), None)
