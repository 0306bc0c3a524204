"""Which part of a recording an avatar is examined with, and what happens when there is none."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from backend import exams, model_trainer
from backend.forms import TrainForm
from backend.services import Services
from tests.media_on_hand import Clips
from visage.config import read_settings
from visage.engines import TrainRequest
from visage.errors import DiskFull
from visage.jobs.job import Lane
from visage.media.probe import probe
from visage.storage.catalog import Avatar
from visage.types import Progress, Report, silent
from web.words import texts


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
    exam, notes = exams.prepare(recording, tmp_path, "lite")
    assert exam is not None and not notes
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
    for source, why in ((silent, "it has no sound"), (broken, "neither video, sound nor picture")):
        exam, notes = exams.prepare(source, package, "lite")
        assert exam is None
        assert len(notes) == 1 and why in notes[0]
        in_chinese(notes[0])
    assert not list(package.iterdir())


class Tiny:
    """An engine that keeps the recording as the avatar."""

    def train(self, request: TrainRequest, report: Report) -> dict[str, int]:
        """Copy."""
        shutil.copyfile(request.source, request.avatar / "idle.mp4")
        report(Progress("learn", 1.0))
        return {"width": 64, "height": 64}


def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **found: object) -> tuple[Mapping[str, Any], Avatar]:
    """Result and avatar of a training by `Tiny`; ``found`` takes the place of parts of `exams`."""
    for name, part in found.items():
        monkeypatch.setattr(exams, name, part)
    services = Services(read_settings(home=tmp_path / "home"))
    monkeypatch.setattr(model_trainer, "working_engine", lambda *_: Tiny())
    upload = services.uploads.keep(services.uploads.receive(
        io.BytesIO(Clips(tmp_path)("good")), "video", "good.mp4", "me"))
    form = TrainForm(upload=upload.id, id="face", name="Face", engine="Tiny")
    job = services.store.create("train", "Face", Lane.CPU, form.model_dump(mode="json"))
    try:
        return model_trainer.run(job, services, silent), services.catalog.get("face")
    finally:
        services.database.dispose()


def in_chinese(note: str) -> None:
    """The pages know a Chinese text for it."""
    known = texts("zh")["sentences"]
    pattern = next(text for text in known if text.split("{")[0] and note.startswith(text.split("{")[0]))
    assert re.search(r"[\u4e00-\u9fff]", known[pattern])


def test_an_exam_that_cannot_be_cut_is_told_by_job_and_avatar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise DiskFull("The disk is full: exam.mp4 could not be written.", hint="Free some space.")

    result, avatar = trained(tmp_path, monkeypatch, run_tool=full)
    assert result["avatar"] == avatar.id == "face"
    assert "evaluation_job" not in result
    assert result["notes"] == avatar.notes == [exams.UNCUT.format(
        reason="The disk is full: exam.mp4 could not be written.")]
    in_chinese(avatar.notes[0])


def test_an_evaluation_that_cannot_be_queued_is_told_by_job_and_avatar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch
                                                                      ) -> None:
    result, avatar = trained(tmp_path, monkeypatch)
    assert "evaluation_job" not in result, "there is no engine Tiny to evaluate with"
    assert len(result["notes"]) == 1 and result["notes"] == avatar.notes
    assert result["notes"][0].startswith(exams.UNQUEUED.split("{")[0]) and "Tiny" in result["notes"][0]
    in_chinese(avatar.notes[0])
