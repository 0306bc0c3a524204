"""The interval of a difference holds what it promises, on series whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from eval_metrics.report.bootstrap import FEWEST, block_length, compare_means, resampled_means


def alike(count: int, memory: float, rng: np.random.Generator, mean: float = 0.0) -> np.ndarray:
    """An AR(1) series of unit variance about ``mean``."""
    noise = rng.normal(size=count + 400)
    return mean + (lfilter([1], [1, -memory], noise) * np.sqrt(1 - memory**2))[400:]


@pytest.mark.parametrize(("count", "memory"), [(250, 0.0), (250, 0.5), (250, 0.8), (250, 0.9), (125, 0.8), (60, 0.5)])
def test_the_interval_covers_the_truth_about_as_often_as_it_says(count: int, memory: float) -> None:
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(300):
        shared = alike(count, 0.95, rng)
        first = shared + alike(count, memory, rng, mean=0.3)
        second = shared + alike(count, memory, rng)
        found = compare_means(first, second, rounds=400)
        assert found is not None
        held += found.low <= 0.3 <= found.high
    assert 0.89 <= held / 300 <= 0.99


def test_single_frames_as_blocks_would_claim_too_much() -> None:
    """The reason for blocks: frames taken as independent, the interval misses the truth more often than not."""
    rng = np.random.default_rng(1)
    missed = 0
    for _ in range(200):
        series = alike(250, 0.9, rng)
        low, high = np.quantile(resampled_means(series[:, None], 1, 300, 0), [0.025, 0.975])
        missed += not low <= 0 <= high
    assert missed / 200 > 0.4


def test_a_planted_difference_is_found_and_pairing_finds_it_where_means_alone_do_not() -> None:
    rng = np.random.default_rng(3)
    shared = 5 * alike(250, 0.95, rng)
    first, second = shared + alike(250, 0.5, rng, mean=0.5), shared + alike(250, 0.5, rng)
    paired, apart = compare_means(first, second), compare_means(first, second, paired=False)
    assert paired is not None and apart is not None
    assert paired.low > 0 and paired.share_above > 0.98
    assert apart.low < 0 < apart.high
    assert paired.difference == pytest.approx(first.mean() - second.mean())


def test_equal_clips_are_told_apart_no_more_often_than_one_in_twenty() -> None:
    rng = np.random.default_rng(11)
    wrong = 0
    for _ in range(300):
        found = compare_means(alike(250, 0.8, rng), alike(250, 0.8, rng), rounds=400)
        assert found is not None
        wrong += found.low > 0 or found.high < 0
    assert wrong / 300 < 0.09


def test_the_very_same_series_differ_by_nothing() -> None:
    series = alike(100, 0.9, np.random.default_rng(0))
    found = compare_means(series, series)
    assert found is not None
    assert (found.difference, found.low, found.high, found.share_above) == (0, 0, 0, 0.5)


def test_distances_from_a_target_are_compared_not_the_figures() -> None:
    """0.9 and 1.1 are equally near to 1; 0.98 is nearer than both."""
    rng = np.random.default_rng(5)
    low, high, near = (alike(250, 0.5, rng) * 0.02 + mean for mean in (0.9, 1.1, 0.98))
    even = compare_means(low, high, measure=lambda means: abs(means - 1))
    nearer = compare_means(near, high, measure=lambda means: abs(means - 1))
    assert even is not None and nearer is not None
    assert even.low < 0 < even.high
    assert nearer.high < 0


def test_blocks_grow_with_memory_and_few_frames_give_no_interval() -> None:
    rng = np.random.default_rng(2)
    lengths = [np.median([block_length(alike(500, memory, rng)) for _ in range(20)]) for memory in (0, 0.5, 0.9)]
    assert lengths[0] < lengths[1] < lengths[2] <= 125
    assert block_length(np.ones(100)) == 1
    assert compare_means(np.arange(FEWEST - 1.0), np.zeros(FEWEST - 1)) is None


def test_the_same_seed_gives_the_same_interval() -> None:
    rng = np.random.default_rng(2)
    first, second = alike(100, 0.5, rng), alike(100, 0.5, rng)
    assert compare_means(first, second, seed=4) == compare_means(first, second, seed=4)
    assert compare_means(first, second, seed=4) != compare_means(first, second, seed=5)
