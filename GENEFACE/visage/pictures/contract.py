"""The seam of picture makers: words in, a picture of a person out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """What picture is wanted."""

    prompt: str
    """What it shows, in words."""
    width: int = 512
    """Pixels, about: makers round to what they can do."""
    height: int = 512
    """Pixels, about."""
    seed: int = 0
    """The same seed and words give the same picture, where the maker can promise that."""


@dataclass(frozen=True, slots=True, eq=False)
class MadePicture:
    """A picture and what must be said of it."""

    pixels: np.ndarray
    """uint8 RGB [H, W, 3]."""
    maker: str
    """Who made it, e.g. ``"openai:sdxl"``."""
    generated: bool
    """Whether a model drew it; False: it was chosen among pictures there were."""
    note: str = ""
    """What the user should know, an English sentence; empty otherwise."""


class PictureMaker(Protocol):
    """Makes pictures from words.  Made as ``Driver(settings)``."""

    name: str
    """Name of the driver, e.g. ``"library"``."""

    def make(self, request: PictureRequest) -> MadePicture:
        """The picture.  Raises `InvalidRequest`, `NotInstalled` or a `ServiceError` that tells why there is none."""
