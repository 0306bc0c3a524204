"""The face crops that SyncNet sees, cut out of a stream of pictures at 25 a second.

As the published scripts cut them: half the box's longer side, and its centre,
go through a median of 13 frames (zeros beyond the ends, as scipy's medfilt has
it); the crop reaches 1.4 half sides to the left and right, 1 up and 1.8 down;
grey 110 where it leaves the picture.  The box is that of the mesh, not of S3FD.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import cv2
import numpy as np

SIDE = 224
"""Pixels of a crop's side, as the network takes it."""
SCALE = 0.4
"""What the box is widened by."""
MEDIAN = 13
"""Frames that the box is smoothed over."""
_AHEAD = MEDIAN // 2
_GREY = 110


class FaceCrops:
    """Takes pictures and meshes in order, gives crops six frames later; holds seven pictures at most."""

    def __init__(self) -> None:
        self._boxes: deque[np.ndarray] = deque([np.zeros(3)] * _AHEAD, MEDIAN)
        self._pictures: deque[np.ndarray] = deque()

    def take(self, picture: np.ndarray, points: np.ndarray) -> Iterator[np.ndarray]:
        """The crops, uint8 [224, 224, 3], that a picture [H, W, 3] with its mesh [478, 3] completes: none or one."""
        low, high = points[:, :2].min(0), points[:, :2].max(0)
        self._boxes.append(np.array([*(low + high) / 2, (high - low).max() / 2], np.float64))
        self._pictures.append(picture)
        if len(self._boxes) == MEDIAN:
            yield self._next()

    def rest(self) -> Iterator[np.ndarray]:
        """The crops that were held back, at the end."""
        while self._pictures:
            self._boxes.append(np.zeros(3))
            if len(self._boxes) == MEDIAN:
                yield self._next()

    def _next(self) -> np.ndarray:
        x, y, half = np.median(np.array(self._boxes), axis=0)
        return cut(self._pictures.popleft(), float(x), float(y), float(half))


def cut(picture: np.ndarray, x: float, y: float, half: float) -> np.ndarray:
    """The crop of a picture round a box, uint8 [224, 224, 3]; all grey when the box has no size."""
    margin = int(half * (1 + 2 * SCALE))
    top, bottom = int(y + margin - half), int(y + margin + half * (1 + 2 * SCALE))
    left, right = int(x + margin - half * (1 + SCALE)), int(x + margin + half * (1 + SCALE))
    face = np.full((max(bottom - top, 1), max(right - left, 1), 3), _GREY, np.uint8)
    rows = slice(max(top - margin, 0), max(min(bottom - margin, picture.shape[0]), 0))
    columns = slice(max(left - margin, 0), max(min(right - margin, picture.shape[1]), 0))
    seen = picture[rows, columns]
    if seen.size:
        down, along = rows.start - (top - margin), columns.start - (left - margin)
        face[down:down + seen.shape[0], along:along + seen.shape[1]] = seen
    return cv2.resize(face, (SIDE, SIDE))
