"""Voices: which there are, how one sounds, and those that people lend."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import Any

from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel

from backend import cloned_voices, consents
from backend.forms import CloneForm, SpeechForm
from backend.video_generator import check_text
from visage.errors import ServiceError
from visage.media.audio import write_wav
from visage.tts.clone import BASIC
from visage.tts.cloning.consent import SENTENCES
from visage.tts.cloning.gate import LONGEST, SHORTEST
from visage.tts.cloning.store import ClonedVoice
from visage.tts.contract import SpeechRequest
from web.visitor import owner, services
from web.words import translate

bp = APIBlueprint("voices", __name__, abp_tags=[Tag(name="voices")])


@bp.get("/api/voices")
def voices() -> dict[str, Any]:
    """The voices of the voice server; an empty list with the reason while it does not answer."""
    try:
        found = services().voice.voices()
    except ServiceError as error:
        told = translate(error.as_dict())
        return {"voices": [], "default": {}, "ok": False, "message": told["message"], "hint": told["hint"]}
    return {"voices": [asdict(voice) for voice in found], "default": services().voice.defaults(), "ok": True,
            "message": "", "hint": ""}


@bp.post("/api/voices/preview")
def preview(body: SpeechForm) -> dict[str, Any]:
    """Speak a text now."""
    check_text(services(), body.text)
    consents.require_voice(services(), body.voice)
    speech = services().voice.speak(SpeechRequest(body.text, body.voice, body.speed, body.pitch))
    file = services().paths.sounds / f"preview_{uuid.uuid4().hex[:12]}.wav"
    write_wav(file, speech.samples, speech.rate)
    services().labeller.finish(file)
    consents.spoken_by(services(), speech.voice, "cache", file)
    return {"url": f"/static/audios/{file.name}", "seconds": round(len(speech.samples) / speech.rate, 2),
            "voice": speech.voice, "notes": list(speech.notes)}


class VoicePath(BaseModel):
    """Part of the address."""

    voice_id: str


@bp.get("/api/voices/cloned")
def cloned() -> dict[str, Any]:
    """The voices that people lent, what must be agreed to, and what a recording should be."""
    return {"voices": [shown(voice) for voice in services().cloned_voices.list()], "sentences": SENTENCES,
            "seconds": {"least": SHORTEST, "most": LONGEST, "best": [10, 30]}}


@bp.post("/api/voices/cloned")
def lend(body: CloneForm) -> tuple[dict[str, Any], int]:
    """Make a voice from a recording, with its owner's consent."""
    return shown(cloned_voices.add(services(), body, owner())), 201


@bp.delete("/api/voices/cloned/<voice_id>")
def forget(path: VoicePath) -> tuple[str, int]:
    """Delete a lent voice, its consent and its recording."""
    consents.forget_voice(services(), path.voice_id)
    return "", 204


def shown(voice: ClonedVoice) -> dict[str, Any]:
    """A lent voice as docs/http-api.md has it."""
    made, way = voice.print, voice.print.likeness
    return {"id": f"clone:{voice.id}", "key": voice.id, "name": voice.name, "label": f"{voice.name} {BASIC}",
            "kind": "basic", "language": voice.language, "created": voice.created,
            "pitch": made.pitch, "range": made.range, "pace": made.pace, "loudness": made.loudness,
            "quality": asdict(made.quality), "base": way.person, "warp": way.warp,
            "consent": {"text": voice.consent.text, "language": voice.consent.language, "at": voice.consent.given_at,
                        "sha256": voice.consent.recording_sha256, "id": voice.consent.record,
                        "valid": voice.consent.valid},
            "recording_kept": voice.recording is not None}
