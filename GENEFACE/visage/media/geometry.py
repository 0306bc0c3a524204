"""How a decoded frame is to be shown: size, shape of its pixels, quarter turns and mirrors, colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation

from visage.media.hdr import CURVES, toned

EXACT = int(Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT)
"""Added to an interpolation: without it swscale's colours come out one step too dark."""
_SMOOTH, _SHRINK = EXACT | int(Interpolation.BICUBIC), EXACT | int(Interpolation.AREA)
_PLAIN = EXACT | int(Interpolation.POINT)
_BT709, _BT601 = 1, 5
_KNOWN = {1: _BT709, 4: 4, 5: _BT601, 6: _BT601, 7: 7, 9: 9}
"""Colour matrix of a stream (AVCOL_SPC numbers) to the number by which swscale knows it."""


@dataclass(frozen=True, slots=True)
class Display:
    """What must be done with every frame of a stream."""

    width: int
    """Pixels to scale to before turning."""
    height: int
    """Pixels to scale to before turning."""
    matrix: tuple[int, int, int, int]
    """a, b, c, d of the display matrix, each -1, 0 or 1: x' = a x + c y, y' = b x + d y."""

    @property
    def turned(self) -> bool:
        """Whether width and height change places."""
        return self.matrix[0] == 0

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height on the screen."""
        return (self.height, self.width) if self.turned else (self.width, self.height)

    @property
    def rotation(self) -> int:
        """Degrees clockwise that the picture is turned by: 0, 90, 180 or 270."""
        a, b, _, _ = self.matrix
        return {(1, 0): 0, (0, 1): 90, (-1, 0): 180, (0, -1): 270}[(a, b)]


def display_of(frame: av.VideoFrame, sample_aspect: float = 1.0, size: int | None = None) -> Display:
    """How the stream of this frame is to be shown; ``size`` limits the longest side, pixels."""
    width, height = frame.width, frame.height
    if sample_aspect and 0.1 < sample_aspect < 10:
        width = max(1, round(width * sample_aspect))
    scale = min(1.0, size / max(width, height)) if size else 1.0
    return Display(max(1, round(width * scale)), max(1, round(height * scale)), _matrix(frame))


def pixels(frame: av.VideoFrame, display: Display, *, plain: bool = False) -> np.ndarray:
    """The frame as it is shown: uint8 RGB [H, W, 3]; high dynamic range is brought to BT.709 (`hdr.toned`).

    ``plain``: pixels that share a colour get it as it is, not smoothed between neighbours, where the size stays; that
    takes a quarter of the time, and averaged over the same pixels the colours are the file's again.
    """
    # untagged: the usual convention is BT.709 from 720 lines on
    guess = _BT709 if min(frame.width, frame.height) >= 720 else _BT601
    source = _KNOWN.get(int(frame.colorspace), guess)
    same = (display.width, display.height) == (frame.width, frame.height)
    way = _PLAIN if plain and same else _SHRINK if display.width < frame.width else _SMOOTH
    curve = int(frame.color_trc)
    depth = "rgb48le" if curve in CURVES else "rgb24"
    array = frame.reformat(width=display.width, height=display.height, format=depth, src_colorspace=source,
                           interpolation=way).to_ndarray()
    if curve in CURVES:
        array = toned(array, curve)
    a, b, c, d = display.matrix
    if display.turned:
        array = array.transpose(1, 0, 2)
        flip_x, flip_y = c < 0, b < 0
    else:
        flip_x, flip_y = a < 0, d < 0
    return np.ascontiguousarray(array[::-1 if flip_y else 1, ::-1 if flip_x else 1])


def _matrix(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    sides: list[Any] = list(frame.side_data)  # type: ignore[call-overload]
    data = next((side for side in sides if side.type.name == "DISPLAYMATRIX"), None)
    if data is None:
        return 1, 0, 0, 1
    raw = np.frombuffer(bytes(data), np.int32)[:9].reshape(3, 3)[:2, :2].astype(float)
    turned = abs(raw[0, 0]) < abs(raw[0, 1])
    a, b, c, d = (int(np.sign(value)) for value in raw.ravel())
    found = (0, b, c, 0) if turned else (a, 0, 0, d)
    return found if abs(sum(abs(v) for v in found)) == 2 else (1, 0, 0, 1)
