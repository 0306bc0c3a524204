"""The avatar packages on disk: a folder each, described by ``manifest.json``.

The folder is the truth; nothing about avatars is kept elsewhere.  A package
travels as a zip of its folder (``export`` and ``take_in``).
"""

from __future__ import annotations

import json
import shutil
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from visage.errors import BadMedia, Conflict, NotFound, from_os_error
from visage.storage.belongings import discard, packed, total, unpack
from visage.storage.paths import child, identifier

MANIFEST = "manifest.json"
FORMAT = 1
"""Version of the package layout; a reader refuses a newer one."""
_LARGEST = 16 << 30
_HARMLESS, _RATIO = 32 << 20, 20
"""Unpacked bytes, and times its packed size, above both of which a package is a trap: what we export is not packed."""
_LARGEST_MANIFEST = 1 << 20
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, TypeError, ValueError, AttributeError,
               RuntimeError)  # RuntimeError: encrypted, packed in an unknown way, or nested too deep


@dataclass(frozen=True, slots=True)
class Avatar:
    """A trained face, as its manifest tells."""

    id: str
    """Folder name; ``[A-Za-z0-9_-]``."""
    name: str
    """What a person reads."""
    engine: str
    """Engine that made it and can make it speak."""
    kind: str
    """``video`` (trained on a recording) or ``photo``."""
    created: str
    """ISO 8601, UTC."""
    width: int
    """Pixels of the videos it makes."""
    height: int
    """Pixels of the videos it makes."""
    seconds_trained: float = 0.0
    """Wall seconds from recording to usable avatar."""
    prompt: str = ""
    """System prompt of its conversations."""
    built_in: bool = False
    """Made at set-up; made again when deleted."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Product, engine and library versions it was made with."""
    figures: Mapping[str, Any] = field(default_factory=dict)
    """Quality and training facts the engine reported."""
    notes: Sequence[str] = field(default_factory=list)
    """What people should know of how it was made; sentences."""
    format: int = FORMAT
    """Package layout."""


class Catalog:
    """All avatars below one folder; what an engine keeps elsewhere for them is named by globs (see `belongings`)."""

    def __init__(self, root: Path, home: Path):
        self.root = root
        self.home = home

    def folder(self, avatar_id: str) -> Path:
        """Where that avatar's package is or would be; refuses ids that are no plain name."""
        return child(self.root, identifier(avatar_id))

    def list(self) -> list[Avatar]:
        """Every whole package, newest first; unreadable ones are left out."""
        found = []
        for manifest in self.root.glob(f"*/{MANIFEST}"):
            try:
                found.append(_read(manifest))
            except BadMedia:
                continue
        return sorted(found, key=lambda avatar: avatar.created, reverse=True)

    def get(self, avatar_id: str) -> Avatar:
        """The avatar of that id.  Raises `NotFound`."""
        manifest = self.folder(avatar_id) / MANIFEST
        if not manifest.is_file():
            raise NotFound("There is no avatar {id}.", code="avatar.missing",
                           hint="Train it first, or choose one of the list.", id=avatar_id)
        return _read(manifest)

    def free_id(self, name: str) -> str:
        """An unused id that resembles a name."""
        ascii_name = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in name).strip("_")[:40]
        base = ascii_name or "avatar"
        taken = {path.name for path in self.root.glob("*")}
        names = (base, *(f"{base}_{n}" for n in range(2, 10_000)))
        return next(name for name in names if name not in taken)

    def save(self, avatar: Avatar) -> Avatar:
        """Write the manifest, which makes the package whole; atomic."""
        folder = self.folder(avatar.id)
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{MANIFEST}.{uuid.uuid4().hex}"
        temporary.write_text(json.dumps(asdict(avatar), ensure_ascii=False, indent=1), encoding="utf-8")
        temporary.replace(folder / MANIFEST)
        return avatar

    def delete(self, avatar_id: str, globs: Sequence[str] = ()) -> None:
        """Remove the package and its belongings.  Raises `NotFound`."""
        self.get(avatar_id)
        shutil.rmtree(self.folder(avatar_id))
        discard(self.home, globs, avatar_id)

    def size(self, avatar_id: str, globs: Sequence[str] = ()) -> int:
        """Bytes of the package and its belongings."""
        own = sum(file.stat().st_size for file in _files(self.folder(avatar_id)))
        return own + total(self.home, globs, avatar_id)

    def export(self, avatar_id: str, out: Path, globs: Sequence[str] = ()) -> Path:
        """Write the package and its belongings as a zip.  Working files of training (``work/``) stay behind."""
        self.get(avatar_id)
        folder = self.folder(avatar_id)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as package:
            for file in _files(folder):
                package.write(file, file.relative_to(folder).as_posix())
            for file, name in packed(self.home, globs, avatar_id):
                package.write(file, name)
        return out

    def take_in(self, package: Path, avatar_id: str | None = None,
                globs: Callable[[Avatar, str], Sequence[str]] = lambda *_: ()) -> Avatar:
        """Unpack an exported avatar; ``globs`` tells where its engine keeps belongings, and may refuse avatar or id.

        Raises `BadMedia` for anything else and `Conflict` when the id is taken.
        """
        try:
            archive = zipfile.ZipFile(package)
            if archive.getinfo(MANIFEST).file_size > _LARGEST_MANIFEST:
                raise ValueError("no manifest is that large")
            told = _described(json.loads(archive.read(MANIFEST)))
        except _UNREADABLE as exc:
            raise _not_a_package() from exc
        with archive:
            _check_members(archive, told)
            chosen = identifier(avatar_id or told.id)
            folder = self.folder(chosen)
            if folder.exists():
                raise Conflict("There is an avatar {id} already.", code="avatar.exists",
                               hint="Delete it first, or import under another id.", id=chosen)
            places = globs(told, chosen)
            staging = self.root / f".import-{uuid.uuid4().hex}"
            try:
                archive.extractall(staging)
                (staging / MANIFEST).unlink()
                unpack(staging, self.home, places, told.id, chosen)
                staging.replace(folder)
            except _UNREADABLE as exc:
                raise _not_a_package() from exc
            except OSError as exc:
                raise from_os_error(exc) from exc
            finally:
                shutil.rmtree(staging, ignore_errors=True)
        return self.save(Avatar(**{**asdict(told), "id": chosen, "built_in": False}))


def now() -> str:
    """This moment, as manifests write it."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "work" not in file.relative_to(folder).parts[:1]:
            yield file


def _read(manifest: Path) -> Avatar:
    try:
        data = json.loads(manifest.read_text(encoding="utf-8"))
        known = {item.name for item in fields(Avatar)}
        return _described({key: value for key, value in data.items() if key in known})
    except (OSError, AttributeError, TypeError, ValueError, RecursionError) as exc:
        raise BadMedia("The manifest of avatar {id} cannot be read.", code="avatar.broken",
                       hint="Delete the avatar and train it again.", id=manifest.parent.name) from exc


def _described(data: Any) -> Avatar:
    """The avatar of a manifest; `TypeError` or `ValueError` when a value is not of its field's kind."""
    avatar = Avatar(**data)
    kinds = {"str": str, "int": int, "float": (int, float), "bool": bool, "Mapping": dict,
             "Sequence": list}
    for item in fields(Avatar):
        if not isinstance(getattr(avatar, item.name), kinds[str(item.type).partition("[")[0]]):
            raise TypeError(item.name)
    if not all(isinstance(note, str) for note in avatar.notes):
        raise TypeError("notes")
    if not avatar.name.strip() or min(avatar.width, avatar.height) < 1 or avatar.kind not in ("video", "photo"):
        raise ValueError("a manifest has a name, a size and a kind")
    return avatar


def _not_a_package() -> BadMedia:
    return BadMedia("This file is not an avatar package.", code="avatar.not_a_package",
                    hint="Use a zip that was exported from an avatar's card.")


def _check_members(archive: zipfile.ZipFile, told: Avatar) -> None:
    names = archive.namelist()
    size, packed = (sum(getattr(item, part) for item in archive.infolist()) for part in ("file_size", "compress_size"))
    bomb = size > _LARGEST or size > max(_HARMLESS, _RATIO * packed)
    unsafe = any(name.startswith("/") or ".." in Path(name).parts or "\\" in name for name in names)
    if unsafe or bomb or len(names) > 100_000:
        raise BadMedia("This avatar package is not safe to unpack.", code="avatar.unsafe_package",
                       hint="Export it again from the machine that made it.")
    if told.format > FORMAT:
        raise BadMedia("This avatar package was made by a newer version (format {found}, this one reads {known}).",
                       code="avatar.too_new", hint="Update this installation.", found=told.format, known=FORMAT)
