"""The light and the skin colour of a frame on a new face."""

from __future__ import annotations

import cv2
import numpy as np

_RATIO = (0.5, 2.0)
"""Limits of the factor by which contrast is changed."""


def matched(new: np.ndarray, old: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The pixels ``new`` with the mean and the spread that ``old`` has in CIELAB where ``share`` is large.

    All [h, w]; pixels uint8 RGB, share float32 0 to 1.  After Reinhard et al.,
    "Color transfer between images" (2001), in Lab; factors from 0.5 to 2.
    """
    step = max(1, min(new.shape[:2]) // 90)
    weight = share[::step, ::step].reshape(-1, 1)
    total = float(weight.sum())
    if total < 4:
        return new
    mine, theirs = (_lab(np.ascontiguousarray(each[::step, ::step])).reshape(-1, 3) for each in (new, old))
    own, aim = (_moments(values, weight, total) for values in (mine, theirs))
    factor = np.clip(aim[1] / np.maximum(own[1], 1e-3), *_RATIO)
    change = np.concatenate([np.diag(factor), (aim[0] - factor * own[0])[:, None]], 1)
    return _rgb(cv2.transform(_lab(new), change))


def _moments(values: np.ndarray, weight: np.ndarray, total: float) -> tuple[np.ndarray, np.ndarray]:
    mean = (values * weight).sum(0) / total
    return mean, np.sqrt(((values - mean) ** 2 * weight).sum(0) / total)


def _lab(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def _rgb(lab: np.ndarray) -> np.ndarray:
    return np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB) * 255 + 0.5, 0, 255).astype(np.uint8)
