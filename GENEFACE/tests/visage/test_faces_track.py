"""Following one face through frames: gaps, second faces, cuts, and no lag in smoothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.visage.media_clips import portrait
from visage.faces.contract import Face, FaceFinder
from visage.faces.track import Track, sharpness, smooth, track_video
from visage.types import Progress


def moving(count: int) -> Iterator[np.ndarray]:
    for index in range(count):
        yield np.roll(portrait(), 2 * index, 1)


def test_a_moving_face_is_followed(finder: FaceFinder) -> None:
    told: list[Progress] = []
    track = track_video(moving(30), finder, told.append, total=30)
    assert track.found.all() and (track.count == 1).all() and (track.width, track.height) == (256, 256)
    assert track.points.shape == (30, 478, 3) and track.points.dtype == np.float32
    np.testing.assert_allclose(np.diff(track.points[:, 1, 0]).mean(), 2, atol=0.3)
    assert [round(step.fraction, 2) for step in told] == [0, 0.83] and told[0].stage == "track"
    assert len(track) == 30 and track.seconds == 1.2 and 90 < np.median(track.face_widths) < 130


def test_gaps_are_filled_between_neighbours(finder: FaceFinder) -> None:
    frames = list(moving(20))
    frames[8:12] = [np.zeros_like(frames[0])] * 4
    track = track_video(frames, finder)
    assert not track.found[8:12].any() and track.found[:8].all() and track.found[13:].all()
    steps = np.diff(track.points[:, 1, 0])
    assert np.abs(steps - 2).max() < 2.5, "no jump at the gap"


def test_nothing_is_found_in_nothing(finder: FaceFinder) -> None:
    track = track_video([np.zeros((64, 64, 3), np.uint8)] * 5, finder)
    assert not track.found.any() and not track.points.any() and len(track) == 5
    empty = track_video([], finder)
    assert len(empty) == 0 and empty.seconds == 0


def test_a_second_face_is_counted_and_the_first_kept(finder: FaceFinder) -> None:
    face = portrait()
    frames = [np.hstack([face, np.zeros_like(face)])] * 10 + [np.hstack([face, face])] * 10
    track = track_video(frames, finder)
    assert (track.count[:10] == 1).all() and (track.count[13:] == 2).all()
    assert track.points[:, :, 0].mean(1).max() < 256, "the face on the left stays the main one"
    assert track.second[15] == pytest.approx(1, abs=0.2) and track.second[5] == 0


def test_smoothing_removes_tremble_without_lag() -> None:
    ramp = np.arange(100, dtype=np.float32)[:, None, None] * np.ones((1, 5, 3), np.float32)
    trembling = ramp + np.random.default_rng(0).normal(0, 0.5, ramp.shape).astype(np.float32)
    smoothed = smooth(trembling)
    assert abs(float((smoothed - ramp)[5:-5].mean())) < 0.05
    assert (smoothed - ramp)[5:-5].std() < 0.8 * (trembling - ramp)[5:-5].std()


def test_blur_lowers_sharpness(finder: FaceFinder) -> None:
    import cv2
    face: Face = finder.find(portrait())[0]
    blurred = cv2.GaussianBlur(portrait(), (0, 0), 4)
    assert sharpness(portrait(), face) > 10 * sharpness(blurred, face)


def test_a_track_is_its_columns() -> None:
    blank = np.zeros(3, np.float32)
    track = Track(np.zeros((3, 478, 3), np.float32), blank > 1, blank.astype(np.uint8), blank, blank, blank, 10, 10)
    assert len(track) == 3 and track.fps == 25
