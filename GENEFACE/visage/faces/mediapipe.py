"""The driver of `FaceFinder` on MediaPipe's face mesh, whose models come inside its package."""

from __future__ import annotations

import logging

import cv2
import numpy as np

from visage.faces.contract import Face
from visage.faces.mediapipe_models import Sighting, load_models
from visage.faces.pose import fit_pose, misfit

log = logging.getLogger(__name__)

_TILE = 640
"""Side of the smallest tiles searched in a large still, pixels: the detector sees 192 and misses what is tiny there."""
_CROP = 384
"""Side that a face with its surroundings is resized to before its mesh is fitted."""
_DOUBTFUL = 0.72
"""Score below which something small is a pattern rather than a face."""
_LIKE = 0.5
"""How much the mesh of a face that only one detector sees is shaped like a face, at least."""
_RETRY = 10
"""Frames of a video between two thorough searches while no face is found."""


class MediaPipeFaces:
    """Finds 478 points a face.  `track` follows a window around a small face, so that it is not lost in a large frame.

    Raises `NotInstalled` when mediapipe is not there.  Not shared between threads.
    """

    def __init__(self) -> None:
        self._models = load_models()
        self._shape: tuple[int, ...] = ()
        self._window: tuple[int, int, int, int] | None = None
        self._misses = 0
        self._settled = False

    def find(self, image: np.ndarray) -> list[Face]:
        """All faces of a still, uint8 RGB [H, W, 3], the largest first; looks hard (small and tilted faces too)."""
        faces = self._upright(image)
        for turn in (1, 3, 2) if not faces else ():
            turned = self._upright(np.ascontiguousarray(np.rot90(image, turn)))
            faces = [Face(_turn_back(face.points, turn, image.shape), face.score) for face in turned]
            if faces:
                break
        return sorted(faces, key=lambda face: -face.width)

    def track(self, image: np.ndarray) -> list[Face]:
        """As `find` for the next frame of one video: faster, up to two faces, uses the frame before."""
        if image.shape != self._shape:
            if self._shape:
                self._forget()
            self._shape, self._window, self._misses = image.shape, None, 0
        faces = self._followed(image)
        if faces:
            self._misses = 0
            return faces
        self._misses += 1
        if self._misses % _RETRY != 1:
            return []
        faces = self.find(image)[:2]
        self._aim(image, faces)
        return faces

    def close(self) -> None:
        """Free what it holds."""
        self._models.close()

    def _followed(self, image: np.ndarray) -> list[Face]:
        left, top, right, bottom = self._window or (0, 0, image.shape[1], image.shape[0])
        view = np.ascontiguousarray(image[top:bottom, left:right])
        meshes = self._models.follow(view)
        if meshes and not self._settled:
            # the first mesh comes from the detector's box, which fits less well than the one from a mesh
            meshes, self._settled = self._models.follow(view) or meshes, True
        faces = [Face(points + np.float32([left, top, 0]), _score(points)) for points in meshes]
        faces = _distinct([face for face in faces if face.score > 0.1])
        if self._window and (not faces or _leaves(faces[0], self._window, image.shape)):
            self._aim(image, faces)
        return faces

    def _aim(self, image: np.ndarray, faces: list[Face]) -> None:
        """Look at a part of the frame from now on when the face is small in it; else at all of it."""
        height, width = image.shape[:2]
        if not faces or faces[0].width > 0.2 * width:
            window = None
        else:
            x, y = faces[0].points[:, :2].mean(0)
            side = 2 * faces[0].width
            window = (max(0, int(x - side)), max(0, int(y - side)),
                      min(width, int(x + side)), min(height, int(y + side)))
        if window != self._window:
            self._window = window
            self._forget()

    def _forget(self) -> None:
        self._models.forget()
        self._settled = False

    def _upright(self, image: np.ndarray) -> list[Face]:
        sightings = self._models.detect(image)
        small = [s for s in sightings if s.width < 0.15 * image.shape[1]]
        tiles = _tiles(image.shape) if max(image.shape[:2]) > _TILE and (not sightings or small) else []
        sightings += [s for tile in tiles for s in self._in_tile(image, tile)]
        faces = []
        for sighting in sorted(sightings, key=lambda s: -s.score):
            if sighting.score < _DOUBTFUL and sighting.width < 0.15 * max(image.shape[:2]):
                continue
            points = self._mesh(image, sighting)
            if points is not None:
                faces.append(Face(points, sighting.score))
        return self._beside(image, _distinct(faces), tiles) if faces else []

    def _beside(self, image: np.ndarray, faces: list[Face], tiles: list[tuple[int, int, int, int]]) -> list[Face]:
        """The faces and those beside them that only the other detector sees, about as large and shaped like a face."""
        least = 0.4 * min(face.width for face in faces)
        sightings = [s for tile in tiles for s in self._in_tile(image, tile, near=True) if s.width > least]
        sure = [s for s in sightings if s.score > _DOUBTFUL]
        for sighting in sightings:
            # the tile in which it is surest may not be the one in which its mesh fits
            if not any(_near(sighting, other.centre, other.width) for other in sure):
                continue
            if any(_near(sighting, tuple(face.points[:, :2].mean(0)), face.width) for face in faces):
                continue
            points = self._mesh(image, sighting)
            if points is not None and _score(points) > _LIKE:
                faces = _distinct([*faces, Face(points, sighting.score)])
        return faces

    def _in_tile(self, image: np.ndarray, tile: tuple[int, int, int, int], *, near: bool = False) -> list[Sighting]:
        left, top, right, bottom = tile
        found = self._models.detect(np.ascontiguousarray(image[top:bottom, left:right]), near=near)
        return [sighting.moved(left, top) for sighting in found]

    def _mesh(self, image: np.ndarray, sighting: Sighting) -> np.ndarray | None:
        """The mesh at a sighting, in pixels of the image; None when there is none.  Tries a level crop, then others."""
        for level, room in ((1, 2.2), (0, 2.8), (1, 3.4)):
            points = self._mesh_in(image, sighting, level * sighting.roll, room * max(sighting.width, 8.0))
            if points is not None:
                return points
        return None

    def _mesh_in(self, image: np.ndarray, sighting: Sighting, roll: float, side: float) -> np.ndarray | None:
        scale = _CROP / side
        turn = cv2.getRotationMatrix2D(sighting.centre, np.degrees(roll), scale)
        turn[:, 2] += _CROP / 2 - np.array(sighting.centre)
        crop = cv2.warpAffine(image, turn, (_CROP, _CROP), flags=cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR)
        meshes = self._models.fit(crop)
        if not meshes:
            return None
        points = min(meshes, key=lambda mesh: float(np.abs(mesh[:, :2].mean(0) - _CROP / 2).max()))
        back = cv2.invertAffineTransform(turn)
        flat = points[:, :2] @ back[:, :2].T + back[:, 2]
        found = np.concatenate([flat, points[:, 2:] / scale], 1).astype(np.float32)
        return found if _score(found) > 0.1 else None


def _score(points: np.ndarray) -> float:
    """How much a mesh is shaped like a face: 1 for a perfect one, falling with the misfit of its rigid part."""
    pose = fit_pose(points[None])
    return float(np.exp(-((misfit(points[None], pose)[0] / 0.12) ** 2)))


def _distinct(faces: list[Face]) -> list[Face]:
    """The faces without those whose centre lies inside one before it."""
    kept: list[Face] = []
    for face in faces:
        x, y = face.points[:, :2].mean(0)
        centres = [(other.points[:, :2].mean(0), other.width) for other in kept]
        if all(max(abs(x - ox), abs(y - oy)) > 0.4 * max(width, face.width) for (ox, oy), width in centres):
            kept.append(face)
    return kept


def _near(sighting: Sighting, centre: tuple[float, ...], width: float) -> bool:
    """Whether what was seen is at the place of something of that width."""
    x, y = sighting.centre
    return max(abs(x - centre[0]), abs(y - centre[1])) < 0.5 * max(width, sighting.width)


def _leaves(face: Face, window: tuple[int, int, int, int], shape: tuple[int, ...]) -> bool:
    """Whether a face comes near an edge of the window that is not one of the frame, or outgrows it."""
    left, top, right, bottom = face.box
    room = 0.25 * face.width
    near = (left - window[0] < room and window[0] > 0, top - window[1] < room and window[1] > 0,
            window[2] - right < room and window[2] < shape[1], window[3] - bottom < room and window[3] < shape[0])
    return any(near)


def _tiles(shape: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """Squares that cover an image, half overlapping, at two sizes; at most about sixty."""
    height, width = shape[:2]
    tiles = []
    for side in (max(height, width) // 2, max(_TILE, max(height, width) // 5)):
        step = max(side // 2, 1)
        for top in range(0, max(height - side // 2, 1), step):
            for left in range(0, max(width - side // 2, 1), step):
                tiles.append((left, top, min(left + side, width), min(top + side, height)))
    return tiles


def _turn_back(points: np.ndarray, turn: int, shape: tuple[int, ...]) -> np.ndarray:
    """Points of an image that `numpy.rot90` turned ``turn`` times, in pixels of the image before."""
    height, width = shape[:2]
    x, y = points[:, 0], points[:, 1]
    back = {1: (width - 1 - y, x), 2: (width - 1 - x, height - 1 - y), 3: (y, height - 1 - x)}[turn]
    return np.stack([*back, points[:, 2]], 1).astype(np.float32)
