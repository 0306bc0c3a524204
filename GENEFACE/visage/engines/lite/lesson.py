"""What the painter learns from: aligned crops of one person, the lips in them, and which may be shown
beside which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from visage.engines.lite import crops, references
from visage.engines.lite.mouth import INNER_LIP, LIPS
from visage.engines.lite.references import Bank

_UPPER, _LOWER = (len(LIPS) - len(INNER_LIP) + INNER_LIP.index(point) for point in (13, 14))

_RARE = 0.3
"""Share of what is drawn evenly over all openings of the mouth, so that a wide one is learnt as well as a usual one."""
HELD_OUT = 0.08
"""Share of the frames, at the end, that is never learnt from."""


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """N frames of one person, in the order of time."""

    faces: np.ndarray
    """uint8 [N, S, S, 3]: crops."""
    contours: np.ndarray
    """float32 [N, 40, 2]: lips in crop pixels, as the mouth basis draws them."""
    keys: np.ndarray
    """float32 [N, D]: see `references.keys`."""
    places: np.ndarray
    """int64 [N]: frame numbers in the recording."""

    def __len__(self) -> int:
        return len(self.places)

    @property
    def learnt(self) -> int:
        """How many frames, from the start, may be learnt from."""
        return len(self) - min(75, max(1, round(len(self) * HELD_OUT)))

    @property
    def bank(self) -> Bank:
        """The reference crops that go into the package."""
        chosen = references.choose(self.keys[:self.learnt])
        return Bank(self.faces[chosen], self.contours[chosen], self.keys[chosen])

    def neighbours(self) -> np.ndarray:
        """Frame numbers of possible references for every frame, int64 [N, K], near first."""
        chosen = references.choose(self.keys[:self.learnt])
        apart = int(np.clip(self.learnt // 12, 1, 12))
        return chosen[references.neighbours(self.keys, self.places, chosen, apart)]

    def save(self, file: Path) -> None:
        """Store it; atomic.  The crops lie beside it: what `new_faces` gave for the same file is stored already."""
        if not isinstance(self.faces, np.memmap):
            new_faces(file, self.faces.shape)[:] = self.faces
        part = file.with_suffix(".part")
        with part.open("wb") as out:
            np.savez(out, contours=self.contours, keys=self.keys, places=self.places)
        part.replace(file)

    @classmethod
    def load(cls, file: Path) -> Lesson:
        """What `save` stored; the crops stay on the disk until they are looked at."""
        with np.load(file) as stored:
            return cls(np.load(_faces(file), mmap_mode="r"),
                       *(stored[name] for name in ("contours", "keys", "places")))


def new_faces(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Room uint8 of that shape for the crops of a lesson that will be saved as ``file``: on the disk, not in memory."""
    return np.lib.format.open_memmap(_faces(file), "w+", np.uint8, shape)


def _faces(file: Path) -> Path:
    return file.with_suffix(".faces.npy")


@dataclass(frozen=True, slots=True, eq=False)
class LipMaps:
    """The lip maps of a lesson, drawn when they are asked for: all of them would take more room than the crops."""

    contours: np.ndarray
    """float32 [N, 40, 2], in crop pixels."""
    size: int
    """Side of the crops."""

    def __getitem__(self, numbers: np.ndarray) -> np.ndarray:
        """uint8 [B, S, S, 2] of these frames."""
        return np.stack([crops.lip_map(contour, self.size) for contour in self.contours[numbers]])


@dataclass(slots=True)
class Sampler:
    """Draws pairs of a frame and a reference for it, for ever."""

    lesson: Lesson
    near: np.ndarray
    """int64 [N, K], as `Lesson.neighbours`."""
    batch: int
    rng: np.random.Generator
    gaps: np.ndarray = field(init=False)
    """float32 [learnt]: height of the inner lips, pixels, increasing."""
    order: np.ndarray = field(init=False)
    """int64 [learnt]: the frames that these belong to."""

    def __post_init__(self) -> None:
        lips = self.lesson.contours[:self.lesson.learnt]
        gaps = np.abs(lips[:, _LOWER, 1] - lips[:, _UPPER, 1])
        self.order = np.argsort(gaps)
        self.gaps = gaps[self.order]

    def draw(self) -> tuple[np.ndarray, np.ndarray]:
        """Frame numbers and reference numbers, int64 [batch] each."""
        frames = self.rng.integers(0, self.lesson.learnt, self.batch)
        wanted = self.rng.uniform(self.gaps[0], self.gaps[-1], self.batch)
        even = self.order[np.clip(np.searchsorted(self.gaps, wanted), 0, len(self.order) - 1)]
        frames = np.where(self.rng.random(self.batch) < _RARE, even, frames)
        # Mostly the nearest few, as in use; now and then a poor one, so that a rare mouth does not break the picture.
        reach = np.where(self.rng.random(self.batch) < 0.85, min(4, self.near.shape[1]), self.near.shape[1])
        return frames, self.near[frames, (self.rng.random(self.batch) * reach).astype(np.int64)]

    def held_out(self, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Up to ``count`` frames that are not learnt from, with their nearest references, in one batch."""
        frames = np.unique(np.linspace(self.lesson.learnt, len(self.lesson) - 1, count).astype(np.int64))
        yield frames, self.near[frames, 0]
