"""Nobody's voice is measured before somebody has agreed to it; what was agreed to is kept beside the voice."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from visage.errors import InvalidRequest
from visage.trust.refusals import ended
from visage.trust.sentences import SENTENCES as ALL
from visage.trust.sentences import language_of

SENTENCES = ALL["voice"]
"""What must be agreed to, by language."""


@dataclass(frozen=True, slots=True)
class Consent:
    """Who agreed to what, when, for which recording."""

    text: str
    """The sentence that was shown and agreed to."""
    language: str
    """Its language."""
    given_by: str
    """The browser, or the program, that agreed."""
    given_at: str
    """ISO 8601, UTC."""
    recording_sha256: str
    """Checksum of the recording that it covers."""
    record: str = ""
    """Id of the consent in the store of all consents; empty: the voice is older than that."""
    expires: str = ""
    """When it ends, ISO 8601; empty: never."""
    revoked: bool = False
    """Whether it was withdrawn: then the voice speaks no more."""

    @property
    def valid(self) -> bool:
        """Whether the voice may speak."""
        over = bool(self.expires) and datetime.fromisoformat(self.expires) <= datetime.now(timezone.utc)
        return not (self.revoked or over)

    def require(self, person: str) -> None:
        """Raises `Refused` when it was withdrawn or has ended."""
        if not self.valid:
            raise ended(self.record, person, "revoked" if self.revoked else "expired")


def consent_to(sentence: str, agreed: bool, given_by: str, recording: Path) -> Consent:
    """The record of a consent.  Raises `InvalidRequest` unless exactly one of `SENTENCES` was agreed to."""
    language = language_of(sentence, "voice")
    if not agreed or not language:
        raise InvalidRequest("A voice is cloned only with the consent of its owner.", code="voice.no_consent",
                             hint="Agree to the sentence that the page shows (GET /api/voices/cloned has it).")
    return Consent(sentence.strip(), language, given_by, datetime.now(timezone.utc).isoformat(timespec="seconds"),
                   checksum(recording))


def checksum(recording: Path) -> str:
    """SHA-256 of a recording, hexadecimal."""
    with recording.open("rb") as file:
        digest = hashlib.sha256()
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
