"""Subtitles that are part of the picture: white with a dark edge, in the lowest twelve hundredths of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from visage.media.fonts import Font
from visage.media.subtitles import LINE_UNITS, LINES

SHARE = 0.12
"""Part of the height that subtitles may cover."""
SMALLEST = 480
"""Shortest side, pixels, below which letters would be too small to read."""
_SPACING = 1.2
_COLOURS = {"user": (255, 233, 168), "avatar": (255, 255, 255), "": (216, 216, 216)}
"""By speaker."""


class Burner:
    """Draws lines into frames of one size, uint8 RGB [height, width, 3]."""

    def __init__(self, font: Font, width: int, height: int) -> None:
        self._font, self._width = font, width
        self._top = height - int(height * SHARE)
        self._room = height - self._top
        self._size = min(0.94 * width / (LINE_UNITS / 2), 0.92 * self._room / (LINES * _SPACING))
        self._strip = lru_cache(maxsize=4)(self._drawn)

    def draw(self, frame: np.ndarray, lines: Sequence[str], speaker: str) -> np.ndarray:
        """The frame with the lines; the given one stays as it is."""
        if not lines:
            return frame
        colour, cover = self._strip(tuple(lines), speaker)
        made = frame.copy()
        below = made[self._top:]
        below[:] = np.rint(below + (colour - below) * cover).astype(np.uint8)
        return made

    def _drawn(self, lines: tuple[str, ...], speaker: str) -> tuple[np.ndarray, np.ndarray]:
        """Colours [room, width, 3] and how much they cover [room, width, 1], float32, 0 to 1."""
        kept = ["".join(character for character in line if character not in self._font.lacks) for line in lines]
        size, face = self._fitting(kept)
        edge = max(2, round(size / 8))
        picture = Image.new("RGBA", (self._width, self._room), (0, 0, 0, 0))
        pen = ImageDraw.Draw(picture)
        step = size * _SPACING
        first = self._room - edge - step * (len(kept) - 0.5) - 0.02 * self._room
        for number, line in enumerate(kept):
            pen.text((self._width / 2, first + number * step), line, font=face, anchor="mm",
                     fill=(*_COLOURS.get(speaker, _COLOURS[""]), 255), stroke_width=edge, stroke_fill=(12, 12, 12, 255))
        pixels = np.asarray(picture, np.float32)
        return pixels[..., :3], pixels[..., 3:] / 255

    def _fitting(self, lines: Sequence[str]) -> tuple[float, ImageFont.FreeTypeFont]:
        """A size at which the widest line fits, and the font in it."""
        size = self._size
        widest = max(self._font.at(size).getlength(line) for line in lines)
        size *= min(1.0, 0.96 * self._width / max(1.0, widest + size / 5))
        return size, self._font.at(size)
