"""One face through a whole video, in constant memory as far as pictures go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from visage.faces.align import warp
from visage.faces.contract import Face, FaceFinder
from visage.types import FPS, Progress, Report, silent

_THUMB = 32
"""Side of the grey thumbnail that cuts are found with."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """What was seen in N frames."""

    points: np.ndarray
    """float32 [N, 478, 3] pixels; interpolated between neighbours where no face was found, zeros when there is none."""
    found: np.ndarray
    """bool [N]: whether the face was seen in this frame."""
    count: np.ndarray
    """uint8 [N]: faces seen in this frame (at most 2)."""
    second: np.ndarray
    """float32 [N]: width of the second face over that of the first; 0 without one."""
    change: np.ndarray
    """float32 [N]: mean difference to the frame before, of a 32² grey thumbnail, 0 to 255; 0 for the first."""
    sharpness: np.ndarray
    """float32 [N]: variance of the Laplacian of the face at 160 pixels' width; 0 where no face was found."""
    width: int
    """Of the frames, pixels."""
    height: int
    """Of the frames, pixels."""
    fps: int = FPS
    """Frames a second."""

    def __len__(self) -> int:
        return len(self.found)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self) / self.fps

    @property
    def face_widths(self) -> np.ndarray:
        """Width of the face in each frame, float32 [N] pixels."""
        return np.ptp(self.points[:, :, 0], axis=1)


def track_video(frames: Iterable[np.ndarray], finder: FaceFinder, report: Report = silent,
                total: int | None = None) -> Track:
    """Follow the main face through frames, uint8 RGB [H, W, 3] of one size, as `read_video` gives them.

    The main face is the largest in the first frame that has one, then the one
    nearest to where it was.  ``total`` (frames) lets ``report`` tell how far it is.
    """
    rows: list[tuple[np.ndarray | None, int, float, float, float]] = []
    thumb: np.ndarray | None = None
    last: np.ndarray | None = None
    shape = (0, 0)
    for index, frame in enumerate(frames):
        shape = frame.shape[:2]
        faces = finder.track(frame)
        face = main_face(faces, last)
        last = face.points if face else last
        small = cv2.cvtColor(cv2.resize(frame, (_THUMB, _THUMB), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        change = 0.0 if thumb is None else float(cv2.absdiff(small, thumb).mean())
        thumb = small
        others = [other.width for other in faces if other is not face]
        second = others[0] / max(face.width, 1.0) if face and others else 0.0
        detail = sharpness(frame, face) if face else 0.0
        rows.append((face.points if face else None, len(faces), second, change, detail))
        if index % FPS == 0 and total:
            report(Progress("track", min(1.0, index / total)))
    return _gathered(rows, shape)


def sharpness(image: np.ndarray, face: Face) -> float:
    """Variance of the Laplacian of the face resized to 160 pixels' width: how much detail there is."""
    left, top, right, _ = face.box
    scale = 160 / max(right - left, 1.0)
    transform = np.float32([[scale, 0, -left * scale], [0, scale, -top * scale]])
    grey = cv2.cvtColor(warp(image, transform, 160), cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def smooth(points: np.ndarray, sigma: float = 0.6) -> np.ndarray:
    """Points [N, …] without the tremble of single frames, without lag: a Gaussian over time of ``sigma`` frames."""
    return gaussian_filter1d(np.asarray(points, np.float32), sigma, axis=0, mode="nearest")


def main_face(faces: list[Face], last: np.ndarray | None) -> Face | None:
    """The face that a clip is about: the one nearest to ``last`` (its points in the frame before), else the largest."""
    if not faces:
        return None
    if last is None:
        return max(faces, key=lambda face: face.width)
    return min(faces, key=lambda face: float(np.linalg.norm((face.points - last)[:, :2].mean(0))))


def _gathered(rows: list[tuple[np.ndarray | None, int, float, float, float]], shape: tuple[int, int]) -> Track:
    found = np.array([row[0] is not None for row in rows], bool)
    points = np.zeros((len(rows), 478, 3), np.float32)
    for index in np.flatnonzero(found):
        points[index] = rows[index][0]
    seen, lost = np.flatnonzero(found), np.flatnonzero(~found)
    if len(seen) and len(lost):
        after = np.clip(np.searchsorted(seen, lost), 0, len(seen) - 1)
        before = np.clip(np.searchsorted(seen, lost) - 1, 0, len(seen) - 1)
        gap = np.maximum(seen[after] - seen[before], 1)
        weight = np.clip((lost - seen[before]) / gap, 0, 1).astype(np.float32)[:, None, None]
        points[lost] = points[seen[before]] * (1 - weight) + points[seen[after]] * weight
    columns = [np.array([row[n] for row in rows], np.float32) for n in (2, 3, 4)]
    return Track(points, found, np.array([row[1] for row in rows], np.uint8), *columns, width=shape[1], height=shape[0])


