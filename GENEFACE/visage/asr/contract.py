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


class Utterance(Protocol):
    """One utterance that is understood while it is spoken.  Used by one thread at a time; ended by `finish` or `close`."""

    def feed(self, samples: np.ndarray) -> str:
        """The words so far, after these further samples, float32 mono at `types.SPEECH_RATE`, any number.

        Never takes long: words may lag behind the sound.
        """

    def finish(self) -> Transcript:
        """The words of all that was fed; nothing can be fed afterwards."""

    def close(self) -> None:
        """Give up what it holds; its words are of no interest.  Harmless after `finish`, and twice."""


class Recognizer(Protocol):
    """Understands speech."""

    def transcribe(self, samples: np.ndarray) -> Transcript:
        """The words in float32 mono sound at `types.SPEECH_RATE`, -1 to 1."""

    def listen(self, after: Utterance | None = None) -> Utterance:
        """A new utterance.  Cheap: models stay loaded.  Several may be open at once, each for one speaker.

        ``after``: the one before by the same speaker, from whom something may have been learned.
        """
