"""Archives that weights come in, read without trusting them."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from visage.errors import BadMedia


@dataclass(frozen=True, slots=True)
class Member:
    """One file in an archive."""

    name: str
    """Path in it, with slashes."""
    size: int
    """Bytes when unpacked."""
    open: Callable[[], IO[bytes]]
    """Reads it."""


def is_archive(path: Path) -> bool:
    """Whether a file is packed files; a PyTorch file, though a zip inside, is not."""
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                return not any(name.endswith(("/data.pkl", "/constants.pkl")) for name in archive.namelist())
        except zipfile.BadZipFile:
            return True
    with path.open("rb") as stream:
        head = stream.read(512)
    return head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ")) or head[257:262] == b"ustar"


@contextmanager
def opened(path: Path) -> Iterator[list[Member]]:
    """The plain files of a zip or tar.

    Raises `BadMedia` for one that cannot be read, or in which a name leads out of it.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                yield _checked(path, [_zipped(packed, info) for info in packed.infolist()
                                      if not info.is_dir() and (info.external_attr >> 28) in (0, 8)])
        else:
            with tarfile.open(path) as tarred:
                yield _checked(path, [_tarred(tarred, info) for info in tarred.getmembers() if info.isfile()])
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, RuntimeError, NotImplementedError) as exc:
        raise BadMedia("{file} cannot be unpacked: {reason}", code="weights.bad_archive",
                       hint="It may be cut off or be something else: download it again.", file=path.name,
                       reason=str(exc) or type(exc).__name__) from exc


def _zipped(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    return Member(info.filename, info.file_size, lambda: packed.open(info))


def _tarred(tarred: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    def read() -> IO[bytes]:
        stream = tarred.extractfile(info)
        assert stream is not None  # only plain files come here
        return stream

    return Member(info.name.removeprefix("./"), info.size, read)


def _checked(path: Path, members: list[Member]) -> list[Member]:
    for member in members:
        parts = PurePosixPath(member.name)
        if parts.is_absolute() or ".." in parts.parts or "\\" in member.name or "\0" in member.name:
            raise BadMedia("{file} holds a file that would be written outside its folder: {name}",
                           code="weights.unsafe_archive", file=path.name, name=member.name,
                           hint="Do not use it; get it from the place that the list names.")
    return members
