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
from visage.media.planes import Planes
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
_CELL = 8
"""Pixels between the points for which sway is worked out."""
CYCLE = 20 * FPS
"""Frames after which sway and blinks repeat."""
_BLINK = np.array([0.35, 0.85, 1.0, 0.9, 0.55, 0.2])
"""How far the lids are down, frame by frame."""


class PhotoSpeaker:
    """One photo with one face."""

    def __init__(self, photo: np.ndarray, points: np.ndarray):
        """photo uint8 RGB [H, W, 3], points float32 [478, 3] of the face in it."""
        self.photo = photo
        """uint8 RGB [H, W, 3]."""
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
        self.sway = Sway(photo.shape, points)
        """The movement of the head."""
        self._blinks = _blinks()

    def frames(self, coefficients: np.ndarray, start: int = 0) -> Iterator[np.ndarray]:
        """Frames uint8 RGB [H, W, 3] that show coefficients [T, K], one each.

        ``start`` numbers the first, for sway and blinks.
        """
        for number, wanted in enumerate(coefficients, start):
            yield self._frame(wanted, number)

    def close(self) -> None:
        """Nothing is held open."""

    def _frame(self, wanted: np.ndarray, number: int) -> np.ndarray:
        picture = self.photo.copy()
        box, region = self.mouth(wanted)
        picture[box] = region
        for box, region in self.lids(number):
            picture[box] = region
        return self.sway.apply(picture, number)

    def mouth(self, wanted: np.ndarray) -> tuple[tuple[slice, slice], np.ndarray]:
        """Where the mouth lies in the photo, and the region uint8 [h, w, 3] that shows coefficients [K] there."""
        shape = self.basis.decode(wanted[None])[0]
        # Lips purse, jaws do not: sideways the outline of the face stays.
        shape[_SKIN, 0] = self.basis.mean[_SKIN, 0] + _SIDEWAYS * (shape[_SKIN, 0] - self.basis.mean[_SKIN, 0])
        moved = self._image(shape)
        region = self._mouth.bend(np.concatenate([moved, self._fixed]))
        return self._mouth.box, self._inside.paint(region, moved[INNER])

    def lids(self, number: int) -> list[tuple[tuple[slice, slice], np.ndarray]]:
        """The regions of the eyes in frame ``number``, none while they are open."""
        since = (number - self._blinks) % CYCLE
        shut = float(_BLINK[since.min()]) if since.min() < len(_BLINK) else 0.0
        return [(eye.warp.box, eye.warp.bend(eye.at(shut))) for eye in self._eyes] if shut else []

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


def _blinks() -> np.ndarray:
    """Frames of a cycle in which blinks begin: 2 to 5 seconds apart, from the last to the next cycle's first, too."""
    # Uneven on purpose, and the same every time.
    chance = np.random.default_rng(7)
    while True:
        begun = np.cumsum(chance.integers(2 * FPS, 5 * FPS, CYCLE // (2 * FPS)))
        begun = begun[begun < CYCLE]
        if 2 * FPS <= CYCLE - begun[-1] + begun[0] <= 5 * FPS:
            return begun


class Sway:
    """Small slow movements of head and shoulders that die out towards the edges of the picture."""

    def __init__(self, shape: tuple[int, ...], points: np.ndarray):
        """For a picture of ``shape`` [H, W, …] with the face's mesh at points [478, ≥2]."""
        height, width = shape[:2]
        box = np.ptp(points[:, :2], axis=0)
        self._middle = points[:, :2].mean(0) + (0, 0.35 * box[1])
        self._eye = float(np.linalg.norm(points[33, :2] - points[263, :2]))
        # Where the samples of a grid lie that is resized to the whole picture: at the middles of its cells.
        few = (-(-height // _CELL), -(-width // _CELL))
        rows, columns = np.meshgrid(*((np.arange(count) + 0.5) * side / count - 0.5
                                      for count, side in zip(few, (height, width), strict=True)), indexing="ij")
        self._right, self._down = columns - self._middle[0], rows - self._middle[1]
        edge = np.minimum.reduce([columns, rows, width - 1 - columns]) / (0.14 * width)
        far = np.hypot((columns - points[:, 0].mean()) / (1.5 * box[0]), (rows - points[:, 1].mean()) / (1.5 * box[1]))
        fade = np.clip(edge, 0, 1) * np.clip(1.9 - far, 0, 1)
        self._share = fade * fade * (3 - 2 * fade)
        down, right = np.mgrid[0:height, 0:width].astype(np.float32)
        self._here = np.stack([right, down], -1)

    def apply(self, picture: np.ndarray, number: int) -> np.ndarray:
        """The picture uint8 [H, W, 3] as it is in frame ``number``."""
        place = self._here + self._moved(number, picture.shape[:2])
        return cv2.remap(picture, place, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)

    def apply_planes(self, picture: Planes, number: int) -> Planes:
        """As `apply`, for planes."""
        place = self._here + self._moved(number, picture.luma.shape)
        height, width = picture.blue.shape
        coarse = self._here[:height, :width] + self._moved(number, (height, width)) / 2
        luma = cv2.remap(picture.luma, place, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        blue, red = (cv2.remap(plane, coarse, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
                     for plane in (picture.blue, picture.red))
        return Planes(luma, blue, red)

    def _moved(self, number: int, shape: tuple[int, ...]) -> np.ndarray:
        """How far away each colour comes from, in pixels of the picture: float32 [h, w, 2] for this ``shape``."""
        turns = 2 * np.pi * (number % CYCLE) / CYCLE
        turn = 0.010 * np.sin(3 * turns) + 0.006 * np.sin(7 * turns + 1)
        shift = self._eye * (0.022 * np.sin(2 * turns + 2) + 0.010 * np.sin(6 * turns))
        nod = self._eye * (0.016 * np.sin(4 * turns) + 0.008 * np.sin(9 * turns + 1))
        swell = 0.004 * np.sin(5 * turns)
        across = (turn * self._down + swell * self._right + shift) * self._share
        along = (-turn * self._right + swell * self._down + nod) * self._share
        coarse = np.stack([across, along], -1).astype(np.float32)
        return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR)


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
