"""A result as JSON and as tables: nothing in it but text, numbers and nothing."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

LEADING = ("niqe", "psnr", "ssim", "fid", "lse_c", "lse_d")
"""The six figures that come first everywhere."""
COLUMNS = (
    "key",
    "title",
    "value",
    "unit",
    "better",
    "frames",
    "standard_error",
    "seconds",
    "reason",
    "remedy",
    "note",
    "parameters",
    "weights",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def clean(value: Any) -> Any:
    """The same data as JSON can hold it: NaN and infinity become None, numpy's numbers Python's, keys text."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): clean(held) for key, held in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(held) for held in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int) else str(value)


def as_json(result: Mapping[str, Any], indent: int | None = 2) -> str:
    """The result as JSON that every parser reads: no NaN, no infinity, Chinese as it is."""
    return json.dumps(clean(result), ensure_ascii=False, allow_nan=False, indent=indent)


def ordered(details: Mapping[str, Any]) -> list[str]:
    """Keys of the details: the six leading ones first, the others as they come."""
    return [key for key in LEADING if key in details] + [key for key in details if key not in LEADING]


def series_of(detail: Mapping[str, Any]) -> list[float | None]:
    """Values of a figure over time; None where there is none."""
    return [number_in(value) for value in detail.get("series") or ()]


def numbers_in(detail: Mapping[str, Any] | None) -> list[float]:
    """Values of a figure over time without the gaps."""
    return [value for value in series_of(detail or {}) if value is not None]


def is_infinite(detail: Mapping[str, Any]) -> bool:
    """Whether a figure has no number because it is beyond all numbers, as its note says."""
    return number_in(detail.get("value")) is None and text_in(detail.get("note")).startswith("infinite")


def title_of(key: str, detail: Mapping[str, Any]) -> str:
    """What a person reads for a figure."""
    return text_in(detail.get("title")) or key


def number_in(value: Any) -> float | None:
    """A finite number, or None for whatever else a file may hold there."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None


def text_in(value: Any) -> str:
    """Text as it is, nothing as empty text, other data as one line of JSON."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(clean(value), ensure_ascii=False)


def as_csv(result: Mapping[str, Any]) -> str:
    """The figures, one row each, with what they were computed with."""

    def row(key: str) -> list[Any]:
        detail = result["details"][key]
        return [
            key,
            text_in(detail.get("title")),
            number_in(detail.get("value")),
            text_in(detail.get("unit")),
            text_in(detail.get("better")),
            number_in(detail.get("frames")),
            number_in(detail.get("error")),
            number_in(detail.get("seconds")),
            *(text_in(detail.get(name)) for name in ("reason", "remedy", "note")),
            text_in(detail.get("parameters") or None),
            text_in(detail.get("weights") or None),
        ]

    return table(COLUMNS, map(row, ordered(result["details"])))


def series_csv(result: Mapping[str, Any]) -> str:
    """The values over time: a row a frame of the common clock, a column a figure that has a series."""
    details = result["details"]
    keys = [key for key in ordered(details) if details[key].get("series")]
    fps = rate_of(result)
    columns = {key: dict(zip(frame_numbers(details[key]), series_of(details[key]), strict=True)) for key in keys}
    frames = sorted(set().union(*columns.values()))
    rows = (
        [frame, round(frame / fps, 4) if fps else None, *(columns[key].get(frame) for key in keys)] for frame in frames
    )
    return table(("frame", "time_s", *keys), rows)


def frame_numbers(detail: Mapping[str, Any]) -> list[int]:
    """Frame of the common clock for each value of a series."""
    every = max(1, int(number_in(detail.get("every")) or 1))
    return [n * every for n in range(len(detail.get("series") or ()))]


def rate_of(result: Mapping[str, Any]) -> float | None:
    """Frames per second of the common clock; None when the result does not say."""
    rate = number_in((result.get("pair") or {}).get("fps"))
    return rate if rate and rate > 0 else None


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV (RFC 4180).  Text that a spreadsheet would take for a formula gets an apostrophe in front."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([_cell(name) for name in columns])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return file.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else value
