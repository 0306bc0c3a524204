"""The seam of face swapping: a picture and an identity in, a patch with another face out.

A frame is uint8 RGB [H, W, 3] everywhere; points are x, y in its pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from visage.errors import InvalidRequest

FIVE = ("left eye", "right eye", "nose", "left mouth corner", "right mouth corner")
"""Order of five points; left and right as seen in the picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """Who a face looks like, in numbers that only mean something within one space."""

    space: str
    """What made it, e.g. ``"embedded-v1"``, or a model's name and the start of its SHA-256."""
    vector: np.ndarray
    """float32 [D], of length 1."""

    def distance(self, other: Embedding) -> float:
        """How unlike two faces are: (1 - cosine) / 2, from 0 to 1.  Raises `InvalidRequest` (E06) across spaces."""
        self.check(other)
        return float(np.clip((1.0 - float(self.vector @ other.vector)) / 2, 0.0, 1.0))

    def check(self, other: Embedding) -> None:
        """Raises `InvalidRequest` (E06) when the other one is of another space."""
        if self.space != other.space:
            raise InvalidRequest("Faces described by {one!r} cannot be compared with faces described by {other!r}.",
                                 code="swap.spaces_mixed", hint="Make the identity again with the engine in use.",
                                 one=self.space, other=other.space)


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face in one frame."""

    box: tuple[float, float, float, float]
    """Left, top, right, bottom, pixels."""
    score: float
    """Confidence, 0 to 1."""
    five: np.ndarray
    """float32 [5, 2] pixels, in the order of `FIVE`."""
    mesh: np.ndarray | None = None
    """float32 [478, 3] pixels in MediaPipe's order, where the engine has it."""
    embedding: Embedding | None = None
    """Who it looks like, where that was asked for."""

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the box, pixels."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2

    @property
    def area(self) -> float:
        """Square pixels of the box."""
        return max(0.0, self.box[2] - self.box[0]) * max(0.0, self.box[3] - self.box[1])


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """The face that is put in, made by one engine from one or several photos; never compared across spaces."""

    embedding: Embedding
    """Of all photos together."""
    picture: np.ndarray
    """The best photo, uint8 RGB."""
    face: Face
    """The face in `picture`."""
    photos: tuple[str, ...]
    """SHA-256 of the pixels of every photo used."""
    own: Any = None
    """What the engine that made it prepared for itself."""
    notes: tuple[str, ...] = ()
    """What the user should know, e.g. photos without a face; English sentences."""


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """New pixels for a part of a frame."""

    left: int
    """Of the part, pixels of the frame."""
    top: int
    """Of the part, pixels of the frame."""
    pixels: np.ndarray
    """uint8 RGB [h, w, 3]; lies inside the frame."""
    mask: np.ndarray
    """float32 [h, w]: share of the new pixels, 0 to 1; 0 leaves the frame's pixel bit for bit."""

    @property
    def area(self) -> tuple[slice, slice]:
        """Rows and columns of the frame that it covers."""
        height, width = self.mask.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


@dataclass(frozen=True, slots=True)
class Look:
    """How hard to look for faces."""

    thorough: bool = False
    """For a still or a lost face: small, tilted and dark faces too.  Otherwise the next frame of one video, fast."""
    embed: bool = False
    """Whether every face needs its embedding."""


class Swapper(AbstractContextManager, Protocol):
    """Puts a face in.  ``find`` is called by one thread in the order of frames; ``swap`` may run in several at once."""

    name: str
    """Name of the driver, e.g. ``"embedded"``."""
    space: str
    """Of the embeddings it makes."""
    recolour: bool
    """Whether its patches still have the photo's colours, so that the pipeline must match them to the frame."""

    @property
    def title(self) -> str:
        """What a person reads, e.g. ``"basic"``."""

    @property
    def provider(self) -> str:
        """What really computes now, e.g. ``"CPU"`` or ``"CUDAExecutionProvider"``; a fallback changes it."""

    def find(self, frame: np.ndarray, look: Look) -> list[Face]:
        """All faces, the largest first; empty when there are none."""

    def identify(self, pictures: Sequence[np.ndarray]) -> Identity:
        """The identity of the largest face of each photo.  Raises `BadImage` (E05) when none shows a face."""

    def swap(self, frame: np.ndarray, face: Face, identity: Identity) -> Patch:
        """The identity's face where ``face`` is; the mask says where the engine trusts itself."""


class Restorer(AbstractContextManager, Protocol):
    """Makes a face clearer without making it another one.  May run in several threads at once."""

    name: str
    """Name of the driver, e.g. ``"embedded"``."""

    @property
    def title(self) -> str:
        """What a person reads, e.g. ``"basic"``."""

    @property
    def provider(self) -> str:
        """What really computes now."""

    def restore(self, frame: np.ndarray, face: Face) -> Patch:
        """The face made clearer, at full strength: the pipeline blends."""
