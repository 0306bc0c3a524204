"""Frames as encoders want them: planar YUV 4:2:0 (I420), uint8 [H * 3 / 2, W], BT.601 limited range, even sides."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the picture; all even."""

# ITU-R BT.601-7: 219 steps of luma above 16, 224 of each colour difference round 128.
_KR, _KB = 0.299, 0.114
_LUMA = np.array([_KR, 1 - _KR - _KB, _KB])
_BLUE = (np.array([0, 0, 1]) - _LUMA) / (2 * (1 - _KB))
_RED = (np.array([1, 0, 0]) - _LUMA) / (2 * (1 - _KR))
_TO_LUMA = np.array([[*(_LUMA * 219 / 255), 16.0]])
_TO_COLOURS = np.array([[*(_BLUE * 224 / 255), 128.0], [*(_RED * 224 / 255), 128.0]])


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """The three planes of a frame, or of a part of one."""

    luma: np.ndarray
    """uint8 [h, w]."""
    blue: np.ndarray
    """uint8 [h / 2, w / 2]."""
    red: np.ndarray
    """uint8 [h / 2, w / 2]."""

    def part(self, box: Box) -> Planes:
        """A view of what lies in the box."""
        left, top, right, bottom = box
        half = (slice(top // 2, bottom // 2), slice(left // 2, right // 2))
        return Planes(self.luma[top:bottom, left:right], self.blue[half], self.red[half])

    def copy(self) -> Planes:
        """The same in memory of its own."""
        return Planes(self.luma.copy(), self.blue.copy(), self.red.copy())

    def paste(self, other: Planes) -> None:
        """Overwrite these planes with others of the same size."""
        self.luma[:], self.blue[:], self.red[:] = other.luma, other.blue, other.red

    def blend(self, other: Planes, share: np.ndarray) -> None:
        """Mix others of the same size in; ``share`` float32 [h, w] of them, 0 to 1."""
        height, width = self.blue.shape
        coarse = cv2.resize(share, (width, height), interpolation=cv2.INTER_AREA)
        for mine, theirs, weight in ((self.luma, other.luma, share), (self.blue, other.blue, coarse),
                                     (self.red, other.red, coarse)):
            mine[:] = cv2.blendLinear(theirs, np.ascontiguousarray(mine), weight, 1 - weight)


def planes_of(frame: np.ndarray) -> Planes:
    """Views into a contiguous I420 frame."""
    width = frame.shape[1]
    height = frame.shape[0] * 2 // 3
    flat, size = frame.reshape(-1), height * width
    half = (height // 2, width // 2)
    return Planes(flat[:size].reshape(height, width), flat[size:size + size // 4].reshape(half),
                  flat[size + size // 4:].reshape(half))


def planes_from_rgb(picture: np.ndarray) -> Planes:
    """The planes of a picture uint8 RGB [h, w, 3] with even sides; colours are averaged over 2 × 2 pixels."""
    height, width = picture.shape[:2]
    few = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    colours = cv2.transform(few, _TO_COLOURS)
    return Planes(cv2.transform(picture, _TO_LUMA), np.ascontiguousarray(colours[..., 0]),
                  np.ascontiguousarray(colours[..., 1]))


def joined(planes: Planes) -> np.ndarray:
    """An I420 frame of planes."""
    height, width = planes.luma.shape
    flat = np.concatenate([planes.luma.reshape(-1), planes.blue.reshape(-1), planes.red.reshape(-1)])
    return flat.reshape(height * 3 // 2, width)


def to_rgb(frame: np.ndarray) -> np.ndarray:
    """The picture uint8 RGB [H, W, 3] of an I420 frame."""
    return cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_I420)
