"""What a product costs while something is measured, and what else the machine does: CPU seconds, memory."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import numpy as np
import psutil


def cpu_seconds(process: int) -> float:
    """User and system seconds of a process and of all below it, so far."""
    return sum(_each(process, lambda one: sum(one.cpu_times()[:2])))


def resident_mb(process: int) -> float:
    """Resident memory of a process and of all below it; shared pages count once each."""
    return sum(_each(process, lambda one: one.memory_info().rss)) / 1e6


@contextmanager
def neighbours() -> Iterator[dict[str, float]]:
    """What processes that are not ours used of the machine meanwhile: ``busy_elsewhere_percent``, of one core.

    Of two cores 200 is all of both.  Where it is much, no time that was measured says anything about the product.
    """
    told: dict[str, float] = {}
    before, own, began = _busy(), cpu_seconds(os.getpid()), time.monotonic()
    try:
        yield told
    finally:
        passed = max(time.monotonic() - began, 0.001)
        foreign = _busy() - before - (cpu_seconds(os.getpid()) - own)
        told["busy_elsewhere_percent"] = round(100 * max(foreign, 0.0) / passed, 1)


def _busy() -> float:
    times = psutil.cpu_times()
    return times.user + times.nice + times.system + times.irq + times.softirq


@dataclass
class Memory:
    """Resident memory over time."""

    seconds: list[float] = field(default_factory=list)
    """When, since the beginning."""
    megabytes: list[float] = field(default_factory=list)
    """How much."""

    def growth(self, settled: float = 0.25) -> dict[str, float | None]:
        """MB an hour by least squares, its standard error, and the range; the first quarter is left out: warming up."""
        keep = [n for n, at in enumerate(self.seconds) if at >= settled * self.seconds[-1]] if self.seconds else []
        if len(keep) < 5:
            return {"mb_per_hour": None, "error": None, "first_mb": None, "last_mb": None}
        hours, used = np.array(self.seconds)[keep] / 3600, np.array(self.megabytes)[keep]
        (slope, _), spread = np.polyfit(hours, used, 1, cov=True)
        return {"mb_per_hour": round(float(slope), 1), "error": round(float(np.sqrt(spread[0, 0])), 1),
                "first_mb": round(float(used[0]), 1), "last_mb": round(float(used[-1]), 1)}


@contextmanager
def watched(process: int, every: float = 3.0) -> Iterator[Memory]:
    """The memory of a process and all below it, looked at meanwhile."""
    memory, done, began = Memory(), threading.Event(), time.monotonic()

    def look() -> None:
        while not done.wait(every):
            memory.seconds.append(time.monotonic() - began)
            memory.megabytes.append(resident_mb(process))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        done.set()
        thread.join()


def _each(process: int, ask: Callable[[psutil.Process], float]) -> list[float]:
    found: list[float] = []
    with suppress(psutil.NoSuchProcess):
        top = psutil.Process(process)
        for one in [top, *top.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                found.append(ask(one))
    return found
