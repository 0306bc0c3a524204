"""Driver ``local``: a folder of this machine; needs nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

from visage.config import Settings
from visage.errors import from_os_error
from visage.storage.objects import checked_key
from visage.storage.objects.contract import Stored


class LocalObjects:
    """Follows `ObjectStore`; keeps files below ``settings.objects_folder``."""

    name = "local"

    def __init__(self, settings: Settings):
        self._folder = (settings.objects_folder or settings.home / "var" / "objects").resolve()

    def put(self, file: Path, key: str) -> Stored:
        """As `ObjectStore.put`; the copy appears under its name only when whole."""
        target = self._folder / checked_key(key)
        part = target.with_name(f".{target.name}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, part)
            part.replace(target)
        except OSError as exc:
            part.unlink(missing_ok=True)
            raise from_os_error(exc) from exc
        return Stored(key, target.as_uri(), target.stat().st_size)
