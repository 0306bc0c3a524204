"""How far a job is: stages of known cost, turned into one fraction that only rises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from visage.types import Progress, Report


class Clock:
    """Reports stages whose shares of the whole are their expected seconds."""

    def __init__(self, seconds: Mapping[str, float], report: Report):
        """``seconds`` of each stage, in their order."""
        self._report = report
        self._total = sum(seconds.values()) or 1.0
        self._seconds = dict(seconds)
        self._before: dict[str, float] = {}
        passed = 0.0
        for stage, length in seconds.items():
            self._before[stage] = passed
            passed += length
        self._stage = next(iter(seconds))
        self._highest = 0.0

    def enter(self, stage: str, message: str = "", **facts: Any) -> None:
        """A stage begins."""
        self._stage = stage
        self.tell(0.0, message, **facts)

    def tell(self, share: float, message: str = "", **facts: Any) -> None:
        """``share`` of the present stage is done, 0 to 1.  Raises what the `Report` raises."""
        done = self._before[self._stage] + min(max(share, 0.0), 1.0) * self._seconds[self._stage]
        self._highest = max(self._highest, min(done / self._total, 1.0))
        self._report(Progress(self._stage, self._highest, message, facts))
