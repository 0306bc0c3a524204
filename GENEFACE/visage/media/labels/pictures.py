"""PNG, JPEG and WebP: the field in an XMP packet (``TC260:AIGC``); pixels stay as they lie."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path

from visage.errors import OutputInvalid
from visage.media.labels.label import FIELD

SPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
"""XML namespace of the field (TC260-PG-20258A)."""
_JPEG_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
_PNG_HEAD = b"XML:com.adobe.xmp\0\0\0\0\0"
_PNG = b"\x89PNG\r\n\x1a\n"
_LARGEST_SEGMENT = 65_533
_ELEMENT = re.compile(rf"<TC260:{FIELD}>(.*?)</TC260:{FIELD}>", re.DOTALL)
_ATTRIBUTE = re.compile(rf"""TC260:{FIELD}=(?:"([^"]*)"|'([^']*)')""")


def write_picture(source: Path, out: Path, text: str) -> None:
    """A copy of a PNG, JPEG or WebP file whose XMP packet has the field; what else that packet says stays."""
    data = source.read_bytes()
    packet = _packet(_found(data), text)
    if data.startswith(_PNG):
        made = _png(data, packet)
    elif data.startswith(b"\xff\xd8"):
        made = _jpeg(data, packet, source.name)
    else:
        made = _webp(source, data, packet)
    out.write_bytes(made)


def read_picture(source: Path) -> str:
    """What the field says; "" without one."""
    told = _found(source.read_bytes()).decode("utf-8", "replace")
    element, attribute = _ELEMENT.search(told), _ATTRIBUTE.search(told)
    return unescape(element[1] if element else attribute[1] or attribute[2] if attribute else "").strip()


def _found(data: bytes) -> bytes:
    """The XMP packet of a picture; b"" without one."""
    if data.startswith(_PNG):
        return next((body[len(_PNG_HEAD):] for name, body in _png_chunks(data)
                     if name == b"iTXt" and body.startswith(_PNG_HEAD)), b"")
    if data.startswith(b"\xff\xd8"):
        return next((body[len(_JPEG_HEAD):] for mark, body, _ in _segments(data)
                     if mark == 0xE1 and body.startswith(_JPEG_HEAD)), b"")
    return next((body for name, body in _webp_chunks(data) if name == b"XMP "), b"")


def _packet(old: bytes, text: str) -> bytes:
    told = _ATTRIBUTE.sub("", _ELEMENT.sub("", old.decode("utf-8", "replace")))
    ours = (f'<rdf:Description rdf:about="" xmlns:TC260="{SPACE}"><TC260:{FIELD}>{escape(text)}</TC260:{FIELD}>'
            "</rdf:Description></rdf:RDF>")
    if "</rdf:RDF>" in told:
        return told.replace("</rdf:RDF>", ours, 1).encode()
    return ('<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
            f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">{ours}</x:xmpmeta>'
            '<?xpacket end="w"?>').encode()


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at + 12 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        yield name, data[at + 8:at + 8 + size]
        at += 12 + size


def _png(data: bytes, packet: bytes) -> bytes:
    chunks = [(name, body) for name, body in _png_chunks(data)
              if not (name == b"iTXt" and body.startswith(_PNG_HEAD))]
    chunks.insert(1, (b"iTXt", _PNG_HEAD + packet))
    return _PNG + b"".join(struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
                           for name, body in chunks)


def _segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Mark, content and end of each segment of a JPEG before its pixels."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xDA, 0xD9):
        if data[at + 1] == 0xFF:  # filling
            at += 1
            continue
        size = int.from_bytes(data[at + 2:at + 4], "big")
        yield data[at + 1], data[at + 4:at + 2 + size], at + 2 + size
        at += 2 + size


def _jpeg(data: bytes, packet: bytes, name: str) -> bytes:
    if len(_JPEG_HEAD) + len(packet) > _LARGEST_SEGMENT:
        raise OutputInvalid("{name} has no room for a label.", code="label.no_room", name=name,
                            hint="Save the picture as PNG.")
    head, end = b"", 2
    for mark, body, after in _segments(data):
        if not (mark == 0xE1 and body.startswith(_JPEG_HEAD)):
            head += bytes([0xFF, mark]) + struct.pack(">H", len(body) + 2) + body
        end = after
    content = _JPEG_HEAD + packet
    ours = b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content
    # JFIF wants its own segment to be the first
    first = 2 + int.from_bytes(head[2:4], "big") if head[:2] == b"\xff\xe0" else 0
    return data[:2] + head[:first] + ours + head[first:] + data[end:]


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        yield name, data[at + 8:at + 8 + size]
        at += 8 + size + size % 2


def _webp(source: Path, data: bytes, packet: bytes) -> bytes:
    from PIL import Image

    chunks = [(name, body) for name, body in _webp_chunks(data) if name != b"XMP "]
    if chunks[0][0] == b"VP8X":
        extended = bytes([chunks[0][1][0] | 0x04]) + chunks[0][1][1:]
        chunks = chunks[1:]
    else:
        with Image.open(source) as image:
            width, height, alpha = image.width, image.height, image.mode == "RGBA"
        extended = (bytes([0x04 | 0x10 * alpha, 0, 0, 0]) + (width - 1).to_bytes(3, "little")
                    + (height - 1).to_bytes(3, "little"))
    chunks = [(b"VP8X", extended), *chunks, (b"XMP ", packet)]
    body = b"WEBP" + b"".join(name + struct.pack("<I", len(part)) + part + b"\0" * (len(part) % 2)
                              for name, part in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body
