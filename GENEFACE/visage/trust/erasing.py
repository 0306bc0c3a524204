"""Removing what was made under a consent, and saying what it was."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from visage.errors import from_os_error
from visage.storage.paths import inside


@dataclass(frozen=True, slots=True)
class Erased:
    """One thing that is gone."""

    kind: str
    """``photo``, ``embedding``, ``cache``, ``output``, ``voice`` or ``proof``."""
    name: str
    """Where it lay, below the installation's folder."""
    size: int
    """Bytes that it had."""


def erase_things(things: Iterable[tuple[str, Path]], home: Path) -> list[Erased]:
    """Delete files and folders below ``home``; what is no longer there is left out.  Raises what the system raises."""
    erased = []
    for kind, path in things:
        if not inside(home, path) or path.resolve() == home.resolve() or not path.exists():
            continue
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        size = sum(file.stat().st_size for file in files)
        try:
            path.unlink() if path.is_file() else shutil.rmtree(path)
        except OSError as exc:
            raise from_os_error(exc) from exc
        erased.append(Erased(kind, path.relative_to(home).as_posix(), size))
    return erased
