"""Cepstra and windows that SyncNet hears, against python_speech_features, which the published scripts use."""

from __future__ import annotations

import numpy as np
import pytest
import python_speech_features

from eval_metrics.metrics.sync.mfcc import mfcc
from tests.visage.media_clips import babble


def published(samples: np.ndarray) -> np.ndarray:
    """As the scripts call it, on the whole numbers of a 16-bit file."""
    return python_speech_features.mfcc(np.clip(np.rint(samples.astype(np.float64) * 32768), -32768, 32767), 16_000)


@pytest.mark.parametrize("count", [1, 399, 400, 401, 16_000, 16_123, 79_999])
def test_coefficients_equal_the_library_at_every_length(count: int) -> None:
    samples = np.random.default_rng(count).normal(0, 0.2, count).astype(np.float32)
    ours, theirs = mfcc(samples), published(samples)
    assert ours.shape == theirs.shape
    assert np.allclose(ours, theirs, atol=1e-4)


def test_speech_silence_and_clipping_give_the_same_numbers() -> None:
    samples = babble(6)
    samples[20_000:30_000] = 0
    samples[40_000:42_000] *= 40
    assert np.allclose(mfcc(samples), published(samples), atol=1e-4)


def test_pieces_join_without_a_seam() -> None:
    samples = babble(61.5)
    assert np.allclose(mfcc(samples)[5990:6010], published(samples)[5990:6010], atol=1e-4)
