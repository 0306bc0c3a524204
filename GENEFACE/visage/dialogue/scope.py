"""What belongs to one turn is stopped with it: a cancel scope that threads share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from visage.errors import Cancelled


class Scope:
    """Everything that is done for one turn; once cancelled it stays so."""

    def __init__(self) -> None:
        self._gone = threading.Event()
        self._lock = threading.Lock()
        self._closers: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        """Whether the turn was stopped."""
        return self._gone.is_set()

    def cancel(self) -> None:
        """Stop the turn: whatever blocks is closed, whatever asks is told.  Any thread; only the first call counts."""
        with self._lock:
            if self._gone.is_set():
                return
            self._gone.set()
            closers, self._closers = self._closers, []
        for close in closers:
            close()

    def on_cancel(self, close: Callable[[], None]) -> None:
        """Call ``close``, which must not raise, when the turn is stopped; at once when it already was."""
        with self._lock:
            if not self._gone.is_set():
                self._closers.append(close)
                return
        close()

    def release(self) -> None:
        """Everything that could have blocked has ended: hold on to none of it."""
        with self._lock:
            self._closers.clear()

    def check(self) -> None:
        """Raises `Cancelled` when the turn was stopped."""
        if self._gone.is_set():
            raise Cancelled("The turn was interrupted.", code="turn.interrupted", hint="Go on talking.")

    def wait(self, seconds: float) -> None:
        """Sleep, but raise `Cancelled` as soon as the turn is stopped."""
        if seconds > 0:
            self._gone.wait(seconds)
        self.check()

    def until(self, ready: Callable[[], bool], seconds: float, poll: float = 0.005) -> bool:
        """Wait for ``ready``; False when ``seconds`` have passed.  Raises `Cancelled`."""
        limit = time.monotonic() + seconds
        while not ready():
            if time.monotonic() >= limit:
                return False
            self.wait(poll)
        return True
