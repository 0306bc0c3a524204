"""Numbers as a person reads them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

MINUS, THIN, NO_BREAK = "−", "\u202f", "\u00a0"
_NOTHING = 1e-9
"""Below it, a figure is what rounding left of 0."""
_LISTED, _SHOWN = 12, 4
"""Entries above which a list is cut, and how many of it are then shown."""


def figure(value: float | None, error: float | None = None) -> str:
    """A value with as many digits as its error gives sense to, else four; a dash for none."""
    if value is None:
        return "–"
    if abs(value) < _NOTHING:
        return "0"
    size = math.floor(math.log10(abs(value)))
    digits = max(0, 3 - size)
    if error and error > 0 and math.isfinite(error):
        digits = min(max(0, 1 - math.floor(math.log10(error))), 6)
    digits = min(digits, 6)
    if abs(value) < 1e-4 or abs(value) >= 1e7:
        return f"{value:.3g}".replace("-", MINUS)
    text = f"{value:.{digits}f}"
    if not error and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", MINUS)


def spread(error: float | None) -> str:
    """A standard error with two digits, e.g. ``± 0.21``; empty for none."""
    if error is None:
        return ""
    if error == 0:
        return f"±{NO_BREAK}0"
    digits = min(max(0, 1 - math.floor(math.log10(error))), 6)
    return f"±{NO_BREAK}{error:.{digits}f}"


def count(value: float | None) -> str:
    """A whole number in groups of three, e.g. ``15 000``."""
    return "–" if value is None else f"{value:,.0f}".replace(",", THIN)


def seconds(value: float | None) -> str:
    """A duration, e.g. ``0.42 s`` or ``3:05``."""
    if value is None:
        return "–"
    if value >= 90:
        whole = round(value)
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{value:.{2 if value < 10 else 1}f}{NO_BREAK}s"


def plain(value: Any) -> str:
    """Any datum of a result in a line: numbers short, of long lists the beginning."""
    if isinstance(value, list | tuple):
        return _listed(value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {plain(held)}" for name, held in value.items())
    if value is None or isinstance(value, bool):
        return "✓" if value else "–"
    if isinstance(value, int | float):
        return f"{value:.6g}".replace("-", MINUS) if isinstance(value, float) else str(value).replace("-", MINUS)
    return str(value)


def _listed(values: Sequence[Any]) -> str:
    if len(values) > _LISTED:
        return f"{_listed(values[:_SHOWN])} … ({len(values)})"
    return ", ".join(plain(part) for part in values)


def size(width: Any, height: Any) -> str:
    """Pixels across and down, e.g. ``512 × 384``."""
    return f"{plain(width)}{NO_BREAK}×{NO_BREAK}{plain(height)}"
