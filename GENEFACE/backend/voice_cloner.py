"""Voices cloned from a sample, under the names older clients import.

No cloning model is embedded: a stock voice of the voice server speaks instead,
and ``notes`` says so wherever the answer goes.
"""

from __future__ import annotations

import os
import shutil
import uuid
import wave
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import requests

from visage.config import read_settings
from visage.errors import (
    InvalidRequest,
    NotInstalled,
    OutputInvalid,
    ServiceError,
    ServiceTimeout,
    ServiceUnreachable,
    UnknownDriver,
    from_os_error,
)
from visage.storage.paths import Paths

_CONNECT, _SPEAK = 5.0, 300.0
CHOICES = ("OpenVoice", "SV2TTS", "cloneA", "cloneB")
"""What forms send; empty is allowed too."""


class VoiceCloner(Protocol):
    """Says a text in the voice of a sample."""

    notes: tuple[str, ...]
    """What was really used, and what the user should know."""

    def clone_voice(self, text: str, ref_audio_path: str, output_path: str, language: str = "zh") -> str:
        """Write a WAV of ``text`` to ``output_path`` and return that path."""


class HttpTTSCloner:
    """Says a text with a stock voice of the voice server; the sample is not listened to."""

    def __init__(self, url: str = "", home: Path | None = None, asked: str = ""):
        """``url`` and ``home`` (below which the server writes) come from the settings when not given."""
        self._url = url
        self._home = home
        wish = f"The cloned voice {asked} is not installed" if asked else "No cloned voice was chosen"
        self._told = (f"{wish}; a stock voice speaks.",)
        self.notes: tuple[str, ...] = self._told

    def clone_voice(self, text: str, ref_audio_path: str, output_path: str, language: str = "zh") -> str:
        """Write a WAV of ``text`` to ``output_path`` and return that path; ``notes`` then tells which voice spoke.

        Raises `InvalidRequest` (nothing to say), `ServiceError` and its kin, or `OutputInvalid`.
        """
        if not text.strip():
            raise InvalidRequest("There is nothing to say.", code="voice.nothing_to_say", hint="Give a text.")
        settings = read_settings()
        url = self._url or settings.voice_url or f"http://127.0.0.1:{settings.voice_port}"
        sounds = Paths((self._home or settings.home).resolve()).sounds
        # The server writes only below its own folder; from there the sound moves to wherever it was asked for.
        draft = sounds / f"clone_{uuid.uuid4().hex}.wav"
        out = Path(output_path)
        try:
            sounds.mkdir(parents=True, exist_ok=True)
            told = _speak(url, {"text": text, "out_path": str(draft), "language": language[:2].lower()})
            _check(draft)
            out.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(draft, out)
        except OSError as exc:
            raise from_os_error(exc) from exc
        finally:
            draft.unlink(missing_ok=True)
        said = [f"Stock voice: {told['voice']}."] if told.get("voice") else []
        self.notes = tuple(dict.fromkeys([*self._told, *said, *map(str, told.get("notes") or ())]))
        return os.fspath(output_path)


class DummyCloner(HttpTTSCloner):
    """The stock voice by intention: nothing is cloned."""

    def __init__(self, url: str = "", home: Path | None = None):
        super().__init__(url, home)
        self._told = self.notes = ("Nothing was cloned; a stock voice speaks.",)


class OpenVoiceCloner:
    """OpenVoice, which is not part of this product: says what it would need."""

    def __init__(self, home: Path | None = None):
        self._home = home
        self.notes: tuple[str, ...] = ()

    def clone_voice(self, text: str, ref_audio_path: str, output_path: str, language: str = "zh") -> str:
        """Raises `NotInstalled` with what is missing."""
        weights = Paths(self._home or read_settings().home).models / "openvoice"
        missing = [] if find_spec("openvoice") else ["its Python package"]
        if not weights.is_dir():
            missing.append(f"its weights in {weights}")
        raise NotInstalled("OpenVoice cannot be used here; missing: {missing}.", code="voice.openvoice_missing",
                           hint="Use get_voice_cloner('OpenVoice'): it speaks with a stock voice and says so.",
                           missing=", ".join([*missing, "a driver for it in this version"]))


def get_voice_cloner(name: str = "") -> VoiceCloner:
    """The cloner for what a form sends: one of `CHOICES` (any case), ``""``, ``"dummy"`` or ``"http"``.

    Every choice speaks; ``notes`` says at once what will really be used.  Raises `UnknownDriver`.
    """
    wish = name.strip().lower()
    if wish == "dummy":
        return DummyCloner()
    known = {choice.lower(): choice for choice in CHOICES} | {"": "", "http": ""}
    if wish not in known:
        raise UnknownDriver("There is no voice cloner {name!r}; there are: {names}.", code="voice.unknown_cloner",
                            hint="Choose one of these, or none.", name=name, names=", ".join(CHOICES))
    return HttpTTSCloner(asked=known[wish])


def _speak(url: str, body: dict[str, Any]) -> dict[str, Any]:
    """What the voice server answers to ``POST /tts``."""
    with requests.Session() as session:
        # A proxy named in the environment is for the internet, never for the server next door.
        session.trust_env = False
        try:
            answer = session.post(f"{url.rstrip('/')}/tts", json=body, timeout=(_CONNECT, _SPEAK))
            told = answer.json()
        except requests.JSONDecodeError as exc:
            raise ServiceError("The voice server at {url} answered HTTP {status} without JSON.", code="voice.malformed",
                               hint="Is another program on that port? Set VISAGE_VOICE_URL.",
                               url=url, status=answer.status_code) from exc
        except requests.Timeout as exc:
            raise ServiceTimeout("The voice server at {url} took too long.", code="voice.timeout",
                                 hint="Try a shorter text, or restart it.", url=url) from exc
        except requests.RequestException as exc:
            raise ServiceUnreachable("The voice server at {url} cannot be reached.", code="voice.unreachable",
                                     hint="Start it: python tts_server.py", url=url) from exc
    if not isinstance(told, dict) or not told.get("ok"):
        reason = told.get("error") or told.get("message") if isinstance(told, dict) else None
        raise ServiceError("The voice server could not say this: {reason}", code="voice.failed",
                           hint="See its health: {url}/health", url=url, reason=reason or f"HTTP {answer.status_code}")
    return told


def _check(file: Path) -> None:
    try:
        with wave.open(str(file)) as sound:
            if sound.getnframes():
                return
    except (OSError, EOFError, wave.Error) as exc:
        raise OutputInvalid("The voice server left no sound in {file}.", code="voice.no_sound",
                            hint="Do both servers have the same VISAGE_HOME?", file=file.name) from exc
    raise OutputInvalid("The voice server left an empty sound in {file}.", code="voice.empty_sound",
                        hint="Try another text.", file=file.name)
