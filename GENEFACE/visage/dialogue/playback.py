"""Where a browser is in the video of a turn, as far as it has told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

TRUST = 2.0
"""Seconds for which a report is reckoned on; they come four times a second, so without one the line hangs."""


class Playback:
    """The position in one turn's video: reported now and then, reckoned on for a while.  Any thread may ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._at = 0.0
        self._since: float | None = None
        self._held = False
        self._end = 0.0

    @property
    def started(self) -> bool:
        """Whether anything was played."""
        with self._lock:
            return self._since is not None

    @property
    def held(self) -> bool:
        """Whether it is paused."""
        with self._lock:
            return self._held

    def sent(self, seconds: float) -> None:
        """So much of the video is on its way to the browser: it cannot have played more."""
        with self._lock:
            self._end = max(self._end, seconds)

    def report(self, at: float) -> None:
        """The browser has played ``at`` seconds."""
        with self._lock:
            self._at, self._since = max(self._at, min(at, self._end)), self._clock()

    def hold(self) -> None:
        """It pauses now."""
        with self._lock:
            self._at, self._held = self._reckoned(), True

    def go_on(self) -> None:
        """It plays again."""
        with self._lock:
            if self._held:
                self._held = False
                self._since = self._clock() if self._since is not None else None

    def position(self) -> float:
        """Seconds played by now."""
        with self._lock:
            return self._reckoned()

    def _reckoned(self) -> float:
        gone = 0.0 if self._held or self._since is None else min(self._clock() - self._since, TRUST)
        return min(self._at + gone, self._end)
