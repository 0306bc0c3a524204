"""Picture makers by name of driver."""

from __future__ import annotations

from visage.config import Settings
from visage.drivers import load
from visage.pictures.contract import MadePicture, PictureMaker, PictureRequest

DRIVERS = {
    "library": "visage.pictures.library:LibraryPictures",
    "openai": "visage.pictures.openai:OpenAIPictures",
}

__all__ = ["DRIVERS", "MadePicture", "PictureMaker", "PictureRequest", "open_pictures"]


def open_pictures(settings: Settings) -> PictureMaker:
    """The maker that ``settings.pictures`` names, or the best one that is configured when it is empty.

    Raises `UnknownDriver`, and `NotInstalled` when what the driver needs is not configured.
    """
    name = settings.pictures.strip().lower() or ("openai" if settings.pictures_base_url else "library")
    return load("picture maker", DRIVERS, name)(settings)
