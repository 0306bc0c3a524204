"""Driver ``openai``: any server with the OpenAI speech protocol (``POST …/audio/speech``)."""

from __future__ import annotations

from typing import Any

import requests

from visage.config import Settings
from visage.errors import (
    NotInstalled,
    ServiceBusy,
    ServiceError,
    ServiceRefused,
    ServiceTimeout,
    ServiceUnreachable,
)
from visage.tts.contract import Speech, SpeechRequest, Voice
from visage.tts.decoding import decode
from visage.tts.reading import tidy
from visage.tts.resampling import shift_pitch

CONNECT_SECONDS, RECEIVE_SECONDS = 5, 120
SPEEDS = (0.25, 4.0)
"""What the protocol allows."""


class OpenAISynthesizer:
    """The voices an operator named in ``VISAGE_SPEECH_VOICES``, spoken by ``VISAGE_SPEECH_BASE_URL``."""

    def __init__(self, settings: Settings) -> None:
        if not settings.speech_base_url:
            raise NotInstalled("No server with OpenAI voices is configured.", code="tts.openai_unset",
                               hint="Set VISAGE_SPEECH_BASE_URL, e.g. http://127.0.0.1:8880/v1.")
        self._url = settings.speech_base_url.rstrip("/")
        self._key = settings.speech_api_key.get_secret_value()
        self._model = settings.speech_model
        self._names = [name.strip() for name in settings.speech_voices.split(",") if name.strip()]

    def voices(self) -> list[Voice]:
        """The configured voices; the server is not asked."""
        return [Voice(f"openai:{name}", f"{name} · {self._model}", "", "", "openai", online=True)
                for name in self._names]

    def speak(self, request: SpeechRequest) -> Speech:
        """Say it.  Raises a `ServiceError` that tells whether the server was down, slow, busy or refused the key."""
        text = tidy(request.text).strip()
        name = request.voice.partition(":")[2] or self._names[0]
        ratio = 2 ** (request.pitch / 12)
        speed = min(max(request.speed / ratio, SPEEDS[0]), SPEEDS[1])
        samples, rate = decode(self._ask(text, name, speed), "wav")
        if request.pitch:
            samples = shift_pitch(samples, ratio)
        return Speech(samples, rate, f"openai:{name}", text)

    def _ask(self, text: str, voice: str, speed: float) -> bytes:
        body: Any = {"model": self._model, "input": text, "voice": voice, "speed": speed, "response_format": "wav"}
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            response = requests.post(f"{self._url}/audio/speech", json=body, headers=headers,
                                     timeout=(CONNECT_SECONDS, RECEIVE_SECONDS))
        except requests.Timeout as exc:
            raise ServiceTimeout("The voices at {url} took too long.", code="tts.openai_timeout",
                                 hint="Use a built-in voice, or try again.", url=self._url) from exc
        except requests.RequestException as exc:
            raise ServiceUnreachable("The voices at {url} cannot be reached.", code="tts.openai_unreachable",
                                     hint="Check VISAGE_SPEECH_BASE_URL, or use a built-in voice.",
                                     url=self._url) from exc
        if response.ok:
            return response.content
        kind = {401: ServiceRefused, 403: ServiceRefused, 429: ServiceBusy}.get(response.status_code, ServiceError)
        raise kind("The voices at {url} answered {status}.", code="tts.openai_refused",
                   hint="Check VISAGE_SPEECH_API_KEY and the name of the voice, or use a built-in voice.",
                   url=self._url, status=response.status_code)
