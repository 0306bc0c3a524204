"""What shows mouths in a live conversation: one trained or photo avatar, loaded once for all who talk with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from visage.engines.lite.footage import to_and_fro
from visage.engines.lite.listen.contract import Listener
from visage.engines.lite.mouth import MouthBasis
from visage.engines.lite.package import Package
from visage.engines.lite.photo_speaking import CYCLE, open_photo
from visage.engines.lite.planar import PhotoPicture, TrainedPicture
from visage.engines.lite.rendering import open_package_listener
from visage.errors import BadMedia
from visage.media.planes import Box, Planes, planes_of

FIRST, BATCH = 2, 4
"""Frames painted at once: at the beginning, where somebody waits for them, and later."""


class Screen(Protocol):
    """Shows mouths; any number of threads at once.  Frames are uint8 I420 [H * 3 / 2, W], each the caller's own."""

    basis: MouthBasis
    """What the mouth can do."""
    size: tuple[int, int]
    """Width and height of a frame."""
    cycle: int
    """Frames after which the movement apart from the mouth repeats."""

    def rest(self, number: int) -> np.ndarray:
        """Frame ``number`` of the endless movement with the mouth closed."""

    def show(self, coefficients: np.ndarray, start: int) -> Iterator[np.ndarray]:
        """Frames from ``start`` on that show coefficients [T, K], one each."""

    def close(self) -> None:
        """Free what is held open."""


class TrainedScreen:
    """Footage with painted mouths."""

    def __init__(self, package: Package, threads: int):
        """Raises `BadMedia` when a part of the package is missing or damaged."""
        self._picture = TrainedPicture(package, threads)
        self._footage, self._speaker = self._picture.footage, self._picture.speaker
        self.basis, self.size = self._picture.basis, self._picture.size
        self.cycle = max(1, 2 * self._speaker.count - 2)
        quiet = np.repeat(self.basis.rest[None], self._speaker.count, 0)
        self._quiet = self._speaker.references(quiet, np.arange(len(quiet)), None)
        self._closing = threading.Event()
        # Whoever speaks first may begin anywhere in the footage, which can only be decoded from its start.
        self._ahead = threading.Thread(target=self._decode, name="footage", daemon=True)
        self._ahead.start()
        # A patch is some 30 kB; whole frames of a long footage would be hundreds of megabytes.
        self._shut: dict[int, tuple[Box, Planes] | None] = {}

    def rest(self, number: int) -> np.ndarray:
        """As `Screen.rest`; paints each frame of footage only once."""
        at = int(to_and_fro(self._speaker.count, 1, number)[0])
        if at not in self._shut:
            frame, box = next(self._painted(np.array([at]), self.basis.rest[None], self._quiet[[at]]))
            self._shut[at] = (box, planes_of(frame).part(box).copy()) if box else None
        frame, kept = self._footage.planes(at).copy(), self._shut[at]
        if kept:
            planes_of(frame).part(kept[0]).paste(kept[1])
        return frame

    def show(self, coefficients: np.ndarray, start: int) -> Iterator[np.ndarray]:
        """As `Screen.show`."""
        numbers = to_and_fro(self._speaker.count, len(coefficients), start)
        around = self._quiet[to_and_fro(self._speaker.count, len(numbers) + 2, start - 1)]
        found = self._speaker.references(coefficients, numbers, int(around[0]), int(around[-1]))
        for piece in pieces(len(numbers)):
            yield from (frame for frame, _ in self._painted(numbers[piece], coefficients[piece], found[piece]))

    def close(self) -> None:
        """As `Screen.close`."""
        self._closing.set()
        self._ahead.join()
        self._speaker.close()

    def _decode(self) -> None:
        for number in range(self._speaker.count):
            if self._closing.is_set():
                return
            try:
                self._footage.planes(number)
            except BadMedia:
                return  # told to whoever asks for that frame

    def _painted(self, numbers: np.ndarray, coefficients: np.ndarray,
                 found: np.ndarray) -> Iterator[tuple[np.ndarray, Box | None]]:
        """Finished frames, and what was painted of each."""
        return self._picture.compose(self._speaker.paint(numbers, coefficients, found))


class PhotoScreen:
    """A photo that is bent."""

    cycle = CYCLE

    def __init__(self, picture: PhotoPicture):
        self.basis, self.size = picture.basis, picture.size
        self.rest, self.show, self.close = picture.rest, picture.planes, picture.close


@dataclass(slots=True, eq=False)
class Loaded:
    """An avatar in memory."""

    screen: Screen
    """Shows it."""
    listener: Listener
    """Tells its mouth from sound."""
    users: int = 0
    """Who talk with it now."""


_loaded: dict[tuple[Path, int, int], Loaded] = {}
_loading = threading.Lock()


def borrow(folder: Path, threads: int) -> tuple[tuple[Path, int, int], Loaded]:
    """The avatar of a package folder, and what `give_back` needs; loaded by the first who asks.

    Raises `BadMedia` when the package is damaged or missing.
    """
    package = Package(folder).live
    with _loading:
        # Trained again, it has other files: those who talk with the old one finish with the old one.
        key = (folder, _age(package), threads)
        if key not in _loaded:
            photo = package.photo.is_file()
            screen = PhotoScreen(PhotoPicture(open_photo(package))) if photo else TrainedScreen(package, threads)
            _loaded[key] = Loaded(screen, open_package_listener(package, screen.basis))
        _loaded[key].users += 1
        return key, _loaded[key]


def give_back(key: tuple[Path, int, int]) -> None:
    """Of those who `borrow`ed an avatar one is done; the last one frees it."""
    with _loading:
        loaded = _loaded[key]
        loaded.users -= 1
        if not loaded.users:
            _loaded.pop(key).screen.close()


def pieces(length: int) -> Iterator[slice]:
    """Batches that cover ``length`` frames."""
    begin = 0
    while begin < length:
        size = BATCH if begin else FIRST
        yield slice(begin, min(begin + size, length))
        begin += size


def _age(package: Package) -> int:
    try:
        return package.scene.stat().st_mtime_ns
    except OSError:
        return 0
