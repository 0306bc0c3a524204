"""Crops in which a face stands still: similarity transforms and the mouth crop that all figures refer to."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

ANCHORS = np.array([33, 133, 362, 263, 168, 6, 197, 195, 5])
"""Mesh points that the mouth crop is aligned by: eye corners and nose bridge."""
OUTER_LIP = np.array([61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185])
"""Mesh points of the outer edge of the lips, once around."""


@dataclass(frozen=True, slots=True, eq=False)
class Crops:
    """Where an aligned square lies in each of N frames."""

    transforms: np.ndarray
    """float32 [N, 2, 3]: pixels of the frame to pixels of the crop."""
    size: int
    """Side of the crop, pixels."""

    def __len__(self) -> int:
        return len(self.transforms)

    def cut(self, frame: np.ndarray, index: int) -> np.ndarray:
        """The crop of one frame, uint8 [size, size, 3]."""
        return warp(frame, self.transforms[index], self.size)

    def place(self, points: np.ndarray) -> np.ndarray:
        """Points [N, P, 2 or 3] in pixels of the crops, float32 [N, P, 2]."""
        return np.matmul(points[..., :2], self.transforms[:, :, :2].transpose(0, 2, 1)) + self.transforms[:, None, :, 2]


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Turn, scale and shift that bring points [N, P, 2] nearest to [P, 2] (least squares), float32 [N, 2, 3]."""
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    middle, aim = source.mean(1), target.mean(0)
    s, t = source - middle[:, None], target - aim
    power = np.maximum((s**2).sum((1, 2)), 1e-12)
    a = (s * t).sum((1, 2)) / power
    b = (s[..., 0] * t[:, 1] - s[..., 1] * t[:, 0]).sum(1) / power
    linear = np.stack([np.stack([a, -b], 1), np.stack([b, a], 1)], 1)
    shift = aim - np.einsum("nij,nj->ni", linear, middle)
    return np.concatenate([linear, shift[:, :, None]], 2).astype(np.float32)


def inverse(transforms: np.ndarray) -> np.ndarray:
    """The way back: float32 [N, 2, 3] for [N, 2, 3]."""
    linear = np.linalg.inv(transforms[:, :, :2].astype(np.float64))
    shift = -np.einsum("nij,nj->ni", linear, transforms[:, :, 2])
    return np.concatenate([linear, shift[:, :, None]], 2).astype(np.float32)


def mouth_crops(points: np.ndarray, size: int = 128, reach: float = 0.75) -> Crops:
    """The mouth crop of every frame of a clip, from meshes [N, 478, 3] in pixels.

    Frames are aligned by the `ANCHORS` to their mean over the clip; the square is
    centred on the mean centre of the outer lip, its half side is ``reach`` times
    the mean distance between the outer eye corners.
    """
    flat = np.asarray(points, np.float32)[..., :2]
    still = similarity(flat[:, ANCHORS], flat[:, ANCHORS].mean(0))
    lip = np.matmul(flat[:, OUTER_LIP], still[:, :, :2].transpose(0, 2, 1)) + still[:, None, :, 2]
    eyes = np.matmul(flat[:, [33, 263]], still[:, :, :2].transpose(0, 2, 1))
    half = reach * float(np.linalg.norm(eyes[:, 0] - eyes[:, 1], axis=1).mean())
    scale = size / (2 * half)
    transforms = still * np.float32(scale)
    # pixel centres are at whole numbers, so the square's corner is at -0.5
    transforms[:, :, 2] += (half - lip.mean((0, 1))) * scale - 0.5
    return Crops(transforms.astype(np.float32), size)


def warp(frame: np.ndarray, transform: np.ndarray, size: int) -> np.ndarray:
    """The square of ``size`` that a transform [2, 3] maps a frame's pixels to; what lies outside repeats the edge."""
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    flags = cv2.INTER_LINEAR
    if scale < 0.5:
        # linear sampling skips pixels when it shrinks: blur first, only where it is needed
        frame = cv2.GaussianBlur(frame, (0, 0), 0.4 / scale)
    return cv2.warpAffine(frame, np.asarray(transform, np.float64), (size, size), flags=flags,
                          borderMode=cv2.BORDER_REPLICATE)
