"""Who a face looks like, without weights: gradients and colours of an upright crop; tells neighbours apart."""

from __future__ import annotations

import cv2
import numpy as np

from visage.faces.align import similarity, warp
from visage.swap.contract import Embedding

SPACE = "embedded-v1"
"""The space of these embeddings; another recipe would need another name."""
_SIDE = 96
_PLACES = np.float32([[0.32, 0.36], [0.68, 0.36], [0.5, 0.58], [0.36, 0.78], [0.64, 0.78]]) * _SIDE
"""Where the five points come to lie in the crop."""
_CELL, _BINS = 12, 9


def describe(frame: np.ndarray, five: np.ndarray) -> Embedding:
    """The embedding of the face whose five points [5, 2] are given: HOG cells (Dalal and Triggs 2005) and colour."""
    crop = warp(frame, similarity(five[None], _PLACES)[0], _SIDE)
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB).astype(np.float32)
    grey = cv2.createCLAHE(2.0, (4, 4)).apply(lab[..., 0].astype(np.uint8)).astype(np.float32)
    cells = _gradients(grey)
    colour = cv2.resize(lab[..., 1:], (4, 4), interpolation=cv2.INTER_AREA).ravel() - 128
    lightness = cv2.resize(grey, (12, 12), interpolation=cv2.INTER_AREA).ravel()
    parts = [cells, _unit(colour) * 0.6, _unit(lightness - lightness.mean()) * 0.8]
    return Embedding(SPACE, _unit(np.concatenate(parts)))


def together(embeddings: list[Embedding], weights: list[float]) -> Embedding:
    """The weighted mean of embeddings of one space.  Raises `InvalidRequest` (E06) when they are of several."""
    for other in embeddings[1:]:
        embeddings[0].check(other)
    mean = np.average([each.vector for each in embeddings], axis=0, weights=weights)
    return Embedding(embeddings[0].space, _unit(mean))


def _gradients(grey: np.ndarray) -> np.ndarray:
    x, y = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    size, angle = cv2.cartToPolar(x, y)
    bins = np.minimum((angle % np.pi / np.pi * _BINS).astype(int), _BINS - 1)
    count = _SIDE // _CELL
    rows, columns = np.mgrid[:_SIDE, :_SIDE] // _CELL
    place = (rows * count + columns) * _BINS + bins
    cells = np.bincount(place.ravel(), size.ravel(), count * count * _BINS).reshape(-1, _BINS)
    cells = np.sqrt(cells / np.maximum(cells.sum(1, keepdims=True), 1e-3))
    return _unit((cells - cells.mean()).ravel())


def _unit(vector: np.ndarray) -> np.ndarray:
    return (vector / max(float(np.linalg.norm(vector)), 1e-9)).astype(np.float32)
