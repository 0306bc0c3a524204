"""Sound and picture that lie apart are found, and sound that does not belong is seen to be so."""

from __future__ import annotations

import numpy as np
import pytest

from tests.visage.lite_talker import talk
from visage.engines.lite.mouth import fit_basis, select
from visage.engines.lite.offset import Offset, estimate_offset, shift_sound


@pytest.fixture(scope="module")
def clip() -> tuple[np.ndarray, np.ndarray]:
    sound, points = talk(14)
    return sound, fit_basis(points, size=6).encode(select(points))


@pytest.mark.parametrize("frames", [-6, -3, 0, 2, 5])
def test_a_planted_offset_is_found_and_mended(clip, frames: int) -> None:
    sound, seen = clip
    moved = shift_sound(sound, Offset(-frames / 25, 1.0))
    found = estimate_offset(moved, seen)
    assert found.seconds * 25 == pytest.approx(frames, abs=1.0)
    assert found.peak > 0.4
    mended = estimate_offset(shift_sound(moved, found), seen)
    assert abs(mended.seconds) <= 0.04


def test_a_sound_that_does_not_belong_has_a_low_peak(clip) -> None:
    right = estimate_offset(*clip).peak
    assert estimate_offset(talk(14, seed=8)[0][20_000:], clip[1]).peak < right / 2
    noise = np.random.default_rng(0).normal(0, 0.1, 160_000).astype(np.float32)
    assert estimate_offset(noise, clip[1]).peak < 0.2


@pytest.mark.parametrize("seconds", [0.0, 0.04, 1.0])
def test_short_clips_are_left_as_they_are(clip, seconds: float) -> None:
    found = estimate_offset(clip[0][:round(seconds * 16_000)], clip[1])
    assert found.seconds == 0.0
