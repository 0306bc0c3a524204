"""Bending a picture by a mesh of triangles: each carries its colours along."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.spatial import Delaunay


class MeshWarp:
    """One region of a picture under a mesh; ready to be bent again and again."""

    def __init__(self, picture: np.ndarray, rest: np.ndarray, layout: np.ndarray, closed: set[int],
                 still: set[int], margin: int = 4):
        """picture uint8 [H, W, 3]; rest float [V, 2] where the vertices lie in it, pixels.

        ``layout`` float [V, 2] is an arrangement of the same vertices in which no two coincide (a mouth
        that is open): the triangles are drawn there.  Triangles whose corners are all in ``closed`` are
        left out: what they cover is a hole.  So are those whose corners are all in ``still``: nothing
        moves there.
        """
        low = np.floor(rest.min(0)).astype(int) - margin
        high = np.ceil(rest.max(0)).astype(int) + margin + 1
        self.left, self.top = (int(value) for value in np.maximum(low, 0))
        self.right, self.bottom = int(min(high[0], picture.shape[1])), int(min(high[1], picture.shape[0]))
        self._picture = np.ascontiguousarray(picture[self.top:self.bottom, self.left:self.right])
        self._rest = rest - (self.left, self.top)
        drawn = Delaunay(layout).simplices.tolist()
        self._triangles = np.array([row for row in drawn if not set(row) <= closed and not set(row) <= still])
        down, right = np.mgrid[0:self.bottom - self.top, 0:self.right - self.left].astype(np.float32)
        self._here = np.stack([right, down, np.ones_like(right)], -1)
        source = self._rest[self._triangles]
        self._source = np.ascontiguousarray(source.transpose(0, 2, 1), np.float32)

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of the region in the picture."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def bend(self, moved: np.ndarray) -> np.ndarray:
        """The region uint8 [h, w, 3] with its vertices moved to [V, 2] (pixels of the whole picture)."""
        target = (moved - (self.left, self.top))[self._triangles]
        corners = np.concatenate([target, np.ones((*target.shape[:2], 1))], 2).transpose(0, 2, 1)
        corners[:, 0] += np.array([0, 1e-3, 0])  # a triangle squeezed to a line still has an inverse
        corners[:, 1] += np.array([0, 0, 1e-3])
        area = np.abs(np.linalg.det(corners))
        solid = area > 0.5
        inward = np.zeros((len(corners) + 1, 3, 3), np.float32)
        inward[1:][solid] = np.linalg.inv(corners[solid])
        which = np.zeros(self._here.shape[:2], np.int32)
        fixed = np.round(target * 16).astype(np.int32)
        # Slivers first: their rims, a pixel too wide, are drawn over by their larger neighbours.
        for number in np.argsort(area)[(~solid).sum():]:
            cv2.fillConvexPoly(which, fixed[number], int(number) + 1, cv2.LINE_8, 4)
        inside = which > 0
        chosen = which[inside]
        weights = np.einsum("nij,nj->ni", inward[chosen], self._here[inside])
        # A pixel on the rim of a squeezed triangle lies outside it, and would fetch its colour from far away.
        np.clip(weights, 0, 1, out=weights)
        weights /= weights.sum(1, keepdims=True)
        place = self._here[..., :2].copy()
        place[inside] = np.einsum("nij,nj->ni", self._source[chosen - 1], weights)
        return cv2.remap(self._picture, place, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
