"""Putting a painted mouth back into its picture, so that nobody sees where it begins."""

from __future__ import annotations

import cv2
import numpy as np

from visage.engines.lite import crops


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
        size = len(self._mask)
        left, top, right, bottom = _surroundings(transform, size, frame.shape)
        if right <= left or bottom <= top:
            return
        local = np.array(transform, np.float64)
        local[:, 2] += local[:, :2] @ (left, top)
        room, back = (right - left, bottom - top), cv2.WARP_INVERSE_MAP
        mouth = cv2.warpAffine(painted, local, room, flags=cv2.INTER_CUBIC | back, borderMode=cv2.BORDER_REPLICATE)
        share = cv2.warpAffine(self._mask, local, room, flags=cv2.INTER_LINEAR | back)
        part = frame[top:bottom, left:right]
        part[:] = cv2.blendLinear(mouth, np.ascontiguousarray(part), share, 1 - share)


def _surroundings(transform: np.ndarray, size: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the crop in the frame, cut at the frame's edges."""
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float64) - 0.5
    inverse = cv2.invertAffineTransform(np.asarray(transform, np.float64))
    placed = corners @ inverse[:, :2].T + inverse[:, 2]
    low, high = np.floor(placed.min(0)).astype(int), np.ceil(placed.max(0)).astype(int) + 1
    return max(low[0], 0), max(low[1], 0), min(high[0], shape[1]), min(high[1], shape[0])
