"""The seam of speech synthesis: text in, sound and the times of its phones out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from visage.types import Phone


@dataclass(frozen=True, slots=True)
class Voice:
    """A way of speaking that can be asked for."""

    id: str
    """``driver:name``, e.g. ``"espeak:cmn+f3"``; unique over all drivers."""
    name: str
    """What a person reads."""
    language: str
    """Main language, BCP 47, e.g. ``"zh-CN"``."""
    gender: str = ""
    """``"female"``, ``"male"`` or empty."""
    driver: str = ""
    """Driver that speaks it."""
    online: bool = False
    """Whether it needs the internet."""


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """What to say and how."""

    text: str
    """Any text; digits, units and mixed languages are read, nothing is dropped."""
    voice: str = ""
    """A `Voice.id`; empty: the default for the language of the text."""
    speed: float = 1.0
    """0.5 to 2."""
    pitch: float = 0.0
    """Semitones, -12 to 12."""
    language: str = ""
    """Hint, ``"zh"`` or ``"en"``; empty: judged from the text."""


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """Spoken text."""

    samples: np.ndarray
    """float32 mono, -1 to 1, at a fixed loudness."""
    rate: int
    """Samples per second."""
    voice: str
    """The `Voice.id` that really spoke."""
    text_used: str
    """The text after numbers and symbols were written out."""
    phones: tuple[Phone, ...] = ()
    """Phone times, where the driver knows them."""
    notes: tuple[str, ...] = ()
    """What the user should know, e.g. which voice failed and which spoke instead."""


class Synthesizer(Protocol):
    """Speaks."""

    def voices(self) -> list[Voice]:
        """What this driver can speak now, without asking the network."""

    def speak(self, request: SpeechRequest) -> Speech:
        """Say it.  Raises `InvalidRequest` (nothing to say), `NotInstalled` or a `ServiceError`."""
