"""What was known of each weight when it came: so that a change or a loss shows where nobody published a checksum."""

from __future__ import annotations

import fcntl
import json
import time
from pathlib import Path
from typing import Any

from visage.engines.weights.table import File, Weight
from visage.storage.paths import Paths


class Record:
    """The file `Paths.weights`: sizes and checksums at the first import, fetch or verification."""

    def __init__(self, paths: Paths) -> None:
        self._file = paths.weights

    def of(self, weight: Weight, file: File) -> dict[str, Any]:
        """``size``, ``sha256``, ``source``, ``time`` of a file; empty when it was never seen."""
        return dict(self._read().get(_key(weight, file), {}))

    def keep(self, weight: Weight, file: File, place: Path, sha256: str, source: str) -> None:
        """Remember a file; ``source`` is an address, a path, or ``"found"``."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            all_of_them = self._read()
            all_of_them[_key(weight, file)] = {"size": place.stat().st_size, "sha256": sha256, "source": source,
                                               "time": round(time.time())}
            fresh = self._file.with_suffix(".new")
            fresh.write_text(json.dumps(all_of_them, indent=1, sort_keys=True), encoding="utf-8")
            fresh.replace(self._file)

    def _read(self) -> dict[str, Any]:
        try:
            told = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}


def _key(weight: Weight, file: File) -> str:
    return f"{weight.root}/{file.path}"
