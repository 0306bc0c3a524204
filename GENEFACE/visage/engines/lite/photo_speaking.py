"""Making one photo speak: lips bent by a mesh, teeth painted between them, a head that sways and blinks."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from visage.engines.lite.generic_mouth import generic_basis
from visage.engines.lite.mesh_warp import MeshWarp
from visage.engines.lite.mouth import INNER_LIP, JAW, LIPS, OUTER_LIP, POINTS, MouthBasis, select
from visage.engines.lite.mouth_inside import INNER, MouthInside
from visage.engines.lite.package import Package, read_arrays
from visage.errors import BadMedia
from visage.faces.pose import fit_pose, to_face, to_image
from visage.types import FPS

_RING = (234, 93, 132, 58, 172, 454, 323, 361, 288, 397, 116, 345, 50, 280, 101, 330, 36, 266, 203, 423, 129, 358, 98,
         327, 2, 97, 326, 205, 425, 207, 427, 138, 367, 135, 364)
"""Mesh points round the mouth that do not move: cheeks, nose, jaw corners."""
_JAW_LINE = (172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397)
"""The lower rim of the face."""
_EYES = (((33, 246, 161, 160, 159, 158, 157, 173, 133), (7, 163, 144, 145, 153, 154, 155),
          (226, 113, 225, 224, 223, 222, 221, 189, 244, 31, 228, 229, 230, 231, 232, 233, 130, 243)),
         ((263, 466, 388, 387, 386, 385, 384, 398, 362), (249, 390, 373, 374, 380, 381, 382),
          (446, 342, 445, 444, 443, 442, 441, 413, 464, 261, 448, 449, 450, 451, 452, 453, 359, 463)))
"""Of each eye: upper lid from corner to corner, lower lid between the corners, skin round it."""
_SKIN = slice(len(LIPS), len(POINTS))
_SIDEWAYS = np.array([0.15 if index in JAW else 0.7 for index in POINTS[len(LIPS):]], np.float32)
_BLINK = np.array([0.35, 0.85, 1.0, 0.9, 0.55, 0.2])
"""How far the lids are down, frame by frame."""


class PhotoSpeaker:
    """One photo with one face."""

    def __init__(self, photo: np.ndarray, points: np.ndarray):
        """photo uint8 RGB [H, W, 3], points float32 [478, 3] of the face in it."""
        self._photo = photo
        self._pose = fit_pose(points[None])
        face = to_face(points[None], self._pose)[0]
        self.basis: MouthBasis = generic_basis(face)
        shape = select(face)
        self._fixed = np.concatenate([points[list(_RING), :2].astype(np.float64), self._neck(face)])
        rest = np.concatenate([self._image(shape), self._fixed])
        layout = np.concatenate([self._image(_opened(self.basis, shape)), self._fixed])
        inner = set(range(len(OUTER_LIP), len(OUTER_LIP) + len(INNER_LIP)))
        self._mouth = MeshWarp(photo, rest, layout, inner, set(range(len(shape), len(rest))))
        self._inside = MouthInside(photo, self._mouth.box, shape, self.basis, self._pose)
        self._eyes = [_Eye(photo, points[:, :2].astype(np.float64), *eye) for eye in _EYES]
        self._sway = _Sway(photo.shape, points)
        # Uneven on purpose, and the same every time: blinks come 2 to 5 seconds apart.
        self._blinks = np.cumsum(np.random.default_rng(7).integers(2 * FPS, 5 * FPS, 4096))

    def frames(self, coefficients: np.ndarray, start: int = 0) -> Iterator[np.ndarray]:
        """Frames uint8 RGB [H, W, 3] that show coefficients [T, K], one each.

        ``start`` numbers the first, for sway and blinks.
        """
        for number, wanted in enumerate(coefficients, start):
            yield self._frame(wanted, number)

    def close(self) -> None:
        """Nothing is held open."""

    def _frame(self, wanted: np.ndarray, number: int) -> np.ndarray:
        shape = self.basis.decode(wanted[None])[0]
        # Lips purse, jaws do not: sideways the outline of the face stays.
        shape[_SKIN, 0] = self.basis.mean[_SKIN, 0] + _SIDEWAYS * (shape[_SKIN, 0] - self.basis.mean[_SKIN, 0])
        moved = self._image(shape)
        picture = self._photo.copy()
        region = self._mouth.bend(np.concatenate([moved, self._fixed]))
        picture[self._mouth.box] = self._inside.paint(region, moved[INNER])
        shut = self._lids(number)
        if shut > 0:
            for eye in self._eyes:
                picture[eye.warp.box] = eye.warp.bend(eye.at(shut))
        return self._sway.apply(picture, number)

    def _lids(self, number: int) -> float:
        begun = self._blinks[max(0, int(np.searchsorted(self._blinks, number, "right")) - 1)]
        return float(_BLINK[number - begun]) if 0 <= number - begun < len(_BLINK) else 0.0

    def _neck(self, face: np.ndarray) -> np.ndarray:
        """Points below the jaw line that stay where they are, so that the jaw slides over the neck."""
        jaw = face[list(_JAW_LINE)].copy()
        jaw += 0.45 * (jaw - face[[0]]) / np.linalg.norm(jaw - face[[0]], axis=1, keepdims=True)
        return self._image(jaw)

    def _image(self, shape: np.ndarray) -> np.ndarray:
        return to_image(shape[None].astype(np.float32), self._pose)[0, :, :2].astype(np.float64)


class _Eye:
    """The lids of one eye."""

    def __init__(self, photo: np.ndarray, points: np.ndarray, upper: tuple[int, ...], lower: tuple[int, ...],
                 skin: tuple[int, ...]):
        self._rest = points[[*upper, *lower, *skin]]
        self._count = len(upper)
        under = np.concatenate([points[[upper[0]]], points[list(lower)], points[[upper[-1]]]])
        self._down = np.zeros_like(self._rest)
        self._down[:self._count] = 0.94 * (under - points[list(upper)])
        moving = len(upper) + len(lower)
        self.warp = MeshWarp(photo, self._rest, self._rest, set(), set(range(moving, len(self._rest))))

    def at(self, shut: float) -> np.ndarray:
        """Vertices with the lids down by ``shut``, 0 to 1."""
        return self._rest + shut * self._down


class _Sway:
    """Small slow movements of head and shoulders that die out towards the edges of the picture."""

    def __init__(self, shape: tuple[int, ...], points: np.ndarray):
        height, width = shape[:2]
        box = np.ptp(points[:, :2], axis=0)
        self._middle = points[:, :2].mean(0) + (0, 0.35 * box[1])
        self._eye = float(np.linalg.norm(points[33, :2] - points[263, :2]))
        self._step = 8
        rows, columns = np.mgrid[0:height:self._step, 0:width:self._step].astype(np.float32)
        self._right, self._down = columns - self._middle[0], rows - self._middle[1]
        edge = np.minimum.reduce([columns, rows, width - 1 - columns]) / (0.14 * width)
        far = np.hypot((columns - points[:, 0].mean()) / (1.5 * box[0]), (rows - points[:, 1].mean()) / (1.5 * box[1]))
        fade = np.clip(edge, 0, 1) * np.clip(1.9 - far, 0, 1)
        self._share = fade * fade * (3 - 2 * fade)
        down, right = np.mgrid[0:height, 0:width].astype(np.float32)
        self._here = np.stack([right, down], -1)

    def apply(self, picture: np.ndarray, number: int) -> np.ndarray:
        """The picture uint8 [H, W, 3] as it is in frame ``number``."""
        time = number / FPS
        turn = 0.010 * np.sin(0.9 * time) + 0.006 * np.sin(2.1 * time + 1)
        shift = self._eye * (0.022 * np.sin(0.7 * time + 2) + 0.010 * np.sin(1.9 * time))
        nod = self._eye * (0.016 * np.sin(1.1 * time) + 0.008 * np.sin(2.7 * time + 1))
        swell = 0.004 * np.sin(1.6 * time)
        across = (turn * self._down + swell * self._right + shift) * self._share
        along = (-turn * self._right + swell * self._down + nod) * self._share
        height, width = picture.shape[:2]
        coarse = np.stack([across, along], -1).astype(np.float32)
        # The coarse grid's samples lie at whole steps, those of resize at the middles of its cells.
        view = np.array([[1 / self._step, 0, 0], [0, 1 / self._step, 0]], np.float64)
        fine = cv2.warpAffine(coarse, view, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                              borderMode=cv2.BORDER_REPLICATE)
        return cv2.remap(picture, self._here + fine, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _opened(basis: MouthBasis, shape: np.ndarray) -> np.ndarray:
    """A shape [P, 3] with the lips apart: no two points of it coincide."""
    assert len(shape) == len(POINTS)
    wide = np.zeros(basis.size, np.float32)
    wide[0] = 1.0
    return basis.decode(wide[None])[0]


def open_photo(package: Package) -> PhotoSpeaker:
    """The photo of a package, ready to speak.  Raises `BadMedia`."""
    picture = cv2.imread(str(package.photo), cv2.IMREAD_COLOR)
    if picture is None:
        raise BadMedia("The photo of this avatar is missing or damaged.", code="avatar.no_photo",
                       hint="Make the avatar again.")
    return PhotoSpeaker(np.ascontiguousarray(picture[..., ::-1]), read_arrays(package.scene)["points"])
