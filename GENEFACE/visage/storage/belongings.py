"""What an avatar has outside its own folder, in the workspace of the engine that made it.

Globs say where: below the installation's home, with ``{id}`` for the avatar.  A
glob that names a folder means all that lies in it.  They come from the engine
of this installation, never from a package, so that a package cannot choose
where it is unpacked.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from visage.errors import BadMedia, Conflict
from visage.storage.paths import inside

BESIDE = "beside"
"""Folder of a package that holds them, each under its path below home."""


def belongings(home: Path, globs: Iterable[str], avatar_id: str) -> Iterator[Path]:
    """The files and folders that globs name."""
    for pattern in globs:
        for found in sorted(home.glob(pattern.format(id=avatar_id))):
            if inside(home, found):
                yield found


def packed(home: Path, globs: Iterable[str], avatar_id: str) -> Iterator[tuple[Path, str]]:
    """Each file with its name in a package."""
    for found in belongings(home, globs, avatar_id):
        for file in [found] if found.is_file() else sorted(found.rglob("*")):
            if file.is_file() and inside(home, file):
                yield file, f"{BESIDE}/{file.relative_to(home).as_posix()}"


def total(home: Path, globs: Iterable[str], avatar_id: str) -> int:
    """Bytes of all that an avatar has."""
    return sum(file.stat().st_size for file, _ in packed(home, globs, avatar_id))


def discard(home: Path, globs: Iterable[str], avatar_id: str) -> None:
    """Delete them all."""
    for found in list(belongings(home, globs, avatar_id)):
        shutil.rmtree(found) if found.is_dir() else found.unlink(missing_ok=True)


def unpack(staging: Path, home: Path, globs: Sequence[str], old: str, new: str) -> None:
    """Move what lies in ``staging / BESIDE`` to where it belongs, from the id ``old`` to ``new``.

    Raises `BadMedia` for a file at a place that the engine does not name, and `Conflict` when one exists already;
    then nothing was moved.
    """
    root = staging / BESIDE
    moves = {file: home / _renamed(file.relative_to(root), globs, old, new)
             for file in sorted(root.rglob("*")) if not file.is_dir()}
    for target in moves.values():
        if target.exists():
            raise Conflict("There is a file of another avatar {id} already: {file}.", code="avatar.files_exist",
                           hint="Import under another id, or delete that file.", id=new, file=target.name)
    for file, target in moves.items():
        if old != new and file.suffix in (".yaml", ".yml"):
            text = file.read_text(encoding="utf-8", errors="surrogateescape")
            file.write_text(re.sub(rf"(?<![A-Za-z0-9_]){re.escape(old)}(?![A-Za-z0-9_])", new, text),
                            encoding="utf-8", errors="surrogateescape")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(file, target)
    shutil.rmtree(root, ignore_errors=True)


def _renamed(name: Path, globs: Sequence[str], old: str, new: str) -> Path:
    """Where a file of a package belongs under its new id."""
    parts = name.parts
    for pattern in globs:
        wanted = PurePosixPath(pattern).parts
        if len(parts) >= len(wanted) and all(
                fnmatchcase(part, word.format(id=old)) for part, word in zip(parts, wanted, strict=False)):
            head = (word.format(id=new) if "{id}" in word else part for part, word in zip(parts, wanted, strict=False))
            return Path(*head, *parts[len(wanted):])
    raise BadMedia("This avatar package holds {file}, which its engine does not know.", code="avatar.strange_file",
                   hint="Export it again from the machine that made it.", file=name.as_posix())
