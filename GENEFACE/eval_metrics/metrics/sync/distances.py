"""LSE-D, LSE-C and the offset from the embeddings of pictures and sound, as the published scripts compute them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

REACH = 15
"""Windows shifted to either side."""
_BLOCK = 512
_PARTS = 10
_EPSILON = 1e-6
"""Added to every difference, as torch's pairwise distance does."""


@dataclass(frozen=True, slots=True, eq=False)
class Distances:
    """How far pictures and sound lie apart in SyncNet's space, at every shift."""

    mean: np.ndarray
    """float64 [31]: mean over the windows, at shifts of the picture against the sound of +15 … -15 frames."""
    nearest: np.ndarray
    """float64 [N]: distance of each window at the best shift."""
    offset: int
    """Frames the picture is later than the sound (AV offset of the scripts)."""
    lse_c_error: float
    """Standard error of `lse_c`, from ten parts of the clip left out in turn."""

    @property
    def lse_d(self) -> float:
        """Least mean distance: lower is better."""
        return float(self.mean.min())

    @property
    def lse_c(self) -> float:
        """Median over the shifts less the least: higher is better."""
        return float(np.median(self.mean) - self.mean.min())


def distances(seen: np.ndarray, heard: np.ndarray) -> Distances:
    """Of embeddings [N, D] of pictures and of sound, at least ten; beyond the ends the sound's are zeros, as published.
    """
    count = min(len(seen), len(heard))
    padded = np.pad(np.asarray(heard[:count], np.float32), ((REACH, REACH), (0, 0)))
    table = np.empty((2 * REACH + 1, count))
    for first in range(0, count, _BLOCK):
        last = min(first + _BLOCK, count)
        for column in range(2 * REACH + 1):
            apart = seen[first:last] - padded[first + column:last + column] + np.float32(_EPSILON)
            table[column, first:last] = np.sqrt((apart**2).sum(1, dtype=np.float64))
    mean = table.mean(1)
    best = int(mean.argmin())
    part = np.arange(count) * _PARTS // count
    left = [table[:, part != number].mean(1) for number in range(_PARTS)]
    sure = np.array([np.median(one) - one.min() for one in left])
    return Distances(mean, table[best], REACH - best, float(np.sqrt((_PARTS - 1) * sure.var())))
