"""Pictures in and out."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image

from visage.errors import InvalidRequest, OutputInvalid, VisageError
from visage.media.container import writing_failed
from visage.media.images import read_image
from visage.swap.options import Seal

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP", ".tif": "TIFF",
           ".tiff": "TIFF", ".avif": "AVIF"}
"""Suffix of a picture to Pillow's name of its format."""


def check_suffix(out: Path) -> str:
    """Pillow's name of the format that a suffix asks for.  Raises `InvalidRequest`."""
    kind = FORMATS.get(out.suffix.lower())
    if kind is None:
        raise InvalidRequest("A picture cannot be written as {suffix!r}; there are: {known}.",
                             code="swap.picture_suffix", hint="Choose one of these suffixes.",
                             suffix=out.suffix, known=", ".join(FORMATS))
    return kind


def write_picture(picture: np.ndarray, out: Path, quality: int, seal: Seal | None) -> Path:
    """Write uint8 RGB [H, W, 3] under a temporary name, label it, read it back, and give it its name.

    Raises `OutputInvalid` (E13), `DiskFull` and what ``seal`` raises; then nothing is left behind.
    """
    kind = check_suffix(out)
    temporary = out.with_name(f".{out.stem}.{os.getpid()}{out.suffix}")
    options = {"quality": max(40, quality)} if kind in ("JPEG", "WEBP", "AVIF") else {}
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(temporary, kind, **options)
        if seal is not None:
            seal(temporary)
        _verify(temporary, picture)
        temporary.replace(out)
    except OSError as exc:
        raise writing_failed(out, exc) from exc
    finally:
        temporary.unlink(missing_ok=True)
    return out


def _verify(path: Path, made: np.ndarray) -> None:
    try:
        found = read_image(path)
    except VisageError as exc:
        raise OutputInvalid("The finished picture cannot be read back: {reason}", code="swap.picture_unreadable",
                            hint="Try again with another format.", reason=exc.message) from exc
    apart = np.inf if found.shape != made.shape else float(np.abs(found.astype(np.int16) - made).mean())
    if apart > 14:
        raise OutputInvalid("The finished picture is not the one that was made.", code="swap.picture_differs",
                            hint="Try again with another format.")
