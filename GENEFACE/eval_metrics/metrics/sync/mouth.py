"""What the mouth of a face does in a stream of meshes, head motion taken away; keeps numbers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from visage.engines.lite.mouth import measures, select
from visage.faces.pose import fit_pose, own_reference, to_face
from visage.faces.track import smooth
from visage.types import FPS

MEASURES = ("opening", "width", "outer", "jaw")
"""Columns of a `Mouth`, in distances of the outer eye corners."""
_LEARNT = 250
"""Frames with a face that the person's own upper face is learnt from."""


@dataclass(frozen=True, slots=True, eq=False)
class Mouth:
    """A mouth over N frames."""

    times: np.ndarray
    """float64 [N]: seconds."""
    measures: np.ndarray
    """float32 [N, 4]: `MEASURES`; NaN where no face was found."""
    picked: np.ndarray
    """float32 [N, K, 2]: the points asked for, in the face frame; NaN where no face was found."""

    def even(self) -> tuple[np.ndarray, np.ndarray]:
        """Measures float64 [T, 4] at 25 a second without single frames' tremble, and where a face was near, bool [T].

        Between frames they are interpolated; gaps are bridged and marked.
        """
        seen = np.isfinite(self.measures[:, 0])
        if not seen.any():
            return np.zeros((0, len(MEASURES))), np.zeros(0, bool)
        count = int(np.floor(self.times[-1] * FPS + 1e-6)) + 1
        at = np.arange(count) / FPS
        held = np.stack([np.interp(at, self.times[seen], column[seen]) for column in self.measures.T], 1)
        near = np.abs(at - self.times[seen][_nearest(self.times[seen], at)]) <= 1 / FPS + 1e-6
        return smooth(held).astype(np.float64), near


def _nearest(known: np.ndarray, at: np.ndarray) -> np.ndarray:
    after = np.clip(np.searchsorted(known, at), 0, len(known) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(at - known[before] < known[after] - at, before, after)


class MouthWatch:
    """Takes meshes as they come; learns the person's upper face from the first ten seconds of it."""

    def __init__(self, picked: Sequence[int] = ()) -> None:
        self._picked = list(picked)
        self._reference: np.ndarray | None = None
        self._waiting: list[np.ndarray] = []
        self._times: list[float] = []
        self._seen: list[bool] = []
        self._measures: list[np.ndarray] = []
        self._points: list[np.ndarray] = []

    def take(self, time: float, points: np.ndarray | None) -> None:
        """The mesh [478, 3] of the next frame, None where no face was found."""
        self._times.append(time)
        self._seen.append(points is not None)
        if points is None:
            return
        self._waiting.append(points)
        if len(self._waiting) >= _LEARNT:
            self._measure()

    def mouth(self) -> Mouth:
        """All of it."""
        if self._waiting:
            self._measure()
        seen = np.array(self._seen, bool)
        told = np.full((len(seen), len(MEASURES)), np.nan, np.float32)
        picked = np.full((len(seen), len(self._picked), 2), np.nan, np.float32)
        if seen.any():
            told[seen], picked[seen] = np.concatenate(self._measures), np.concatenate(self._points)
        return Mouth(np.array(self._times, np.float64), told, picked)

    def _measure(self) -> None:
        points = np.array(self._waiting, np.float32)
        self._waiting = []
        if self._reference is None:
            self._reference = own_reference(points)
        still = to_face(points, fit_pose(points, self._reference))
        self._measures.append(measures(select(still)))
        self._points.append(still[:, self._picked, :2])
