"""Finding a font of this machine that can show a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import ImageFont

from visage.errors import NotInstalled

FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/System/Library/Fonts",
           "/Library/Fonts", "/mnt/c/Windows/Fonts")
"""Where systems keep their fonts."""
_KNOWN = ("NotoSansCJK-Medium", "NotoSansCJK-Regular", "NotoSansCJKsc", "NotoSansSC", "SourceHanSans", "wqy-microhei",
          "wqy-zenhei", "msyh", "PingFang", "STHeiti", "DroidSansFallback", "simhei", "NotoSerifCJK", "uming", "ukai",
          "NotoSans-Medium", "NotoSans-Regular", "DejaVuSans.", "LiberationSans-Regular")
"""Beginnings of file names, the best first; those before DejaVu can show Chinese."""
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_NOTHING = "\U0010fffd"
"""A character that no font has."""


@dataclass(frozen=True, slots=True)
class Font:
    """A face of a font file, or the one that Pillow brings when ``path`` is empty."""

    path: str
    """The file."""
    index: int = 0
    """Number of the face in a collection."""
    lacks: str = ""
    """Characters of the text that it cannot show."""

    def at(self, size: float) -> ImageFont.FreeTypeFont:
        """The font in a size, pixels."""
        if not self.path:
            return ImageFont.load_default(size)  # type: ignore[return-value]
        return ImageFont.truetype(self.path, size, self.index)


def font_for(text: str, folders: tuple[str, ...] = FOLDERS) -> Font:
    """The first font that shows a text, else the one that lacks least of it.

    Raises `NotInstalled` when there are Chinese characters that none can show.
    """
    wanted = "".join(sorted({character for character in text if character.isprintable() and not character.isspace()}))
    best: Font | None = None
    for path, index in [*_faces(folders), ("", 0)]:
        font = Font(path, index)
        lacks = _lacking(font, wanted)
        if best is None or len(lacks) < len(best.lacks):
            best = Font(path, index, lacks)
        if not lacks:
            break
    assert best is not None
    if _HAN.search(best.lacks):
        raise NotInstalled("No font of this machine can show Chinese, which burnt-in subtitles need.",
                           code="film.no_font", hint="apt install fonts-noto-cjk")
    return best


@cache
def _faces(folders: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    """Files with the number of the face to use, the best first."""
    files = [file for folder in folders for file in sorted(Path(folder).expanduser().rglob("*"))
             if file.suffix.lower() in (".ttf", ".ttc", ".otf")]
    return tuple((str(file), _simplified(file)) for name in _KNOWN for file in files
                 if file.name.lower().startswith(name.lower()))


def _simplified(file: Path) -> int:
    """The face of a collection that draws characters as the mainland writes them."""
    return next((index for index, name in _names(file) if name.endswith(" SC")), 0)


def _names(file: Path) -> Iterator[tuple[int, str]]:
    for index in range(20 if file.suffix.lower() == ".ttc" else 0):
        try:
            yield index, str(ImageFont.truetype(str(file), 12, index).getname()[0])
        except OSError:
            return


def _lacking(font: Font, wanted: str) -> str:
    try:
        face = font.at(24)
    except OSError:
        return wanted
    blank = _drawn(face, _NOTHING)
    return "".join(character for character in wanted if _drawn(face, character) == blank)


def _drawn(face: ImageFont.FreeTypeFont, character: str) -> tuple[tuple[int, int], bytes]:
    mask = face.getmask(character)
    return mask.size, bytes(mask)
