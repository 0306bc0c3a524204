"""Writing the field into a finished file and reading it back, each format in its own way."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

import av

from visage.errors import BadMedia, NotFound, OutputInvalid
from visage.media.container import open_media, writing_failed
from visage.media.labels import boxes, chunks, pictures
from visage.media.labels.label import FIELD, Label, parsed

LABELLED = ("mp4", "matroska", "ogg", "wav", "mp3", "aac", "flac", "picture")
"""Kinds of files that can say that a machine made them; bare samples (``pcm``) cannot."""
_BOXES = (b"ftyp", b"moov", b"wide", b"styp")
_STARTS = {b"\x1aE\xdf\xa3": "matroska", b"OggS": "ogg", b"fLaC": "flac", b"\x89PNG": "picture",
           b"\xff\xd8\xff": "picture"}
_WRITERS = {"mp4": boxes.write, "wav": chunks.write_wav, "mp3": chunks.write_id3, "aac": chunks.write_id3,
            "flac": chunks.write_flac, "picture": pictures.write_picture}


def kind_of(path: Path) -> str:
    """One of `LABELLED`, by the file's first bytes; "" for anything else.  Raises `NotFound`."""
    if not path.is_file():
        raise NotFound("There is no file {name}.", code="media.missing", hint="Upload it again.", name=path.name)
    with path.open("rb") as file:
        head = file.read(16)
        if head[:3] == b"ID3":
            size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
            file.seek(10 + size)
            return _frames_of(file.read(2)) or "mp3"
    if head[4:8] in _BOXES:
        return "mp4"
    if head[:4] == b"RIFF":
        return {b"WAVE": "wav", b"WEBP": "picture"}.get(head[8:12], "")
    known = next((kind for start, kind in _STARTS.items() if head.startswith(start)), "")
    return known or _frames_of(head)


def _frames_of(head: bytes) -> str:
    """What begins with a frame of sound: AAC (ADTS) says layer 0, MP3 never does."""
    if len(head) < 2 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return ""
    return "aac" if head[1] & 0xF6 == 0xF0 else "mp3"


def write_label(path: Path, label: Label) -> Path:
    """Put the label into a finished file, whole or not at all, and read it back; returns the path.

    Pictures and sound stay as they are.  Raises `OutputInvalid` for a format without room for it, or when it was not
    found again; `DiskFull`.
    """
    kind, text = kind_of(path), label.dumps()
    if not kind:
        raise OutputInvalid("{name} is in a format that cannot carry a label.", code="label.unsupported",
                            hint="Use MP4, MKV, WebM, WAV, MP3, FLAC, Ogg, PNG, JPEG or WebP.", name=path.name)
    temporary = path.with_name(f".{path.stem}-{uuid.uuid4().hex}.part")
    try:
        if kind in ("matroska", "ogg") or (kind == "mp4" and boxes.points_absolutely(path)):
            _copied(path, temporary, kind, text)
        else:
            _WRITERS[kind](path, temporary, text)
        if read_label(temporary) != label:
            raise OutputInvalid("The label of {name} was not found again after writing.", code="label.lost",
                                hint="Try again; without its label the file is not given out.", name=path.name)
        temporary.replace(path)
    except OSError as exc:
        raise writing_failed(path, exc) from exc
    finally:
        temporary.unlink(missing_ok=True)
    return path


def read_label(path: Path) -> Label | None:
    """The label of a file; None when it has none, or is in a format that carries none.  Raises `NotFound`."""
    kind = kind_of(path)
    if kind == "wav":
        return parsed(chunks.read_wav(path))
    if kind == "picture":
        return parsed(pictures.read_picture(path))
    if not kind:
        return None
    try:
        with open_media(path) as container:
            told = [container.metadata, *(stream.metadata for stream in container.streams)]
    except BadMedia:
        return None
    values = [value for fields in told for name, value in fields.items() if name.upper() == FIELD]
    return next((label for label in map(parsed, values) if label), None)


def _copied(source: Path, out: Path, kind: str, text: str) -> None:
    """The same streams in a new container of the same kind, with the field."""
    with open_media(source, BadMedia) as container:
        form = "webm" if kind == "matroska" and source.suffix.lower() == ".webm" else kind
        options = {"movflags": "+use_metadata_tags+faststart"} if kind == "mp4" else {}
        with av.open(str(out), "w", format=form, options=options) as target:
            chosen = [stream for stream in container.streams if stream.type in ("video", "audio", "subtitle")]
            copies = {stream.index: target.add_stream_from_template(stream) for stream in chosen}
            target.metadata.update({**container.metadata, FIELD: text})
            if kind == "ogg":
                for stream in chosen:
                    copies[stream.index].metadata.update({**stream.metadata, FIELD: text})
            for packet in _timed(container.demux(chosen)):
                packet.stream = copies[packet.stream.index]
                target.mux(packet)


def _timed(packets: Iterable[av.Packet]) -> Iterator[av.Packet]:
    """Packets that all know when they are decoded: Matroska does not tell it of the first ones before B-frames."""
    waiting: dict[int, list[av.Packet]] = {}
    known: set[int] = set()
    for packet in packets:
        if not packet.size:
            continue
        index = packet.stream.index
        waiting.setdefault(index, []).append(packet)
        if packet.dts is None and index not in known:
            continue
        known.add(index)
        held = waiting.pop(index)
        for number, one in enumerate(held[:-1]):
            one.dts = packet.dts - (len(held) - 1 - number)
        yield from held
    for held in waiting.values():
        for packet in held:
            packet.dts = packet.pts
        yield from held
