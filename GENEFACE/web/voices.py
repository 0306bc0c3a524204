"""Voices: which there are, and how one sounds."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import Any

from flask_openapi3 import APIBlueprint, Tag

from backend.forms import SpeechForm
from backend.video_generator import check_text
from visage.errors import ServiceError
from visage.media.audio import write_wav
from visage.tts.contract import SpeechRequest
from web.visitor import services
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
    speech = services().voice.speak(SpeechRequest(body.text, body.voice, body.speed, body.pitch))
    file = services().paths.sounds / f"preview_{uuid.uuid4().hex[:12]}.wav"
    write_wav(file, speech.samples, speech.rate)
    return {"url": f"/static/audios/{file.name}", "seconds": round(len(speech.samples) / speech.rate, 2),
            "voice": speech.voice, "notes": list(speech.notes)}
