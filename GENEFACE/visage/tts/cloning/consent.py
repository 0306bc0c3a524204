"""Nobody's voice is measured before somebody has agreed to it; what was agreed to is kept beside the voice."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from visage.errors import InvalidRequest

SENTENCES = {
    "en": "This is my own voice, or its owner has agreed that I use it. It may be imitated on this machine.",
    "zh": "这是我本人的声音，或者声音的主人已同意我使用。允许在这台机器上模仿这个声音。",
}
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


def consent_to(sentence: str, agreed: bool, given_by: str, recording: Path) -> Consent:
    """The record of a consent.  Raises `InvalidRequest` unless exactly one of `SENTENCES` was agreed to."""
    language = next((code for code, text in SENTENCES.items() if text == sentence.strip()), "")
    if not agreed or not language:
        raise InvalidRequest("A voice is cloned only with the consent of its owner.", code="voice.no_consent",
                             hint="Agree to the sentence that the page shows (GET /api/voices/cloned has it).")
    digest = hashlib.sha256()
    with recording.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return Consent(sentence.strip(), language, given_by, datetime.now(timezone.utc).isoformat(timespec="seconds"),
                   digest.hexdigest())
