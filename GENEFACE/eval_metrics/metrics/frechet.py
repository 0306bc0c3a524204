"""The Fréchet distance of two sets of feature vectors, from moments that are gathered as the vectors come."""

from __future__ import annotations

import numpy as np


class Moments:
    """Mean and covariance of vectors that are not kept; float64."""

    def __init__(self) -> None:
        self.count = 0
        self._mean = np.empty(0)
        self._apart = np.empty((0, 0))

    def add(self, vectors: np.ndarray) -> None:
        """Take in [N, D] (Chan, Golub & LeVeque 1979: sums around the mean, so that nothing cancels out)."""
        vectors = np.asarray(vectors, np.float64)
        if not len(vectors):
            return
        if not self.count:
            self._mean = np.zeros(vectors.shape[1])
            self._apart = np.zeros((vectors.shape[1],) * 2)
        mean = vectors.mean(0)
        apart, away = vectors - mean, mean - self._mean
        total = self.count + len(vectors)
        self._apart += apart.T @ apart
        self._apart += np.outer(away, away) * (self.count * len(vectors) / total)
        self._mean = self._mean + away * (len(vectors) / total)
        self.count = total

    @property
    def mean(self) -> np.ndarray:
        """[D]."""
        return self._mean

    @property
    def covariance(self) -> np.ndarray:
        """[D, D], with N - 1 below; needs two vectors."""
        return self._apart / (self.count - 1)


def frechet_distance(mean: np.ndarray, covariance: np.ndarray, other_mean: np.ndarray,
                     other_covariance: np.ndarray) -> float:
    """Squared Fréchet distance of two Gaussians, means [D] and covariances [D, D] (Heusel et al. 2017, eq. 6).

    |m - n|^2 + tr S + tr T - 2 tr (S T)^1/2.  S T has the eigenvalues of the symmetric
    R^T T R with S = R R^T, whose roots are summed; R is built from the eigenvectors
    of S that have a weight, so that few vectors make a small matrix.
    """
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    counts = values > max(values[-1], 0.0) * len(values) * np.finfo(np.float64).eps
    root = vectors[:, counts] * np.sqrt(values[counts])
    middle = root.T @ other_covariance @ root
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh((middle + middle.T) / 2), 0)).sum() if counts.any() else 0.0
    away = mean - other_mean
    return max(0.0, float(away @ away + np.trace(covariance) + np.trace(other_covariance) - 2 * shared))
