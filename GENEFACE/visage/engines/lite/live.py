"""The driver ``lite`` of live faces: a loaded avatar that speaks sentence by sentence, faster than real time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import numpy as np

from visage.engines.lite.live_screens import borrow, give_back
from visage.errors import from_os_error
from visage.types import FPS, Phone

CLOSING = 0.10
"""Seconds in which the mouth opens at the beginning of a sentence and closes at its end, at the latest."""


class LiteFace:
    """Follows `LiveFace`.  Faces of the same avatar share what is loaded; each is used by one thread."""

    def __init__(self, folder: Path, threads: int = 1):
        """``threads`` paint one face: 1 where several conversations share the cores.

        Raises `BadMedia` when the package in ``folder`` is damaged or missing.
        """
        try:
            self._key, self._loaded = borrow(Path(folder).resolve(), threads)
        except OSError as exc:
            raise from_os_error(exc) from exc
        self._screen = self._loaded.screen
        self.width, self.height = self._screen.size
        self.cycle = self._screen.cycle
        self._open = True

    def rest(self, start: int) -> Iterator[np.ndarray]:
        """As `LiveFace.rest`."""
        return (self._screen.rest(number) for number in count(start))

    def speak(self, samples: np.ndarray, phones: Sequence[Phone], start: int) -> Iterator[np.ndarray]:
        """As `LiveFace.speak`: `mel.frame_count` frames."""
        told = self._loaded.listener.predict(samples, phones)
        yield from self._screen.show(_shut_at_ends(told, self._screen.basis.rest), start)

    def close(self) -> None:
        """As `LiveFace.close`; a second call does nothing."""
        if self._open:
            self._open = False
            give_back(self._key)


def _shut_at_ends(told: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Coefficients [T, K] that begin and end with the mouth closed, whatever is heard there."""
    place = np.arange(len(told))
    near = (np.minimum(place, place[::-1])) / (CLOSING * FPS)
    share = 0.5 - 0.5 * np.cos(np.pi * np.clip(near, 0, 1))[:, None]
    return (rest + share * (told - rest)).astype(np.float32)
