"""The avatar's own voice in the microphone, told from a speaker's: the avatar must not interrupt itself.

What is played is known.  An echo of it follows it: band by band its loudness rises and falls with what was played a
moment before.  The guard keeps the loudness of both in 12 bands, 62 times a second, and

1. searches the delay at which they go together best (correlation of the logarithmic loudness, over the last second);
2. learns at this delay how much of each band comes back (a median of the ratios where the far end is loud);
3. takes for somebody's speech what stands clearly above the echo so foretold, in enough bands, for long enough.

Until the way of the echo is known, sound that begins with the avatar's and moves with it counts as echo.
"""

from __future__ import annotations

import numpy as np

from visage.types import SPEECH_RATE

HOP = 256
SPAN = 512
BANDS = 12
LOW_HZ, HIGH_HZ = 200.0, 6000.0
KEPT = 64
"""Hops of the microphone that are compared, one second."""
EARLIEST, LATEST = -32, 70
"""Hops that the echo may come after the moment that was told: half a second of doubt, 0.6 s of delay."""
SILENT_DB = -75.0
BELOW_PEAK_DB = 35.0
"""What was played counts where it is no softer than this below its loudest."""
REACH = 12
"""Hops that a room goes on sounding."""
DECAY_DB = 2.5
"""How fast it does, dB a hop."""
ABOVE_DB = 7.0
"""How far above the echo a band must be to be somebody's."""
SHARE = 0.3
"""Share of the bands in which it must be so."""
ALIKE = 0.55
"""Correlation from which sound is taken for echo."""


class EchoGuard:
    """Follows one microphone; `heard` and `played` in the same stream time."""

    def __init__(self) -> None:
        self._taper = np.hanning(SPAN).astype(np.float32)
        edges = np.geomspace(LOW_HZ, HIGH_HZ, BANDS + 1) * SPAN / SPEECH_RATE
        self._edges = np.maximum.accumulate(edges.round().astype(int) + np.arange(BANDS + 1) // 100)
        self._edges = np.array([max(edge, self._edges[0] + at) for at, edge in enumerate(self._edges)])
        self.reset()

    def reset(self) -> None:
        """Forget everything: another microphone, another room."""
        self._far: dict[int, np.ndarray] = {}
        self._last = -1
        self._peak = SILENT_DB
        self._now = 0
        self._before = np.zeros(SPAN - HOP, np.float32)
        self._near = np.full((KEPT, BANDS), SILENT_DB)
        self._mine = np.zeros(KEPT, bool)
        self._scores = np.zeros(LATEST - EARLIEST + 1)
        self._weight = 0.0
        self._gain: np.ndarray | None = None
        self._above = 0.0

    def played(self, samples: np.ndarray, at: float) -> None:
        """Sound, float32 at `SPEECH_RATE`, that begins to be heard ``at`` seconds of the microphone's stream."""
        sound = np.concatenate([np.zeros(SPAN - HOP, np.float32), np.nan_to_num(samples).astype(np.float32)])
        first = round(at * SPEECH_RATE / HOP)
        for index, level in enumerate(self._levels(sound)):
            known = self._far.get(first + index)
            self._far[first + index] = level if known is None else np.maximum(known, level)
            self._peak = max(self._peak, float(level.max()))
            self._last = max(self._last, first + index)

    def stopped(self, at: float) -> None:
        """Nothing more is played from ``at`` on."""
        end = round(at * SPEECH_RATE / HOP)
        self._far = {index: level for index, level in self._far.items() if index <= end}
        self._last = min(self._last, end)

    @property
    def active(self) -> bool:
        """Whether something played may be heard now."""
        return bool(self._far) and self._now <= self._last + LATEST + REACH

    def is_echo(self, window: np.ndarray) -> bool:
        """Whether the next samples of the microphone, a multiple of `HOP`, hold nothing but the avatar's own voice."""
        sound = np.concatenate([self._before, window])
        self._before = sound[len(sound) - (SPAN - HOP):]
        for level in self._levels(sound):
            self._near = np.concatenate([self._near[1:], level[None]])
            self._mine = np.append(self._mine[1:], False)
            self._now += 1
        if not self.active:
            self._far.clear()
            self._weight, self._above = 0.0, 0.0
            self._scores[:] = 0
            return False
        return self._judge()
