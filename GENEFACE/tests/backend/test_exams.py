"""Which part of a recording an avatar is examined with, and what happens when there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend import exams
from tests.media_on_hand import Clips
from visage.media.probe import probe


@pytest.mark.parametrize(("seconds", "engine", "start", "length", "seen"), [
    (10.0, "lite", 7.0, 3.0, True), (29.9, "lite", 23.92, 5.98, True), (30.0, "lite", 24.0, 6.0, False),
    (100.0, "lite", 80.0, 20.0, False), (600.0, "lite", 570.0, 30.0, False), (600.0, "GeneFace", 570.0, 30.0, True),
    (3.0, "lite", 0.0, 3.0, True)])
def test_the_last_fifth_is_held_out_where_there_is_enough(seconds: float, engine: str, start: float, length: float,
                                                          seen: bool) -> None:
    exam = exams.plan(seconds, engine)
    assert exam is not None
    assert (exam.start, exam.seen) == (start, seen)
    assert exam.seconds == pytest.approx(length, abs=0.01)


def test_two_seconds_are_no_exam() -> None:
    assert exams.plan(2.0, "lite") is None


def test_the_exam_is_the_end_of_the_recording_with_its_sound(tmp_path: Path, shared_clips: Path) -> None:
    recording = shared_clips / "videos" / "segment10_man_5s.mp4"
    exam = exams.prepare(recording, tmp_path, "lite")
    assert exam is not None
    cut = probe(tmp_path / exams.VIDEO, "video")
    assert cut.has_sound
    assert cut.seconds == pytest.approx(3.0, abs=0.1)
    assert json.loads((tmp_path / exams.TOLD).read_text())["seen"] is True
    whole = probe(recording, "video")
    assert (cut.width, cut.height) == (whole.width, whole.height)


def test_a_recording_that_cannot_be_cut_stops_no_training(tmp_path: Path) -> None:
    silent = tmp_path / "silent.mp4"
    silent.write_bytes(Clips(tmp_path)("no_sound"))
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    package = tmp_path / "package"
    package.mkdir()
    assert exams.prepare(silent, package, "lite") is None
    assert exams.prepare(broken, package, "lite") is None
    assert not list(package.iterdir())
