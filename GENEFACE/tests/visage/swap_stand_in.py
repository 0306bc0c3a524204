"""A swapper that computes next to nothing: what is tested with it is the pipeline around it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence

import numpy as np

from visage.swap.contract import Embedding, Face, Identity, Look, Patch

BOX = (16.0, 12.0, 40.0, 36.0)
"""Where it sees a face in every frame."""
NEW = (40, 200, 40)
"""The colour of its new faces."""


class StandIn:
    """Sees one face in every frame and paints it in one colour."""

    name = title = "stand-in"
    space = "stand-in-v1"
    provider = "CPU"
    recolour = False

    def __init__(self, fails: Sequence[int] = (), blind: Sequence[int] = (), slow: float = 0.0,
                 error: type[Exception] = ValueError):
        """``fails``: calls of ``swap`` that raise ``error``; ``blind``: calls of ``find`` that see nothing."""
        self.fails, self.blind, self.slow, self.error = set(fails), set(blind), slow, error
        self.found = self.swapped = 0

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *rest: object) -> None:
        return None

    def find(self, frame: np.ndarray, look: Look) -> list[Face]:
        self.found += 1
        if self.found - 1 in self.blind:
            return []
        left, top, right, bottom = BOX
        five = np.float32([[left, top], [right, top], [28, 24], [left, bottom], [right, bottom]])
        return [Face(BOX, 0.9, five, None, Embedding(self.space, np.float32([1, 0])) if look.embed else None)]

    def identify(self, pictures: Sequence[np.ndarray]) -> Identity:
        face = self.find(pictures[0], Look(embed=True))[0]
        photos = tuple(hashlib.sha256(picture.tobytes()).hexdigest() for picture in pictures)
        return Identity(face.embedding, pictures[0], face, photos)

    def swap(self, frame: np.ndarray, face: Face, identity: Identity) -> Patch:
        self.swapped += 1
        if self.slow:
            time.sleep(self.slow)
        if self.swapped - 1 in self.fails:
            raise self.error("it broke")
        left, top, right, bottom = (round(value) for value in face.box)
        size = (bottom - top, right - left)
        return Patch(left, top, np.full((*size, 3), NEW, np.uint8), np.ones(size, np.float32))


def identity(swapper: StandIn) -> Identity:
    """Anybody's."""
    return swapper.identify([np.zeros((64, 64, 3), np.uint8)])
