"""Files that came from outside, each in a folder of its own below ``uploads``."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from visage.errors import InvalidRequest, NotFound, from_os_error
from visage.storage.paths import safe_name

_CHUNK = 1 << 20
_ROOM = 200 << 20
"""Bytes of disk that an upload must leave free."""


class TooLarge(InvalidRequest):
    """More bytes than allowed."""

    code = "upload.too_large"


@dataclass(frozen=True, slots=True)
class Upload:
    """One stored file."""

    id: str
    """32 hexadecimal digits."""
    kind: str
    """``video``, ``audio``, ``image`` or ``package``."""
    name: str
    """The sender's name of it, made safe; also its name on disk."""
    size: int
    """Bytes."""
    owner: str
    """The browser that sent it."""
    probe: Mapping[str, Any] = field(default_factory=dict)
    """What was found in it."""


class Uploads:
    """All uploads below one folder."""

    def __init__(self, root: Path, limit: int):
        self.root = root
        self.limit = limit

    def folder(self, upload_id: str) -> Path:
        """Folder of an upload.  Raises `NotFound` for what is no id."""
        if not re.fullmatch(r"[0-9a-f]{32}", upload_id):
            raise NotFound("There is no upload {id}.", code="upload.missing", hint="Upload the file again.",
                           id=upload_id)
        return self.root / upload_id

    def file(self, upload: Upload) -> Path:
        """The stored bytes."""
        return self.folder(upload.id) / upload.name

    def receive(self, stream: IO[bytes], kind: str, name: str, owner: str, expected: int | None = None) -> Upload:
        """Store a stream as it comes, in constant memory.

        Raises `TooLarge`, `InvalidRequest` (nothing came, or less than ``expected``) and
        `DiskFull`; then nothing stays on disk.
        """
        if expected is not None and expected > self.limit:
            raise self._too_large()
        upload_id, safe = uuid.uuid4().hex, safe_name(name, fallback=kind)
        folder = self.root / upload_id
        folder.mkdir(parents=True)
        try:
            size = self._write(stream, folder / safe)
            if size == 0:
                raise InvalidRequest("The file is empty.", code="upload.empty",
                                     hint="Choose a file with something in it.")
            if expected is not None and size != expected:
                raise InvalidRequest("The upload broke off.", code="upload.broken_off", hint="Send the file again.")
        except OSError as exc:
            shutil.rmtree(folder, ignore_errors=True)
            raise from_os_error(exc) from exc
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Upload(upload_id, kind, safe, size, owner)

    def keep(self, upload: Upload) -> Upload:
        """Write the upload's record, which makes it findable."""
        record = self.folder(upload.id) / "upload.json"
        try:
            record.write_text(json.dumps(asdict(upload), ensure_ascii=False), encoding="utf-8")
        except OSError as exc:
            self.delete(upload.id)
            raise from_os_error(exc) from exc
        return upload

    def get(self, upload_id: str) -> Upload:
        """The upload of that id.  Raises `NotFound`."""
        record = self.folder(upload_id) / "upload.json"
        if not record.is_file():
            raise NotFound("There is no upload {id}.", code="upload.missing", hint="Upload the file again.",
                           id=upload_id)
        return Upload(**json.loads(record.read_text(encoding="utf-8")))

    def delete(self, upload_id: str) -> None:
        """Remove it and everything beside it."""
        shutil.rmtree(self.folder(upload_id), ignore_errors=True)

    def sweep(self, older_than: float = 86_400.0) -> int:
        """Remove what was never completed (its sender went away), ``older_than`` seconds old; returns how many."""
        stale = [folder for folder in self.root.glob("*") if not (folder / "upload.json").exists()
                 and time.time() - folder.stat().st_mtime > older_than]
        for folder in stale:
            shutil.rmtree(folder, ignore_errors=True)
        return len(stale)

    def _write(self, stream: IO[bytes], file: Path) -> int:
        size = 0
        with file.open("wb") as out:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                if size > self.limit:
                    raise self._too_large()
                if shutil.disk_usage(file.parent).free < _ROOM:
                    raise OSError(28, os.strerror(28), str(file))
                out.write(chunk)
        return size

    def _too_large(self) -> TooLarge:
        return TooLarge("The file is larger than {limit} MB.", hint="Send a shorter or smaller one, or raise "
                        "VISAGE_UPLOAD_LIMIT_MB.", limit=self.limit >> 20)
