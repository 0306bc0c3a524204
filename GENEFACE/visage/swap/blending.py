"""Three ways to put a patch into a frame; where its mask is 0 the frame keeps every bit."""

from __future__ import annotations

import cv2
import numpy as np

from visage.swap.contract import Patch

BLENDS = ("alpha", "laplace", "poisson")
"""Feathered edge; Laplacian pyramid; Poisson equation."""
_LEVELS = 4


def blend(frame: np.ndarray, patch: Patch, way: str) -> None:
    """Put the patch into ``frame`` (uint8 RGB [H, W, 3], changed in place) in one of the `BLENDS`.

    A face that the frame cuts off has no closed edge: the pyramid then stands in for the Poisson equation.
    """
    if not patch.mask.size or patch.mask.max() < 1 / 512:
        return
    old = np.ascontiguousarray(frame[patch.area])
    new, mask = np.ascontiguousarray(patch.pixels), np.ascontiguousarray(patch.mask)
    whole = max(mask[0].max(), mask[-1].max(), mask[:, 0].max(), mask[:, -1].max()) < 0.05
    if way == "poisson" and whole:
        new = _poisson(new, old, mask)
    elif way != "alpha" and min(mask.shape) >= 2**_LEVELS:
        new = _pyramid(new, old, mask)
    frame[patch.area] = cv2.blendLinear(new, old, mask, 1 - mask)


def _pyramid(new: np.ndarray, old: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Coarse colours over a wide, details over a narrow seam (Burt and Adelson 1983), uint8 [h, w, 3]."""
    height, width = mask.shape
    unit = 2**_LEVELS
    border = (0, -height % unit, 0, -width % unit, cv2.BORDER_REPLICATE)
    change = cv2.copyMakeBorder(new.astype(np.float32) - old, *border)
    share = cv2.copyMakeBorder(np.minimum(mask * 2, 1), *border)
    # what is added to the frame is blended instead of two pictures: half the work, the same sum
    changes, shares = [change], [share]
    for _ in range(_LEVELS):
        changes.append(cv2.pyrDown(changes[-1]))
        shares.append(cv2.pyrDown(shares[-1]))
    total = changes[-1] * shares[-1][..., None]
    for level in range(_LEVELS - 1, -1, -1):
        detail = changes[level] - cv2.pyrUp(changes[level + 1])
        total = cv2.pyrUp(total) + detail * shares[level][..., None]
    return np.clip(old + total[:height, :width] + 0.5, 0, 255).astype(np.uint8)


def _poisson(new: np.ndarray, old: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The gradients of the new face within the frame's colours (Perez et al. 2003); ``new`` where that cannot be."""
    inside: np.ndarray = (mask > 0.05).astype(np.uint8) * 255
    # without holes: an opened mouth would pull its colours over the lips
    outlines, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(inside, outlines, -1, 255, cv2.FILLED)
    inside[[0, -1]], inside[:, [0, -1]] = 0, 0
    left, top, width, height = cv2.boundingRect(inside)
    # OpenCV finds the middle of an even side half a pixel beside it and moves the face by one
    if width % 2 == 0:
        inside[:, left + width - 1] = 0
    if height % 2 == 0:
        inside[top + height - 1] = 0
    left, top, width, height = cv2.boundingRect(inside)
    if width < 8 or height < 8:
        return new
    return cv2.seamlessClone(new, old, inside, (left + width // 2, top + height // 2), cv2.NORMAL_CLONE)
