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
from visage.tts.word_times import Word, phones_of_words

CONNECT_SECONDS, RECEIVE_SECONDS = 5, 30
_TICKS = 10_000_000
"""Of the service's clock, in a second."""
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
    """Speaks with a service that needs no key; phones are placed by the times of words that it tells."""

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
                                    pitch=f"{round(hertz):+d}Hz", boundary="WordBoundary",
                                    connect_timeout=CONNECT_SECONDS, receive_timeout=RECEIVE_SECONDS)
        sound, words = _receive(talk)
        samples, rate = decode(sound, "mp3")
        language = "yue" if name.startswith("zh-HK") else name[:2]
        phones = phones_of_words(words, language, len(samples) / rate)
        return Speech(np.ascontiguousarray(samples), rate, f"edge:{name}", text, phones)


def default_name(language: str) -> str:
    """The service's voice for a language, English when there is none."""
    tag = {"yue": "zh-HK"}.get(language, language)
    return next((name for name in VOICES if name.startswith(tag)), "en-US-AriaNeural")


def _receive(talk: edge_tts.Communicate) -> tuple[bytes, list[Word]]:
    """The sound as MP3, and its words."""
    async def gather() -> tuple[bytes, list[Word]]:
        sound, words = io.BytesIO(), []
        async for part in talk.stream():
            if part["type"] == "audio":
                sound.write(part["data"])
            elif part["type"] == "WordBoundary":
                start = part["offset"] / _TICKS
                words.append(Word(part["text"], start, start + part["duration"] / _TICKS))
        return sound.getvalue(), words

    try:
        # In a thread of its own: the caller may be inside an event loop already.
        with ThreadPoolExecutor(1) as thread:
            sound, words = thread.submit(asyncio.run, gather()).result()
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
    return sound, words
