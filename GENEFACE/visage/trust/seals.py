"""Seals: what binds a label to the content it was given to, so that neither can be exchanged unseen.

``ReservedCode1`` of a label is ``sha256=<digest of the content>;key=<which key>;hmac=<seal>``.  The digest
(`visage.media.labels.content_digest`) anybody can check; the seal only whoever has the key of the installation.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from dataclasses import replace
from pathlib import Path

from visage.errors import from_os_error
from visage.media.labels import Label

_FORM = re.compile(r"sha256=([0-9a-f]{64});key=([0-9a-f]{16});hmac=([0-9a-f]{64})")


class Seals:
    """The key of an installation, and what is sealed with it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def seal(self, label: Label, digest: str) -> Label:
        """The label, bound to content of that digest."""
        key = self._key()
        return replace(label, seal=f"sha256={digest};key={_name(key)};hmac={_hmac(label, digest, key)}")

    def holds(self, label: Label) -> bool | None:
        """Whether the seal of this installation on a label fits it; None: it has no seal, or another one's."""
        found = _FORM.fullmatch(label.seal)
        if not found or not self._file.is_file():
            return None
        key = self._key()
        return hmac.compare_digest(found[3], _hmac(label, found[1], key)) if found[2] == _name(key) else None

    def _key(self) -> bytes:
        try:
            if not self._file.is_file():
                self._file.parent.mkdir(parents=True, exist_ok=True)
                draft = self._file.with_name(f".{self._file.name}-{secrets.token_hex(6)}")
                with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                    out.write(secrets.token_bytes(32))
                try:  # the first of several processes wins
                    os.link(draft, self._file)
                except FileExistsError:
                    pass
                finally:
                    draft.unlink()
            return self._file.read_bytes()
        except OSError as exc:
            raise from_os_error(exc) from exc


def bound_digest(label: Label) -> str:
    """The digest of the content that a label was given to; "" when it names none."""
    found = re.search(r"sha256=([0-9a-f]{64})", label.seal)
    return found[1] if found else ""


def _name(key: bytes) -> str:
    return hashlib.sha256(b"label key" + key).hexdigest()[:16]


def _hmac(label: Label, digest: str, key: bytes) -> str:
    told = "\n".join([label.kind, label.producer, label.made_as, label.sources, digest])
    return hmac.new(key, told.encode(), hashlib.sha256).hexdigest()
