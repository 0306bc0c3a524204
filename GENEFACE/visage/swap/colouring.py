"""The light and the skin colour of a frame on a new face."""

from __future__ import annotations

import cv2
import numpy as np

_RATIO = (0.5, 2.0)
"""Limits of the factor by which contrast is changed."""
_ACROSS = 48
"""Pixels across the face that tell its colours."""
_CALM = 1.0
"""Variance, grey levels squared, below which colours count as not varying."""


def matched(new: np.ndarray, old: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The pixels ``new`` with the mean and the spread that ``old`` has in CIELAB where ``share`` is large.

    All [h, w]; pixels uint8 RGB, share float32 0 to 1.  After Reinhard et al.,
    "Color transfer between images" (2001), in Lab; factors from 0.5 to 2.  The
    change is worked out for a few pixels; all of them get the affine map of RGB
    that comes nearest to it.
    """
    step = max(1, min(new.shape[:2]) // _ACROSS)
    weight = share[::step, ::step].reshape(-1, 1)
    total = float(weight.sum())
    if total < 4:
        return new
    few = [np.ascontiguousarray(each[::step, ::step]) for each in (new, old)]
    mine, theirs = (_lab(each).reshape(-1, 3) for each in few)
    own, aim = (_moments(values, weight, total) for values in (mine, theirs))
    factor = np.clip(aim[1] / np.maximum(own[1], 1e-3), *_RATIO)
    wanted = _rgb(aim[0] + (mine - own[0]) * factor)
    return cv2.transform(new, _affine(few[0].reshape(-1, 3).astype(np.float32), wanted, weight, total))


def _affine(values: np.ndarray, wanted: np.ndarray, weight: np.ndarray, total: float) -> np.ndarray:
    """The map [3, 4] that brings colours [N, 3] nearest to others; nothing is stretched where they do not vary."""
    middle, aim = ((each * weight).sum(0) / total for each in (values, wanted))
    ours, theirs = values - middle, wanted - aim
    hold = total * _CALM * np.eye(3)
    weighed = (ours * weight).T
    linear = np.linalg.solve(weighed @ ours + hold, weighed @ theirs + hold).T
    return np.concatenate([linear, (aim - linear @ middle)[:, None]], 1)


def _moments(values: np.ndarray, weight: np.ndarray, total: float) -> tuple[np.ndarray, np.ndarray]:
    mean = (values * weight).sum(0) / total
    return mean, np.sqrt(((values - mean) ** 2 * weight).sum(0) / total)


def _lab(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def _rgb(lab: np.ndarray) -> np.ndarray:
    """Colours float32 [N, 3], 0 to 255, of CIELAB [N, 3]."""
    return np.clip(cv2.cvtColor(lab[None].astype(np.float32), cv2.COLOR_LAB2RGB)[0] * 255, 0, 255)
