"""The seam of object stores: a finished file goes in, the address under which others get it comes out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that lies in a store."""

    key: str
    """Its name there, parts separated by ``/``."""
    url: str
    """Where it can be fetched: ``https:`` of a bucket, ``file:`` of a folder."""
    size: int
    """Bytes, as the store itself counts them."""


class ObjectStore(Protocol):
    """Keeps finished files for others to fetch.  Made as ``Driver(settings)``."""

    name: str
    """Name of the driver, e.g. ``"s3"``."""

    def put(self, file: Path, key: str) -> Stored:
        """Store the file under ``key`` and make sure that all of it arrived.

        Raises `InvalidRequest` for a key that leaves the store, `ServiceError` and its kin when the store fails (the
        local file is untouched then), and `DiskFull`.
        """
