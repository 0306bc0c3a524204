"""The seam of face finding: an image in, faces with 478 mesh points out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face in one image."""

    points: np.ndarray
    """float32 [478, 3]: x, y in pixels of the image, z in the same scale (smaller is nearer); MediaPipe's order."""
    score: float
    """Confidence, 0 to 1."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the points, pixels."""
        low, high = self.points[:, :2].min(0), self.points[:, :2].max(0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    @property
    def width(self) -> float:
        """Width of the box, pixels."""
        return self.box[2] - self.box[0]


class FaceFinder(Protocol):
    """Finds faces.  Not shared between threads."""

    def find(self, image: np.ndarray) -> list[Face]:
        """All faces of a still, uint8 RGB [H, W, 3], the largest first; looks hard (small and tilted faces too)."""

    def track(self, image: np.ndarray) -> list[Face]:
        """As `find` for the next frame of one video: faster, up to two faces, uses the frame before."""

    def close(self) -> None:
        """Free what it holds."""
