"""NIQE: how far the statistics of a picture are from those of good photographs; needs no ground truth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from eval_metrics.contract import Figure, Frame, MetricInfo, Options, Scene
from eval_metrics.metrics.niqe_features import BLOCK, SIGMA, WINDOW, features, luma
from eval_metrics.metrics.niqe_pristine import ParameterSet, parameter_set
from eval_metrics.pool import each
from eval_metrics.sampling import Every
from eval_metrics.spread import standard_error
from visage.errors import InvalidRequest

EVERY = 5
"""Frames between two that are measured: five a second at 25 frames per second."""
SMALLEST = 2 * BLOCK
"""Pixels a picture must have each way: below that too few blocks are left to tell how they vary."""


def niqe(picture: np.ndarray, pristine: ParameterSet) -> float:
    """NIQE of uint8 RGB [H, W, 3] against a parameter set; lower is better.

    Mittal, Soundararajan & Bovik 2013: distance of two Gaussians with pooled covariance
    (pseudo-inverse) over the blocks of 96 by 96.  NaN when fewer than two blocks have
    any structure.
    """
    found, _ = features(luma(picture))
    found = found[np.isfinite(found).all(1)]
    if len(found) < 2:
        return math.nan
    away = pristine.mean - found.mean(0)
    pooled = (pristine.covariance + np.cov(found, rowvar=False)) / 2
    return math.sqrt(max(0.0, float(away @ np.linalg.pinv(pooled, hermitian=True) @ away)))


class Niqe:
    """NIQE of every fifth frame of the clip in the region; the clip's is their mean."""

    info = MetricInfo("niqe", "NIQE")

    def __init__(self, options: Options) -> None:
        """Raises `NotFound` and `BadMedia` for parameters that were named and are none."""
        self._pristine = parameter_set(options)
        self._sample = Every(EVERY)
        self._values: list[float] = []
        self._size: tuple[int, int] = (0, 0)

    def take(self, frames: Sequence[Frame]) -> None:
        """Measure every fifth frame."""
        picked = self._sample.pick(frames)
        if picked:
            self._size = picked[0].pred.shape[:2]
            self._values += each(self._measured, picked)

    def finish(self, scene: Scene) -> Mapping[str, Figure]:
        """Raises `InvalidRequest` for pictures too small or without any structure."""
        kept = [value for value in self._values if math.isfinite(value)]
        if not kept:
            raise self._nothing(scene)
        note = f"Parameter set {self._pristine.name}: compare only with figures of this set."
        if self._pristine.name != "published":
            note += " For figures as papers give them: GENEFACE/scripts/weights fetch niqe."
        lost = len(self._values) - len(kept)
        return {"niqe": Figure(
            sum(kept) / len(kept), better="lower", frames=len(kept), error=standard_error(kept), series=self._values,
            every=self._sample.every, weights=self._pristine.told,
            note=note + (f" {lost} frames without structure do not count." if lost else ""),
            parameters={"set": self._pristine.name, "block": BLOCK, "scales": 2, "window": WINDOW,
                        "sigma": round(SIGMA, 4), "brightness": "BT.601, 16 to 235", "region": scene.region,
                        "every": self._sample.every})}

    def _measured(self, frame: Frame) -> float:
        return niqe(frame.pred, self._pristine) if min(frame.pred.shape[:2]) >= SMALLEST else math.nan

    def _nothing(self, scene: Scene) -> InvalidRequest:
        height, width = self._size
        if 0 < min(height, width) < SMALLEST:
            return InvalidRequest("NIQE needs {needed} pixels each way; the {region} picture has {width} x {height}.",
                                  code="evaluation.niqe_small", needed=SMALLEST, region=scene.region, width=width,
                                  height=height, hint="Measure the whole picture: --region full.")
        return InvalidRequest("No frame has enough structure for NIQE.", code="evaluation.niqe_flat",
                              hint="Look at the clip: its pictures are of one colour, or there are none.")
