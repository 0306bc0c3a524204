"""Object stores by name of driver."""

from __future__ import annotations

from visage.config import Settings
from visage.drivers import load
from visage.errors import InvalidRequest
from visage.storage.objects.contract import ObjectStore, Stored

DRIVERS = {
    "local": "visage.storage.objects.local:LocalObjects",
    "s3": "visage.storage.objects.s3:S3Objects",
}

__all__ = ["DRIVERS", "ObjectStore", "Stored", "open_objects"]


def open_objects(settings: Settings) -> ObjectStore:
    """The store that ``settings.objects`` names.

    Raises `UnknownDriver`, `NotInstalled`, and `InvalidRequest` when a setting that the driver needs is empty.
    """
    return load("object store", DRIVERS, settings.objects)(settings)


def checked_key(key: str) -> str:
    """The key itself.  Raises `InvalidRequest` unless each of its parts is an ordinary file name."""
    parts = key.split("/")
    if any(part in ("", ".", "..") or "\\" in part or not part.isprintable() for part in parts) or len(key) > 512:
        raise InvalidRequest("{key!r} cannot be the name of a stored file.", code="objects.bad_key",
                             hint="Use letters, digits and - _ . with / between parts.", key=key[:80])
    return key
