"""Sound files: a RIFF chunk of its own in WAV, an ID3v2 frame before MP3 and AAC, a comment in FLAC."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from visage.errors import OutputInvalid
from visage.media.labels.label import FIELD

_LARGEST_WAV = (1 << 32) - 1
_LARGEST_TAG = 1 << 20
"""Bytes of an ID3 tag that is kept; a larger one holds pictures, and is still kept, but not looked into."""


def write_wav(source: Path, out: Path, text: str) -> None:
    """A copy of a WAV file with the chunk ``AIGC`` at its end, in place of one that was there.

    FFmpeg drops the chunk of a file that it reads: after any of its conversions the label must be written again.
    """
    with source.open("rb") as file, out.open("wb") as target:
        target.write(file.read(12))
        for name, size in _riff(file):
            padded = size + size % 2
            if name == FIELD.encode():
                file.seek(padded, 1)
                continue
            target.write(struct.pack("<4sI", name, size))
            _copy(file, target, size)
            if size % 2:
                target.write(file.read(1) or b"\0")
        body = text.encode()
        target.write(struct.pack("<4sI", FIELD.encode(), len(body)) + body + b"\0" * (len(body) % 2))
        if target.tell() - 8 > _LARGEST_WAV:
            raise OutputInvalid("{name} has no room for a label.", code="label.no_room", name=source.name,
                                hint="Use FLAC for so long a sound.")
        target.seek(4)
        target.write(struct.pack("<I", out_size(target) - 8))


def out_size(file: IO[bytes]) -> int:
    """Bytes of an open file; its position stays."""
    at = file.tell()
    file.seek(0, 2)
    size = file.tell()
    file.seek(at)
    return size


def read_wav(source: Path) -> str:
    """What the chunk says; "" without one."""
    with source.open("rb") as file:
        file.read(12)
        for name, size in _riff(file):
            if name == FIELD.encode() and size < _LARGEST_TAG:
                return file.read(size).decode("utf-8", "replace")
            file.seek(size + size % 2, 1)
    return ""


def _riff(file: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Name and size of each chunk; whoever asks moves the file past it.  A size that was never filled in ends it."""
    whole = out_size(file)
    while len(head := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        yield name, min(size, whole - file.tell())


def write_id3(source: Path, out: Path, text: str) -> None:
    """A copy of an MP3 or AAC file that begins with an ID3v2.4 tag with the field; other frames of it stay."""
    with source.open("rb") as file, out.open("wb") as target:
        frames = b"".join(_frame(name, body) for name, body in _frames(file)
                          if not (name == b"TXXX" and _field_of(body)))
        frames += _frame(b"TXXX", b"\x03" + FIELD.encode() + b"\0" + text.encode())
        target.write(b"ID3\x04\0\0" + _seven(len(frames)) + frames)
        shutil.copyfileobj(file, target, 1 << 20)


def _frames(file: IO[bytes]) -> list[tuple[bytes, bytes]]:
    """The frames of the tag at the start, the file moved behind it.

    Tags that use what almost none does (unsynchronisation, an extended header, version 2.2) are left out.
    """
    head = file.read(10)
    if head[:3] != b"ID3":
        file.seek(0)
        return []
    size = _number(head[6:10])
    body = file.read(size)
    if head[5] & 0x10:
        file.read(10)
    if head[3] not in (3, 4) or head[5] & 0xC0:
        return []
    found, at = [], 0
    while at + 10 <= len(body) and body[at:at + 1] != b"\0":
        raw = body[at + 4:at + 8]
        length = _number(raw) if head[3] == 4 else int.from_bytes(raw, "big")
        if body[at + 8:at + 10] == b"\0\0":
            found.append((body[at:at + 4], body[at + 10:at + 10 + length]))
        at += 10 + length
    return found


def _field_of(body: bytes) -> bool:
    return body[1:].startswith(FIELD.encode() + b"\0") and body[:1] in (b"\0", b"\x03")


def _frame(name: bytes, body: bytes) -> bytes:
    return name + _seven(len(body)) + b"\0\0" + body


def _seven(number: int) -> bytes:
    """Four bytes of seven bits each."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _number(four: bytes) -> int:
    value = 0
    for byte in four:
        value = value << 7 | byte & 0x7F
    return value


def write_flac(source: Path, out: Path, text: str) -> None:
    """A copy of a FLAC file whose comments have the field."""
    with source.open("rb") as file, out.open("wb") as target:
        target.write(file.read(4))
        blocks, last, comments = [], False, (b"", list[bytes]())
        while not last and len(head := file.read(4)) == 4:
            last, kind = bool(head[0] & 0x80), head[0] & 0x7F
            body = file.read(int.from_bytes(head[1:], "big"))
            if kind == 4:
                comments = _comments(body)
            elif kind != 1:  # padding is there to be used up
                blocks.append((kind, body))
        kept = [one for one in comments[1] if not one.upper().startswith(FIELD.encode() + b"=")]
        kept.append(f"{FIELD}={text}".encode())
        packed = b"".join(struct.pack("<I", len(one)) + one for one in kept)
        body = struct.pack("<I", len(comments[0])) + comments[0] + struct.pack("<I", len(kept)) + packed
        blocks.append((4, body))
        for number, (kind, body) in enumerate(blocks, 1):
            target.write(bytes([kind | 0x80 * (number == len(blocks))]) + len(body).to_bytes(3, "big") + body)
        shutil.copyfileobj(file, target, 1 << 20)


def _comments(body: bytes) -> tuple[bytes, list[bytes]]:
    """Vendor and entries of a block of comments."""
    def take(at: int) -> tuple[bytes, int]:
        size = int.from_bytes(body[at:at + 4], "little")
        return body[at + 4:at + 4 + size], at + 4 + size

    vendor, at = take(0)
    count, found = int.from_bytes(body[at:at + 4], "little"), []
    at += 4
    for _ in range(min(count, 10_000)):
        one, at = take(at)
        found.append(one)
    return vendor, found


def _copy(source: IO[bytes], target: IO[bytes], count: int) -> None:
    while count > 0 and (part := source.read(min(count, 1 << 20))):
        target.write(part)
        count -= len(part)
