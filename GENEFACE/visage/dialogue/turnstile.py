"""Who may work next when several conversations want the same cores: whose video runs dry first."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turnstile:
    """Lets ``places`` through at once; of those who wait, the most urgent first."""

    def __init__(self, places: int):
        self._free = max(1, places)
        self._lock = threading.Lock()
        self._waiting: list[tuple[float, int, threading.Event]] = []
        self._order = itertools.count()

    @contextmanager
    def through(self, deadline: float) -> Iterator[None]:
        """Hold a place; ``deadline`` says when (by any clock shared by all) the work is needed, the earliest first."""
        turn = threading.Event()
        with self._lock:
            if self._free:
                self._free -= 1
                turn.set()
            else:
                heapq.heappush(self._waiting, (deadline, next(self._order), turn))
        turn.wait()
        try:
            yield
        finally:
            with self._lock:
                if self._waiting:
                    heapq.heappop(self._waiting)[2].set()
                else:
                    self._free += 1
