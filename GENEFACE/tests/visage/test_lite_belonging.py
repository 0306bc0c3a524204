"""At the upload already: how far sound and lips lie apart, and whether the sound is somebody else's."""

from __future__ import annotations

import numpy as np
import pytest

from tests.visage.lite_talker import talk
from visage.engines.lite import belonging
from visage.engines.lite.belonging import find_offset, offset_facts, sound_elsewhere
from visage.engines.lite.offset import Offset, shift_sound
from visage.faces.track import Track


def _track(points: np.ndarray) -> Track:
    count = len(points)
    blank = np.zeros(count, np.float32)
    return Track(points.astype(np.float32), np.ones(count, bool), np.ones(count, np.uint8), blank, blank, blank, 512,
                 512)


@pytest.fixture(autouse=True)
def _already_in_the_face_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drawn face has no skull that a pose could be fitted to, and needs none: it holds still."""
    monkeypatch.setattr(belonging, "own_reference", lambda points: None)
    monkeypatch.setattr(belonging, "fit_pose", lambda points, reference: None)
    monkeypatch.setattr(belonging, "to_face", lambda points, pose: points)


@pytest.fixture(scope="module")
def clip() -> tuple[np.ndarray, Track]:
    sound, points = talk(14)
    return sound, _track(points)


def test_the_offset_is_found_from_the_tracked_face(clip) -> None:
    sound, track = clip
    found = find_offset(track, shift_sound(sound, Offset(0.2, 1.0)))
    assert found is not None
    assert offset_facts(found)["offset_ms"] == pytest.approx(-200, abs=40)
    assert sound_elsewhere(found) is None


def test_the_sound_of_another_is_refused(clip) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 14 * 16_000).astype(np.float32)
    found = find_offset(clip[1], noise)
    assert found is not None
    refused = sound_elsewhere(found)
    assert refused is not None
    assert (refused.code, refused.fatal) == ("video.sound_elsewhere", True)


def test_a_beginning_without_speech_refuses_nothing(clip, monkeypatch: pytest.MonkeyPatch) -> None:
    sound, track = clip
    monkeypatch.setattr(belonging, "_ENOUGH", 5.0)
    still = np.repeat(track.points[:1], 125, 0) + np.random.default_rng(0).normal(0, 0.003, (125, 478, 3))
    late = np.concatenate([still.astype(np.float32), track.points])
    noise = np.random.default_rng(1).normal(0, 0.002, 5 * 16_000).astype(np.float32)
    whole = Track(late, *(np.concatenate([getattr(track, name)[:125], getattr(track, name)]) for name in
                          ("found", "count", "second", "change", "sharpness")), width=512, height=512)
    found = find_offset(whole, np.concatenate([noise, sound]))
    assert found is not None
    assert sound_elsewhere(found) is None


def test_too_little_says_nothing(clip) -> None:
    assert find_offset(clip[1], clip[0][:16_000]) is None
    assert find_offset(clip[1], clip[0][:0]) is None
