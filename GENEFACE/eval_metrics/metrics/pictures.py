"""PSNR and SSIM of a clip's pictures against the ground truth's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from eval_metrics.contract import Figure, Frame, MetricInfo, Options, Scene
from eval_metrics.pool import each
from eval_metrics.spread import standard_error

_SIGMA = 1.5
_RADIUS = 5
"""Of the window: 3.5 sigma, as scikit-image cuts it."""
_STRIPE = 96
"""Rows worked on at once: what they need stays in the processor's cache, which is several times faster."""
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def squared_error(pred: np.ndarray, truth: np.ndarray) -> float:
    """Mean squared difference of two uint8 pictures of one shape, over all pixels and channels; exact."""
    return cv2.norm(pred, truth, cv2.NORM_L2SQR) / pred.size


def psnr(error: float) -> float:
    """Peak signal-to-noise ratio in dB of a mean squared error of 8-bit pictures; inf for 0."""
    return 10 * math.log10(255**2 / error) if error > 0 else math.inf


def ssim(pred: np.ndarray, truth: np.ndarray) -> float:
    """Structural similarity of two uint8 pictures [H, W, 3], the mean of the channels' means.

    Wang, Bovik, Sheikh & Simoncelli 2004: Gaussian window of sigma 1.5 (11 taps),
    population covariance, K1 0.01, K2 0.03, range 255; windows that leave the
    picture do not count.  NaN for pictures smaller than the window.
    """
    rows = pred.shape[0] - 2 * _RADIUS
    if min(rows, pred.shape[1] - 2 * _RADIUS) < 1:
        return math.nan
    total = 0.0
    for top in range(0, rows, _STRIPE):
        part = slice(top, min(top + _STRIPE, rows) + 2 * _RADIUS)
        total += _likeness(np.ascontiguousarray(pred[part]), np.ascontiguousarray(truth[part]))
    return total / (rows * (pred.shape[1] - 2 * _RADIUS) * pred.shape[2])


def _likeness(pred: np.ndarray, truth: np.ndarray) -> float:
    """Sum of the similarity over all windows inside a stripe.

    Of sum and difference of the pictures four filterings do instead of five: with
    s = x + y and d = x - y, 4 x y = s s - d d and 2 (x x + y y) = s s + d d.
    """
    total = cv2.add(pred, truth, dtype=cv2.CV_32F)
    # less 255: whole numbers whose squares float32 holds exactly
    total = cv2.subtract(total, (255.0,) * 4)
    apart = cv2.subtract(pred, truth, dtype=cv2.CV_32F)
    mean_total, mean_apart = _blurred(total), _blurred(apart)
    var_total = cv2.subtract(_blurred(cv2.multiply(total, total)), cv2.multiply(mean_total, mean_total))
    var_apart = cv2.subtract(_blurred(cv2.multiply(apart, apart)), cv2.multiply(mean_apart, mean_apart))
    mean_total = cv2.add(mean_total, (255.0,) * 4)
    square_total, square_apart = cv2.multiply(mean_total, mean_total), cv2.multiply(mean_apart, mean_apart)
    above = cv2.multiply(_joined(square_total, square_apart, -0.5, _C1), _joined(var_total, var_apart, -0.5, _C2))
    below = cv2.multiply(_joined(square_total, square_apart, 0.5, _C1), _joined(var_total, var_apart, 0.5, _C2))
    return float(sum(cv2.sumElems(cv2.divide(above, below))))


def _blurred(picture: np.ndarray) -> np.ndarray:
    """Filtered by the window, float32; only where the window lies inside."""
    wide = cv2.sepFilter2D(picture, cv2.CV_32F, _WINDOW, _WINDOW, borderType=cv2.BORDER_REFLECT)
    return wide[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS]


def _joined(total: np.ndarray, apart: np.ndarray, sign: float, constant: float) -> np.ndarray:
    return cv2.addWeighted(total, 0.5, apart, sign, constant)


def _window() -> np.ndarray:
    steps = np.arange(-_RADIUS, _RADIUS + 1)
    weights = np.exp(-(steps**2) / (2 * _SIGMA**2))
    return (weights / weights.sum()).astype(np.float64)


_WINDOW = _window()


class Psnr:
    """PSNR of every frame over all its pixels and channels; the clip's is the mean of the frames' PSNR."""

    info = MetricInfo("psnr", "PSNR", ("truth",))

    def __init__(self, options: Options) -> None:
        self._errors: list[float] = []

    def take(self, frames: Sequence[Frame]) -> None:
        """Measure the frames that have a ground truth."""
        self._errors += each(lambda frame: squared_error(frame.pred, frame.truth), frames)

    def finish(self, scene: Scene) -> Mapping[str, Figure]:
        """``psnr`` in dB; equal frames have no finite value and are counted instead."""
        errors = np.array(self._errors, np.float64)
        series = [psnr(error) for error in errors]
        values = np.array([value for value in series if math.isfinite(value)])
        equal = len(series) - len(values)
        pooled = psnr(float(errors.mean()))
        parameters = {"peak": 255, "mean": "mean of the frames' PSNR", "equal_frames": equal,
                      "psnr_of_mean_squared_error": pooled if math.isfinite(pooled) else None}
        note = ""
        if not len(values):
            note = "infinite: every frame equals the ground truth's, pixel by pixel"
        elif equal:
            note = f"{equal} of {len(series)} frames equal the ground truth's (infinite PSNR) and are left out"
        return {"psnr": Figure(float(values.mean()) if len(values) else None, "dB", "higher", len(series),
                               standard_error(values), [v if math.isfinite(v) else math.nan for v in series],
                               scene.facts.get("stride", 1), parameters, note=note)}


class Ssim:
    """SSIM of every frame, see `ssim`; the clip's is the mean of the frames'."""

    info = MetricInfo("ssim", "SSIM", ("truth",))

    def __init__(self, options: Options) -> None:
        self._values: list[float] = []

    def take(self, frames: Sequence[Frame]) -> None:
        """Measure the frames that have a ground truth."""
        self._values += each(lambda frame: ssim(frame.pred, frame.truth), frames)

    def finish(self, scene: Scene) -> Mapping[str, Figure]:
        """``ssim``, 1 for equal pictures."""
        series = np.array(self._values, np.float64)
        values = series[np.isfinite(series)]
        parameters = {"window": "Gaussian", "sigma": _SIGMA, "taps": 2 * _RADIUS + 1, "k1": 0.01, "k2": 0.03,
                      "range": 255, "channels": "mean of R, G, B", "covariance": "population"}
        return {"ssim": Figure(float(values.mean()) if len(values) else None, "", "higher", len(values),
                               standard_error(values), self._values, scene.facts.get("stride", 1), parameters,
                               reason="" if len(values) else "The pictures are smaller than the window of 11 pixels.")}
