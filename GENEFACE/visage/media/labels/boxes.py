"""MP4, MOV and M4A: the field in ``moov.udta.meta`` (ISO/IEC 14496-12, QuickTime ``mdta`` keys).

Only the index of the file is made anew; pictures and sound stay as they lie, byte for byte.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from visage.errors import OutputInvalid
from visage.media.labels.label import FIELD

_TOOL = b"\xa9too"
"""Name of the program that wrote a file, in the older kind of list."""
_INNER = (b"trak", b"mdia", b"minf", b"stbl")


def with_field(moov: bytes, text: str, shift: bool) -> bytes:
    """A ``moov`` box that says ``text``; ``shift``: what it points to lies behind it and moves by its growth."""
    parts = dict[str, bytes]()
    rest, udta = b"", b""
    for name, body in _boxes(moov[8:]):
        if name == b"udta":
            udta = body
        else:
            rest += _box(name, body)
    others = b""
    for name, body in _boxes(udta):
        if name != b"meta":
            others += _box(name, body)
        elif b"mdta" in body[:40]:
            parts |= _keys(body)
        elif [name for name, _ in _boxes(_child(body[4:], b"ilst"))] not in ([], [_TOOL]):
            others += _box(b"meta", body)
    parts[FIELD] = struct.pack(">II", 1, 0) + text.encode()
    made = _box(b"moov", rest + _box(b"udta", others + _meta(parts)))
    growth = len(made) - len(moov)
    return _box(b"moov", b"".join(_moved(*one, growth) for one in _boxes(made[8:]))) if shift and growth else made


def label_header(header: bytes, text: str) -> bytes:
    """The beginning of a fragmented MP4 (``ftyp`` and ``moov``) with the field; its fragments need no change."""
    return b"".join(with_field(_box(name, body), text, False) if name == b"moov" else _box(name, body)
                    for name, body in _boxes(header))


def write(source: Path, out: Path, text: str) -> None:
    """A copy of a whole file that says ``text``.  Raises `OutputInvalid` for one that has no index."""
    with source.open("rb") as file:
        places = list(_places(file))
        found = {name: (start, size) for name, start, size in reversed(places)}
        if b"moov" not in found:
            raise OutputInvalid("{name} has no index, so no label can be put into it.", code="label.no_index",
                                hint="Make the file again.", name=source.name)
        start, size = found[b"moov"]
        file.seek(start)
        moov = _plain(file.read(size))
        behind = any(name in (b"mdat", b"moof") and at > start for name, at, _ in places)
        with out.open("wb") as target:
            file.seek(0)
            _copy(file, target, start)
            target.write(with_field(moov, text, behind))
            file.seek(start + size)
            shutil.copyfileobj(file, target, 1 << 20)


def points_absolutely(source: Path) -> bool:
    """Whether something other than ``moov`` knows places in the file, so that nothing before them may grow."""
    with source.open("rb") as file:
        return any(name in (b"mfra", b"sidx", b"ssix") for name, _, _ in _places(file))


def _places(file: IO[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and size of every outermost box."""
    file.seek(0, 2)
    end, at = file.tell(), 0
    while at + 8 <= end:
        file.seek(at)
        size, name = struct.unpack(">I4s", file.read(8))
        if size == 1:
            size = int.from_bytes(file.read(8), "big")
        size = end - at if size == 0 else size
        if size < 8 or at + size > end:
            return
        yield name, at, size
        at += size


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents of the boxes that follow each other; what is damaged ends it."""
    at = 0
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        head = 16 if size == 1 else 8
        size = int.from_bytes(data[at + 8:at + 16], "big") if size == 1 else size or len(data) - at
        if size < head or at + size > len(data):
            return
        yield name, data[at + head:at + size]
        at += size


def _plain(box: bytes) -> bytes:
    """A box with a head of eight bytes."""
    return next(_box(name, body) for name, body in _boxes(box))


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, name) + body


def _child(body: bytes, wanted: bytes) -> bytes:
    return next((inside for name, inside in _boxes(body) if name == wanted), b"")


def _keys(meta: bytes) -> dict[str, bytes]:
    """Keys of an ``mdta`` list and what stands behind each: type, place and bytes."""
    body = meta[4:] if meta[4:8] != b"hdlr" else meta
    names, at, table = [], 8, _child(body, b"keys")
    while at + 8 <= len(table):
        size = int.from_bytes(table[at:at + 4], "big")
        if size < 8:
            break
        names.append(table[at + 8:at + size].decode("utf-8", "replace"))
        at += size
    found = {}
    for index, item in _boxes(_child(body, b"ilst")):
        number = int.from_bytes(index, "big")
        if 1 <= number <= len(names):
            found[names[number - 1]] = _child(item, b"data")
    return found


def _meta(parts: dict[str, bytes]) -> bytes:
    handler = _box(b"hdlr", bytes(8) + b"mdta" + bytes(13))
    keys = b"".join(struct.pack(">I4s", len(name.encode()) + 8, b"mdta") + name.encode() for name in parts)
    values = b"".join(_box(struct.pack(">I", number), _box(b"data", value))
                      for number, value in enumerate(parts.values(), 1))
    return _box(b"meta", bytes(4) + handler + _box(b"keys", struct.pack(">II", 0, len(parts)) + keys)
                + _box(b"ilst", values))


def _moved(name: bytes, body: bytes, by: int) -> bytes:
    """A box of ``moov`` whose tables point ``by`` bytes further."""
    if name in _INNER:
        return _box(name, b"".join(_moved(*one, by) for one in _boxes(body)))
    if name in (b"stco", b"co64"):
        form = ">I" if name == b"stco" else ">Q"
        width = struct.calcsize(form)
        try:
            moved = [struct.pack(form, at + by) for (at,) in struct.iter_unpack(form, body[8:8 + (len(body) - 8)
                                                                                           // width * width])]
        except struct.error as exc:
            raise OutputInvalid("The file is too large for its own index, so no label can be put into it.",
                                code="label.too_large", hint="Make a shorter clip.") from exc
        return _box(name, body[:8] + b"".join(moved))
    return _box(name, body)


def _copy(source: IO[bytes], target: IO[bytes], count: int) -> None:
    while count > 0 and (part := source.read(min(count, 1 << 20))):
        target.write(part)
        count -= len(part)
