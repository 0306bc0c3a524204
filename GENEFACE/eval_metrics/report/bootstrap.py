"""A mean's interval when neighbouring values are alike: circular block bootstrap of one series or of a pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

FEWEST = 16
"""Values below which no interval is given."""
_FEWEST_BLOCKS = 4
_WIDENING = 2.0
"""Blocks of the length that suits the variance are too short for an interval: tests/eval/test_report_bootstrap.py."""


@dataclass(frozen=True, slots=True)
class Interval:
    """What is known of the difference of two means."""

    difference: float
    """First minus second."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end of the interval."""
    share_above: float
    """Share of the resampled differences above 0; a difference of exactly 0 counts half."""
    block: int
    """Length of the blocks."""


def block_length(series: np.ndarray) -> int:
    """Block length for a series [N] by the rule of Politis and White (2004, corrected 2009), widened for intervals.

    Never more than a quarter of the series; 1 for a constant one.
    """
    count = len(series)
    centred = series - series.mean()
    if count < 2 * _FEWEST_BLOCKS or not np.any(np.abs(centred) > 1e-12 * max(1.0, float(np.abs(series).max()))):
        return 1
    most = min(int(np.ceil(np.sqrt(count))) + 5, count - 1)
    spectrum = np.fft.rfft(centred, 2 * count)
    covariance = np.fft.irfft(spectrum * spectrum.conj())[: most + 1] / count
    width = min(2 * max(_last_lag(covariance / covariance[0], count), 1), most)
    lags = np.arange(-width, width + 1)
    taper = np.clip(2 * (1 - np.abs(lags) / width), 0, 1)
    tapered = taper * covariance[np.abs(lags)]
    slope, level = float((tapered * np.abs(lags)).sum()), float(tapered.sum())
    if level <= 0:
        level = float(covariance[0])
    length = (1.5 * count * (slope / level) ** 2) ** (1 / 3)
    return int(np.clip(np.ceil(_WIDENING * length), 1, count // _FEWEST_BLOCKS))


def _last_lag(correlation: np.ndarray, count: int) -> int:
    """The lag after which five correlations in a row are no more than chance."""
    run = 5
    notable = np.abs(correlation[1:]) >= 2 * np.sqrt(np.log10(count) / count)
    for lag in range(len(notable) - run + 1):
        if not notable[lag : lag + run].any():
            return lag
    found = np.flatnonzero(notable)
    return int(found[-1]) + 1 if len(found) else 0


def resampled_means(series: np.ndarray, block: int, rounds: int, seed: int) -> np.ndarray:
    """Means [rounds, C] of a series [N, C] put together anew from circular blocks; columns keep together."""
    count = len(series)
    starts = np.random.default_rng(seed)
    running = np.concatenate([np.zeros((1, series.shape[1])), np.cumsum(np.concatenate([series, series[:block]]), 0)])
    whole, rest = divmod(count, block)
    sums = running[block : block + count] - running[:count]
    total = sums[starts.integers(0, count, (rounds, whole))].sum(1)
    if rest:
        sums = running[rest : rest + count] - running[:count]
        total = total + sums[starts.integers(0, count, rounds)]
    return total / count


def compare_means(
    first: np.ndarray,
    second: np.ndarray,
    paired: bool = True,
    measure: Callable[[np.ndarray], np.ndarray] | None = None,
    level: float = 0.95,
    rounds: int = 2000,
    seed: int = 0,
) -> Interval | None:
    """Difference of the means of two series [N], after ``measure`` of each mean (e.g. its distance from 1).

    ``paired``: value i of both belongs to the same moment, and the series are equally long.  None for fewer than
    `FEWEST` values.  The percentile interval is stretched like Student's t with as many degrees of freedom as there
    are blocks less one, because few blocks tell little of their own spread.
    """
    from scipy.stats import norm, t

    if min(len(first), len(second)) < FEWEST:
        return None
    drawn, block, blocks = _drawn(first, second, paired, measure is None, rounds, seed)
    measure = measure or (lambda means: means)
    difference = float(measure(first.mean(keepdims=True))[0] - measure(second.mean(keepdims=True))[0])
    freedom = max(blocks - 1, 1.0)
    tail = (1 - level) / 2
    stretch = np.sqrt((freedom + 1) / freedom) * t.ppf(1 - tail, freedom) / norm.ppf(1 - tail)
    around = difference + stretch * (measure(drawn[:, 0]) - measure(drawn[:, 1]) - difference)
    low, high = np.quantile(around, [tail, 1 - tail])
    above = float((around > 0).mean() + (around == 0).mean() / 2)
    return Interval(difference, float(low), float(high), above, block)


def _drawn(
    first: np.ndarray, second: np.ndarray, paired: bool, plain: bool, rounds: int, seed: int
) -> tuple[np.ndarray, int, float]:
    """Resampled means of both [rounds, 2], the block's length, and how many blocks there are."""
    if paired:
        # a distance from a target does not cancel what both share, so that their own memories count, too
        watched = (first - second,) if plain else (first - second, first, second)
        block = max(map(block_length, watched))
        return resampled_means(np.stack([first, second], 1), block, rounds, seed), block, len(first) / block
    lengths = [block_length(first), block_length(second)]
    drawn = [
        resampled_means(series[:, None], length, rounds, seed + n)
        for n, (series, length) in enumerate(zip((first, second), lengths, strict=True))
    ]
    return np.concatenate(drawn, 1), max(lengths), min(len(first) / lengths[0], len(second) / lengths[1])
