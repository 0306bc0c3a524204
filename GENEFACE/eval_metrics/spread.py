"""How far a mean can be trusted when neighbouring values are alike, as those of a video's frames are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

_WIDE = 5.0
"""Correlation is summed up to this many correlation times (Sokal 1997): further out there is only noise."""


def correlation_time(values: np.ndarray) -> float:
    """1 plus twice the sum of the autocorrelations: how many values in a row tell as much as one independent one.

    The sum ends where Sokal's self-consistent window does.  At least 1; 1 for
    fewer than four values and for constant ones.
    """
    count = len(values)
    apart = values - values.mean()
    power = float((apart**2).sum())
    if count < 4 or power <= 1e-24 * max(float((values**2).sum()), 1e-300):
        return 1.0
    spectrum = np.abs(np.fft.rfft(apart, 2 * count)) ** 2
    correlation = np.fft.irfft(spectrum)[:count]
    times = 2 * np.cumsum(correlation / correlation[0]) - 1
    enough = np.flatnonzero(np.arange(count) >= _WIDE * times)
    time = float(times[enough[0]]) if len(enough) else float(times[count // 3])
    # a window of W values takes away about W / N of what it sums, because the mean was estimated as well
    window = int(enough[0]) if len(enough) else count // 3
    return min(max(1.0, time * (1 + (2 * window + 1) / count)), count / 2)


def standard_error(values: Sequence[float] | np.ndarray) -> float | None:
    """Standard error of the mean of values in order, allowing for autocorrelation; NaN and inf are left out.

    None for fewer than two values.
    """
    kept = np.asarray(values, np.float64)
    kept = kept[np.isfinite(kept)]
    if len(kept) < 2:
        return None
    return math.sqrt(float(kept.var(ddof=1)) * correlation_time(kept) / len(kept))
