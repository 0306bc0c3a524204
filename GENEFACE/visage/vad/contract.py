"""The seam of voice activity: sound in, how likely it is that somebody speaks."""

from __future__ import annotations

from typing import Protocol

import numpy as np

WINDOW = 512
"""Samples judged at once: 32 ms at `types.SPEECH_RATE`."""


class Vad(Protocol):
    """Hears whether somebody speaks; keeps the state of one stream."""

    name: str
    """Name of the driver, e.g. ``"silero"``."""
    note: str
    """What the user should know, e.g. that it is easily misled by noise; empty otherwise."""

    def probability(self, window: np.ndarray) -> float:
        """How likely speech is in the next `WINDOW` samples, float32 mono at `types.SPEECH_RATE`; 0 to 1."""

    def reset(self) -> None:
        """Forget the stream: another one begins."""
