"""How a mouth and a sound belong together, and at which shift: figures that need no weights of others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

REACH = 15
"""Frames shifted to either side, as for LSE."""
SHIFTS = np.arange(-REACH, REACH + 1)
"""Frames by which the picture is later than the sound."""
SLOW = 5.0
"""Frames of the Gaussian that is taken away for the offset and the correlation: what is slower says little of when."""
WINDOW = float(np.sqrt(2.0))
"""The same for the score: the spread of SyncNet's window of five frames."""
_PARTS = 10
_TINY = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Belonging:
    """What was found, with standard errors from ten parts left out in turn."""

    offset: float
    """Frames by which the picture is later than the sound, between whole frames by a parabola."""
    offset_error: float
    frames: int
    """The whole number of frames."""
    correlation: float
    """Mean over the measures of their correlation with what the sound tells, at that offset; -1 to 1."""
    correlation_error: float
    rival: float
    """The best such mean correlation more than six frames away."""
    score: float
    """How much the likeness at the best shift exceeds the median over the shifts, times how much the sound moves."""
    score_error: float
    curve: np.ndarray
    """float64 [31]: mean correlation at `SHIFTS`."""
    each: np.ndarray
    """float64 [T]: share of each frame in the score (their mean is the score); NaN where no face was found."""
    count: int
    """Frames that count."""


def belonging(told: np.ndarray, seen: np.ndarray, there: np.ndarray, window: float = WINDOW) -> Belonging:
    """Of what the sound tells and of the mouth seen, both float64 [T, 4] at 25 a second; ``there`` says where it was.

    The score follows LSE-C's procedure (median less best over ±15 frames, changes
    within 200 ms only) with the told and the seen mouth in place of embeddings.
    The mouth is scaled to its own spread, the told one is not: a sound that hardly
    moves the lips cannot show that they are in sync.
    """
    count = min(len(told), len(seen))
    told, seen, there = told[:count], seen[:count], there[:count]
    near = _products(_spread_one(_quick(told, SLOW), there), _spread_one(_quick(seen, SLOW), there), there)
    fine = _products(_quick(told, window), _spread_one(_quick(seen, window), there), there) * told.shape[1]
    found = np.array([_figures(near, fine, keep) for keep in _kept(count)])
    offset, correlation, score = found[0]
    errors = np.sqrt((_PARTS - 1) * found[1:].var(0))
    curve, sharp = _curve(near), _curve(fine)
    best, top = int(curve.argmax()), int(sharp.argmax())
    rivals = curve[np.abs(SHIFTS - SHIFTS[best]) > 6]
    each = fine[top] - np.median(sharp)
    return Belonging(float(offset), float(errors[0]), int(SHIFTS[best]), float(correlation), float(errors[1]),
                     float(rivals.max()), float(score), float(errors[2]), curve, each, int(np.isfinite(each).sum()))


def _quick(values: np.ndarray, sigma: float) -> np.ndarray:
    return values - gaussian_filter1d(values, sigma, axis=0, mode="nearest")


def _spread_one(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    return values / (values[there].std(0) + _TINY)


def _products(told: np.ndarray, seen: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Mean over the measures of told times seen at every shift, float64 [31, T] by the seen frame; NaN outside."""
    count = len(seen)
    table = np.full((len(SHIFTS), count), np.nan)
    for row, shift in enumerate(SHIFTS):
        low, high = max(0, shift), min(count, count + shift)
        table[row, low:high] = (told[low - shift:high - shift] * seen[low:high]).mean(1)
    table[:, ~there] = np.nan
    return table


def _curve(products: np.ndarray, keep: np.ndarray | slice = slice(None)) -> np.ndarray:
    part = products[:, keep]
    counts = np.isfinite(part).sum(1)
    return np.where(counts > 0, np.nansum(part, 1) / np.maximum(counts, 1), 0.0)


def _kept(count: int) -> list[np.ndarray]:
    """Everything, then everything but one part each."""
    part = np.arange(count) * _PARTS // max(count, 1)
    return [np.ones(count, bool), *(part != number for number in range(_PARTS))]


def _figures(near: np.ndarray, fine: np.ndarray, keep: np.ndarray) -> tuple[float, float, float]:
    curve, sharp = _curve(near, keep), _curve(fine, keep)
    return _between(curve), float(curve.max()), float(sharp.max() - np.median(sharp))


def _between(curve: np.ndarray) -> float:
    """The shift of the highest point of the parabola through the best shift and its neighbours."""
    best = int(curve.argmax())
    if not 0 < best < len(curve) - 1:
        return float(SHIFTS[best])
    left, middle, right = curve[best - 1:best + 2]
    bend = left - 2 * middle + right
    return float(SHIFTS[best] + (0.5 * (left - right) / bend if bend < 0 else 0.0))
