"""Which frames a metric looks at that is too slow for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from eval_metrics.contract import Frame


class Every:
    """Picks the first and then each n-th of the frames that are handed over."""

    def __init__(self, step: int) -> None:
        self.step = step
        self._seen = 0
        self._indices: list[int] = []

    def pick(self, frames: Sequence[Frame]) -> list[Frame]:
        """Those of the next frames that are looked at."""
        picked = [frame for place, frame in enumerate(frames, self._seen) if place % self.step == 0]
        self._seen += len(frames)
        self._indices += [frame.index for frame in picked[: max(0, 2 - len(self._indices))]]
        return picked

    @property
    def every(self) -> int:
        """Numbers of the common clock between two frames that are looked at."""
        return self._indices[1] - self._indices[0] if len(self._indices) == 2 else self.step
