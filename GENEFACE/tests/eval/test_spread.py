"""Standard errors are right for values that depend on their neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from eval_metrics.spread import correlation_time, standard_error


def ar1(phi: float, count: int, rng: np.random.Generator) -> np.ndarray:
    noise = rng.normal(size=count + 200)
    values = np.zeros(count + 200)
    for place in range(1, len(values)):
        values[place] = phi * values[place - 1] + noise[place]
    return values[200:]


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.8])
def test_of_a_known_process(phi: float) -> None:
    rng = np.random.default_rng(11)
    rows = [ar1(phi, 1000, rng) for _ in range(150)]
    told = np.mean([standard_error(row) for row in rows])
    true = np.sqrt(1 / (1 - phi) ** 2 / 1000)
    assert told == pytest.approx(true, rel=0.12)
    assert np.mean([correlation_time(row) for row in rows]) == pytest.approx((1 + phi) / (1 - phi), rel=0.15)
    if phi == 0.8:
        naive = np.mean([row.std(ddof=1) / np.sqrt(1000) for row in rows])
        assert naive < 0.4 * true, "what leaves autocorrelation out is far too small"


def test_intervals_hold_the_truth() -> None:
    rng = np.random.default_rng(12)
    rows = [ar1(0.7, 600, rng) for _ in range(200)]
    assert 0.88 <= np.mean([abs(row.mean()) < 1.96 * standard_error(row) for row in rows]) <= 1.0


def test_few_constant_and_missing_values() -> None:
    assert standard_error([]) is None and standard_error([1.0]) is None and standard_error([1.0, float("nan")]) is None
    assert standard_error([2.5] * 50) == 0.0
    assert standard_error([1.0, 2.0, float("nan"), float("inf")]) == pytest.approx(0.5)
