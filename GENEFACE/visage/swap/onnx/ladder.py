"""What is given up, one thing after another, when the memory of the device does not suffice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from visage.errors import OutOfMemory
from visage.swap.onnx import failures

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to need less; those above it stay in force."""

    name: str
    """As the user reads it."""
    half: bool = False
    """Whether float16 files are taken where there are any."""
    side: int = 0
    """Longest side, pixels, of the picture that networks see; 0: as it is."""
    one_by_one: bool = False
    """Whether faces go through the networks one at a time."""
    cpu: bool = False
    """Whether the processor computes."""


RUNGS = (Rung("all at once"),
         Rung("float16 models", half=True),
         Rung("pictures of 1280 pixels", half=True, side=1280),
         Rung("faces one by one", half=True, side=1280, one_by_one=True),
         Rung("pictures of 640 pixels", half=True, side=640, one_by_one=True),
         Rung("the CPU", side=640, one_by_one=True, cpu=True))
"""From what is best to what needs least."""


class Ladder:
    """Goes down when memory runs out, and stays there.  Safe from several threads."""

    def __init__(self, apply: Callable[[Rung], bool], told: Callable[[str], None] = lambda _: None,
                 rungs: tuple[Rung, ...] = RUNGS) -> None:
        """``apply`` rebuilds what must be and says whether the rung changes anything; ``told`` hears what was given up.

        A rung that changes nothing is passed over.
        """
        self._apply, self._told, self._rungs = apply, told, rungs
        self._place = 0
        self._lock = threading.RLock()
        self.tried: list[str] = []

    @property
    def rung(self) -> Rung:
        """Where we are."""
        return self._rungs[self._place]

    def run(self, work: Callable[[Rung], T]) -> T:
        """Do some work, again and more sparingly as often as memory runs out; raises `OutOfMemory` (E04) at the end."""
        while True:
            place = self._place
            try:
                return work(self._rungs[place])
            except OutOfMemory as exc:
                with self._lock:
                    # another thread may have gone down while this one was failing
                    if self._place == place:
                        self._down(exc)

    def begin(self, place: int, spared: frozenset[int] = frozenset()) -> None:
        """Start further down; what lies on the way is done as well, except for the places in ``spared``."""
        with self._lock:
            for step in range(self._place + 1, place + 1):
                self._place = step
                if step not in spared:
                    self._apply(self._rungs[step])

    def _down(self, exc: OutOfMemory) -> None:
        while self._place + 1 < len(self._rungs):
            self._place += 1
            rung = self._rungs[self._place]
            try:
                changed = self._apply(rung)
            except OutOfMemory as again:
                # even to open the networks was too much: the next rung
                exc = again
                self.tried.append(rung.name)
                continue
            if changed:
                self.tried.append(rung.name)
                self._told(rung.name)
                return
        raise failures.exhausted(exc, self.tried or ["nothing that could be given up"]) from exc
