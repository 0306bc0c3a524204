"""Planted offsets are found to the frame; where there is none to find, none is made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eval_metrics.offset import THUMB, picture_lag, sound_lag, thumbnails
from tests.eval.pairs import moving, noisy
from tests.visage.media_clips import babble
from visage.media.audio import read_sound
from visage.media.frames import read_video

RNG = np.random.default_rng(2)


@pytest.mark.parametrize("milliseconds", [-730, -120, 0, 40, 300, 1510])
def test_of_sounds(milliseconds: int) -> None:
    sound, moved = babble(6), 16 * milliseconds
    later = np.concatenate([np.zeros(max(moved, 0), np.float32), sound[max(-moved, 0):]])
    later = 0.4 * later + RNG.normal(0, 0.002, len(later)).astype(np.float32)
    lag = sound_lag(later, sound)
    assert lag.found and lag.seconds == pytest.approx(milliseconds / 1000, abs=0.006)


@pytest.mark.parametrize("frames", [-7, -1, 0, 1, 4])
def test_of_pictures(frames: int) -> None:
    all_frames = moving(120)
    early, late = all_frames[max(-frames, 0):], all_frames[max(frames, 0):]
    lag = picture_lag(thumbnails(noisy(early, 5)), thumbnails(noisy(late, 2)), 25)
    assert lag.found and round(lag.seconds * 25) == frames


def test_nothing_is_made_up() -> None:
    sound = babble(6)
    assert not sound_lag(RNG.normal(0, 0.1, 96000), sound).found
    assert not sound_lag(np.zeros(96000, np.float32), sound).found
    still = np.repeat(thumbnails(moving(1)), 100, 0)
    lag = picture_lag(still + RNG.normal(0, 0.05, still.shape), still + RNG.normal(0, 0.05, still.shape), 25)
    assert not lag.found and lag.seconds == 0 and "moves" in lag.note
    noise = [RNG.normal(0, 20, (100, THUMB, THUMB)) for _ in range(2)]
    assert not picture_lag(*noise, 25).found
    assert not picture_lag(still[:1], still[:1], 25).found


def test_the_same_twice_is_not_moved() -> None:
    sound, frames = babble(4), thumbnails(moving(60))
    assert sound_lag(sound, sound).seconds == 0.0 and sound_lag(sound, sound).correlation == pytest.approx(1)
    assert picture_lag(frames, frames, 25).seconds == 0.0
    again = np.concatenate([frames, frames, frames])
    assert picture_lag(again, again, 25).seconds == 0.0, "what repeats itself agrees at several offsets"


def test_real_clips(shared_clips: Path) -> None:
    sound = read_sound(shared_clips / "videos" / "zh_woman_5s.mp4")
    other = read_sound(shared_clips / "videos" / "trump_10s.mp4")
    lag = sound_lag(sound[8000:], sound)
    assert lag.found and lag.seconds == pytest.approx(-0.5, abs=0.005)
    assert not sound_lag(sound, other).found
    made = thumbnails(read_video(shared_clips / "pairs/joygen_lse/pair_001_vA_aB.mp4", 25, 96))
    true = thumbnails(read_video(shared_clips / "pairs/joygen_gt/gt_fragment07_shaheen.mp4", 25, 96))
    for frames in (0, 3):
        lag = picture_lag(made, true[frames:], 25)
        assert lag.found and round(lag.seconds * 25) == frames and lag.correlation > 0.5
