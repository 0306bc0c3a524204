"""Pictures: what they are, and their pixels the right way up."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from visage.errors import BadImage, NotFound

_LARGEST = 100_000_000
"""Pixels above which a picture is refused."""
_HEIF = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif"}
"""Brands of still pictures in a HEIF file."""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a picture file holds."""

    width: int
    """Pixels, as displayed."""
    height: int
    """Pixels, as displayed."""
    format: str
    """JPEG, PNG, WEBP …"""


def probe_image(path: Path) -> ImageInfo:
    """What a picture file holds.  Raises `BadImage` for what is none, `NotFound`."""
    with _opened(Path(path)) as image:
        width, height = image.size
        if image.getexif().get(0x0112, 1) in (5, 6, 7, 8):
            width, height = height, width
        return ImageInfo(width, height, image.format or "")


def is_picture(path: Path) -> bool:
    """Whether a file begins like a JPEG, PNG, WebP, BMP, TIFF, HEIC or AVIF picture; False when there is none."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(12)
    return (head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n", b"BM", b"II*\0", b"MM\0*"))
            or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
            or (head[4:8] == b"ftyp" and head[8:12] in _HEIF))


def read_image(path: Path, size: int | None = None) -> np.ndarray:
    """The picture as uint8 RGB [H, W, 3], turned upright, transparency on white.

    ``size`` is the longest side allowed, pixels.  Raises `BadImage`, `NotFound`.
    """
    path = Path(path)
    try:
        with _opened(path) as image:
            if size:
                image.draft("RGB", (size, size))
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I"):
                # 16 bits a pixel, which Pillow would cut off at 255
                upright = Image.fromarray((np.asarray(upright).clip(0, 65_535) // 257).astype(np.uint8))
            if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
                upright = upright.convert("RGBA")
                ground = Image.new("RGBA", upright.size, "white")
                upright = Image.alpha_composite(ground, upright)
            upright = upright.convert("RGB")
    except (OSError, SyntaxError, ValueError) as exc:
        raise BadImage("{name} breaks off or is damaged.", code="image.damaged", hint="Copy or save the picture again.",
                       name=path.name) from exc
    if size and max(upright.size) > size:
        scale = size / max(upright.size)
        upright = upright.resize((max(1, round(upright.width * scale)), max(1, round(upright.height * scale))),
                                 Image.Resampling.LANCZOS)
    return np.asarray(upright).copy()


@cache
def _learn_heif() -> None:
    """Teach Pillow to read the pictures of telephones."""
    from pillow_heif import register_heif_opener

    register_heif_opener()


def _opened(path: Path) -> Image.Image:
    _learn_heif()
    if not path.is_file():
        raise NotFound("There is no file {name}.", code="media.missing", hint="Upload it again.", name=path.name)
    if path.stat().st_size == 0:
        raise BadImage("{name} is empty: it has 0 bytes.", code="media.empty",
                       hint="Copy or record the file again; the upload or the recording broke off.", name=path.name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path)
    except Image.DecompressionBombError as exc:
        raise _too_large(path) from exc
    except (UnidentifiedImageError, OSError, ValueError) as exc:
        raise BadImage("{name} is not a picture that can be read.", code="image.unknown",
                       hint="Save it as JPEG, PNG or WebP.", name=path.name) from exc
    if image.width * image.height > _LARGEST:
        image.close()
        raise _too_large(path)
    return image


def _too_large(path: Path) -> BadImage:
    return BadImage("{name} has more than {megapixels} megapixels.", code="image.too_large",
                    hint="Save it smaller; 2000 pixels on the long side are plenty.",
                    name=path.name, megapixels=_LARGEST // 1_000_000)
