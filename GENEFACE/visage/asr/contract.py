"""The seam of speech recognition: sound in, text out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was understood."""

    text: str
    """The words; empty when nothing was understood."""
    language: str
    """Two-letter code of the model that listened."""
    driver: str
    """Name of the recogniser."""
    note: str = ""
    """What the user should know, e.g. that only English is understood; empty otherwise."""


class Recognizer(Protocol):
    """Understands speech."""

    def transcribe(self, samples: np.ndarray) -> Transcript:
        """The words in float32 mono sound at `types.SPEECH_RATE`, -1 to 1."""
