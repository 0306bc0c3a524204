"""The 36 features of NIQE, computed for all 96 by 96 blocks of a picture at once.

A. Mittal, R. Soundararajan, A. C. Bovik, *Making a "completely blind" image quality analyzer*, IEEE Signal
Processing Letters 20(3), 2013.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

BLOCK = 96
"""Side of a block at full size, pixels; half of it at the second scale."""
WINDOW = 7
"""Side of the Gaussian window of local mean and deviation."""
SIGMA = 7 / 6
"""Its deviation, pixels."""
FEATURES = 36
"""Per block: 18 at full size, then 18 at half size."""
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Rows and columns that a block is turned by (around its edges) before it is multiplied with itself."""


def luma(picture: np.ndarray) -> np.ndarray:
    """Brightness of uint8 RGB [H, W, 3] by ITU-R BT.601, 16 to 235, in whole numbers; float32 [H, W]."""
    weights = np.array([[65.481, 128.553, 24.966]]) / 255
    return np.rint(cv2.transform(picture.astype(np.float64), weights) + 16).astype(np.float32)


def features(brightness: np.ndarray, step: int = BLOCK) -> tuple[np.ndarray, np.ndarray]:
    """Features [N, 36] and sharpness [N] of the N blocks that lie whole in a picture, float64.

    ``brightness`` is float32 [H, W]; blocks begin every ``step`` (even) pixels, so that they overlap
    when it is below 96.  A block without structure has NaN in it.  Sharpness is the mean local deviation
    at full size.  A picture smaller than one block gives none.
    """
    if step == BLOCK:
        # what reaches past the last whole block must not touch the blocks through the filters
        brightness = brightness[: brightness.shape[0] // BLOCK * BLOCK, : brightness.shape[1] // BLOCK * BLOCK]
    if min(brightness.shape) < BLOCK:
        return np.empty((0, FEATURES)), np.empty(0)
    columns, sharpness = [], np.empty(0)
    for scale in (1, 2):
        structure, deviation = normalised(brightness)
        side = BLOCK // scale
        columns.append(_block_features(_blocks(structure, side, step // scale)))
        if scale == 1:
            sharpness = _blocks(deviation, side, step).mean((1, 2), dtype=np.float64)
            brightness = halved(brightness)
    return np.concatenate(columns, 1), sharpness


def normalised(brightness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean-subtracted, contrast-normalised coefficients and the local deviation, float32 [H, W] each."""
    window = cv2.getGaussianKernel(WINDOW, SIGMA, cv2.CV_64F)
    # a square of a mean less a mean of squares: in single precision flat parts would seem to have structure
    plane = brightness.astype(np.float64)
    mean, square = (cv2.sepFilter2D(part, cv2.CV_64F, window, window, borderType=cv2.BORDER_REPLICATE)
                    for part in (plane, plane * plane))
    deviation = np.sqrt(np.abs(square - mean * mean))
    return ((plane - mean) / (deviation + 1)).astype(np.float32), deviation.astype(np.float32)


def halved(brightness: np.ndarray) -> np.ndarray:
    """Half the size by a bicubic kernel (Keys, a = -0.5) stretched to eight taps against aliasing; edges mirrored."""
    height, width = (side // 2 for side in brightness.shape)
    taps = np.array([_keys(abs(place) / 2) for place in np.arange(-3.5, 4)], np.float32)
    taps /= taps.sum()
    # the anchor makes each result stand for the middle between its pixel and the next
    wide = cv2.sepFilter2D(brightness, cv2.CV_32F, taps, taps, anchor=(3, 3), borderType=cv2.BORDER_REFLECT)
    return np.ascontiguousarray(wide[: height * 2 : 2, : width * 2 : 2])


def asymmetric_fit(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shape, left and right spread of an asymmetric generalised Gaussian, for each row of [N, M]; float64 [N] each.

    By matching moments; the shape is the nearest of 0.2, 0.201 ... 10.  NaN where a
    side has no values.
    """
    values = values.astype(np.float64)
    left, right = np.minimum(values, 0), np.maximum(values, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        left_square, right_square = _square(left), _square(right)
        left_deviation = np.sqrt(left_square / np.count_nonzero(left, 1))
        right_deviation = np.sqrt(right_square / np.count_nonzero(right, 1))
        ratio = left_deviation / right_deviation
        mean = (right.sum(1) - left.sum(1)) / values.shape[1]
        flatness = mean**2 / ((left_square + right_square) / values.shape[1])
        moment = flatness * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    shapes, moments, spreads = _shapes()
    found = np.clip(np.searchsorted(moments, moment), 1, len(moments) - 1)
    found -= moment - moments[found - 1] < moments[found] - moment
    known = np.isfinite(moment)
    shape = np.where(known, shapes[found], np.nan)
    spread = np.where(known, spreads[found], np.nan)
    return shape, left_deviation * spread, right_deviation * spread


def _square(values: np.ndarray) -> np.ndarray:
    return np.einsum("nm,nm->n", values, values)


def _block_features(blocks: np.ndarray) -> np.ndarray:
    """[N, 18] of coefficients [N, side, side]: shape and spread, then four numbers for each neighbour."""
    count = len(blocks)
    shape, left, right = asymmetric_fit(blocks.reshape(count, -1))
    columns = [shape, (left + right) / 2]
    for turn in _NEIGHBOURS:
        product = blocks * np.roll(blocks, turn, (1, 2))
        shape, left, right = asymmetric_fit(product.reshape(count, -1))
        columns += [shape, (right - left) * _mean_factor(shape), left, right]
    return np.stack(columns, 1)


def _blocks(plane: np.ndarray, side: int, step: int) -> np.ndarray:
    """The blocks [N, side, side] of a plane, row by row."""
    windows = np.lib.stride_tricks.sliding_window_view(plane, (side, side))[::step, ::step]
    return windows.reshape(-1, side, side)


def _mean_factor(shape: np.ndarray) -> np.ndarray:
    from scipy.special import gamma

    return gamma(2 / shape) / gamma(1 / shape)


@cache
def _shapes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shapes, their moment ratios (rising), and what turns a deviation into a spread."""
    from scipy.special import gamma

    shapes = np.arange(200, 10001) / 1000
    one, two, three = (gamma(n / shapes) for n in (1, 2, 3))
    return shapes, two**2 / (one * three), np.sqrt(one / three)


def _keys(distance: float) -> float:
    if distance <= 1:
        return 1.5 * distance**3 - 2.5 * distance**2 + 1
    return -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2 if distance < 2 else 0.0
