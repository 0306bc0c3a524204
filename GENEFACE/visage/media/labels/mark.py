"""The mark that people see: large words on the opening seconds, small ones in the corner afterwards.

It stands in the upper left corner, which subtitles and films leave free.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

import cv2
import numpy as np

from visage.media.labels.glyphs import SHORT, WORDS, words
from visage.media.planes import Planes, planes_from_rgb

OPENING_SECONDS = 2.0
"""How long the large words stand; GB 45438-2025, 4.4 asks for two seconds."""
OPENING_SHARE = 0.05
"""Height of their characters, of the shorter side; the same section."""
CORNER_SHARE = 0.032
"""Of the words that stay."""
_SMALLEST = 8
"""Pixels below which characters cannot be read."""
_DARK = 0.55
"""How much of the picture the ground behind the words covers."""
_INK = 245.0


@dataclass(frozen=True, slots=True, eq=False)
class _Patch:
    """Words, ready to be laid on a picture of one size."""

    box: tuple[int, int, int, int]
    """Left, top, right, bottom; all even."""
    rgb: np.ndarray
    """uint8 [h, w, 3]."""
    planes: Planes
    """The same as I420."""
    cover: np.ndarray
    """float32 [h, w], 0 to 1."""
    coarse: np.ndarray
    """The same for the colours, [h / 2, w / 2]."""


class Mark:
    """Draws the mark into frames of one size, in place, only where it stands.

    ``number`` counts frames from 0; frames are uint8 RGB [height, width, 3], or the planes of an I420 frame.
    """

    def __init__(self, width: int, height: int, fps: float) -> None:
        self.opening = ceil(OPENING_SECONDS * fps)
        """Frames that bear the large words."""
        self._large = _patch(width, height, OPENING_SHARE)
        self._small = _patch(width, height, CORNER_SHARE)

    def on_rgb(self, frame: np.ndarray, number: int) -> np.ndarray:
        """Draw into a frame and return it."""
        patch = self._at(number)
        left, top, right, bottom = patch.box
        part = frame[top:bottom, left:right]
        part[:] = _blended(patch.rgb, part, patch.cover)
        return frame

    def on_planes(self, frame: Planes, number: int) -> Planes:
        """Draw into the planes of a frame and return them."""
        patch = self._at(number)
        part = frame.part(patch.box)
        for mine, theirs, cover in ((part.luma, patch.planes.luma, patch.cover),
                                    (part.blue, patch.planes.blue, patch.coarse),
                                    (part.red, patch.planes.red, patch.coarse)):
            mine[:] = _blended(theirs, mine, cover)
        return frame

    def _at(self, number: int) -> _Patch:
        return self._large if number < self.opening else self._small


def mark_picture(picture: np.ndarray) -> np.ndarray:
    """A copy of a picture, uint8 RGB [H, W, 3], with the large words in its corner."""
    height, width = picture.shape[:2]
    return Mark(width, height, 1).on_rgb(picture.copy(), 0)


def _blended(theirs: np.ndarray, mine: np.ndarray, cover: np.ndarray) -> np.ndarray:
    return cv2.blendLinear(theirs, np.ascontiguousarray(mine), cover, 1 - cover)


@lru_cache(maxsize=8)
def _patch(width: int, height: int, share: float) -> _Patch:
    """The words for a picture of that size; the short ones where the long ones would not fit."""
    size = max(_SMALLEST, ceil(min(width, height) * share))
    gap = max(2, round(size * 0.35))
    ink = words(WORDS if share == OPENING_SHARE else SHORT, size)
    if ink.shape[1] + 4 * gap > width:
        ink = words(SHORT, size)
    ink = np.pad(ink, gap)[:height & ~1, :width & ~1]
    ink = np.pad(ink, ((0, ink.shape[0] % 2), (0, ink.shape[1] % 2)))
    left = min(gap & ~1, (width - ink.shape[1]) & ~1)
    top = min(gap & ~1, (height - ink.shape[0]) & ~1)
    cover = np.maximum(ink, _DARK).astype(np.float32)
    # the ground covers only partly, so what is laid on it must already be as bright as the words where they stand
    value = np.where(ink > 0, _INK * ink / cover, 0.0)
    rgb = np.repeat(np.rint(value).astype(np.uint8)[..., None], 3, axis=2)
    coarse = cv2.resize(cover, (cover.shape[1] // 2, cover.shape[0] // 2), interpolation=cv2.INTER_AREA)
    box = (left, top, left + ink.shape[1], top + ink.shape[0])
    return _Patch(box, rgb, planes_from_rgb(rgb), cover, coarse)
