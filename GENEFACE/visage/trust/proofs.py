"""Files that prove a consent: a signed paper, a photo of it, somebody who says it."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from visage.errors import BadMedia, InvalidRequest, from_os_error
from visage.media.probe import probe

LARGEST = 50 << 20
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A file that proves a consent."""

    name: str
    """``proof`` and an ending that fits its content."""
    kind: str
    """``document``, ``image``, ``audio`` or ``video``."""
    sha256: str
    """Its checksum."""
    size: int
    """Bytes."""


def receive_proof(stream: IO[bytes], folder: Path) -> Proof:
    """Keep a proof in ``folder``, judged by its content; it takes the place of an earlier one.

    Raises `InvalidRequest` for one that is empty or too large, `BadMedia` for what proves nothing, `DiskFull`.
    """
    draft = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}")
    try:
        draft.mkdir(parents=True)
        file = draft / "proof"
        size, sha256 = _write(stream, file)
        kind, ending = _judged(file)
        file.rename(draft / f"proof{ending}")
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    except OSError as exc:
        raise from_os_error(exc) from exc
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Proof(f"proof{ending}", kind, sha256, size)


def _write(stream: IO[bytes], file: Path) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    with file.open("wb") as out:
        while chunk := stream.read(1 << 20):
            size += len(chunk)
            if size > LARGEST:
                raise InvalidRequest("A proof may have {limit} MB.", code="consent.proof_large", limit=LARGEST >> 20,
                                     hint="Send a smaller file.")
            digest.update(chunk)
            out.write(chunk)
    if not size:
        raise InvalidRequest("The file is empty.", code="upload.empty", hint="Choose a file with something in it.")
    return size, digest.hexdigest()


def _judged(file: Path) -> tuple[str, str]:
    """Kind and ending of a proof, by its content."""
    with file.open("rb") as opened:
        head = opened.read(1024)
    if b"%PDF-" in head:
        return "document", ".pdf"
    try:
        info = probe(file)
    except BadMedia as exc:
        raise BadMedia("This file proves nothing: it is no document, picture or recording.", code="consent.proof_kind",
                       hint="Send a PDF, a photo, or a recording of the spoken consent.") from exc
    endings = {"image": f".{info.format.replace('jpeg', 'jpg')}", "audio": ".audio", "video": ".video"}
    return info.kind, endings[info.kind]
