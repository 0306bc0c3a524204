"""What is kept of a cloned voice: a page of numbers, no sound."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from visage.errors import OutputInvalid
from visage.tts.cloning.gate import Quality
from visage.tts.cloning.likeness import Likeness

VERSION = 1


@dataclass(frozen=True, slots=True, eq=False)
class VoicePrint:
    """How somebody speaks, and what lends it to a built-in voice."""

    pitch: float
    """Median pitch, Hz."""
    range: float
    """Half the span of the middle 68 % of pitches, semitones."""
    pace: float
    """Syllables a second."""
    loudness: float
    """dBFS of the recorded speech."""
    quality: Quality
    """What the recording was like."""
    likeness: Likeness
    """The way from the built-in voice to this one."""

    def dumps(self) -> str:
        """The print as JSON."""
        bare = {name: getattr(self, name) for name in ("pitch", "range", "pace", "loudness")}
        way = {field.name: _plain(getattr(self.likeness, field.name)) for field in fields(Likeness)}
        return json.dumps({"version": VERSION, **bare, "quality": asdict(self.quality), "likeness": way})


def loads(text: str) -> VoicePrint:
    """The print that `VoicePrint.dumps` wrote.  Raises `OutputInvalid` for anything else."""
    try:
        told: dict[str, Any] = json.loads(text)
        if told.pop("version") != VERSION:
            raise ValueError("another version")
        way = told.pop("likeness")
        way |= {name: np.array(way[name], float) for name in ("voiced", "unvoiced", "breath")}
        return VoicePrint(**{**told, "quality": Quality(**told["quality"]), "likeness": Likeness(**way)})
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise OutputInvalid("A stored voice cannot be read: {reason}.", code="voice.print_broken",
                            hint="Delete the voice and add it again.", reason=str(exc)[:120]) from exc


def _plain(value: Any) -> Any:
    return np.round(value, 5).tolist() if isinstance(value, np.ndarray) else value
