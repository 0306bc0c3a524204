"""Recordings cut up for measuring painters: the first part to learn from, the rest to be painted and compared.

Cutting is done once: give a folder, and the next run finds it there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from benchmarks.figures import CROP
from visage.engines.lite import crops
from visage.engines.lite.footage import Scene
from visage.engines.lite.framing import Framing, frame_track, framed_track
from visage.engines.lite.lesson import Lesson
from visage.engines.lite.material import cut_out, measure, measure_scene
from visage.engines.lite.package import Package
from visage.engines.lite.speaking import Speaker
from visage.engines.lite.training import LARGEST
from visage.faces import open_faces
from visage.faces.align import mouth_crops
from visage.faces.track import Track, track_video
from visage.media.frames import read_video
from visage.types import FPS

LEARNT = 0.8
"""Share of a recording that is learnt from."""
_THUMB = 32


class Given:
    """Frames in memory, as `Speaker` wants them."""

    def __init__(self, frames: list[np.ndarray]):
        self._frames = frames

    def __getitem__(self, number: int) -> np.ndarray:
        return self._frames[number].copy()

    def close(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One recording, framed as the engine frames it, and its package without a painter."""

    file: Path
    package: Package
    """Footage, scene and mouth of the learnt part; its work folder is free to use."""
    lesson: Lesson
    """Of the learnt part."""
    scene: Scene
    """Of the tested frames."""
    shapes: np.ndarray
    """float32 [T, P, 3]: true mouth shapes of the tested frames."""
    points: np.ndarray
    """float32 [T, 478, 3]: meshes of the tested frames."""
    framing: Framing
    first: int
    """Number of the first tested frame."""

    def frames(self) -> list[np.ndarray]:
        """The tested frames, uint8 RGB."""
        stream = islice(read_video(self.file, FPS, size=LARGEST), self.first, self.first + len(self.shapes))
        return [self.framing.apply(frame) for frame in stream]

    def painted(self, threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Real and painted mouth crops uint8 [T, 128, 128, 3] of the tested frames, by the package's painter.

        The true mouth shapes are painted into the frames that they come from.
        """
        frames = self.frames()
        speaker = Speaker(self.package, threads, scene=self.scene, pictures=Given(frames))
        made = list(speaker.frames(self.package.read_basis().encode(self.shapes)))
        squares = mouth_crops(self.points, CROP)
        cut = [np.stack([squares.cut(frame, number) for number, frame in enumerate(part)]) for part in (frames, made)]
        return cut[0], cut[1]


def cut_up(file: Path, kept: Path, size: int = crops.SIZE, tracks: Path | None = None,
           limit: float | None = None) -> Recording:
    """The recording; its parts lie in ``kept``/NAME-SIZE and are taken from there when they exist.

    ``size``: side of the painted crops.  ``tracks``: folder of ``NAME.points.npy`` found before.  ``limit``: seconds.
    """
    track = _track(file, tracks, limit)
    first = int(LEARNT * len(track))
    part = _part(track, slice(0, first))
    framing = frame_track(part)
    whole, part = framed_track(track, framing), framed_track(part, framing)
    scene, shapes = measure_scene(whole, first, size)
    package = Package(kept / f"{file.stem}-{size}")
    package.work.mkdir(parents=True, exist_ok=True)
    stored = package.work / "lesson.npz"
    if not stored.is_file():
        frames = islice(read_video(file, FPS, size=LARGEST), first)
        cut_out(framing.over(frames), measure(part, size), package, framing.size, {size: stored}, lambda _: None)
    tested = np.arange(first, len(track))
    return Recording(file, package, Lesson.load(stored), scene.at(tested), shapes[tested], whole.points[tested],
                     framing, first)


def _track(file: Path, tracks: Path | None, limit: float | None) -> Track:
    kept = tracks / f"{file.stem}.points.npy" if tracks else None
    if not kept or not kept.is_file():
        finder = open_faces()
        track = track_video(read_video(file, FPS, size=LARGEST, limit=limit), finder)
        finder.close()
        return track
    points, changes, thumb, shape = np.load(kept), [], None, (0, 0)
    for frame in read_video(file, FPS, size=LARGEST, limit=limit):
        shape = frame.shape[:2]
        small = cv2.cvtColor(cv2.resize(frame, (_THUMB, _THUMB), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        changes.append(0.0 if thumb is None else float(cv2.absdiff(small, thumb).mean()))
        thumb = small
    count = min(len(points), len(changes))
    whole = np.ones(count, bool)
    return Track(points[:count], whole, whole.astype(np.uint8), np.zeros(count, np.float32),
                 np.array(changes[:count], np.float32), np.ones(count, np.float32), shape[1], shape[0])


def _part(track: Track, piece: slice) -> Track:
    names = ("points", "found", "count", "second", "change", "sharpness")
    return replace(track, **{name: getattr(track, name)[piece] for name in names})
