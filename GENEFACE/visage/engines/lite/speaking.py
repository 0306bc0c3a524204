"""Making a trained avatar move its mouth: coefficients in, finished frames out, in constant memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from visage.engines.lite import crops, references
from visage.engines.lite.compose import Composer
from visage.engines.lite.footage import Footage, Scene, to_and_fro
from visage.engines.lite.mouth import LIPS, POINTS
from visage.engines.lite.package import Package
from visage.engines.lite.paint import Inputs
from visage.engines.lite.precision import open_painter
from visage.faces.pose import to_image

BATCH = 8
"""Frames painted at once."""
_AHEAD = 3
"""Batches painted before they are composed: an encoder that stops for a moment does not stop the painter."""
_CHIN = POINTS.index(crops.CHIN)
_WINDOW = 250
"""Frames whose references are chosen together."""


class Pictures(Protocol):
    """Frames by number."""

    def __getitem__(self, number: int) -> np.ndarray:
        """Frame uint8 RGB [H, W, 3] that may be written into."""

    def close(self) -> None:
        """Free them."""


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """Some frames in a row, painted but not yet composed."""

    numbers: np.ndarray
    """int64 [B]: footage frames."""
    faces: np.ndarray
    """uint8 [B, S, S, 3]: what was there."""
    mouths: np.ndarray
    """uint8 [B, S, S, 3]: what was painted."""


class Speaker:
    """One trained avatar, loaded."""

    def __init__(self, package: Package, threads: int = 0, *, scene: Scene | None = None,
                 pictures: Pictures | None = None):
        """``scene`` and ``pictures`` replace the package's footage by another recording of the same person.

        Raises `BadMedia` when a part of the package is missing or damaged.
        """
        self.scene = scene or package.read_scene()
        """Where the head is in each frame of footage."""
        self.basis = package.read_basis()
        """The person's mouth."""
        self._bank = package.read_bank()
        size = self.scene.squares.size
        self._bank_lips = np.stack([crops.lip_map(contour, size) for contour in self._bank.contours])
        self._painter = open_painter(package.painter, threads, self._example)
        self.composer = Composer(size)
        """Puts painted squares back."""
        self._footage: Pictures = pictures or Footage(package.footage)
        self._crops: dict[int, np.ndarray] = {}

    @property
    def count(self) -> int:
        """Frames of footage."""
        return len(self.scene)

    def close(self) -> None:
        """Free the footage."""
        self._footage.close()

    def frames(self, coefficients: np.ndarray, start: int = 0) -> Iterator[np.ndarray]:
        """Frames uint8 RGB [H, W, 3] that show coefficients [T, K], one each.

        ``start`` is the place in the footage's endless to and fro that the first one gets.
        """
        for painted in self.painted(coefficients, start):
            for number, face, mouth in zip(painted.numbers, painted.faces, painted.mouths, strict=True):
                frame = self._footage[int(number)]
                matched = self.composer.match(mouth, face)
                self.composer.blend(frame, matched, self.scene.squares.transforms[number])
                yield frame

    def painted(self, coefficients: np.ndarray, start: int = 0) -> Iterator[Painted]:
        """What `frames` composes: a thread paints some batches ahead of whoever takes them."""
        with ThreadPoolExecutor(1) as ahead:
            waiting: deque[Future[Painted]] = deque()
            for job in self._jobs(coefficients, start):
                waiting.append(ahead.submit(self.paint, *job))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _jobs(self, coefficients: np.ndarray, start: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        shown: int | None = None
        for begin in range(0, len(coefficients), _WINDOW):
            wanted = coefficients[begin:begin + _WINDOW]
            numbers = to_and_fro(self.count, len(wanted), start + begin)
            found = self.references(wanted, numbers, shown)
            shown = int(found[-1])
            for at in range(0, len(wanted), BATCH):
                piece = slice(at, at + BATCH)
                yield numbers[piece], wanted[piece], found[piece]

    def references(self, coefficients: np.ndarray, numbers: np.ndarray, shown: int | None,
                   after: int | None = None) -> np.ndarray:
        """The reference for each of some frames in a row, int64 [B]; ``shown`` and ``after``: those round them."""
        wanted = references.keys(self.basis.decode(coefficients), self.scene.at(numbers).angles)
        return references.follow(wanted, self._bank.keys, start=shown, end=after)

    def paint(self, numbers: np.ndarray, coefficients: np.ndarray, found: np.ndarray) -> Painted:
        """Paint coefficients [B, K] into the footage frames ``numbers`` [B] with the references ``found`` [B]."""
        scene = self.scene.at(numbers)
        points = scene.squares.place(to_image(self.basis.decode(coefficients), scene.pose))
        maps = np.stack([crops.lip_map(contour, scene.squares.size) for contour in points[:, :len(LIPS)]])
        faces = np.stack([self._crop(int(number)) for number in numbers])
        mouths = self._painter.paint(faces, self._bank.faces[found], maps, self._bank_lips[found])
        return Painted(numbers, faces, self._within(scene, faces, mouths, points[:, _CHIN, 1]))

    def _within(self, scene: Scene, faces: np.ndarray, mouths: np.ndarray, chins: np.ndarray) -> np.ndarray:
        """The mouths uint8 [B, S, S, 3], with what lies beside the face as it was; ``chins`` [B]: wanted rows."""
        if scene.outlines is None:
            return mouths
        kept = np.empty_like(mouths)
        lowered = chins - scene.outlines[:, crops.JAW_LINE.index(crops.CHIN), 1]
        for row, (face, mouth) in enumerate(zip(faces, mouths, strict=True)):
            share = crops.face_mask(scene.outlines[row], float(lowered[row]), len(face))
            # Matched first: a change of light moves what was painted, not what is beside it.
            kept[row] = cv2.blendLinear(self.composer.match(mouth, face), face, share, 1 - share)
        return kept

    def _example(self) -> Inputs:
        """Some real crops with one another as references."""
        shown = slice(0, BATCH)
        faces, maps = self._bank.faces[shown], self._bank_lips[shown]
        return (faces, faces[::-1], maps, maps[::-1])

    def _crop(self, number: int) -> np.ndarray:
        if number not in self._crops:
            transform = self.scene.squares.transforms[number]
            self._crops[number] = crops.take(self._footage[number], transform, self.scene.squares.size)
        return self._crops[number]
