"""Movement as large as the person's own: a regression tells the trend, but shrinks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

_LARGEST = 2.2
_TRUSTED = 0.25
_SETTLE = 4.0
"""Seconds of speech after which a new voice's own mean and size count as much as those learnt with."""


@dataclass(frozen=True, eq=False)
class Amplitude:
    """How told coefficients are set right, per coefficient [K]."""

    middle: np.ndarray
    """Mean told while learning."""
    size: np.ndarray
    """Standard deviation told while learning."""
    centre: np.ndarray
    """The person's own mean while speaking."""
    gain: np.ndarray
    """Factor from told to shown."""

    def __call__(self, told: np.ndarray, speaking: np.ndarray) -> np.ndarray:
        """Told coefficients [T, K] as large as the person shows them; ``speaking`` bool [T] marks what to judge by.

        Another voice is heard less surely and so told smaller and off the
        middle; its mean and size are led to the learnt ones, the more the longer it speaks.
        """
        heard = told[speaking]
        trust = len(heard) / (len(heard) + 25 * _SETTLE)
        middle, size = self.middle, self.size
        if len(heard) > 12:
            middle = (1 - trust) * middle + trust * heard.mean(0)
            size = size * np.clip(heard.std(0) / size, 0.4, 1.4) ** trust
        return self.centre + (told - middle) * (self.gain * self.size / size)

    def arrays(self) -> dict[str, np.ndarray]:
        """Its fields by name, for an ``.npz``."""
        return {name: getattr(self, name) for name in ("middle", "size", "centre", "gain")}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Amplitude:
        """What `arrays` came from."""
        return cls(*(np.asarray(arrays[name], np.float32) for name in ("middle", "size", "centre", "gain")))


def fit_amplitude(told: np.ndarray, shown: np.ndarray) -> Amplitude:
    """From coefficients told for unlearnt parts [N, K] and those shown [N, K], both while speaking."""
    size = told.std(0) + 1e-6
    likeness = ((told - told.mean(0)) * (shown - shown.mean(0))).mean(0) / (size * (shown.std(0) + 1e-6))
    # A coefficient told badly would only shake if it were made as large as the real one.
    gain = np.clip(shown.std(0) / size, 0.5, _LARGEST) * np.clip(likeness / _TRUSTED, 0.2, 1)
    return Amplitude(*(np.asarray(part, np.float32) for part in (told.mean(0), size, shown.mean(0), gain)))
