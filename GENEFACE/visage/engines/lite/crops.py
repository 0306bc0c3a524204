"""The square round the mouth that is learnt and painted: where it lies, what of it is painted, how lips are drawn.

A crop is fixed to the skull, not to the lips: a similarity transform brings
points that speech does not move to their mean, so what moves inside it is
speech.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from visage.engines.lite.mouth import INNER_LIP, OUTER_LIP
from visage.faces.align import ANCHORS, Crops, similarity

SIZE = 112
"""Side of a painted crop, as it is shown live."""
FINE = 256
"""Side of a painted crop where time does not matter."""
HALF = 0.60
"""Half side of a painted crop in eye distances."""
DROP = 0.14
"""How far its centre lies below that of the lips, in eye distances: down to the chin, no further."""
JAW_LINE = (454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
            148, 176, 149, 150, 136, 172, 58, 132, 93, 234)
"""Mesh points of the edge of the face from ear to ear, below the eyes."""
CHIN = 152
"""The lowest of them."""
_TOP, _BOTTOM, _SIDE, _MIDDLE = -0.20, 0.55, 0.50, 0.15
"""The painted region in eye distances from the centre of the lips: under the nose to the chin."""


_EDGE = 0.02
"""Half width of the ramp at the edge of the face, in crops."""


@dataclass(frozen=True, slots=True, eq=False)
class Anchor:
    """Where one person's stable points and mouth are on average."""

    stable: np.ndarray
    """float64 [9, 2]: mean of the `ANCHORS` of alignment."""
    centre: np.ndarray
    """float64 [2]: mean centre of the outer lip, in the same frame."""
    eye: float
    """Mean distance of the outer eye corners."""


def find_anchor(points: np.ndarray) -> Anchor:
    """The anchor of tracked meshes [N, 478, ≥2] in pixels, all finite."""
    flat = np.asarray(points, np.float64)[..., :2]
    stable = flat[:, ANCHORS].mean(0)
    still = similarity(flat[:, ANCHORS], stable)
    lips = np.matmul(flat[:, list(OUTER_LIP)], still[:, :, :2].transpose(0, 2, 1)).mean((0, 1)) + still[:, :, 2].mean(0)
    return Anchor(stable, lips, float(np.linalg.norm(stable[0] - stable[3])))


def mouth_squares(points: np.ndarray, anchor: Anchor, size: int = SIZE, jitter: float = 0.6) -> Crops:
    """The painted square in every frame of meshes [N, 478, ≥2] in pixels.

    ``jitter`` is the sigma, in frames, of a Gaussian over time against trembling landmarks.
    """
    stable = np.asarray(points, np.float64)[:, ANCHORS, :2]
    if jitter and len(stable) > 2:
        stable = gaussian_filter1d(stable, jitter, axis=0, mode="nearest")
    transforms = similarity(stable, anchor.stable).astype(np.float64)
    scale = size / (2 * HALF * anchor.eye)
    transforms *= scale
    transforms[:, :, 2] += size / 2 - 0.5 - scale * (anchor.centre + (0.0, DROP * anchor.eye))
    return Crops(transforms.astype(np.float32), size)


def resized(squares: Crops, size: int) -> Crops:
    """The same squares in crops of another side."""
    scale = size / squares.size
    transforms = squares.transforms * np.float32(scale)
    # Pixel centres are at whole numbers: the square's corner stays where it is.
    transforms[:, :, 2] += np.float32((scale - 1) / 2)
    return Crops(transforms, size)


def take(image: np.ndarray, transform: np.ndarray, size: int = SIZE) -> np.ndarray:
    """The crop uint8 [size, size, 3] of an image.

    Cubic on purpose: linear sampling here and on the way back halves the Laplacian variance of the mouth.
    """
    return cv2.warpAffine(image, transform, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def lip_map(lips: np.ndarray, size: int = SIZE) -> np.ndarray:
    """Lips as the network sees them, uint8 [size, size, 2]: inside the outer and inside the inner contour.

    ``lips`` float [≥40, 2]: the `LIPS` points in crop pixels.
    """
    drawn = np.zeros((2, size, size), np.uint8)
    fixed = np.round(lips * 16).astype(np.int32)
    outer = len(OUTER_LIP)
    cv2.fillPoly(drawn[0], [fixed[:outer]], 255, cv2.LINE_AA, 4)
    cv2.fillPoly(drawn[1], [fixed[outer:outer + len(INNER_LIP)]], 255, cv2.LINE_AA, 4)
    return np.ascontiguousarray(drawn.transpose(1, 2, 0))


def grid(size: int = SIZE, half: float = HALF, drop: float = DROP) -> tuple[np.ndarray, np.ndarray]:
    """Right and down of every crop pixel from the centre of the lips, in eye distances; float32 [size, size] each."""
    down, right = np.mgrid[0:size, 0:size].astype(np.float32)
    return ((right + 0.5) / size * 2 - 1) * half, ((down + 0.5) / size * 2 - 1) * half + drop


def paint_mask(size: int = SIZE) -> np.ndarray:
    """How much of each crop pixel is painted, float32 [size, size], 1 inside with a soft rim to 0."""
    right, down = grid(size)
    rows = np.where(down < _MIDDLE, (_MIDDLE - down) / (_MIDDLE - _TOP), (down - _MIDDLE) / (_BOTTOM - _MIDDLE))
    radius = (np.abs(right / _SIDE) ** 3 + np.abs(rows) ** 3) ** (1 / 3)
    ramp = np.clip((radius - 0.85) / 0.15, 0, 1)
    return (1 - ramp * ramp * (3 - 2 * ramp)).astype(np.float32)


def lips_weight(size: int = SIZE) -> np.ndarray:
    """1 on the lips falling to 0 away from them, float32 [size, size]."""
    right, down = grid(size)
    return np.exp(-(((right / 0.42) ** 2 + (down / 0.26) ** 2) ** 2)).astype(np.float32)


def face_mask(outline: np.ndarray, lowered: float, size: int = SIZE) -> np.ndarray:
    """How much of each crop pixel belongs to the face, float32 [size, size], softly from 1 to 0 over its edge.

    ``outline`` float [21, 2]: the `JAW_LINE` in crop pixels; ``lowered``: pixels that the jaw hangs lower than there.
    """
    drawn = np.zeros((size, size), np.uint8)
    for drop in {0.0, max(0.0, lowered)}:
        cv2.fillPoly(drawn, [np.round((outline + (0, drop)) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    width = 2 * round(size * _EDGE) + 1
    # The mesh draws the edge of the face: what is beyond it is not touched, so the ramp ends there.
    inner = cv2.erode(drawn, np.ones((width, width), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return cv2.blur(inner, (width, width), borderType=cv2.BORDER_REPLICATE).astype(np.float32) / 255
