"""A painted crop goes back into its frame: only where it lies, and softly at its edge."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from visage.swap.contract import Patch
from visage.swap.onnx.geometry import reach

BORDER = 0.04
"""Share of the crop's side, from its edge, that is never used: networks are weakest there."""
FEATHER = 0.16
"""Share of the crop's side over which the new pixels come in."""


@lru_cache(maxsize=16)
def soft_square(size: int, border: float = BORDER, feather: float = FEATHER) -> np.ndarray:
    """Share of the new pixels, float32 [size, size]: 0 at the edge, 1 in the middle, without a corner between."""
    place = np.arange(size, dtype=np.float32)
    away = np.minimum(place, size - 1 - place) / size
    ramp = np.clip((away - border) / feather, 0.0, 1.0)
    ramp = ramp * ramp * (3 - 2 * ramp)
    mask = np.outer(ramp, ramp).astype(np.float32)
    mask.flags.writeable = False
    return mask


def patch(frame_shape: tuple[int, ...], crop: np.ndarray, transform: np.ndarray, mask: np.ndarray) -> Patch:
    """A crop uint8 [S, S, 3] and its mask [S, S], both in aligned pixels, as a part of the frame it was cut from.

    The work grows with the face's area, not with the frame's.  A crop that lies outside gives an empty patch.
    """
    size = crop.shape[0]
    left, top, right, bottom = reach(transform, size, frame_shape)
    width, height = right - left, bottom - top
    if width <= 0 or height <= 0:
        return Patch(0, 0, np.zeros((0, 0, 3), np.uint8), np.zeros((0, 0), np.float32))
    local = np.asarray(transform, np.float64).copy()
    local[:, 2] += local[:, :2] @ (left, top)
    grows = float(np.hypot(local[0, 0], local[1, 0])) < 0.8
    ways = cv2.WARP_INVERSE_MAP | (cv2.INTER_CUBIC if grows else cv2.INTER_LINEAR)
    pixels = cv2.warpAffine(crop, local, (width, height), flags=ways, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.warpAffine(mask, local, (width, height), flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR,
                           borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return Patch(left, top, pixels, share)


def blend(frame: np.ndarray, part: Patch, strength: float = 1.0) -> np.ndarray:
    """A copy of the frame with a patch in it; where the mask is 0 the pixels stay bit for bit."""
    result = frame.copy()
    under = result[part.area]
    share = (part.mask * np.float32(strength))[..., None]
    mixed = under + share * (part.pixels.astype(np.float32) - under)
    result[part.area] = np.where(share > 0, np.clip(np.rint(mixed), 0, 255).astype(np.uint8), under)
    return result
