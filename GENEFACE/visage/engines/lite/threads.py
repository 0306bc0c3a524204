"""How many threads a training step should use now: all cores when they are free, fewer when others use them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import torch

_AGAIN = 30.0
"""Seconds after which the choice is made again."""


class ThreadChoice:
    """Tries thread counts on real steps and keeps the fastest.

    Threads that wait for one another at every layer lose more than they win
    once another program holds one of the cores.
    """

    def __init__(self, step: Callable[[], float], cores: int | None = None):
        """``step`` does one training step and returns its loss."""
        self._step = step
        cores = cores or os.cpu_count() or 1
        self._counts = sorted({1, max(1, cores // 2), cores})
        self._chosen_at = -_AGAIN

    def step(self) -> float:
        """One step with the best count of threads; returns its loss."""
        if len(self._counts) > 1 and time.monotonic() - self._chosen_at > _AGAIN:
            self._choose()
        return self._step()

    def _choose(self) -> None:
        best, least = 1, float("inf")
        for count in self._counts:
            torch.set_num_threads(count)
            # The first step with a new count prepares for it; hopeless ones are not tried a second time.
            if self._seconds() < 4 * least and (seconds := self._seconds()) < least:
                best, least = count, seconds
        torch.set_num_threads(best)
        self._chosen_at = time.monotonic()

    def _seconds(self) -> float:
        begun = time.monotonic()
        self._step()
        return time.monotonic() - begun
