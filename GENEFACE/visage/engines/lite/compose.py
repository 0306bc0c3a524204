"""Putting a painted mouth back into its picture, so that nobody sees where it begins."""

from __future__ import annotations

import cv2
import numpy as np

from visage.engines.lite import crops
from visage.media.planes import Box, planes_from_rgb, planes_of


class Composer:
    """Blends painted squares into frames; touches only the square's surroundings."""

    def __init__(self, size: int = crops.SIZE):
        self._mask = crops.paint_mask(size)
        self._coarse = cv2.resize(self._mask, (size // 2, size // 2), interpolation=cv2.INTER_AREA)
        # Where painted and real picture must agree: the soft rim, and a little inside it.
        rim = (self._mask > 0.02) & (self._mask < 0.98) & (crops.grid(size)[1] < 0.35)
        self._rim = rim.astype(np.uint8)

    def match(self, painted: np.ndarray, face: np.ndarray) -> np.ndarray:
        """The painted crop with its colours moved so that its rim agrees with the real crop, uint8 [S, S, 3].

        Both uint8 [S, S, 3].  Corrects what the painter cannot know: small changes of light.
        """
        off = np.subtract(cv2.mean(face, self._rim), cv2.mean(painted, self._rim))
        return cv2.add(painted, np.clip(np.round(off), -6, 6))

    def blend(self, frame: np.ndarray, painted: np.ndarray, transform: np.ndarray) -> None:
        """Blend a painted crop uint8 [S, S, 3] into a frame uint8 [H, W, 3], in place.

        ``transform`` [2, 3] maps the frame's pixels to the crop's.
        """
        left, top, right, bottom = surroundings(transform, len(self._mask), frame.shape[:2])
        if right <= left or bottom <= top:
            return
        _mix([(frame[top:bottom, left:right], painted)], self._mask, _local(transform, left, top))

    def blend_planes(self, frame: np.ndarray, painted: np.ndarray, transform: np.ndarray) -> Box | None:
        """As `blend`, into an I420 frame uint8 [H * 3 / 2, W]; returns what was touched, None when nothing was."""
        shape = (frame.shape[0] * 2 // 3, frame.shape[1])
        box = even(surroundings(transform, len(self._mask), shape))
        left, top, right, bottom = box
        if right <= left or bottom <= top:
            return None
        crop, there = planes_from_rgb(painted), planes_of(frame).part(box)
        _mix([(there.luma, crop.luma)], self._mask, _local(transform, left, top))
        # Colours are sampled in the middles of 2 × 2 pixels, of the frame and of the crop: x = 2 u + 0.5.
        coarse = np.array(transform, np.float64)
        coarse[:, 2] = (coarse[:, 2] + 0.5 * coarse[:, :2].sum(1) - 0.5) / 2
        _mix([(there.blue, crop.blue), (there.red, crop.red)], self._coarse, _local(coarse, left // 2, top // 2))
        return box


def even(box: Box) -> Box:
    """The box widened to even pixels."""
    left, top, right, bottom = box
    return (left - left % 2, top - top % 2, right + right % 2, bottom + bottom % 2)


def _local(transform: np.ndarray, left: int, top: int) -> np.ndarray:
    """The transform [2, 3] for pixels counted from (left, top)."""
    moved = np.array(transform, np.float64)
    moved[:, 2] += moved[:, :2] @ (left, top)
    return moved


def _mix(pairs: list[tuple[np.ndarray, np.ndarray]], mask: np.ndarray, local: np.ndarray) -> None:
    """Mix painted pictures into parts of frames uint8 [h, w, …] of one size, in place.

    ``mask`` [S, S] says how much of each pixel is painted; ``local`` [2, 3] maps the part's pixels to the picture's.
    """
    room, back = pairs[0][0].shape[1::-1], cv2.WARP_INVERSE_MAP
    share = cv2.warpAffine(mask, local, room, flags=cv2.INTER_LINEAR | back)
    for part, painted in pairs:
        mouth = cv2.warpAffine(painted, local, room, flags=cv2.INTER_CUBIC | back, borderMode=cv2.BORDER_REPLICATE)
        part[:] = cv2.blendLinear(mouth, np.ascontiguousarray(part), share, 1 - share)


def surroundings(transform: np.ndarray, size: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the crop in the frame, cut at the frame's edges."""
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float64) - 0.5
    inverse = cv2.invertAffineTransform(np.asarray(transform, np.float64))
    placed = corners @ inverse[:, :2].T + inverse[:, 2]
    low, high = np.floor(placed.min(0)).astype(int), np.ceil(placed.max(0)).astype(int) + 1
    return (max(int(low[0]), 0), max(int(low[1]), 0), min(int(high[0]), shape[1]), min(int(high[1]), shape[0]))
