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
        # Where painted and real picture must agree: the soft rim, and a little inside it.
        self._rim = (self._mask > 0.02) & (self._mask < 0.98) & (crops.grid(size)[1] < 0.35)

    def match(self, painted: np.ndarray, face: np.ndarray) -> np.ndarray:
        """The painted crop with its colours moved so that its rim agrees with the real crop, uint8 [S, S, 3].

        Both uint8 [S, S, 3].  Corrects what the painter cannot know: small changes of light.
        """
        off = face[self._rim].astype(np.int16).mean(0) - painted[self._rim].astype(np.int16).mean(0)
        return np.clip(painted + np.clip(np.round(off), -6, 6), 0, 255).astype(np.uint8)

    def blend(self, frame: np.ndarray, painted: np.ndarray, transform: np.ndarray) -> None:
        """Blend a painted crop uint8 [S, S, 3] into a frame uint8 [H, W, 3], in place.

        ``transform`` [2, 3] maps the frame's pixels to the crop's.
        """
        left, top, right, bottom = box = _surroundings(transform, len(self._mask), frame.shape[:2])
        if right <= left or bottom <= top:
            return
        mouth, share = self._placed(painted, transform, box)
        part = frame[top:bottom, left:right]
        part[:] = cv2.blendLinear(mouth, np.ascontiguousarray(part), share, 1 - share)

    def blend_planes(self, frame: np.ndarray, painted: np.ndarray, transform: np.ndarray) -> Box | None:
        """As `blend`, into an I420 frame uint8 [H * 3 / 2, W]; returns what was touched, None when nothing was."""
        shape = (frame.shape[0] * 2 // 3, frame.shape[1])
        left, top, right, bottom = _surroundings(transform, len(self._mask), shape)
        box = (left - left % 2, top - top % 2, right + right % 2, bottom + bottom % 2)
        if box[2] <= box[0] or box[3] <= box[1]:
            return None
        mouth, share = self._placed(painted, transform, box)
        planes_of(frame).part(box).blend(planes_from_rgb(mouth), share)
        return box

    def _placed(self, painted: np.ndarray, transform: np.ndarray, box: Box) -> tuple[np.ndarray, np.ndarray]:
        """The painted crop and its share as they lie in the box of the frame."""
        left, top, right, bottom = box
        local = np.array(transform, np.float64)
        local[:, 2] += local[:, :2] @ (left, top)
        room, back = (right - left, bottom - top), cv2.WARP_INVERSE_MAP
        mouth = cv2.warpAffine(painted, local, room, flags=cv2.INTER_CUBIC | back, borderMode=cv2.BORDER_REPLICATE)
        return mouth, cv2.warpAffine(self._mask, local, room, flags=cv2.INTER_LINEAR | back)


def _surroundings(transform: np.ndarray, size: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the crop in the frame, cut at the frame's edges."""
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float64) - 0.5
    inverse = cv2.invertAffineTransform(np.asarray(transform, np.float64))
    placed = corners @ inverse[:, :2].T + inverse[:, 2]
    low, high = np.floor(placed.min(0)).astype(int), np.ceil(placed.max(0)).astype(int) + 1
    return (max(int(low[0]), 0), max(int(low[1]), 0), min(int(high[0]), shape[1]), min(int(high[1]), shape[0]))
