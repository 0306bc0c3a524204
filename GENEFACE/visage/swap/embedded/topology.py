"""How the 468 points of MediaPipe's mesh hang together, taken from its package."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

POINTS = 468
"""Points of the surface; the ten after them are the irises."""


@dataclass(frozen=True, slots=True, eq=False)
class Topology:
    """Triangles and outlines, as indices of mesh points."""

    skin: np.ndarray
    """int32 [852, 3]: the triangles of the tessellation, open at eyes and mouth."""
    holes: np.ndarray
    """int32 [N, 3]: triangles that close the eyes and the mouth."""
    oval: np.ndarray
    """int32 [36]: outline of the face, once around."""
    inner_lip: np.ndarray
    """int32 [20]: edge of the mouth's opening, once around."""
    outer_lip: np.ndarray
    """int32 [20]: outer edge of the lips, once around."""
    eyes: tuple[np.ndarray, np.ndarray]
    """int32 [16] each: edge of the left and of the right eye in the picture, once around."""
    brows: tuple[np.ndarray, np.ndarray]
    """int32 [26] each: points of an eye and of the brow above it, left and right in the picture."""

    @property
    def all(self) -> np.ndarray:
        """int32 [N, 3]: every triangle."""
        return np.concatenate([self.skin, self.holes])


@cache
def topology() -> Topology:
    """The mesh's topology; a triangle is three points of which each two are joined by an edge."""
    from mediapipe.python.solutions import face_mesh_connections as edges

    lips = sorted(_loops(edges.FACEMESH_LIPS), key=lambda loop: 13 in loop)
    eyes = (_loops(edges.FACEMESH_RIGHT_EYE)[0], _loops(edges.FACEMESH_LEFT_EYE)[0])
    holes = [triangle for loop in (lips[1], *eyes) for triangle in _filled(loop)]
    return Topology(np.array(_triangles(edges.FACEMESH_TESSELATION), np.int32), np.array(holes, np.int32),
                    np.array(_loops(edges.FACEMESH_FACE_OVAL)[0], np.int32), np.array(lips[1], np.int32),
                    np.array(lips[0], np.int32), (np.array(eyes[0], np.int32), np.array(eyes[1], np.int32)),
                    (_points(edges.FACEMESH_RIGHT_EYE, edges.FACEMESH_RIGHT_EYEBROW),
                     _points(edges.FACEMESH_LEFT_EYE, edges.FACEMESH_LEFT_EYEBROW)))


def _points(*parts: Iterable[tuple[int, int]]) -> np.ndarray:
    return np.array(sorted({point for part in parts for edge in part for point in edge}), np.int32)


def _triangles(edges: Iterable[tuple[int, int]]) -> list[tuple[int, int, int]]:
    near = _neighbours(edges)
    found = {(a, b, c) for a in near for b in near[a] if b > a for c in near[a] & near[b] if c > b}
    # three neighbours of a point that has no others are joined, too, but three smaller triangles lie between them
    covered = {tuple(sorted(others)) for others in near.values() if len(others) == 3}
    return sorted(triangle for triangle in found if triangle not in covered)


def _neighbours(edges: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    near: dict[int, set[int]] = {}
    for a, b in edges:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    return near


def _loops(edges: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The closed outlines that edges form, each once around."""
    near = _neighbours(edges)
    loops = []
    while near:
        loop = [min(near)]
        while True:
            following = [point for point in sorted(near[loop[-1]]) if point not in loop[-2:] and point in near]
            following = [point for point in following if point not in loop]
            if not following:
                break
            loop.append(following[0])
        for point in loop:
            del near[point]
        loops.append(loop)
    return loops


def _filled(loop: list[int]) -> list[tuple[int, int, int]]:
    """Triangles across an opening: a strip between its upper and its lower edge, which stays flat when it shuts."""
    triangles = []
    low, high = 0, len(loop) - 1
    while high - low > 1:
        triangles.append((loop[low], loop[low + 1], loop[high]))
        low += 1
        if high - low > 1:
            triangles.append((loop[low], loop[high - 1], loop[high]))
            high -= 1
    return triangles
