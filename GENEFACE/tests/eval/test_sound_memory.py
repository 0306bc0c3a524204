"""What listening to a long sound takes: its own rows, and little besides."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from eval_metrics.metrics.closing import quiet_frames
from eval_metrics.metrics.sync.mfcc import mfcc
from eval_metrics.metrics.sync.told import envelope, told_mouth
from visage.types import FPS, SPEECH_RATE

MINUTES = 5
MOST = {"told_mouth": 24, "envelope": 20, "quiet_frames": 20, "mfcc": 70}
"""MB."""


def quiet(samples: np.ndarray) -> np.ndarray:
    return quiet_frames(samples, len(samples) * FPS // SPEECH_RATE)


@pytest.mark.parametrize(("name", "listen"), [("told_mouth", told_mouth), ("envelope", envelope),
                                              ("quiet_frames", quiet), ("mfcc", mfcc)])
def test_minutes_of_sound_take_few_megabytes(name: str, listen: Callable[[np.ndarray], np.ndarray]) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, MINUTES * 60 * SPEECH_RATE).astype(np.float32)
    listen(sound[:SPEECH_RATE])
    tracemalloc.start()
    try:
        listen(sound)
        taken = tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
    assert taken < MOST[name]
