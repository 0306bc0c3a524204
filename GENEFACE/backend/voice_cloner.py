"""Voices cloned from a recording, under the names older clients import; ``notes`` always says what really spoke."""

from __future__ import annotations

import os
import shutil
import uuid
import wave
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import requests

from backend import openvoice
from backend.clone_servers import CloneServer, Wish, words_of
from backend.cloned_voices import measured
from visage.config import Settings, read_settings
from visage.errors import (
    InvalidRequest,
    NotFound,
    OutputInvalid,
    ServiceError,
    ServiceTimeout,
    ServiceUnreachable,
    UnknownDriver,
    from_os_error,
)
from visage.media.audio import write_wav
from visage.storage.paths import Paths
from visage.trust.labelling import Labeller
from visage.tts.cloning.consent import consent_to
from visage.tts.cloning.store import ClonedVoices
from visage.tts.loudness import level

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
    """Says a text in the voice of a recording, by the server that the settings name, else as a basic clone.

    Nobody's recording is opened without ``consent``: one of `visage.tts.cloning.consent.SENTENCES`, word for word.
    Without it a stock voice speaks, and ``notes`` says so.
    """

    def __init__(self, url: str = "", home: Path | None = None, asked: str = "", consent: str = ""):
        """``url`` and ``home`` (below which the server writes) come from the settings when not given."""
        self._url, self._home, self._asked, self._consent = url, home, asked, consent
        self._way = "" if consent else "No voice was cloned, because nobody has agreed to it; a stock voice speaks."
        self.notes: tuple[str, ...] = self._before()

    def _before(self) -> tuple[str, ...]:
        """What can be said before anything is spoken."""
        absent = f"The cloned voice {self._asked} is not installed." if self._asked else ""
        return tuple(note for note in (absent, self._way) if note)

    def clone_voice(self, text: str, ref_audio_path: str, output_path: str, language: str = "zh") -> str:
        """Write a WAV of ``text`` to ``output_path`` and return that path; ``notes`` then tells which voice spoke.

        Raises `InvalidRequest` (nothing to say, no consent), `BadAudio` (not a recording to clone from), `NotFound`,
        `ServiceError` and its kin, or `OutputInvalid`.
        """
        if not text.strip():
            raise InvalidRequest("There is nothing to say.", code="voice.nothing_to_say", hint="Give a text.")
        code = language[:2].lower()
        settings = read_settings()
        if not self._consent:
            self._stock(text, code, output_path, "", "Stock voice: {voice}.")
        elif settings.clone_url:
            self._by_server(settings, text, code, ref_audio_path, output_path)
        else:
            self._basic(text, code, ref_audio_path, output_path)
        self._label(Path(output_path))
        return os.fspath(output_path)

    def _label(self, file: Path) -> None:
        """What was spoken says that a machine made it."""
        Labeller(read_settings(), Paths(self._root())).finish(file)

    def _by_server(self, settings: Settings, text: str, language: str, ref: str, out: str) -> None:
        server, clip = CloneServer(settings), _existing(ref)
        consent_to(self._consent, True, "voice_cloner", clip)
        samples, rate = server.speak(Wish(text, language, clip, words_of(clip)))
        write_wav(Path(out), level(samples, rate), rate)
        self.notes = (*self._before(), f"Spoken by the cloning server ({server.protocol}).")

    def _basic(self, text: str, language: str, ref: str, out: str) -> None:
        """A voice for this one text: made, used, deleted."""
        clip = _existing(ref)
        consent = consent_to(self._consent, True, "voice_cloner", clip)
        store = ClonedVoices(Paths(self._root()).voices)
        made = measured(self._server(), clip, language)
        voice = store.add("voice_cloner", language, made, consent)
        try:
            self._stock(text, language, out, f"clone:{voice.id}", "Spoken by a basic clone of the recording.")
        finally:
            store.delete(voice.id)

    def _stock(self, text: str, language: str, output_path: str, voice: str, told_as: str) -> None:
        """Speak with a voice of the voice server."""
        sounds = Paths(self._root()).sounds
        # The server writes only below its own folder; from there the sound moves to wherever it was asked for.
        draft, out = sounds / f"clone_{uuid.uuid4().hex}.wav", Path(output_path)
        body = {"text": text, "out_path": str(draft), "language": language, **({"voice": voice} if voice else {})}
        try:
            sounds.mkdir(parents=True, exist_ok=True)
            told = _speak(self._server(), body)
            _check(draft)
            out.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(draft, out)
        except OSError as exc:
            raise from_os_error(exc) from exc
        finally:
            draft.unlink(missing_ok=True)
        spoke = str(told.get("voice") or "")
        if voice and spoke != voice:
            told_as = "The clone could not speak. Stock voice: {voice}."
        said = [told_as.format(voice=spoke)] if spoke else []
        self.notes = tuple(dict.fromkeys([*self._before(), *said, *map(str, told.get("notes") or ())]))

    def _server(self) -> str:
        settings = read_settings()
        return self._url or settings.voice_url or f"http://127.0.0.1:{settings.voice_port}"

    def _root(self) -> Path:
        return (self._home or read_settings().home).resolve()


class DummyCloner(HttpTTSCloner):
    """The stock voice by intention: nothing is cloned."""

    def __init__(self, url: str = "", home: Path | None = None):
        super().__init__(url, home)
        self._way = "Nothing was cloned; a stock voice speaks."
        self.notes = self._before()


class OpenVoiceCloner(HttpTTSCloner):
    """OpenVoice, where its package and checkpoints are installed: a stock voice, given the recording's tone colour."""

    def __init__(self, home: Path | None = None, url: str = "", consent: str = ""):
        super().__init__(url, home, consent=consent)

    def clone_voice(self, text: str, ref_audio_path: str, output_path: str, language: str = "zh") -> str:
        """As `HttpTTSCloner.clone_voice`.  Raises `NotInstalled` naming each thing that is missing, `ToolFailed`."""
        models = Paths(self._root()).models
        openvoice.check(models)
        if not self._consent:
            return super().clone_voice(text, ref_audio_path, output_path, language)
        clip = _existing(ref_audio_path)
        consent_to(self._consent, True, "voice_cloner", clip)
        with TemporaryDirectory(prefix="visage-openvoice-") as folder:
            spoken = Path(folder) / "spoken.wav"
            self._stock(text, language[:2].lower(), str(spoken), "", "Spoken by {voice}, converted by OpenVoice.")
            Path(output_path).parent.mkdir(parents=True, exist_ok=True)
            openvoice.convert(models, spoken, clip, Path(output_path))
        self._label(Path(output_path))
        return os.fspath(output_path)


def get_voice_cloner(name: str = "", consent: str = "") -> VoiceCloner:
    """The cloner for what a form sends: one of `CHOICES` (any case), ``""``, ``"dummy"`` or ``"http"``.

    Every choice speaks; ``notes`` says at once what will really be used.  ``consent`` as in `HttpTTSCloner`.  Raises
    `UnknownDriver`.
    """
    wish = name.strip().lower()
    if wish == "dummy":
        return DummyCloner()
    known = {choice.lower(): choice for choice in CHOICES} | {"": "", "http": ""}
    if wish not in known:
        raise UnknownDriver("There is no voice cloner {name!r}; there are: {names}.", code="voice.unknown_cloner",
                            hint="Choose one of these, or none.", name=name, names=", ".join(CHOICES))
    if wish == "openvoice" and not openvoice.missing(Paths(read_settings().home).models):
        return OpenVoiceCloner(consent=consent)
    return HttpTTSCloner(asked=known[wish], consent=consent)


def _existing(ref: str) -> Path:
    if not Path(ref).is_file():
        raise NotFound("There is no recording {path} to clone from.", code="voice.no_reference",
                       hint="Give a recording of 10 to 30 seconds.", path=ref)
    return Path(ref)


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
