"""What an avatar is examined with: the last part of its recording, which it says again and is compared with.

From `LONG` seconds on that part is kept from the built-in engine, so that its figures are those of frames it never
saw.  A shorter recording is too precious, and engines in containers get the whole one: their figures are marked as
seen in training.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from backend.services import Services
from visage.errors import Cancelled, NotFound
from visage.jobs.job import Job
from visage.jobs.process import as_error
from visage.media.audio import read_sound, write_wav
from visage.media.ffmpeg import cut_out
from visage.media.probe import probe
from visage.media.run import run_tool
from visage.types import SPEECH_RATE

LONG = 30.0
"""Seconds of a recording from which on its last part is held out."""
SHARE = 0.2
"""Part of the recording, at its end."""
SHORTEST, LONGEST = 3.0, 30.0
"""Seconds of an exam."""
VIDEO, TOLD = "exam.mp4", "exam.json"
UNCUT = "No part of the recording could be kept as an exam, so the avatar is not evaluated: {reason}"
UNQUEUED = "The avatar is ready, but its evaluation could not be queued: {reason}"
"""What the job and the avatar say when something went wrong."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Exam:
    """Which part of the recording it is."""

    start: float
    """Seconds from the recording's start."""
    seconds: float
    """Length."""
    seen: bool
    """Whether the avatar learnt from it as well."""


def plan(seconds: float, engine: str) -> Exam | None:
    """The exam of a recording of that length; None when it is too short for one."""
    length = min(LONGEST, max(SHORTEST, SHARE * seconds))
    if seconds < SHORTEST:
        return None
    start = max(0.0, round(seconds - length, 2))
    return Exam(start, round(seconds - start, 2), seen=engine != "lite" or seconds < LONG)


def prepare(source: Path, package: Path, engine: str) -> tuple[Exam | None, Sequence[str]]:
    """Cut the exam out of the recording into the package; None, with notes that say why, when that cannot be done."""
    try:
        info = probe(source, "video")
        exam = plan(info.seconds, engine) if info.has_sound else None
        if exam is None:
            why = f"it is shorter than {SHORTEST:.0f} s." if info.has_sound else "it has no sound."
            return None, [UNCUT.format(reason=why)]
        if not (package / TOLD).is_file():
            run_tool(cut_out(source, package / VIDEO, exam.start, exam.seconds))
            (package / TOLD).write_text(json.dumps(asdict(exam)))
        return exam, []
    except Cancelled:
        raise
    except Exception as exc:  # a training must not fail for its exam
        log.exception("no exam could be cut out of %s; the training goes on without", source.name)
        return None, [UNCUT.format(reason=as_error(exc).message)]


def held(services: Services, avatar_id: str) -> tuple[Path, Exam]:
    """The exam of an avatar.  Raises `NotFound` when it has none."""
    folder = services.catalog.folder(avatar_id)
    try:
        told = json.loads((folder / TOLD).read_text())
        exam = Exam(float(told["start"]), float(told["seconds"]), bool(told["seen"]))
    except (OSError, ValueError, TypeError, KeyError):
        exam = None
    if exam is None or not (folder / VIDEO).is_file():
        raise NotFound("The avatar {id} keeps no part of its recording to be compared with.", code="evaluate.no_exam",
                       hint="Train it again from a recording, or choose a clip and its ground truth.", id=avatar_id)
    return folder / VIDEO, exam


def follow(services: Services, job: Job, avatar_id: str) -> Mapping[str, Any]:
    """Queue the evaluation of a freshly trained avatar: ``{"evaluation_job": id}``.

    Without an exam there is none; when it cannot be queued, ``notes`` says why, here and on the avatar.
    """
    from backend.evaluator import submit_avatar

    try:
        held(services, avatar_id)
        return {"evaluation_job": submit_avatar(services, avatar_id, job).id}
    except NotFound:
        return {}
    except Exception as exc:  # the avatar is whole, whatever becomes of its evaluation
        log.exception("the avatar %s is ready, but its evaluation could not be queued", avatar_id)
        notes = [UNQUEUED.format(reason=as_error(exc).message)]
        avatar = services.catalog.get(avatar_id)
        services.catalog.save(replace(avatar, notes=[*avatar.notes, *notes]))
        return {"notes": notes}


def sound_of(exam: Path, folder: Path) -> Path:
    """The exam's sound as a WAV, which every engine takes."""
    return write_wav(folder / "exam.wav", read_sound(exam, SPEECH_RATE), SPEECH_RATE)
