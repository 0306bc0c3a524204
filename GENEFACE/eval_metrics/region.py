"""The part of the picture that is measured: all of it, or a square that goes with the face or the mouth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np

from visage.errors import BadVideo
from visage.faces.align import OUTER_LIP
from visage.faces.contract import FaceFinder

REGIONS = ("full", "face", "mouth")
_FACE, _MOUTH = 1.25, 1.5
_SEEN = 8
"""Faces from whose middle size the square's side is taken."""


@dataclass(slots=True)
class Window:
    """A square of one size for the whole clip, that lies round the face or mouth of each frame; nothing is scaled."""

    region: str
    """``face`` or ``mouth``."""
    side: int
    """Pixels of the clip's picture."""
    middle: tuple[float, float]
    """Where it lay last; kept where no face is found."""

    def follow(self, points: np.ndarray | None) -> None:
        """Go to where the face with these landmarks is."""
        if points is not None:
            self.middle = centre(points, self.region)

    def cut(self, picture: np.ndarray) -> np.ndarray:
        """The square of a picture [H, W, 3]; moved inwards where it would leave it."""
        height, width = picture.shape[:2]
        across, down = min(self.side, width), min(self.side, height)
        left = min(max(round(self.middle[0] - across / 2), 0), width - across)
        top = min(max(round(self.middle[1] - down / 2), 0), height - down)
        return picture[top:top + down, left:left + across]


def centre(points: np.ndarray, region: str) -> tuple[float, float]:
    """Middle of the face's box, or of the outer lips, from landmarks [478, 3]."""
    flat = points[OUTER_LIP, :2] if region == "mouth" else points[:, :2]
    x, y = (flat.min(0) + flat.max(0)) / 2
    return float(x), float(y)


def side(points: np.ndarray, region: str) -> float:
    """Side of the square: 1.25 times the longer side of the face's box; for the mouth 1.5 times the distance between
    the outer eye corners."""
    if region == "mouth":
        return _MOUTH * float(np.linalg.norm(points[33, :2] - points[263, :2]))
    return _FACE * float((points[:, :2].max(0) - points[:, :2].min(0)).max())


def find_window(pictures: Iterable[np.ndarray], finder: FaceFinder, region: str, name: str) -> Window:
    """The window of a clip from its first faces, in pictures taken some time apart.

    Raises `BadVideo` when there is no face in any of them.
    """
    found = (faces[0].points for picture in pictures if (faces := finder.find(picture)))
    seen = list(islice(found, _SEEN))
    if not seen:
        raise BadVideo("No face is found in {name}, so there is no {region} to measure.", code="evaluation.no_region",
                       hint="Measure the full picture (--region full).", name=name, region=region)
    sides = float(np.median([side(points, region) for points in seen]))
    return Window(region, max(16, 2 * round(sides / 2)), centre(seen[0], region))
