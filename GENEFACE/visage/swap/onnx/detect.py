"""Finding faces with SCRFD (Guo et al., ICLR 2022), YuNet (Wu et al., 2023) or YOLO-face networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from visage.swap.onnx.geometry import letterbox, planes
from visage.swap.onnx.network import Network

SIDE = 640
"""Side of the square that detectors see, pixels; a multiple of 32."""
SURE = 0.5
"""Score from which a face counts."""
OVERLAP = 0.4
"""Share of area in common from which two boxes are one face."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Faces of one picture, the surest first."""

    boxes: np.ndarray
    """float32 [N, 4]: left, top, right, bottom, pixels of the picture."""
    scores: np.ndarray
    """float32 [N], 0 to 1."""
    fives: np.ndarray | None
    """float32 [N, 5, 2] pixels, where the network gives points."""


def find(network: Network, frame: np.ndarray, *, side: int = SIDE, sure: float = SURE) -> Found:
    """The faces of a frame, uint8 RGB [H, W, 3]."""
    spec = network.model.spec
    shape = network.model.graph.inputs[0].shape or ()
    side = shape[2] if len(shape) == 4 and shape[2] else side
    square, scale = letterbox(frame, side)
    outputs = network.run({"image": planes(square[None], spec.mean, spec.std, spec.bgr)})
    found = _DECODERS[spec.kind](outputs, side, sure)
    return _scaled(suppress(found), scale)


def suppress(found: Found, overlap: float = OVERLAP) -> Found:
    """Of faces that cover each other only the surest (greedy non-maximum suppression)."""
    order = np.argsort(-found.scores, kind="stable")
    boxes = found.boxes[order].astype(np.float64)
    areas = np.maximum(boxes[:, 2] - boxes[:, 0], 0) * np.maximum(boxes[:, 3] - boxes[:, 1], 0)
    kept: list[int] = []
    left = np.arange(len(order))
    while len(left):
        best, rest = left[0], left[1:]
        kept.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        both = np.prod(np.clip(high - low, 0, None), axis=1)
        left = rest[both <= overlap * np.maximum(areas[best] + areas[rest] - both, 1e-9)]
    chosen = order[kept]
    return Found(found.boxes[chosen], found.scores[chosen], None if found.fives is None else found.fives[chosen])


def centres(height: int, width: int, stride: int, anchors: int) -> np.ndarray:
    """Where the anchors of a level stand, float32 [height * width * anchors, 2] as x, y: those of a cell side by side.

    A cell's anchor stands at its corner, not half a cell further.
    """
    grid = np.stack(np.mgrid[:height, :width][::-1], -1).reshape(-1, 2) * stride
    return np.repeat(grid, anchors, axis=0).astype(np.float32)


def grouped(outputs: Sequence[np.ndarray]) -> dict[int, list[np.ndarray]]:
    """Outputs by their last length (1: scores, 4: boxes, 10: points), in each the finest level first.

    The order among the levels is told by how many rows they have; leading lengths of 1 are taken away.
    """
    flat = [output.reshape(-1, output.shape[-1]) for output in outputs]
    groups: dict[int, list[np.ndarray]] = {}
    for output in flat:
        groups.setdefault(output.shape[1], []).append(output)
    return {length: sorted(group, key=len, reverse=True) for length, group in groups.items()}


def decode_scrfd(outputs: Sequence[np.ndarray], side: int, sure: float = SURE) -> Found:
    """SCRFD's levels as faces in pixels of the square; 3 levels have 2 anchors a cell, 5 levels have 1."""
    groups = grouped(outputs)
    strides = (8, 16, 32) if len(groups[1]) == 3 else (8, 16, 32, 64, 128)
    boxes, scores, fives = [], [], []
    for level, stride in enumerate(strides):
        cells = -(-side // stride)
        score = groups[1][level][:, 0]
        picked = np.flatnonzero(score >= sure)
        middle = centres(cells, cells, stride, len(score) // (cells * cells))[picked]
        reach = groups[4][level][picked] * stride
        boxes.append(np.concatenate([middle - reach[:, :2], middle + reach[:, 2:]], 1))
        scores.append(score[picked])
        if 10 in groups:
            fives.append(middle[:, None] + groups[10][level][picked].reshape(-1, 5, 2) * stride)
    return Found(np.concatenate(boxes), np.concatenate(scores), np.concatenate(fives) if fives else None)


def decode_yunet(outputs: Sequence[np.ndarray], side: int, sure: float = SURE) -> Found:
    """YuNet's levels as faces in pixels of the square; score = sqrt(class x object), size = exp(d) x stride."""
    groups = grouped(outputs)
    boxes, scores, fives = [], [], []
    for level, stride in enumerate((8, 16, 32)):
        grid = centres(side // stride, side // stride, stride, 1)
        # class and object of a level come in either order: only their product counts
        one, other = groups[1][2 * level][:, 0], groups[1][2 * level + 1][:, 0]
        score = np.sqrt(np.clip(one, 0, 1) * np.clip(other, 0, 1))
        picked = np.flatnonzero(score >= sure)
        told = groups[4][level][picked]
        middle = grid[picked] + told[:, :2] * stride
        half = np.exp(told[:, 2:]) * stride / 2
        boxes.append(np.concatenate([middle - half, middle + half], 1))
        scores.append(score[picked])
        fives.append(grid[picked][:, None] + groups[10][level][picked].reshape(-1, 5, 2) * stride)
    return Found(np.concatenate(boxes), np.concatenate(scores), np.concatenate(fives))


def decode_yolo(outputs: Sequence[np.ndarray], sure: float = SURE) -> Found:
    """YOLO-face's rows [1, 20, N] as faces in pixels of the square: cx, cy, w, h, score, 5 times x, y, confidence."""
    rows = outputs[0].reshape(20, -1).T
    rows = rows[rows[:, 4] >= sure]
    middle, half = rows[:, :2], rows[:, 2:4] / 2
    return Found(np.concatenate([middle - half, middle + half], 1), rows[:, 4],
                 rows[:, 5:].reshape(-1, 5, 3)[..., :2])


def _scaled(found: Found, scale: np.ndarray) -> Found:
    boxes = (found.boxes.reshape(-1, 2, 2) / scale).reshape(-1, 4).astype(np.float32)
    fives = None if found.fives is None else (found.fives / scale).astype(np.float32)
    return Found(boxes, found.scores.astype(np.float32), fives)


_DECODERS: dict[str, Callable[[Sequence[np.ndarray], int, float], Found]] = {
    "scrfd": decode_scrfd,
    "yunet": decode_yunet,
    "yoloface": lambda outputs, _side, sure: decode_yolo(outputs, sure),
}
