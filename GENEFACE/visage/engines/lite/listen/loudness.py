"""Driver ``loudness``: a plausible mouth for a voice and a face that nobody recorded together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.ndimage import gaussian_filter1d

from visage.engines.lite.listen.contract import ListenerFit
from visage.engines.lite.mel import energies, levelled_twice
from visage.engines.lite.mouth import MouthBasis
from visage.engines.lite.silence import shut_in_silence, speech_mask
from visage.types import Phone

_OPEN, _CLEAR, _DULL = slice(10, 20), slice(22, 31), slice(2, 9)
"""Mel bands of the first formant of open vowels, of the second of bright ones, and of the murmur of round ones."""


class LoudnessListener:
    """Follows `Listener`; needs no `fit`: open vowels open the mouth, bright ones widen it, dull ones round it."""

    def __init__(self, basis: MouthBasis):
        self.basis = basis

    def fit(self, samples: np.ndarray, coefficients: np.ndarray) -> ListenerFit:
        """Nothing to learn."""
        return ListenerFit(0, 0.0, 0.0, 0.0, 0.0)

    def predict(self, samples: np.ndarray, phones: Sequence[Phone] = ()) -> np.ndarray:
        """As `Listener.predict`."""
        rows = levelled_twice(energies(samples))
        speaking = speech_mask(samples)
        opened = _ranked(rows[:, _OPEN].mean(1), speaking)
        bright = _ranked(rows[:, _CLEAR].mean(1) - rows[:, _DULL].mean(1), speaking) * 2 - 1
        low, high = self.basis.span
        rest = self.basis.measure(self.basis.rest[None])[0]
        gap = (high[0] * 1.1 - rest[0]) * opened ** 1.3
        wide = (low[1] + high[1]) / 2 + 0.6 * (high[1] - low[1]) / 2 * bright
        jaw = rest[3] + max(high[3] - rest[3], 0.02) * opened
        wanted = np.stack([rest[0] + gap, wide, rest[2] + 0.95 * gap, jaw], 1)
        told = self.basis.pose(wanted.reshape(-1, 2, 4).mean(1))
        return shut_in_silence(told, samples, self.basis)

    def arrays(self) -> Mapping[str, np.ndarray]:
        """As `Listener.arrays`: nothing."""
        return {}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], basis: MouthBasis) -> LoudnessListener:
        """The listener of this basis."""
        return cls(basis)


def _ranked(values: np.ndarray, speaking: np.ndarray) -> np.ndarray:
    """Values [N] smoothed, from the low (0) to the high (1) ones among what is spoken."""
    smooth = gaussian_filter1d(values.astype(np.float64), 1.6)
    heard = smooth[speaking] if speaking.sum() > 10 else smooth
    low, high = np.percentile(heard, [12, 92])
    return np.clip((smooth - low) / max(high - low, 1e-3), 0, 1.15)
