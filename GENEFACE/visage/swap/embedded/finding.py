"""Finds the faces of a still or of the next frame, and tries harder step by step where there seem to be none."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np

from visage.faces import Face as MeshFace
from visage.faces import FaceFinder, open_faces
from visage.faces.pose import fit_pose, misfit
from visage.swap.contract import Face, Look
from visage.swap.embedded.describing import describe

_LEVEL = ("as it is", "brightened", "with a margin", "enlarged", "turned by 30°", "turned by -30°")
"""The steps of a thorough search, in their order; `FaceFinder.find` itself tries quarter turns and tiles."""
_FOLLOWED = 6
"""Faces that are followed one by one; with more of them every frame is searched anew."""


class Finder:
    """Looks for faces; used by one thread."""

    def __init__(self, opened: Callable[[], FaceFinder] = open_faces):
        self._open = opened
        self._still = opened()
        self._followers: list[_Follower] = []
        self._many = False
        self.step = ""
        """Which step of the last thorough search found the faces; empty when none did."""

    def find(self, frame: np.ndarray, look: Look) -> list[Face]:
        """The faces of a frame, the largest first."""
        if look.thorough:
            meshes = self._searched(frame)
            self._aim(meshes, frame.shape)
        elif self._many:
            meshes = self._still.find(frame)
        elif self._followers:
            meshes = [face for one in self._followers if (face := one.follow(frame))]
        else:
            meshes = self._still.track(frame)
        return [_told(face, frame, look.embed) for face in sorted(meshes, key=lambda face: -face.width)]

    def close(self) -> None:
        """Free what it holds."""
        for each in (self._still, *(one.finder for one in self._followers)):
            each.close()
        self._followers = []

    def _searched(self, frame: np.ndarray) -> list[MeshFace]:
        for name, picture, back in zip(_LEVEL, *zip(*_harder(frame), strict=True), strict=True):
            faces = self._still.find(picture())
            if faces:
                self.step = name
                return [MeshFace(back(face.points), face.score) for face in faces]
        faces = self._unsure(frame)
        self.step = "with less confidence" if faces else ""
        return faces

    def _unsure(self, frame: np.ndarray) -> list[MeshFace]:
        """The last step: a mesh without a detection before it, as good as its shape is like a face."""
        from visage.faces.mediapipe_models import load_models

        models = load_models()
        try:
            meshes = models.fit(frame)
        finally:
            models.close()
        scored = [MeshFace(points, float(np.exp(-((misfit(points[None], fit_pose(points[None]))[0] / 0.12) ** 2))))
                  for points in meshes]
        return [face for face in scored if face.score > 0.05]

    def _aim(self, faces: list[MeshFace], shape: tuple[int, ...]) -> None:
        """Follow each face by itself when there are several: one finder sees two faces and looks at one place."""
        self._many = len(faces) > _FOLLOWED
        wanted = len(faces) if 1 < len(faces) <= _FOLLOWED else 0
        for extra in self._followers[wanted:]:
            extra.finder.close()
        finders = [one.finder for one in self._followers[:wanted]]
        finders += [self._open() for _ in range(wanted - len(finders))]
        self._followers = [_Follower(finder, face, shape) for finder, face in zip(finders, faces, strict=False)]


class _Follower:
    """One face of several, followed in a part of the frame around it."""

    def __init__(self, finder: FaceFinder, face: MeshFace, shape: tuple[int, ...]):
        self.finder = finder
        self._shape = shape
        self._face = face
        self._window = (0, 0, 0, 0)
        self._aim(face)

    def follow(self, frame: np.ndarray) -> MeshFace | None:
        left, top, right, bottom = self._window
        seen = self.finder.track(np.ascontiguousarray(frame[top:bottom, left:right]))
        moved = [MeshFace(face.points + np.float32([left, top, 0]), face.score) for face in seen]
        near = [face for face in moved if self._apart(face) < 0.7 * max(face.width, self._face.width)]
        if not near:
            return None
        face = min(near, key=self._apart)
        self._face = face
        low, high = np.float32(face.box[:2]), np.float32(face.box[2:])
        room = 0.25 * face.width
        if (low - room < (left, top)).any() or (high + room > (right, bottom)).any():
            self._aim(face)
        return face

    def _apart(self, face: MeshFace) -> float:
        return float(np.linalg.norm((face.points - self._face.points)[:, :2].mean(0)))

    def _aim(self, face: MeshFace) -> None:
        height, width = self._shape[:2]
        x, y = face.points[:, :2].mean(0)
        reach = 1.1 * max(face.width, face.box[3] - face.box[1])
        self._face = face
        self._window = (max(0, int(x - reach)), max(0, int(y - reach)),
                        min(width, int(x + reach)), min(height, int(y + reach)))


def five_of(mesh: np.ndarray) -> np.ndarray:
    """The five points float32 [5, 2] of a mesh [478, 3]: middles of the eyes, tip of the nose, corners of the mouth."""
    flat = mesh[:, :2]
    return np.stack([flat[[33, 133]].mean(0), flat[[362, 263]].mean(0), flat[1], flat[61], flat[291]])


def _told(face: MeshFace, frame: np.ndarray, embed: bool) -> Face:
    five = five_of(face.points)
    return Face(face.box, face.score, five, face.points, describe(frame, five) if embed else None)


Way = tuple[Callable[[], np.ndarray], Callable[[np.ndarray], np.ndarray]]


def _harder(frame: np.ndarray) -> Iterator[Way]:
    """For each step the picture to search and the way of its points [P, 3] back into the frame."""
    height, width = frame.shape[:2]
    margin = max(height, width) // 4
    scale = float(np.clip(1600 / max(height, width), 1.0, 4.0))

    def brightened() -> np.ndarray:
        lab = cv2.cvtColor(frame, cv2.COLOR_RGB2LAB)
        lab[..., 0] = cv2.createCLAHE(4.0, (8, 8)).apply(cv2.normalize(lab[..., 0], None, 0, 255, cv2.NORM_MINMAX))
        return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)

    yield lambda: frame, lambda points: points
    yield brightened, lambda points: points
    yield (lambda: cv2.copyMakeBorder(frame, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(127,) * 3),
           lambda points: points - np.float32([margin, margin, 0]))
    yield (lambda: cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC),
           lambda points: (points / scale).astype(np.float32))
    for angle in (30, -30):
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
        yield (lambda turn=turn: cv2.warpAffine(frame, turn, (width, height), borderValue=(127,) * 3),
               lambda points, turn=turn: _turned_back(points, turn))


def _turned_back(points: np.ndarray, turn: np.ndarray) -> np.ndarray:
    back = cv2.invertAffineTransform(turn)
    flat = points[:, :2] @ back[:, :2].T + back[:, 2]
    return np.concatenate([flat, points[:, 2:]], 1).astype(np.float32)
