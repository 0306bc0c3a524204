"""From what is heard to what one mouth does: kernel ridge regression, tuned on parts left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

_RANK = 64
_CENTRES = 1200
_FRAMES = 12_000
_FOLDS = 5
_APART = 8
"""Frames left out between learning and trying, so that context is not shared."""
_LINEAR = 0.15
"""Share of the straight line in the kernel: it still leads where no heard example is near."""
_WIDTH = 0.3
_PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


@dataclass(frozen=True, eq=False)
class Regression:
    """A fitted map of features [N, D] to targets [N, K]."""

    mean: np.ndarray
    """float32 [D]: subtracted from features."""
    project: np.ndarray
    """float32 [D, R]: principal directions, scaled."""
    centres: np.ndarray
    """float32 [M, R]: heard examples that new ones are compared with."""
    scale: np.ndarray
    """float32 [1]: factor of squared distances in the Gaussian."""
    weights: np.ndarray
    """float32 [M, K]."""
    bias: np.ndarray
    """float32 [K]."""

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Targets float32 [N, K] of features [N, D]."""
        return self._kernel((features - self.mean) @ self.project) @ self.weights + self.bias

    def _kernel(self, points: np.ndarray) -> np.ndarray:
        return _compare(points, self.centres, float(self.scale[0]))

    def arrays(self) -> dict[str, np.ndarray]:
        """Its fields by name, for an ``.npz``."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Regression:
        """The map that `arrays` came from."""
        return cls(*(np.asarray(arrays[field.name], np.float32) for field in fields(cls)))


def _compare(points: np.ndarray, centres: np.ndarray, scale: float) -> np.ndarray:
    dots = points @ centres.T
    apart = (points ** 2).sum(1)[:, None] + (centres ** 2).sum(1) - 2 * dots
    return _LINEAR * dots + (1 - _LINEAR) * np.exp(-scale * np.maximum(apart, 0))


def fit_regression(features: np.ndarray, targets: np.ndarray) -> tuple[Regression, np.ndarray]:
    """The map from features [N, D] to targets [N, K], and targets [N, K] as told for parts it had not learnt from."""
    features, targets = _thinned(features), _thinned(targets)
    mean = features.mean(0)
    directions = np.linalg.svd(_sample(features - mean, 3000), full_matrices=False)[2][:_RANK].T
    points = (features - mean) @ directions
    size = np.sqrt((points ** 2).sum(1).mean()) + 1e-9
    points = (points / size).astype(np.float32)
    centres = _sample(points, _CENTRES)
    few = _sample(points, 400)
    scale = _WIDTH / float(np.median((few ** 2).sum(1)[:, None] + (few ** 2).sum(1) - 2 * few @ few.T) + 1e-9)
    kernel = _compare(points, centres, scale).astype(np.float64)
    inner = _compare(centres, centres, scale).astype(np.float64)
    told = _told_apart(kernel, inner, targets)
    errors = [((one - targets) ** 2).sum() for one in told]
    best = int(np.argmin(errors))
    bias = targets.mean(0)
    weights = _solve(kernel, inner, targets - bias, _PENALTIES[best])
    parts = (mean, directions / size, centres, [scale], weights, bias)
    return Regression(*(np.asarray(part, np.float32) for part in parts)), told[best].astype(np.float32)


def _thinned(rows: np.ndarray) -> np.ndarray:
    return _sample(rows, _FRAMES)


def _sample(rows: np.ndarray, most: int) -> np.ndarray:
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(int)]


def _solve(kernel: np.ndarray, inner: np.ndarray, targets: np.ndarray, penalty: float) -> np.ndarray:
    """Weights [M, K] of the centres (subset of regressors)."""
    left = kernel.T @ kernel + penalty * inner
    left[np.diag_indices_from(left)] += 1e-6 * np.trace(left) / len(left)
    return np.linalg.solve(left, kernel.T @ targets)


def _told_apart(kernel: np.ndarray, inner: np.ndarray, targets: np.ndarray) -> list[np.ndarray]:
    """For every penalty, targets [N, K] told part by part from the other parts."""
    edges = np.linspace(0, len(targets), _FOLDS + 1).astype(int)
    told = [np.zeros(targets.shape) for _ in _PENALTIES]
    for begin, end in pairwise(edges):
        learn = np.r_[0:max(begin - _APART, 0), min(end + _APART, len(targets)):len(targets)]
        bias = targets[learn].mean(0)
        for one, penalty in zip(told, _PENALTIES, strict=True):
            one[begin:end] = kernel[begin:end] @ _solve(kernel[learn], inner, targets[learn] - bias, penalty) + bias
    return told
