"""The Fréchet distance of two sets of feature vectors, from moments that are gathered as the vectors come."""

from __future__ import annotations

import numpy as np


class Moments:
    """Mean and covariance of vectors; float64.

    Keeps the vectors while there are not more of them than features, which is exact
    and makes small matrices, and only their sums from then on.
    """

    def __init__(self) -> None:
        self.count = 0
        self._kept: list[np.ndarray] | None = []
        self._mean = np.empty(0)
        self._apart = np.empty((0, 0))

    def add(self, vectors: np.ndarray) -> None:
        """Take in [N, D]."""
        vectors = np.asarray(vectors, np.float64)
        if not len(vectors):
            return
        if self._kept is None:
            self._sum_up(vectors)
            return
        self.count += len(vectors)
        self._kept.append(vectors)
        if self.count > vectors.shape[1]:
            kept, self._kept, self.count = np.concatenate(self._kept), None, 0
            self._mean, self._apart = np.zeros(kept.shape[1]), np.zeros((kept.shape[1],) * 2)
            self._sum_up(kept)

    @property
    def mean(self) -> np.ndarray:
        """[D]."""
        return self._mean if self._kept is None else np.concatenate(self._kept).mean(0)

    @property
    def covariance(self) -> np.ndarray:
        """[D, D], with N - 1 below; needs two vectors."""
        if self._kept is None:
            return self._apart / (self.count - 1)
        root = self.root()
        return root @ root.T

    def root(self) -> np.ndarray:
        """R [D, K] with R R^T the covariance: of few vectors they themselves, of many the weighted eigenvectors."""
        if self._kept is not None:
            rows = np.concatenate(self._kept)
            return (rows - rows.mean(0)).T / np.sqrt(self.count - 1)
        values, vectors = np.linalg.eigh(self.covariance)
        counts = values > max(values[-1], 0.0) * len(values) * np.finfo(np.float64).eps
        return vectors[:, counts] * np.sqrt(values[counts])

    def along(self, root: np.ndarray) -> np.ndarray:
        """R^T C R [K, K] of the covariance C and a matrix R [D, K]."""
        if self._kept is None:
            return root.T @ self.covariance @ root
        half = root.T @ self.root()
        return half @ half.T

    def _sum_up(self, vectors: np.ndarray) -> None:
        """Sums around the mean, so that nothing cancels out (Chan, Golub & LeVeque 1979)."""
        mean = vectors.mean(0)
        apart, away = vectors - mean, mean - self._mean
        total = self.count + len(vectors)
        self._apart += apart.T @ apart
        self._apart += np.outer(away, away) * (self.count * len(vectors) / total)
        self._mean = self._mean + away * (len(vectors) / total)
        self.count = total


def frechet_distance(one: Moments, other: Moments) -> float:
    """Squared Fréchet distance of the Gaussians that fit two sets of vectors (Heusel et al. 2017, eq. 6).

    |m - n|^2 + tr S + tr T - 2 tr (S T)^1/2.  S T has the eigenvalues of the symmetric
    R^T T R with S = R R^T, whose roots are summed: no root of a matrix that is not symmetric.
    Each set needs two vectors.
    """
    few, many = sorted((one, other), key=lambda moments: moments.count)
    values = np.linalg.eigvalsh(many.along(few.root()))
    # of as many numbers as there are rows, those that rounding alone makes are below this
    values = values[values > max(values[-1:].max(initial=0.0), 0.0) * len(values) * np.finfo(np.float64).eps]
    away = one.mean - other.mean
    traces = sum(_trace(moments) for moments in (one, other))
    return max(0.0, float(away @ away + traces - 2 * np.sqrt(values).sum()))


def _trace(moments: Moments) -> float:
    root = moments.root() if moments.count <= len(moments.mean) else None
    return float(np.trace(moments.covariance)) if root is None else float((root * root).sum())
