"""What is seen between open lips of somebody whose open mouth was never seen: teeth, and the dark behind them."""

from __future__ import annotations

import cv2
import numpy as np

from visage.engines.lite.mouth import INNER_LIP, LIPS, OUTER_LIP, MouthBasis
from visage.faces.pose import Pose, to_image

INNER = slice(len(OUTER_LIP), len(LIPS))
"""Rows of the inner contour in a shape."""
_HALF = len(INNER_LIP) // 2 + 1
_SMILE = 0.035
"""Eye distances between the lips of a photo from which on its own teeth are used."""


class MouthInside:
    """Teeth fixed to the skull before a dark cavity, for one photo."""

    def __init__(self, picture: np.ndarray, box: tuple[slice, slice], shape: np.ndarray, basis: MouthBasis,
                 pose: Pose):
        """picture uint8 [H, W, 3]; ``box`` the region that is painted; ``shape`` float [P, 3] the photo's own lips."""
        region = picture[box]
        self._corner = np.array([box[1].start, box[0].start], np.float32)
        self._eye = float(pose.scale[0])
        light = float(np.median(region @ np.array([0.299, 0.587, 0.114]))) / 150
        self._dark = np.array([38, 14, 14], np.float32) * np.clip(light, 0.4, 1.2)
        self._tongue = np.array([120, 52, 50], np.float32) * np.clip(light, 0.4, 1.2)
        gap = float(np.abs(shape[INNER][5, 1] - shape[INNER][15, 1]))
        if gap > _SMILE:
            ring = self._place(shape[INNER], pose)
            self._cover = self._filled(region.shape, ring, blur=0.012)
            self._teeth = region.astype(np.float32)
        else:
            self._cover, self._teeth = self._painted(region.shape, basis.mean[INNER], pose, light)

    def paint(self, region: np.ndarray, inner: np.ndarray) -> np.ndarray:
        """The region uint8 [h, w, 3] with the inside of the lips filled.

        ``inner`` float [20, 2]: the inner contour in pixels of the whole picture.
        """
        ring = (inner - self._corner).astype(np.float32)
        low = np.maximum(np.floor(ring.min(0)).astype(int) - 3, 0)
        high = np.minimum(np.ceil(ring.max(0)).astype(int) + 4, (region.shape[1], region.shape[0]))
        if (high - low).min() < 2:
            return region
        part = (slice(low[1], high[1]), slice(low[0], high[0]))
        room = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        cv2.fillPoly(room, [np.round((ring - low) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        gap = max(float(np.linalg.norm(ring[5] - ring[15])), 1.0)
        deep = cv2.GaussianBlur(room, (0, 0), max(0.8, gap * 0.16)).astype(np.float32) / 255
        share = (cv2.GaussianBlur(room, (0, 0), 0.7).astype(np.float32) / 255)[..., None]
        rows = np.arange(low[1], high[1], dtype=np.float32)
        low_part = np.clip((rows - ring[5, 1] - 0.6 * gap) / (0.5 * gap), 0, 1)[:, None, None]
        inside = self._dark + (self._tongue - self._dark) * low_part * min(1.0, gap / (0.12 * self._eye))
        cover = self._cover[part][..., None] * (0.35 + 0.65 * deep[..., None] ** 0.7)
        inside = inside * (1 - cover) + self._teeth[part] * cover * (0.55 + 0.45 * deep[..., None])
        done = region.copy()
        done[part] = np.clip(region[part] * (1 - share) + inside * share, 0, 255).astype(np.uint8)
        return done

    def _place(self, points: np.ndarray, pose: Pose) -> np.ndarray:
        return to_image(points[None], pose)[0, :, :2] - self._corner

    def _filled(self, shape: tuple[int, ...], ring: np.ndarray, blur: float) -> np.ndarray:
        drawn = np.zeros(shape[:2], np.uint8)
        cv2.fillPoly(drawn, [np.round(ring * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        return cv2.GaussianBlur(drawn, (0, 0), max(0.5, blur * self._eye)).astype(np.float32) / 255

    def _painted(self, shape: tuple[int, ...], inner: np.ndarray, pose: Pose,
                 light: float) -> tuple[np.ndarray, np.ndarray]:
        """Cover [h, w] and colour [h, w, 3] of a row of upper teeth behind the closed lips."""
        line = inner[1:_HALF - 1]
        across = np.linspace(-1, 1, len(line))
        above, below = line.copy(), line.copy()
        above[:, 1] -= 0.05
        below[:, 1] += 0.048 * (1 - 0.55 * across**2)
        cover = self._filled(shape, self._place(np.concatenate([above, below[::-1]]), pose), blur=0.006)
        colour = np.empty((*shape[:2], 3), np.float32)
        colour[:] = np.array([226, 214, 200], np.float32) * np.clip(0.55 + 0.4 * light, 0.5, 1.0)
        top, bottom = self._place(above, pose), self._place(below, pose)
        middle = (len(line) - 1) / 2
        for step in (-3, -2, -1, 0, 1, 2, 3):
            at = middle + np.sign(step) * (abs(step) * 1.05 - 0.04 * step * step)
            ends = [np.array([np.interp(at, np.arange(len(line)), row[:, axis]) for axis in (0, 1)])
                    for row in (top, bottom)]
            first, last = (tuple(int(value) for value in np.round(end * 16)) for end in ends)
            cv2.line(colour, first, last, (165, 150, 138), 1, cv2.LINE_AA, 4)
        return cover, cv2.GaussianBlur(colour, (0, 0), max(0.6, 0.004 * self._eye))
