"""Sharpness: the share of edges that are so narrow that nobody sees blur in them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from eval_metrics.contract import Figure, Frame, MetricInfo, Options, Scene
from eval_metrics.pool import each
from eval_metrics.spread import standard_error

_BLOCK = 64
_BETA = 3.6
_SEEN = 1 - math.exp(-1)
"""Probability from which blur counts as just noticeable, 63 %."""
_EDGE_BLOCK = 0.002
"""Share of a block's pixels that must be edges for the block to count."""
_LOW_CONTRAST, _WIDTH_LOW, _WIDTH_HIGH = 50, 5.0, 3.0
"""Just noticeable edge width, pixels: 5 in blocks whose grey levels span at most 50, else 3."""
_ENOUGH = 6
"""Pixels after which an edge is too wide for any block, so that it need not be followed further."""
_LEAST = 8.0
"""Grey levels that an edge must rise from one side of a pixel to the other; below it is noise."""


def cpbd(picture: np.ndarray) -> float:
    """Cumulative probability of blur detection of uint8 RGB [H, W, 3], 0 (blurred) to 1 (sharp); NaN without edges.

    Narvekar & Karam 2011: upright edges, their width by Marziliano (from the local
    minimum to the local maximum of grey along the row), the probability that its
    blur is seen ``1 - exp(-(width / w)^3.6)`` with the just noticeable width ``w`` of
    its block of 64 pixels, and the share of edges where that is at most 63 %.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    edges = upright_edges(grey)
    down, across = _blocks(grey.shape[0]), _blocks(grey.shape[1])
    height, width = down[-1], across[-1]
    if not height or not width:
        return math.nan
    edges, grey = edges[:height, :width], grey[:height, :width]
    shape = (len(down) - 1, height // (len(down) - 1), len(across) - 1, width // (len(across) - 1))
    share = edges.reshape(shape).mean((1, 3))
    tiles = grey.reshape(shape)
    contrast = tiles.max((1, 3)).astype(int) - tiles.min((1, 3))
    rows, columns = np.nonzero(edges)
    block = (rows // shape[1], columns // shape[3])
    counted = share[block] > _EDGE_BLOCK
    if not counted.any():
        return math.nan
    allowed = np.where(contrast[block] <= _LOW_CONTRAST, _WIDTH_LOW, _WIDTH_HIGH)
    widths = edge_widths(grey, rows, columns)
    probability = 1 - np.exp(-((widths / allowed) ** _BETA))
    return float((probability[counted] <= _SEEN + 1e-9).mean())


def upright_edges(grey: np.ndarray) -> np.ndarray:
    """Where upright edges run, bool [H, W]: Sobel responses that stand out of the picture and are the row's peaks."""
    slope = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8))
    least = max(_LEAST / 2, 2 * math.sqrt(float((slope**2).mean())))
    peaks = np.zeros(grey.shape, bool)
    inner = slope[:, 1:-1]
    peaks[:, 1:-1] = (inner > least) & (inner >= slope[:, :-2]) & (inner > slope[:, 2:])
    return peaks


def edge_widths(grey: np.ndarray, rows: np.ndarray, columns: np.ndarray, most: int = _ENOUGH) -> np.ndarray:
    """Pixels from the local minimum to the local maximum of grey on both sides of each of these pixels along its row.

    Grey must rise (or fall) all the way; at a pixel that is itself an extremum it
    is the longer side's.  Not followed further than ``most`` to either side.
    """
    width = grey.shape[1]
    steps = np.zeros((grey.shape[0], width - 1 + 2 * most), np.int16)
    np.subtract(grey[:, 1:], grey[:, :-1], out=steps[:, most:most + width - 1], dtype=np.int16)
    steps = steps.ravel()
    # the step between a pixel and the one to its right
    place = rows * (width - 1 + 2 * most) + most + columns
    return np.maximum(_run(np.sign(steps), place, most), _run(-np.sign(steps), place, most))


def _run(signs: np.ndarray, place: np.ndarray, most: int) -> np.ndarray:
    """How many steps in a row go up, to the left and to the right of each place together."""
    found = np.zeros(len(place), np.int32)
    for start, towards in ((place - 1, -1), (place, 1)):
        going = np.arange(len(place))
        for step in range(most):
            going = going[signs[start[going] + towards * step] > 0]
            found[going] += 1
    return found


def _blocks(side: int) -> np.ndarray:
    """Edges of the blocks along one side; what is left over does not count, a side below one block is one block."""
    step = min(_BLOCK, side)
    return np.arange(0, side + 1, step) if step else np.zeros(1, int)


class Sharpness:
    """CPBD of every frame (see `cpbd`), and how it compares with the ground truth's."""

    info = MetricInfo("sharpness", "Sharpness (CPBD)", gives=("cpbd", "cpbd_ratio"))

    def __init__(self, options: Options) -> None:
        self._pred: list[float] = []
        self._truth: list[float] = []

    def take(self, frames: Sequence[Frame]) -> None:
        """Measure the clip's pictures and, where there is one, the ground truth's."""
        self._pred += each(lambda frame: cpbd(frame.pred), frames)
        self._truth += each(lambda frame: cpbd(frame.truth) if frame.truth is not None else math.nan, frames)

    def finish(self, scene: Scene) -> Mapping[str, Figure]:
        """``cpbd``, 0 to 1, and ``cpbd_ratio``, the clip's mean over the ground truth's."""
        every = scene.facts.get("stride", 1)
        pred, truth = np.array(self._pred), np.array(self._truth)
        sharp = pred[np.isfinite(pred)]
        parameters = {"block": _BLOCK, "beta": _BETA, "edges": "upright, Sobel",
                      "noticeable_widths": [_WIDTH_LOW, _WIDTH_HIGH], "seen": round(_SEEN, 4)}
        own = Figure(float(sharp.mean()) if len(sharp) else None, "", "higher", len(sharp), standard_error(sharp),
                     self._pred, every, parameters, reason="" if len(sharp) else "No frame of the clip has an edge.")
        return {"cpbd": own, "cpbd_ratio": _ratio(pred, truth, scene, every)}


def _ratio(pred: np.ndarray, truth: np.ndarray, scene: Scene, every: int) -> Figure:
    title, better = "Sharpness over the ground truth's", "nearer to 1"
    both = np.isfinite(pred) & np.isfinite(truth)
    if scene.truth is None:
        return Figure(None, "", better, title=title, reason="It compares with a ground truth, and none was given.",
                      remedy="--gt_video FILE")
    if not both.any() or truth[both].mean() <= 0:
        return Figure(None, "", better, title=title, reason="The two have no frame in common that has a sharp edge.")
    middle = float(truth[both].mean())
    value = float(pred[both].mean()) / middle
    # to first order, the error of a ratio of means is that of this difference
    error = standard_error((pred[both] - value * truth[both]) / middle)
    return Figure(value, "", better, int(both.sum()), error, (), every, {"truth_cpbd": middle}, title=title)
