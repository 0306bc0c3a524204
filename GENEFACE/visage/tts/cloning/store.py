"""Cloned voices on disk: a folder each, with the print, the consent and, if so wished, the recording."""

from __future__ import annotations

import json
import re
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from visage.errors import NotFound, VisageError, from_os_error
from visage.tts.cloning.consent import Consent
from visage.tts.cloning.voiceprint import VoicePrint, loads

_ID = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, eq=False)
class ClonedVoice:
    """A voice that somebody lent."""

    id: str
    """12 hexadecimal digits."""
    name: str
    """What people read."""
    language: str
    """``zh`` or ``en``: what is spoken in the recording."""
    created: str
    """ISO 8601, UTC."""
    print: VoicePrint
    """How it sounds."""
    consent: Consent
    """Who agreed."""
    recording: Path | None
    """The recording, where it was asked to be kept."""


class ClonedVoices:
    """All cloned voices below one folder; safe to use from many processes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._read: dict[str, tuple[int, ClonedVoice]] = {}

    def list(self) -> list[ClonedVoice]:
        """Every voice that can be read, oldest first."""
        found = []
        for folder in self.root.glob("*"):
            if _ID.fullmatch(folder.name):
                try:
                    found.append(self.get(folder.name))
                except VisageError:  # deleted meanwhile, or broken: then asking for it by name tells why
                    continue
        return sorted(found, key=lambda voice: (voice.created, voice.id))

    def get(self, voice_id: str) -> ClonedVoice:
        """The voice of that id.  Raises `NotFound`, or `OutputInvalid` when its files are broken."""
        file = self.root / voice_id / "print.json"
        if not _ID.fullmatch(voice_id) or not file.is_file():
            raise NotFound("There is no cloned voice {id}.", code="voice.missing",
                           hint="GET /api/voices/cloned lists them.", id=voice_id)
        changed = file.stat().st_mtime_ns + file.with_name("consent.json").stat().st_mtime_ns
        known = self._read.get(voice_id)
        if known is None or known[0] != changed:
            known = (changed, self._load(voice_id))
            self._read[voice_id] = known
        return known[1]

    def add(self, name: str, language: str, made: VoicePrint, consent: Consent,
            recording: Path | None = None) -> ClonedVoice:
        """Keep a voice, whole or not at all; a ``recording`` is copied beside it.  Raises `DiskFull`."""
        voice_id = uuid.uuid4().hex[:12]
        draft = self.root / f".{voice_id}"
        facts = {"name": name, "language": language, "created": datetime.now(timezone.utc).isoformat()}
        try:
            draft.mkdir(parents=True)
            (draft / "print.json").write_text(made.dumps(), encoding="utf-8")
            _write(draft / "consent.json", asdict(consent))
            _write(draft / "voice.json", facts)
            if recording:
                shutil.copyfile(recording, draft / f"recording{recording.suffix}")
            draft.replace(self.root / voice_id)
        except OSError as exc:
            raise from_os_error(exc) from exc
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return self.get(voice_id)

    def amend(self, voice_id: str, consent: Consent) -> ClonedVoice:
        """Keep another consent beside a voice.  Raises `NotFound`, `DiskFull`."""
        self.get(voice_id)
        file = self.root / voice_id / "consent.json"
        draft = file.with_name(f".{uuid.uuid4().hex}.json")
        try:
            _write(draft, asdict(consent))
            draft.replace(file)
        except OSError as exc:
            raise from_os_error(exc) from exc
        finally:
            draft.unlink(missing_ok=True)
        return self.get(voice_id)

    def delete(self, voice_id: str) -> None:
        """Remove the voice, its consent and its recording.  Raises `NotFound`."""
        folder = self.root / voice_id
        if not _ID.fullmatch(voice_id) or not folder.is_dir():
            self.get(voice_id)
        self._read.pop(voice_id, None)
        shutil.rmtree(folder)

    def _load(self, voice_id: str) -> ClonedVoice:
        folder = self.root / voice_id
        made = loads((folder / "print.json").read_text(encoding="utf-8"))
        facts = json.loads((folder / "voice.json").read_text(encoding="utf-8"))
        consent = Consent(**json.loads((folder / "consent.json").read_text(encoding="utf-8")))
        recording = next(folder.glob("recording.*"), None)
        return ClonedVoice(voice_id, facts["name"], facts["language"], facts["created"], made, consent, recording)


def _write(file: Path, facts: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
