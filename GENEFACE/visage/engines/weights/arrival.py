"""A weight comes to its place: under another name first, so that it is there only when whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from visage.engines.weights.content import contradicted, flaw, sums
from visage.engines.weights.packed import Member
from visage.engines.weights.record import Record
from visage.engines.weights.table import File, Weight
from visage.errors import BadMedia, DiskFull, from_os_error
from visage.storage.paths import Paths

_CHUNK = 1 << 20
_SPARE = 64 << 20


class Arrival:
    """Puts files in their places, one installation."""

    def __init__(self, paths: Paths, told: Callable[[str, int, int], None] = lambda *_: None) -> None:
        """``told`` hears a file's name, the bytes written so far, and how many there are."""
        self._paths = paths
        self._record = Record(paths)
        self._told = told

    def copy(self, weight: Weight, file: File, source: Path) -> Path:
        """Copy a file of this machine; raises `BadMedia` when it is not the one of the table."""
        with _named(source), source.open("rb") as stream:
            part = self._pour(weight.place(self._paths, file), stream, source.stat().st_size)
        return self._settle(weight, file, part, str(source))

    def unpack(self, weight: Weight, file: File, member: Member, source: str) -> Path:
        """Take a file out of an archive; ``source`` says which."""
        with _named(Path(member.name)), member.open() as stream:
            part = self._pour(weight.place(self._paths, file), stream, member.size)
        return self._settle(weight, file, part, source)

    def extra(self, place: Path, member: Member) -> Path:
        """Take a file out of an archive that belongs to the weights without being in the table."""
        with _named(Path(member.name)), member.open() as stream:
            return self._pour(place, stream, member.size).replace(place)

    def whole(self, weight: Weight, file: File, part: Path, source: str) -> Path:
        """Take over a finished download that lies beside its place."""
        return self._settle(weight, file, part, source)

    def write(self, weight: Weight, file: File) -> Path:
        """Write a file whose whole content the table knows."""
        place = weight.place(self._paths, file)
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(place.name + ".new")
        part.write_text(file.text or "", encoding="utf-8")
        return part.replace(place)

    def _pour(self, place: Path, stream: IO[bytes], size: int) -> Path:
        room(place, size)
        part, done = place.with_name(place.name + ".new"), 0
        with _named(part), part.open("wb") as out:
            while chunk := stream.read(_CHUNK):
                out.write(chunk)
                done += len(chunk)
                self._told(place.name, done, size)
        return part

    def _settle(self, weight: Weight, file: File, part: Path, source: str) -> Path:
        place = weight.place(self._paths, file)
        try:
            own = sums(part)
            if reason := flaw(part, file) or contradicted(own, file):
                raise wrong(place.name, reason, weight)
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)
        self._record.keep(weight, file, place, own["sha256"], source)
        return place


def wrong(name: str, reason: str, weight: Weight) -> BadMedia:
    """The error for a file that is not what it should be."""
    return BadMedia("{file} is not what it should be: {reason}.", code="weights.wrong_file",
                    hint="Get it from {page}", file=name, reason=reason, page=weight.page)


def room(place: Path, size: int) -> None:
    """Make the folder of ``place``; raises `DiskFull` when ``size`` bytes do not fit there."""
    with _named(place):
        place.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(place.parent).free
    if free < size + _SPARE:
        raise DiskFull("{file} needs {need} MB of disk; {free} MB are free.", code="weights.no_room",
                       hint="Free some space, then try again.", file=place.name, need=size >> 20, free=free >> 20)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        exc.filename = exc.filename or str(path)
        raise from_os_error(exc) from exc
