"""Words with one meaning, shared by every layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

FPS = 25
"""Frames per second of every video this product makes."""

SPEECH_RATE = 16_000
"""Samples per second of sound handed to recognisers and engines."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One step forward of a running job."""

    stage: str
    """Short machine name of what is being done, e.g. ``"track"``; pages translate it."""
    fraction: float
    """How much of the whole job is done, 0 to 1; never goes back within one attempt."""
    message: str = ""
    """One English sentence for the log, or empty."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the page may draw: ``loss`` (float), ``step`` (int), ``preview`` (file name in the job's folder) …"""


Report = Callable[[Progress], None]
"""Called by a verb as it goes on.  Raises `errors.Cancelled` when the user stopped the job."""


def silent(_: Progress) -> None:
    """A `Report` that nobody listens to."""


@dataclass(frozen=True, slots=True)
class Phone:
    """One speech sound and when it is heard."""

    symbol: str
    """espeak-ng mnemonic (Kirshenbaum-like ASCII, e.g. ``"p"``, ``"i:"``); ``"_"`` is a pause."""
    start: float
    """Seconds from the start of the sound."""
    end: float
    """Seconds from the start of the sound, not before ``start``."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """Something this machine has, or lacks and how to get it: a line of the doctor."""

    name: str
    """Short name, e.g. ``"docker"``."""
    ok: bool
    """Whether it can be used now."""
    detail: str
    """What was found: a version, a path, or why it does not work."""
    remedy: str = ""
    """The command or the step that mends it; empty when ``ok``."""
    essential: bool = False
    """Whether the main job on this machine cannot work without it."""
