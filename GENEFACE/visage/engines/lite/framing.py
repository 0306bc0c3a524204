"""Which square of a recording is kept: round the head, 512 pixels at most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from visage.faces.contract import Face
from visage.faces.track import Track

SIDE = 512
"""Side of the pictures this engine makes, unless the recording is smaller."""
_ROOM = 2.5
"""Side of the square in face widths, where the picture is large enough."""
_PORTRAIT = 0.29
"""Least width of the face in a photo avatar, as a share of the picture."""


@dataclass(frozen=True, slots=True)
class Framing:
    """A square of the picture and the size it is brought to."""

    left: int
    """Pixels of the recording."""
    top: int
    """Pixels of the recording."""
    side: int
    """Pixels of the recording."""
    size: int
    """Pixels of the result, even."""

    def apply(self, frame: np.ndarray) -> np.ndarray:
        """The kept square uint8 [size, size, 3] of a frame uint8 [H, W, 3]."""
        part = frame[self.top:self.top + self.side, self.left:self.left + self.side]
        if self.side == self.size:
            return np.ascontiguousarray(part)
        how = cv2.INTER_AREA if self.size < self.side else cv2.INTER_LANCZOS4
        return cv2.resize(part, (self.size, self.size), interpolation=how)

    def over(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """`apply` to each frame."""
        return (self.apply(frame) for frame in frames)


def frame_heads(faces: list[Face], width: int, height: int, most: int = SIDE) -> Framing:
    """The framing for a recording of ``width`` × ``height`` pixels in which these faces were seen.

    Square pictures of at most ``most`` pixels stay as they are; without a face the middle is kept.
    """
    short = min(width, height)
    if width == height and short <= most:
        return Framing(0, 0, short - short % 2, short - short % 2)
    side, middle = short, (width / 2, height / 2)
    if faces:
        boxes = np.array([face.box for face in faces])
        low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
        room = max(_ROOM * float(np.median(boxes[:, 2] - boxes[:, 0])), 1.3 * float((high - low).max()))
        # A square picture was framed by somebody already: only a head that is lost in it is moved nearer.
        side = short if width == height and room > 0.5 * short else int(min(short, max(room, min(short, SIDE))))
        # The head sits a little above the middle, with the shoulders below it.
        middle = ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2 + 0.06 * side)
    side -= side % 2
    return _square(side, middle, min(side, most), width, height)


def frame_portrait(face: Face, width: int, height: int) -> Framing:
    """The framing for a photo: near enough that the face fills a good part of it, blown up twice at most."""
    short = min(width, height)
    side = min(short, max(round(face.width / _PORTRAIT), 64))
    side -= side % 2
    left, top, right, bottom = face.box
    return _square(side, ((left + right) / 2, (top + bottom) / 2 + 0.06 * side), min(2 * side, SIDE), width, height)


def _square(side: int, middle: tuple[float, float], size: int, width: int, height: int) -> Framing:
    left = int(np.clip(middle[0] - side / 2, 0, width - side))
    top = int(np.clip(middle[1] - side / 2, 0, height - side))
    return Framing(left, top, side, size)


def frame_track(track: Track, most: int = SIDE) -> Framing:
    """The framing for a tracked recording; ``most`` is the largest side of its pictures."""
    faces = [Face(points, 1.0) for points in track.points[track.found][::5]]
    return frame_heads(faces, track.width, track.height, most)


def framed_track(track: Track, framing: Framing) -> Track:
    """The track in pixels of the framed pictures."""
    scale = framing.size / framing.side
    points = track.points.copy()
    # Pixel centres are at whole numbers; resizing keeps the corners of the picture in place.
    points[..., :2] = (points[..., :2] - (framing.left, framing.top) + 0.5) * scale - 0.5
    points[..., 2] *= scale
    return replace(track, points=points, width=framing.size, height=framing.size)
