"""Frames of any rate at 25 a second, as they come: each moment shows the frame nearest to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from eval_metrics.contract import Frame
from visage.errors import InvalidRequest
from visage.types import FPS

SLOWEST = 15.0
"""Frames a second below which too much of the lips' motion is missing."""
SHORTEST = 2.5
"""Seconds below which an offset, or how well it stands out, is a matter of chance."""


def require_length(frames: int, fps: float) -> None:
    """Raises `InvalidRequest` when frames are too few, or too far apart, to tell anything of lips and sound."""
    if fps < SLOWEST:
        raise InvalidRequest("At {fps} frames a second lips cannot be followed.", code="sync.frames_too_far",
                             hint="Measure every frame of a clip of at least {least}.",
                             fps=round(fps, 2), least=SLOWEST)
    if frames < SHORTEST * fps:
        raise InvalidRequest("{seconds} s are too short to compare lips and sound.", code="sync.too_short",
                             hint="Use a clip of at least {least} s.", seconds=round(frames / fps, 2), least=SHORTEST)


def at_frames(values: np.ndarray, frames: int, fps: float) -> list[float]:
    """Values [N] at 25 a second, at each frame of another clock (the nearest); NaN beyond the end."""
    at = np.rint(np.arange(frames) * FPS / fps).astype(int)
    return [float(values[n]) if n < len(values) else float("nan") for n in at]


class EvenFrames:
    """Resamples a stream; holds one frame."""

    def __init__(self) -> None:
        self._held: Frame | None = None
        self._count = 0

    def take(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """The frames of the even clock that these complete, numbered anew."""
        for frame in frames:
            held = self._held
            self._held = frame
            if held is not None:
                yield from self._until(held, (held.time + frame.time) / 2)

    def rest(self) -> Iterator[Frame]:
        """The last frames, when no more will come."""
        if self._held is not None:
            yield from self._until(self._held, self._held.time + 0.5 / FPS)

    def _until(self, frame: Frame, end: float) -> Iterator[Frame]:
        while self._count / FPS < end - 1e-9:
            yield replace(frame, index=self._count, time=self._count / FPS)
            self._count += 1
