"""Lent voices: consent first, then the recording is measured and forgotten."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from backend import consents, recordings
from backend.forms import CloneForm
from backend.services import Services
from visage.errors import BadAudio, BadMedia, InvalidRequest, Refused, revived
from visage.media.run import run_tool
from visage.tts.cloning.consent import Consent, checksum, consent_to
from visage.tts.cloning.store import ClonedVoice
from visage.tts.cloning.voiceprint import VoicePrint, loads

_ROOT = Path(__file__).resolve().parents[1]
_PATIENCE = 300.0
MOST = 200
"""Cloned voices in one installation."""


def add(services: Services, form: CloneForm, owner: str) -> ClonedVoice:
    """Make a voice from a recording, which is deleted then, good or bad, unless it is to be kept with the voice.

    Raises `InvalidRequest` or `Refused` without consent, before the recording is opened; `BadAudio` when it is not
    good enough.
    """
    if bool(form.upload) == bool(form.recording):
        raise InvalidRequest("Give either an upload or a recording.", code="voice.which_recording",
                             hint="Send one of the two fields.")
    file = _recording(services, form)
    consent = _consent(services, form, owner, file)
    if len(services.cloned_voices.list()) >= MOST:
        raise InvalidRequest("There are {count} cloned voices already.", code="voice.too_many",
                             hint="Delete one that nobody uses.", count=MOST)
    language = form.language if form.language in ("zh", "en") else consent.language
    try:
        made = measured(services.voice_url, file, language)
    except BadAudio:
        _forget(services, form, file)
        raise
    voice = services.cloned_voices.add(form.name, language, made, consent, file if form.keep_recording else None)
    _forget(services, form, file)
    return consents.keep_voice(services, voice, form.consent_id)


def _consent(services: Services, form: CloneForm, owner: str, file: Path) -> Consent:
    """What is kept beside the voice: the sentence that was agreed to now, or a consent that was recorded before."""
    if not form.consent_id:
        return consent_to(form.sentence, form.consent, owner, file)
    kept = services.consents.require(form.consent_id, "voice", use="voice")
    recording = checksum(file)
    if kept.recording and kept.recording != recording:
        raise Refused("The consent of {person} is about another recording.", code="consent.other_recording",
                      hint="Use the recording that was agreed to, or record a consent for this one.",
                      person=kept.person)
    return Consent(kept.statement, kept.language, owner, kept.created.isoformat(timespec="seconds"), recording)


def measured(voice_url: str, file: Path, language: str) -> VoicePrint:
    """The print of a recording, measured in a process of its own.  Raises what `make_print` raises, or `ToolFailed`."""
    argv = [sys.executable, "-m", "visage.tts.cloning", str(file), language, voice_url]
    text = run_tool(argv, timeout=_PATIENCE, folder=_ROOT).decode("utf-8")
    told = json.loads(text)
    if "error" in told:
        raise revived(told["error"])
    return loads(text)


def _forget(services: Services, form: CloneForm, file: Path) -> None:
    if form.upload:
        services.uploads.delete(form.upload)
    else:
        file.unlink(missing_ok=True)


def _recording(services: Services, form: CloneForm) -> Path:
    if form.recording:
        return recordings.find(services, form.recording)
    upload = services.uploads.get(form.upload)
    if upload.kind != "audio":
        raise BadMedia("A voice is cloned from a sound, not from a {kind}.", code="voice.not_sound",
                       hint="Upload an audio file.", kind=upload.kind)
    return services.uploads.file(upload)
