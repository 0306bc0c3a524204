"""Flicker: what changes from frame to frame though nothing moves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from eval_metrics.contract import Figure, Frame, MetricInfo, Options, Scene
from eval_metrics.spread import standard_error

_SIDE = 256
"""Longest side of the pictures that are compared, pixels."""
_EDGE = 0.03
"""Share of each side left out: what moves in from outside cannot be explained."""


class Unsteadiness:
    """Mean absolute change of one video's frames that motion does not explain, in grey levels (0 to 255).

    Each frame is compared with the one before, warped by dense optical flow (DIS,
    Kroeger et al. 2016), in grey at up to 256 pixels.
    """

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._before: np.ndarray | None = None
        self._grid: np.ndarray | None = None

    def next(self, picture: np.ndarray) -> float:
        """The change from the picture before to this one, uint8 RGB [H, W, 3]; NaN for the first one."""
        grey = _small(picture)
        before, self._before = self._before, grey
        if before is None or before.shape != grey.shape or min(grey.shape) < 16:
            return math.nan
        if np.array_equal(before, grey):
            return 0.0
        flow = self._flow.calc(grey, before, None)
        moved = cv2.remap(before, flow + self._places(grey.shape), None, cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_REPLICATE)
        down, across = (max(1, round(_EDGE * side)) for side in grey.shape)
        return float(cv2.absdiff(grey, moved)[down:-down, across:-across].mean())

    def _places(self, shape: tuple[int, ...]) -> np.ndarray:
        if self._grid is None or self._grid.shape[:2] != shape:
            rows, columns = np.mgrid[0:shape[0], 0:shape[1]].astype(np.float32)
            self._grid = np.stack([columns, rows], 2)
        return self._grid


def _small(picture: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    scale = _SIDE / max(grey.shape)
    return grey if scale >= 1 else cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


class Flicker:
    """Flicker of the clip, and how it compares with the ground truth's own (noise and light of the camera)."""

    info = MetricInfo("flicker", "Flicker", gives=("flicker", "flicker_ratio"), consecutive=True)

    def __init__(self, options: Options) -> None:
        self._sides = (Unsteadiness(), Unsteadiness())
        self._values: tuple[list[float], list[float]] = ([], [])

    def take(self, frames: Sequence[Frame]) -> None:
        """Measure each frame against the one before it."""
        for frame in frames:
            for side, values, picture in zip(self._sides, self._values, (frame.pred, frame.truth), strict=True):
                values.append(side.next(picture) if picture is not None else math.nan)

    def finish(self, scene: Scene) -> Mapping[str, Figure]:
        """``flicker`` in grey levels, and ``flicker_ratio``, the clip's over the ground truth's."""
        pred, truth = (np.array(values) for values in self._values)
        seen = pred[np.isfinite(pred)]
        parameters = {"longest_side": _SIDE, "flow": "DIS, fast", "margin": _EDGE}
        own = Figure(float(seen.mean()) if len(seen) else None, "grey levels", "lower", len(seen),
                     standard_error(seen), self._values[0], 1, parameters,
                     reason="" if len(seen) else "It takes two frames of at least 16 pixels' height and width.")
        return {"flicker": own, "flicker_ratio": _ratio(pred, truth, scene)}


def _ratio(pred: np.ndarray, truth: np.ndarray, scene: Scene) -> Figure:
    title, better = "Flicker over the ground truth's", "nearer to 1"
    both = np.isfinite(pred) & np.isfinite(truth)
    if scene.truth is None:
        return Figure(None, "", better, title=title, reason="It compares with a ground truth, and none was given.",
                      remedy="--gt_video FILE")
    middle = float(truth[both].mean()) if both.any() else 0.0
    if middle <= 0.01:
        return Figure(None, "", better, title=title, reason="The ground truth itself does not change from frame to "
                      "frame, so there is nothing to compare with.")
    value = float(pred[both].mean()) / middle
    return Figure(value, "", better, int(both.sum()), standard_error((pred[both] - value * truth[both]) / middle), (),
                  1, {"truth_flicker": middle}, title=title)
