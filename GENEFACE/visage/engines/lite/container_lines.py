"""What this engine prints in a container: JSON lines that a driver turns into stage, percent and result."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from visage.types import Progress

_PAUSE = 0.5
"""Seconds between two lines that tell nothing but a number."""
_DRAWN = ("step", "loss", "held_out")
"""Facts that pages draw."""


class Steps:
    """A `Report` that prints ``{"stage", "index", "of", "progress", "overall", "message"}``, with ``"facts"`` to draw.

    ``index`` counts from 1; ``progress`` is the share of the stage, ``overall`` that of the job, both 0 to 1.
    """

    def __init__(self, shares: Mapping[str, float]):
        """``shares``: seconds that each stage is expected to take, in their order."""
        total = sum(shares.values())
        self._lengths = {stage: length / total for stage, length in shares.items()}
        self._names = list(shares)
        self._last = ("", "")
        self._written = 0.0

    def __call__(self, step: Progress) -> None:
        """Print one step, unless the one before was printed only just now and said the same."""
        told = (step.stage, step.message or self._last[1])
        if told == self._last and step.fraction < 1 and time.monotonic() - self._written < _PAUSE:
            return
        index = self._names.index(step.stage)
        begun = sum(self._lengths[name] for name in self._names[:index])
        share = min(1.0, max(0.0, (step.fraction - begun) / self._lengths[step.stage]))
        self._last, self._written = told, time.monotonic()
        facts = {name: step.facts[name] for name in _DRAWN if name in step.facts}
        say({"stage": step.stage, "index": index + 1, "of": len(self._names), "progress": round(share, 4),
             "overall": round(step.fraction, 4), "message": told[1], **({"facts": facts} if facts else {})})


def say(line: Mapping[str, Any]) -> None:
    """Print one JSON line at once."""
    print(json.dumps(line, ensure_ascii=False), flush=True)
