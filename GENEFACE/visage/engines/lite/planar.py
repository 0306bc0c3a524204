"""What shows mouths, frame by frame as encoders want them: footage with painted mouths, or a photo that is bent."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Protocol

import numpy as np

from visage.engines.lite.compose import even
from visage.engines.lite.footage import Footage
from visage.engines.lite.mouth import MouthBasis
from visage.engines.lite.package import Package
from visage.engines.lite.photo_speaking import PhotoSpeaker, open_photo
from visage.engines.lite.speaking import Painted, Speaker
from visage.media.planes import Box, Planes, joined, planes_from_rgb


class Picture(Protocol):
    """Shows mouths.  Frames are uint8 I420 [H * 3 / 2, W], each the caller's own."""

    basis: MouthBasis
    """What the mouth can do."""
    size: tuple[int, int]
    """Width and height of a frame, both even."""

    def planes(self, coefficients: np.ndarray, start: int = 0) -> Generator[np.ndarray]:
        """Frames that show coefficients [T, K], one each; ``start`` numbers the first in the endless movement."""

    def close(self) -> None:
        """Free what is held open."""


class TrainedPicture:
    """Footage with painted mouths."""

    def __init__(self, package: Package, threads: int = 1):
        """``threads`` paint.  Raises `BadMedia` when a part of the package is missing or damaged."""
        self.footage = Footage(package.footage)
        """What is painted into."""
        self.speaker = Speaker(package, threads, pictures=self.footage)
        """Paints."""
        self.basis = self.speaker.basis
        height, width = self.footage.planes(0).shape
        self.size = (width, height * 2 // 3)

    def planes(self, coefficients: np.ndarray, start: int = 0) -> Generator[np.ndarray]:
        """As `Picture.planes`; what comes next is being painted while one is composed."""
        for painted in self.speaker.painted(coefficients, start):
            for frame, _ in self.compose(painted):
                yield frame

    def compose(self, painted: Painted) -> Iterator[tuple[np.ndarray, Box | None]]:
        """Finished frames, and what was painted of each."""
        composer, transforms = self.speaker.composer, self.speaker.scene.squares.transforms
        for number, face, mouth in zip(painted.numbers, painted.faces, painted.mouths, strict=True):
            frame = self.footage.planes(int(number)).copy()
            yield frame, composer.blend_planes(frame, composer.match(mouth, face), transforms[number])

    def close(self) -> None:
        """As `Picture.close`."""
        self.speaker.close()


class PhotoPicture:
    """A photo that is bent."""

    def __init__(self, speaker: PhotoSpeaker):
        self._speaker = speaker
        self.basis = speaker.basis
        height, width = speaker.photo.shape[:2]
        self.size = (width, height)
        self._still = planes_from_rgb(speaker.photo)
        self._quiet = self._still.copy()
        self._put(self._quiet, *speaker.mouth(self.basis.rest))

    def planes(self, coefficients: np.ndarray, start: int = 0) -> Generator[np.ndarray]:
        """As `Picture.planes`."""
        for number, wanted in enumerate(coefficients, start):
            picture = self._still.copy()
            self._put(picture, *self._speaker.mouth(wanted))
            yield self._moved(picture, number)

    def rest(self, number: int) -> np.ndarray:
        """Frame ``number`` of the endless movement with the mouth closed."""
        return self._moved(self._quiet.copy(), number)

    def close(self) -> None:
        """Nothing is held open."""

    def _moved(self, picture: Planes, number: int) -> np.ndarray:
        for box, region in self._speaker.lids(number):
            self._put(picture, box, region)
        return joined(self._speaker.sway.apply_planes(picture, number))

    def _put(self, picture: Planes, place: tuple[slice, slice], region: np.ndarray) -> None:
        """Put a region uint8 RGB [h, w, 3] at its place; its rim is widened to even pixels by the photo's own."""
        rows, columns = place
        left, top, right, bottom = box = even((columns.start, rows.start, columns.stop, rows.stop))
        wide = self._speaker.photo[top:bottom, left:right].copy()
        wide[rows.start - top:rows.stop - top, columns.start - left:columns.stop - left] = region
        picture.part(box).paste(planes_from_rgb(wide))


def open_picture(package: Package) -> Picture:
    """What shows the avatar of a package.  Raises `BadMedia` when the package is damaged."""
    return PhotoPicture(open_photo(package)) if package.photo.is_file() else TrainedPicture(package)
