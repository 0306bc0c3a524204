"""Servers that imitate a reference clip: CosyVoice, GPT-SoVITS, and the OpenAI speech protocol with ``ref_audio``.

Each wants the clip in its own way: CosyVoice as a file in a form, GPT-SoVITS as a path on its own machine and 3 to
10 s long, the third as a data URL.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import requests

from visage.config import Settings
from visage.errors import (
    OutputInvalid,
    ServiceBusy,
    ServiceError,
    ServiceRefused,
    ServiceTimeout,
    ServiceUnreachable,
)
from visage.media.audio import read_sound, write_wav
from visage.tts.decoding import decode

CONNECT_SECONDS = 5.0
CLIP_RATE = 24_000
CLIP_SECONDS = {"cosyvoice": 29.0, "gpt-sovits": 9.5, "openai": 29.0}
"""What is sent of a clip: CosyVoice takes 30 s at most, GPT-SoVITS 3 to 10."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to say, like whom."""

    text: str
    """What to say."""
    language: str
    """``zh``, ``en`` …"""
    clip: Path
    """A recording of the voice."""
    words: str
    """What is said in it; may be empty."""


class CloneServer:
    """The server that the settings name."""

    def __init__(self, settings: Settings, timeout: float = 300.0) -> None:
        self._url = settings.clone_url.rstrip("/")
        self.protocol = settings.clone_protocol
        self._key = settings.clone_api_key.get_secret_value()
        self._model, self._rate, self._timeout = settings.clone_model, settings.clone_rate, timeout

    def speak(self, wish: Wish) -> tuple[np.ndarray, int]:
        """float32 mono samples and their rate.  Raises a `ServiceError`, or `OutputInvalid` for no sound."""
        ask = {"cosyvoice": self._cosyvoice, "gpt-sovits": self._gpt_sovits, "openai": self._openai}[self.protocol]
        with _clip(wish.clip, CLIP_SECONDS[self.protocol]) as clip:
            samples, rate = ask(wish, clip)
        if len(samples) < rate / 20 or not np.abs(samples).max() > 1e-4:
            raise OutputInvalid("The cloning server at {url} sent an empty sound.", code="clone.empty",
                                hint="Try another text, or another recording.", url=self._url)
        return samples, rate

    def _cosyvoice(self, wish: Wish, clip: Path) -> tuple[np.ndarray, int]:
        # without the words of the clip only the cross-lingual way is open
        way, form = "inference_cross_lingual", {"tts_text": wish.text}
        if wish.words:
            way, form = "inference_zero_shot", {"tts_text": wish.text, "prompt_text": wish.words}
        with clip.open("rb") as file:
            response = self._ask(f"/{way}", data=form, files={"prompt_wav": ("clip.wav", file, "audio/wav")})
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if kind not in ("", "application/octet-stream", "audio/pcm", "audio/raw"):
            return self._decoded(response)
        even = response.content[:len(response.content) // 2 * 2]  # bare int16, no header
        return np.frombuffer(even, "<i2").astype(np.float32) / 32768, self._rate

    def _gpt_sovits(self, wish: Wish, clip: Path) -> tuple[np.ndarray, int]:
        body = {"text": wish.text, "text_lang": wish.language, "ref_audio_path": str(clip.resolve()),
                "prompt_text": wish.words, "prompt_lang": wish.language, "media_type": "wav", "streaming_mode": False}
        return self._decoded(self._ask("/tts", json=body))

    def _openai(self, wish: Wish, clip: Path) -> tuple[np.ndarray, int]:
        sound = "data:audio/wav;base64," + base64.b64encode(clip.read_bytes()).decode("ascii")
        body: dict[str, Any] = {"input": wish.text, "response_format": "wav", "task_type": "Base", "ref_audio": sound}
        body |= {"model": self._model} if self._model else {}
        body |= {"ref_text": wish.words} if wish.words else {"x_vector_only_mode": True}
        return self._decoded(self._ask("/audio/speech", json=body))

    def _decoded(self, response: requests.Response) -> tuple[np.ndarray, int]:
        if not response.headers.get("Content-Type", "").startswith(("audio/", "application/octet-stream")):
            raise self._strange(response)
        return decode(response.content, "wav")

    def _ask(self, path: str, **rest: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            limits = (CONNECT_SECONDS, self._timeout)
            response = requests.post(self._url + path, headers=headers, timeout=limits, **rest)
        except requests.Timeout as exc:
            raise ServiceTimeout("The cloning server at {url} took too long.", code="clone.timeout",
                                 hint="Try a shorter text, or look at its log.", url=self._url) from exc
        except requests.RequestException as exc:
            raise ServiceUnreachable("The cloning server at {url} cannot be reached.", code="clone.unreachable",
                                     hint="Start it, or check VISAGE_CLONE_URL.", url=self._url) from exc
        if response.ok:
            return response
        kind = {401: ServiceRefused, 403: ServiceRefused, 429: ServiceBusy}.get(response.status_code, ServiceError)
        raise kind("The cloning server at {url} answered {status}: {reason}", code="clone.refused",
                   hint="Look at its log; check VISAGE_CLONE_PROTOCOL.", url=self._url, status=response.status_code,
                   reason=_reason(response))

    def _strange(self, response: requests.Response) -> ServiceError:
        return ServiceError("The cloning server at {url} sent {kind} instead of sound.", code="clone.strange",
                            hint="Check VISAGE_CLONE_URL and VISAGE_CLONE_PROTOCOL.", url=self._url,
                            kind=response.headers.get("Content-Type", "something unnamed"))


def words_of(clip: Path) -> str:
    """What is said in a clip, where a text file of its name lies beside it (``me.wav`` and ``me.txt``)."""
    file = clip.with_suffix(".txt")
    return file.read_text(encoding="utf-8").strip()[:500] if file.is_file() else ""


@contextmanager
def _clip(recording: Path, seconds: float) -> Iterator[Path]:
    """The beginning of a recording as a WAV that other programs of this machine may read, for as long as it is used."""
    with tempfile.TemporaryDirectory(prefix="visage-clip-") as folder:
        Path(folder).chmod(0o755)
        yield write_wav(Path(folder) / "clip.wav", read_sound(recording, CLIP_RATE, limit=seconds), CLIP_RATE)


def _reason(response: requests.Response) -> str:
    try:
        told = response.json()
        return str(told.get("message") or told.get("detail") or told.get("error") or told)[:200]
    except (ValueError, AttributeError):
        return " ".join(response.text.split())[:80] if "html" not in response.headers.get("Content-Type", "") \
            else "a web page"
