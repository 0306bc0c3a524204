"""The result of an evaluation as a plain mapping that is always valid JSON: never NaN, never infinite."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from eval_metrics import FIRST, GIVES
from eval_metrics.contract import Figure
from eval_metrics.pool import Course
from visage import __version__
from visage.errors import VisageError

_DIGITS = 7
"""Significant digits of a series' values: more would only make files longer."""
_NO_NUMBER = "The metric came to no finite number."


def as_mapping(courses: Sequence[Course], facts: Mapping[str, Any], pred: Path, truth: Path | None, region: str,
               warnings: Sequence[str], seconds: float) -> dict[str, Any]:
    """The six first keys (a number or None), ``details`` by key, ``pair``, ``pred``, ``truth``, ``region``,
    ``product``, ``seconds``, ``warnings`` and ``worst``, JSON-ready."""
    details: dict[str, Any] = {}
    for course in courses:
        details |= told(course)
    for key, title in FIRST.items():
        if key not in details:
            details[key] = _row(Figure(None, reason="It was not asked for.", remedy="--metrics all"), key, title, 0.0)
    details = {key: details[key] for key in [*FIRST, *(key for key in details if key not in FIRST)]}
    return {**{key: details[key]["value"] for key in FIRST}, "details": details, "pair": plain(facts),
            "pred": pred.name, "truth": truth.name if truth else None, "region": region,
            "product": {"visage": __version__}, "seconds": round(seconds, 3), "warnings": list(warnings), "worst": []}


def measured(result: Mapping[str, Any]) -> bool:
    """Whether a result holds any number, or one that is known to be infinite."""
    return any(row["value"] is not None or row["note"].startswith("infinite") for row in result["details"].values())


def told(course: Course) -> dict[str, Any]:
    """Rows of ``details`` of one metric, whether it came to figures or not."""
    info = course.metric.info
    keys = info.gives or GIVES.get(course.name) or (info.name,)
    figures = dict(course.figures)
    if course.error is not None:
        figures = {key: _failed(course.error) for key in keys}
    for key in keys:
        figures.setdefault(key, Figure(None, reason="The metric gave no figure of this name."))
    return {key: _row(figure, key, info.title, course.seconds) for key, figure in figures.items()}


def _failed(error: VisageError) -> Figure:
    return Figure(None, reason=error.message, remedy=error.hint)


def _row(figure: Figure, key: str, title: str, seconds: float) -> dict[str, Any]:
    row = asdict(figure)
    value = finite(figure.value)
    if value is None and not figure.reason and not figure.note:
        row["reason"] = _NO_NUMBER
    return {**plain(row), "title": figure.title or FIRST.get(key) or title, "value": value,
            "error": finite(figure.error), "series": [_short(one) for one in figure.series],
            "seconds": round(seconds, 3)}


def finite(value: Any) -> float | None:
    """The number as a float; None for None, NaN and inf."""
    return float(value) if value is not None and math.isfinite(value) else None


def plain(value: Any) -> Any:
    """The same with nothing in it but dicts, lists, strings, numbers, booleans and None."""
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return finite(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _short(value: Any) -> float | None:
    number = finite(value)
    return None if number is None else float(f"{number:.{_DIGITS}g}")
