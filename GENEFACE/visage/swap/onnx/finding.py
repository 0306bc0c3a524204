"""Looking hard for a face: what is tried, in turn, when a picture shows none at first sight."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np

from visage.swap.onnx.detect import SIDE, SURE, Found, find
from visage.swap.onnx.network import Network

UNSURE = 0.3
"""Score that does for a still in which nothing surer is found."""
_FINE = 1280
_DARK = 60
"""Mean brightness below which a picture is lightened before another try."""
_MARGIN = 0.5
_Points = Callable[[np.ndarray], np.ndarray]


def find_hard(network: Network, frame: np.ndarray, side: int = SIDE) -> Found:
    """The faces of a still: at first sight, then finer, less sure, lightened, with a margin and turned."""
    found = find(network, frame, side=side)
    if len(found.scores):
        return found
    for picture, home, its_side, sure in _tries(frame, side):
        found = find(network, picture, side=its_side, sure=sure)
        if len(found.scores):
            return _moved(found, home)
    return found


def _tries(frame: np.ndarray, side: int) -> Iterator[tuple[np.ndarray, _Points, int, float]]:
    """Picture, way of its points back to the frame, side for the detector, and least score."""
    if max(frame.shape[:2]) > side < _FINE:
        yield frame, _same, _FINE, SURE
    yield frame, _same, side, UNSURE
    if float(frame.mean()) < _DARK:
        yield lightened(frame), _same, side, UNSURE
    height, width = frame.shape[:2]
    down, right = round(height * _MARGIN), round(width * _MARGIN)
    wide = cv2.copyMakeBorder(frame, down, down, right, right, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    yield wide, lambda points: points - np.array([right, down], np.float32), side, UNSURE
    for turns in (1, 3, 2):
        yield np.ascontiguousarray(np.rot90(frame, turns)), _turned(turns, width, height), side, UNSURE


def lightened(frame: np.ndarray) -> np.ndarray:
    """A dark picture with its contrast evened out in small fields (CLAHE); colours keep their hue."""
    lab = cv2.cvtColor(frame, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clipLimit=3.0, tileGridSize=(8, 8)).apply(lab[..., 0])
    return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)


def _same(points: np.ndarray) -> np.ndarray:
    return points


def _turned(turns: int, width: int, height: int) -> _Points:
    """Points of ``np.rot90(frame, turns)`` in the frame."""
    ways: dict[int, Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]] = {
        1: lambda x, y: (width - 1 - y, x),
        2: lambda x, y: (width - 1 - x, height - 1 - y),
        3: lambda x, y: (y, height - 1 - x)}
    return lambda points: np.stack(ways[turns](points[..., 0], points[..., 1]), -1)


def _moved(found: Found, home: _Points) -> Found:
    corners = home(found.boxes.reshape(-1, 2, 2))
    boxes = np.concatenate([corners.min(1), corners.max(1)], 1).astype(np.float32)
    fives = None if found.fives is None else home(found.fives).astype(np.float32)
    return Found(boxes, found.scores, fives)
