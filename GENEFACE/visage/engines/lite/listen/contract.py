"""The seam of listeners: a driver learns how one mouth goes with speech, then tells the mouth from the sound alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from visage.types import Phone


@dataclass(frozen=True, slots=True)
class ListenerFit:
    """How well a listener knows its person, from parts of the recording it did not learn from."""

    frames: int
    """Video frames it learnt from."""
    opening: float
    """Pearson correlation of the opening of the mouth, true against told."""
    width: float
    """The same of the width."""
    outer: float
    """The same of the outer height."""
    seconds: float
    """CPU seconds that learning took."""


class Listener(Protocol):
    """Tells mouth shapes from speech.  Made as ``Driver(basis)`` or ``Driver.from_arrays(arrays, basis)``."""

    def fit(self, samples: np.ndarray, coefficients: np.ndarray) -> ListenerFit:
        """Learn from sound, float32 mono at 16 kHz, and the mouth seen with it, float32 [T, K] at 25 per second.

        Both start together and the offset between them is corrected already; what one has beyond the other is left out.
        Raises `BadVideo` when they are too short to learn from.
        """

    def predict(self, samples: np.ndarray, phones: Sequence[Phone] = ()) -> np.ndarray:
        """Coefficients float32 [T, K] for speech at 16 kHz, T = `mel.frame_count`; closed wherever nobody speaks."""

    def arrays(self) -> Mapping[str, np.ndarray]:
        """What ``from_arrays`` needs to make the same listener again, to be stored in an ``.npz``."""
