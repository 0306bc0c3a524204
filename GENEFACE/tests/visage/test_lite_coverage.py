"""Frames in which the mouth cannot be trusted: found, not learnt from, not painted into."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.lips_coverage import occlude, turn
from tests.visage.lite_avatars import talking_clip
from visage.engines.lite import material
from visage.engines.lite.coverage import (
    BLURRED,
    IN_FRONT,
    Coverage,
    blurred,
    covered,
    find_coverage,
    small_pictures,
    turned,
)
from visage.engines.lite.lesson import Lesson
from visage.engines.lite.material import measure
from visage.engines.lite.package import Package
from visage.errors import BadVideo
from visage.faces import open_faces
from visage.faces.track import Track, track_video
from visage.media.frames import read_video
from visage.types import FPS

# MediaPipe asks protobuf in an old way whenever a second finder is opened.
pytestmark = pytest.mark.filterwarnings("ignore:label:DeprecationWarning")
BEGIN, LAST = 60, 84


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[np.ndarray], Track]:
    """Six seconds of somebody who speaks, with nothing in front of the mouth."""
    file = talking_clip(tmp_path_factory.mktemp("clip"))
    frames = [frame for frame, _ in zip(read_video(file, FPS), range(6 * FPS), strict=False)]
    finder = open_faces()
    track = track_video(iter(frames), finder)
    finder.close()
    return frames, track


def _again(frames: list[np.ndarray], track: Track) -> Track:
    """The track with what was changed followed again."""
    points, finder = track.points.copy(), open_faces()
    found = track.found.copy()
    for number in range(BEGIN, LAST):
        faces = finder.find(frames[number])
        found[number] = bool(faces)
        points[number] = faces[0].points if faces else points[number]
    finder.close()
    return replace(track, points=points, found=found)


def test_a_clean_recording_is_used_whole(clip) -> None:
    frames, track = clip
    found = find_coverage(frames, track)
    assert found.clear.mean() > 0.97
    assert found.notes() == []


@pytest.mark.parametrize("kind", ["hand", "microphone", "card"])
def test_what_is_in_front_of_the_mouth_is_found(clip, kind: str) -> None:
    frames, track = clip
    rng, made = np.random.default_rng(0), list(frames)
    for number in range(BEGIN, LAST):
        made[number] = occlude(frames[number], track.points[number], kind, 0.5, rng)
    again = _again(made, track)
    found = covered(small_pictures(made, again), again.found) | ~again.found
    assert found[BEGIN:LAST].all()
    assert not found[:BEGIN - 10].any()
    assert not found[LAST + 10:].any()


def test_a_turned_head_is_found(clip) -> None:
    frames, track = clip
    made = list(frames)
    for number in range(BEGIN, LAST):
        made[number] = turn(frames[number], track.points[number], 50.0)
    again = _again(made, track)
    found = turned(again) | ~again.found | covered(small_pictures(made, again), again.found)
    assert found[BEGIN:LAST].mean() > 0.9
    assert not found[:BEGIN - 10].any()


def test_a_blurred_moment_is_found(clip) -> None:
    track = clip[1]
    sharp = track.sharpness.copy()
    sharp[40:50] *= 0.2
    assert np.flatnonzero(blurred(replace(track, sharpness=sharp))).tolist() == list(range(40, 50))


def test_the_footage_and_the_lesson_leave_it_out(clip) -> None:
    track = clip[1]
    clear = np.ones(len(track), bool)
    clear[BEGIN:LAST] = False
    found = measure(track, clear=clear)
    assert found.shot == slice(LAST, len(track))
    assert not set(range(BEGIN, LAST)) & set(found.usable.tolist())
    assert np.isnan(found.coefficients[BEGIN:LAST]).all()
    assert np.isfinite(found.coefficients[LAST:]).all()


def test_of_a_long_recording_crops_are_taken_evenly(clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames, track = clip
    monkeypatch.setattr(material, "ROOM", 10 * 3 * 64 * 64)
    files = {64: tmp_path / "large.npz", 16: tmp_path / "small.npz"}
    material.cut_out(frames, measure(track), Package(tmp_path), len(frames[0]), files, lambda share: None)
    large, small = (Lesson.load(file) for file in files.values())
    assert (len(large), len(small)) == (10, len(track))
    assert large.faces.shape[1:] == (64, 64, 3)
    assert set(np.diff(large.places)) <= {16, 17}


def test_a_mouth_that_is_never_seen_for_a_second_is_refused(clip) -> None:
    track = clip[1]
    clear = np.arange(len(track)) % 20 != 0
    with pytest.raises(BadVideo) as raised:
        measure(track, clear=clear)
    assert raised.value.code == "video.mouth_hidden"


def test_the_report_says_each_frame_once() -> None:
    flags = np.zeros((3, 100), bool)
    flags[0, :50] = flags[1, 40:60] = flags[2, 55:62] = True
    found = Coverage(*flags)
    assert found.facts() == {"covered_s": 2.0, "blurred_s": 0.4, "turned_s": 0.08}
    assert found.notes() == [IN_FRONT.format(seconds="2.0"), BLURRED.format(seconds="0.4")]
    assert found.clear.sum() == 38


def test_pictures_are_small_however_long_the_recording(clip) -> None:
    frames, track = clip
    assert small_pictures(frames, track).nbytes / len(track) < 4000
