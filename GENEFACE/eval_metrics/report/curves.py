"""Curves over time as SVG, with what a pointer over them is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eval_metrics.report.markup import Html, tag
from eval_metrics.report.numbers import MINUS

WIDTH, HEIGHT = 1000, 100
_POINTS = 1200
"""Points drawn at most; a bucket of more shows its lowest and highest."""


@dataclass(frozen=True, slots=True)
class Line:
    """One curve."""

    name: str
    """What the pointer is told, e.g. ``"PSNR"``."""
    times: Sequence[float]
    """Seconds, rising."""
    values: Sequence[float | None]
    """As many; None where the curve has a gap."""
    style: str = "a"
    """``a`` to ``h``: the colour."""
    chinese: str = ""
    """The name in Chinese; empty: the same."""
    own_scale: bool = False
    """Whether it fills the height by itself, for curves of unlike units."""


def thinned(line: Line) -> list[tuple[float, float | None]]:
    """The curve with at most about `_POINTS` points that keep every low and high."""
    points = list(zip(line.times, line.values, strict=True))
    if len(points) <= _POINTS:
        return points
    kept: list[tuple[float, float | None]] = []
    for part in np.array_split(np.arange(len(points)), _POINTS // 2):
        there: list[tuple[float, float]] = [
            (time, value) for time, value in (points[n] for n in part) if value is not None
        ]
        if not there:
            kept.append((points[part[0]][0], None))
            continue
        ends = min(there, key=lambda point: point[1]), max(there, key=lambda point: point[1])
        kept += sorted(set(ends))
    return kept


def chart(
    lines: Sequence[Line],
    unit: str = "",
    marks: Sequence[tuple[float, float]] = (),
    label: dict[str, str] | None = None,
    tall: bool = False,
) -> Html:
    """The curves over one clock, a scale at the left and below; ``marks`` are (seconds, value) to be seen."""
    drawn = [(line, thinned(line)) for line in lines]
    step, steps = _clock(max((points[-1][0] for _, points in drawn if points), default=1.0))
    shared = [value for line, points in drawn if not line.own_scale for value in _there(points)]
    low, high = _room(shared)
    told = _told(drawn, step * steps, unit)
    inside = [
        _picture(drawn, marks, step * steps, (low, high)),
        tag("i", class_="cursor", hidden=True),
        tag("div", class_="told", role="status", hidden=True),
    ]
    plot = tag("div", inside, class_="plot", tabindex="0", role="img", data_curve=told, **(label or {}))
    scale = [_axis(high), _axis((low + high) / 2), _axis(low)] if shared else ["", "", ""]
    clock = [_axis(step * n) + ("\u00a0s" if n == steps else "") for n in range(steps + 1)]
    return tag("div", _words("scale", scale), plot, _words("clock", clock), class_="chart tall" if tall else "chart")


def _picture(
    drawn: Sequence[tuple[Line, list[tuple[float, float | None]]]],
    marks: Sequence[tuple[float, float]],
    last: float,
    shared: tuple[float, float],
) -> Html:
    """Grid, curves and marks, stretched to whatever room there is."""
    grid = [tag("path", class_="grid", d=f"M0 {y}H{WIDTH}") for y in (0, HEIGHT / 2, HEIGHT)]
    scales = [_room(_there(points)) if line.own_scale else shared for line, points in drawn]
    paths = [
        tag("path", class_=f"line {line.style}", d=_path(points, last, *scale))
        for (line, points), scale in zip(drawn, scales, strict=True)
    ]
    dots = [tag("path", class_="dot", d=f"M{_x(time, last)} {_y(value, *shared)}h0") for time, value in marks]
    return tag(
        "svg",
        grid,
        paths,
        dots,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        preserveAspectRatio="none",
        aria_hidden="true",
        focusable="false",
    )


def _words(kind: str, words: Sequence[str]) -> Html:
    return tag("div", [tag("span", word) for word in words], class_=kind, aria_hidden="true")


def _told(drawn: Sequence[tuple[Line, list[tuple[float, float | None]]]], last: float, unit: str) -> str:
    """What a pointer over the curves is told, as JSON."""
    lines = [
        {
            "name": line.name,
            "zh": line.chinese,
            "style": line.style,
            "x": [_short(time) for time, _ in points],
            "y": [_short(value) for _, value in points],
        }
        for line, points in drawn
    ]
    return json.dumps({"last": round(last, 4), "unit": unit, "lines": lines}, ensure_ascii=False)


def _there(points: Sequence[tuple[float, float | None]]) -> list[float]:
    return [value for _, value in points if value is not None]


def key_of(lines: Sequence[tuple[str, Any]]) -> Html:
    """Which colour is which: (style, words)."""
    return tag("div", [tag("span", tag("i", class_=f"swatch {style}"), words) for style, words in lines], class_="key")


def interval_picture(low: float, high: float, middle: float, reach: float, state: str) -> Html:
    """A difference with its interval about zero, ``reach`` on either side; ``state``: ``good``, ``bad`` or ``open``."""

    def at(value: float) -> float:
        return round(50 + 48 * max(-1.0, min(1.0, value / reach if reach else 0)), 2)

    return tag(
        "svg",
        tag("path", class_="zero", d="M50 0V24"),
        tag("path", class_="reach", d=f"M{at(low)} 12H{at(high)}"),
        tag("path", class_="middle", d=f"M{at(middle)} 12h0"),
        class_=f"interval {state}",
        viewBox="0 0 100 24",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def _clock(last: float) -> tuple[float, int]:
    """Seconds between two marks of the clock and how many steps hold ``last``, with round numbers."""
    last = max(last, 0.1)
    power = 10 ** np.floor(np.log10(last / 3))
    step = float(next(factor * power for factor in (1, 2, 5, 10) if last / (factor * power) <= 6))
    return step, max(1, int(np.ceil(last / step - 0.01)))


def _room(values: Sequence[float]) -> tuple[float, float]:
    """Lowest and highest of a scale with round ends that hold all values."""
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    width = (high - low) or abs(high) or 1.0
    step = 10 ** np.floor(np.log10(width / 2))
    step = float(next(factor * step for factor in (1, 2, 2.5, 5, 10) if width / (factor * step) <= 4))
    bottom, top = np.floor(low / step + 1e-9) * step, np.ceil(high / step - 1e-9) * step
    return float(bottom), float(top if top > bottom else bottom + step)


def _path(points: Sequence[tuple[float, float | None]], last: float, low: float, high: float) -> str:
    parts, pen = [], "M"
    for time, value in points:
        if value is None:
            pen = "M"
            continue
        parts.append(f"{pen}{_x(time, last)} {_y(value, low, high)}")
        pen = "L"
    # a value between two gaps is a dot, not a line of no length
    return "".join(
        part + "h0" if part[0] == "M" and (n + 1 == len(parts) or parts[n + 1][0] == "M") else part
        for n, part in enumerate(parts)
    )


def _x(time: float, last: float) -> str:
    return f"{WIDTH * time / last:.1f}"


def _y(value: float, low: float, high: float) -> str:
    return f"{HEIGHT * (high - value) / (high - low):.2f}"


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")


def _axis(value: float) -> str:
    return f"{float(f'{value:.4g}'):g}".replace("-", MINUS)
