"""The words of the mark as coverage, 0 to 1: Latin from the font that Pillow brings, 生 and 成 from strokes of our own.

So the mark looks the same on every machine, whether it has a Chinese font or not.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

WORDS, SHORT = "AI 生成 / AI-generated", "AI 生成"
_FINE = 4
"""Times larger that strokes are drawn, so that their edges are smooth."""
_STROKES = {
    "生": [[(.29, .06), (.25, .20), (.13, .40)], [(.22, .27), (.87, .27)], [(.53, .03), (.53, .93)],
           [(.20, .58), (.82, .58)], [(.07, .93), (.95, .93)]],
    "成": [[(.15, .24), (.93, .24)], [(.17, .24), (.17, .52), (.14, .75), (.05, .95)],
           [(.17, .49), (.44, .49), (.43, .68), (.40, .76), (.29, .75)],
           [(.55, .03), (.56, .28), (.62, .54), (.72, .76), (.84, .90), (.91, .90), (.95, .72)],
           [(.84, .38), (.74, .60), (.60, .78), (.43, .93)], [(.70, .05), (.82, .15)]],
}
"""Middle lines of the strokes in a square, x and y from its upper left corner."""
_TAILS = set("gjpqy")
_TALLER = 1.12
"""Chinese characters over capitals."""


def words(text: str, height: int) -> np.ndarray:
    """A line of text, float32 [h, w], whose capitals and Chinese characters are at least ``height`` pixels high."""
    face = _font(height)
    pieces = [piece for piece in _pieces(text) if piece]
    drawn = [_strokes(piece, height) if piece in _STROKES else _latin(piece, face, height) for piece in pieces]
    tall = max(one.shape[0] for one in drawn)
    line = np.concatenate([np.pad(one, ((tall - one.shape[0], 0), (0, 0))) for one in drawn], axis=1)
    return line if set(text) & _TAILS else line[:-_depth(height)]


def _depth(height: int) -> int:
    """Pixels below the baseline."""
    return round(height * 0.32)


def _font(height: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font in the size at which a capital is ``height`` pixels high."""
    size = float(height)
    while True:
        face = ImageFont.load_default(size)
        top, bottom = face.getbbox("A")[1], face.getbbox("A")[3]
        if bottom - top >= height:
            return face
        size += 0.5


def _pieces(text: str) -> list[str]:
    pieces = [""]
    for character in text:
        if character in _STROKES:
            pieces += [character, ""]
        else:
            pieces[-1] += character
    return pieces


def _latin(text: str, face: ImageFont.FreeTypeFont | ImageFont.ImageFont, height: int) -> np.ndarray:
    width, above = int(face.getlength(text)) + 1, round(height * 1.3)
    picture = Image.new("L", (width, above + _depth(height)), 0)
    ImageDraw.Draw(picture).text((0, above), text, font=face, fill=255, anchor="ls")
    return np.asarray(picture, np.float32) / 255


def _strokes(character: str, height: int) -> np.ndarray:
    side = round(height * _TALLER)
    fine, pen = side * _FINE, max(2, round(side * _FINE * 0.09))
    picture = Image.new("L", (fine + pen, fine + pen), 0)
    draw = ImageDraw.Draw(picture)
    for stroke in _STROKES[character]:
        line = [(x * fine + pen / 2, y * fine) for x, y in stroke]
        draw.line(line, fill=255, width=pen, joint="curve")
        for x, y in (line[0], line[-1]):
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
    small = picture.resize((side, side), Image.Resampling.BOX)
    gap = max(1, round(height * 0.12))
    return np.pad(np.asarray(small, np.float32) / 255, ((0, _depth(height)), (0, gap)))
