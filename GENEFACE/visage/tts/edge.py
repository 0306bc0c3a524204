"""Driver ``edge``: the voices of Microsoft Edge, over the internet."""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import edge_tts
import edge_tts.exceptions
import numpy as np

from visage.errors import ServiceError, ServiceTimeout, ServiceUnreachable
from visage.tts.contract import Speech, SpeechRequest, Voice
from visage.tts.decoding import decode
from visage.tts.language import language_of
from visage.tts.reading import tidy

CONNECT_SECONDS, RECEIVE_SECONDS = 5, 30
BASE_HERTZ = {"female": 210.0, "male": 120.0}
"""Usual pitch of a voice, to turn semitones into the hertz that the service wants."""
VOICES = {
    "zh-CN-XiaoxiaoNeural": ("晓晓", "female"), "zh-CN-YunxiNeural": ("云希", "male"),
    "zh-CN-XiaoyiNeural": ("晓伊", "female"), "zh-CN-YunjianNeural": ("云健", "male"),
    "zh-HK-HiuGaaiNeural": ("曉佳", "female"), "en-US-AriaNeural": ("Aria", "female"),
    "en-US-GuyNeural": ("Guy", "male"), "en-US-JennyNeural": ("Jenny", "female"),
    "en-GB-SoniaNeural": ("Sonia", "female"), "en-GB-RyanNeural": ("Ryan", "male"),
    "ja-JP-NanamiNeural": ("七海", "female"), "ko-KR-SunHiNeural": ("선히", "female"),
    "de-DE-KatjaNeural": ("Katja", "female"), "fr-FR-DeniseNeural": ("Denise", "female"),
    "es-ES-ElviraNeural": ("Elvira", "female"), "ru-RU-SvetlanaNeural": ("Светлана", "female"),
}
"""Name at the service → what a person reads, gender."""


class EdgeSynthesizer:
    """Speaks with a service that needs no key; knows no phone times."""

    def voices(self) -> list[Voice]:
        """A fixed choice of the service's voices."""
        return [Voice(f"edge:{name}", f"{shown} · Edge", name[:5], gender, "edge", online=True)
                for name, (shown, gender) in VOICES.items()]

    def speak(self, request: SpeechRequest) -> Speech:
        """Say it.  Raises `ServiceUnreachable` offline, `ServiceTimeout` or `ServiceError`."""
        text = tidy(request.text).strip()
        name = request.voice.partition(":")[2] or default_name(request.language or language_of(text))
        hertz = BASE_HERTZ[VOICES[name][1]] * (2 ** (request.pitch / 12) - 1)
        talk = edge_tts.Communicate(text, name, rate=f"{round((request.speed - 1) * 100):+d}%",
                                    pitch=f"{round(hertz):+d}Hz", connect_timeout=CONNECT_SECONDS,
                                    receive_timeout=RECEIVE_SECONDS)
        samples, rate = decode(_receive(talk), "mp3")
        return Speech(np.ascontiguousarray(samples), rate, f"edge:{name}", text)


def default_name(language: str) -> str:
    """The service's voice for a language, English when there is none."""
    tag = {"yue": "zh-HK"}.get(language, language)
    return next((name for name in VOICES if name.startswith(tag)), "en-US-AriaNeural")


def _receive(talk: edge_tts.Communicate) -> bytes:
    async def gather() -> bytes:
        sound = io.BytesIO()
        async for part in talk.stream():
            if part["type"] == "audio":
                sound.write(part["data"])
        return sound.getvalue()

    try:
        # In a thread of its own: the caller may be inside an event loop already.
        with ThreadPoolExecutor(1) as thread:
            sound = thread.submit(asyncio.run, gather()).result()
    except (asyncio.TimeoutError, TimeoutError) as exc:
        raise ServiceTimeout("The Edge voices took too long.", code="tts.edge_timeout",
                             hint="Use a built-in voice, or try again.") from exc
    except (aiohttp.ClientError, OSError) as exc:
        raise ServiceUnreachable("The Edge voices cannot be reached: no internet.", code="tts.edge_unreachable",
                                 hint="Use a built-in voice, or connect this machine to the internet.") from exc
    except (edge_tts.exceptions.EdgeTTSException, ValueError) as exc:
        raise ServiceError("The Edge voices refused: {reason}.", code="tts.edge_refused",
                           hint="Use a built-in voice, or upgrade: pip install -U edge-tts",
                           reason=str(exc)[:200]) from exc
    if not sound:
        raise ServiceError("The Edge voices sent no sound.", code="tts.edge_empty", hint="Use a built-in voice.")
    return sound
