"""Driver ``library``: chooses among pictures the operator put into a folder, by the words of their names."""

from __future__ import annotations

import re
from pathlib import Path

from visage.config import Settings
from visage.errors import NotInstalled
from visage.media.images import is_picture, read_image
from visage.pictures.contract import MadePicture, PictureRequest

_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)
_SIDE = 2048
"""Longest side taken, pixels."""


class LibraryPictures:
    """Follows `PictureMaker`.  A picture may have a caption beside it: ``name.txt`` next to ``name.jpg``."""

    name = "library"

    def __init__(self, settings: Settings):
        self._folder = settings.pictures_folder or settings.home / "model_cache" / "pictures"

    def make(self, request: PictureRequest) -> MadePicture:
        """The picture that shares most words with the prompt; among equals the seed chooses."""
        files = sorted(file for file in self._folder.glob("*") if is_picture(file)) if self._folder.is_dir() else []
        if not files:
            raise NotInstalled("There is no picture to begin with: nothing draws pictures here and {folder} is empty.",
                               code="pictures.library_empty", folder=str(self._folder),
                               hint="Give a picture with the request, put some into that folder, or set "
                                    "VISAGE_PICTURES_BASE_URL to a server that draws.")
        wanted = _words(request.prompt)
        shared = [len(wanted & _words(_caption(file))) for file in files]
        best = [file for file, count in zip(files, shared, strict=True) if count == max(shared)]
        chosen = best[request.seed % len(best)]
        return MadePicture(read_image(chosen, _SIDE), f"library:{chosen.name}", generated=False,
                           note="This picture was chosen from the folder of pictures, not drawn.")


def _caption(file: Path) -> str:
    beside = file.with_suffix(".txt")
    return file.stem + " " + (beside.read_text(encoding="utf-8", errors="replace")[:4000] if beside.is_file() else "")


def _words(text: str) -> set[str]:
    """Words in lower case; of scripts that put no spaces between words, every pair of characters too."""
    found = {word.casefold() for word in _WORD.findall(text)}
    wide = [word for word in found if not word.isascii()]
    return found | {word[at:at + 2] for word in wide for at in range(len(word) - 1)}
