"""What a file really is, and whether a face can be learned from it: before anybody waits for a training."""

from __future__ import annotations

import logging
import queue
import threading
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from visage.engines.lite.belonging import find_offset, offset_facts, sound_elsewhere
from visage.engines.lite.gate import GateReport, Problem, judge, judge_photo
from visage.errors import BadMedia, VisageError
from visage.faces import open_faces
from visage.faces.contract import Face
from visage.faces.track import Track, track_video
from visage.media.audio import read_sound
from visage.media.frames import read_video
from visage.media.images import probe_image, read_image
from visage.media.probe import probe
from visage.storage.catalog import MANIFEST
from visage.types import FPS, SPEECH_RATE, Progress

log = logging.getLogger(__name__)
_LARGEST = 1280
"""Longest side of the frames that are looked at, pixels."""
_PICTURE = 320
_NAMES = {"face_width": "face_px", "voiced": "speech_share", "source_fps": "fps"}
"""Facts of the gate that pages know by another name."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found."""

    ok: bool
    """Whether a face can be learned from it."""
    problems: tuple[Problem, ...]
    """What is wrong or could be better, worst first."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Measured facts."""
    picture: bool = False
    """Whether the picture of the face was written."""


def look(file: Path, kind: str) -> dict[str, Any]:
    """The facts of docs/http-api.md about a file that claims to be of that kind.

    Raises `BadVideo`, `BadAudio`, `BadImage` or `BadMedia` when its content says otherwise.
    """
    if kind == "package":
        return _look_at_package(file)
    if kind == "image":
        picture = probe_image(file)
        return {"width": picture.width, "height": picture.height}
    info = probe(file, kind)
    if kind == "audio":
        samples = read_sound(file, SPEECH_RATE)
        return {"seconds": round(len(samples) / SPEECH_RATE, 2), "rate": info.sound_rate, "channels": info.channels}
    return {"seconds": round(info.seconds, 2), "fps": round(info.fps, 3), "width": info.width, "height": info.height,
            "codec": info.codec, "rotation": info.rotation, "sound": info.has_sound,
            "variable_rate": info.variable_rate}


def inspect(file: Path, kind: str, picture: Path) -> Iterator[Progress | Inspection]:
    """Look at every frame; yields progress and at last the `Inspection`.  ``picture`` gets the face that was found."""
    steps: queue.Queue[Progress | Inspection | VisageError] = queue.Queue()

    def work() -> None:
        try:
            steps.put(_inspect_photo(file, picture) if kind == "image" else _inspect_video(file, picture, steps.put))
        except VisageError as error:
            steps.put(error)
        except Exception as exc:  # in a thread: whoever waits must hear of it, whatever it is
            log.exception("the examination broke")
            steps.put(VisageError("Something went wrong inside: {kind}.", code="internal",
                                  hint="The details are in var/logs/web.log.", kind=type(exc).__name__))

    threading.Thread(target=work, name="inspection", daemon=True).start()
    while True:
        step = steps.get()
        if isinstance(step, VisageError):
            raise step
        yield step
        if isinstance(step, Inspection):
            return


def _inspect_video(file: Path, picture: Path, tell: Any) -> Inspection:
    info = probe(file)
    finder = open_faces()
    try:
        track = track_video(read_video(file, FPS, _LARGEST), finder, tell, round(info.seconds * FPS))
    finally:
        finder.close()
    samples = read_sound(file, SPEECH_RATE) if info.has_sound else np.zeros(0, np.float32)
    report = judge(track, info, samples)
    report = _with_offset(report, track, samples)
    drawn = False
    if track.found.any():
        # The first good frame: the way there is decoded once more.
        index = int(track.found.argmax())
        frame = next(islice(read_video(file, FPS, _LARGEST), index, None), None)
        drawn = frame is not None and _draw(frame, track.points[index], picture)
    return _inspection(report, drawn)


def _with_offset(report: GateReport, track: Track, samples: np.ndarray) -> GateReport:
    """The report with the offset of sound and lips; one that is bad already stays as it is."""
    offset = None if report.fatal else find_offset(track, samples)
    if offset is None:
        return report
    refused = sound_elsewhere(offset)
    return GateReport((*((refused,) if refused else ()), *report.problems), {**report.facts, **offset_facts(offset)})


def _inspect_photo(file: Path, picture: Path) -> Inspection:
    image, finder = read_image(file, _LARGEST), open_faces()
    try:
        faces: list[Face] = finder.find(image)
    finally:
        finder.close()
    return _inspection(judge_photo(image, faces), bool(faces) and _draw(image, faces[0].points, picture))


def _inspection(report: GateReport, drawn: bool) -> Inspection:
    problems = tuple(sorted(report.problems, key=lambda problem: not problem.fatal))
    facts = dict(report.facts)
    facts |= {page: facts[gate] for gate, page in _NAMES.items() if gate in facts}
    return Inspection(not any(problem.fatal for problem in problems), problems, facts, drawn)


def _draw(frame: np.ndarray, points: np.ndarray, out: Path) -> bool:
    """Write the face with its surroundings, and the outline of the mesh, as JPEG."""
    (left, top), (right, bottom) = points[:, :2].min(0), points[:, :2].max(0)
    side = 1.7 * max(right - left, bottom - top)
    corner = np.float32([(left + right - side) / 2, (top + bottom - side) / 2])
    scale = _PICTURE / side
    transform = np.float32([[scale, 0, -corner[0] * scale], [0, scale, -corner[1] * scale]])
    crop = cv2.warpAffine(frame, transform, (_PICTURE, _PICTURE), flags=cv2.INTER_AREA)
    for x, y in (points[:, :2] - corner) * scale:
        cv2.circle(crop, (int(x), int(y)), 1, (120, 220, 255), -1, cv2.LINE_AA)
    return bool(cv2.imwrite(str(out), cv2.cvtColor(crop, cv2.COLOR_RGB2BGR)))


def _look_at_package(file: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(file) as archive:
            archive.getinfo(MANIFEST)
            return {"files": len(archive.namelist())}
    except (zipfile.BadZipFile, KeyError) as exc:
        raise BadMedia("This file is not an avatar package.", code="avatar.not_a_package",
                       hint="Use a zip that was exported from an avatar's card.") from exc


