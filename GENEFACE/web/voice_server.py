"""The voice server: the routes of :5003 (docs/http-api.md), JSON in every failure."""

from __future__ import annotations

import json
import re
import tempfile
import threading
import uuid
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request, send_file
from werkzeug.wsgi import FileWrapper

from visage.config import Settings
from visage.errors import InvalidRequest, NotFound
from visage.media.audio import write_wav
from visage.media.labels.rhythm import with_rhythm
from visage.storage.paths import Paths, inside
from visage.trust.labelling import Labeller
from visage.tts import Speech, SpeechRequest, VoiceChain, open_synthesizer
from visage.tts.chain import SPEAKER
from visage.tts.encoding import FORMATS, encode
from visage.tts.loudness import speech_loudness
from web.voice_errors import failure_of, status_of

if TYPE_CHECKING:
    from visage.trust.audit import Audit

OWN_SOUND = re.compile(r"tts-[0-9a-f]{32}\.wav")
"""Name of a file written for a request that named none."""
INLINE = "application/x-visage-speech"
"""Media type of the answer that holds its sound: JSON as long as ``X-Told-Bytes`` says, then a WAV file."""
IN_MEMORY = 1 << 23
"""Bytes of a sound above which it is kept in a file while it is sent."""
OPENAI_VOICES = {"alloy": 0, "nova": 2, "shimmer": 4, "coral": 0, "sage": 2, "echo": 1, "onyx": 3, "fable": 5, "ash": 1}
"""Voices of the OpenAI service → number of the built-in voice that stands for it."""


def create_voice_app(settings: Settings) -> Flask:
    """The voice server as a WSGI application.  Voices are opened by the first request that needs them."""
    app = Flask("voice_server", static_folder=None)
    # a character is at most 12 bytes of JSON (two \\uXXXX)
    app.config["MAX_CONTENT_LENGTH"] = settings.text_limit * 12 + 16_384
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    server = _Server(settings)
    for rule, method, view in (("/health", "GET", server.health), ("/voices", "GET", server.voices),
                               ("/tts", "POST", server.tts), ("/v1/audio/speech", "POST", server.speech),
                               ("/sounds/<name>", "GET", server.sound), ("/sounds/<name>", "DELETE", server.forget)):
        app.add_url_rule(rule, f"{method} {rule}", view, methods=[method])
    app.register_error_handler(Exception, _failed)
    return app


def _failed(exc: Exception) -> tuple[Response, int]:
    status = status_of(exc)
    told = failure_of(exc)
    if request.path.startswith("/v1/"):
        kind = "invalid_request_error" if status < 500 else "server_error"
        return jsonify(error={"message": told["error"], "type": kind, "code": told["code"], "param": None,
                              "hint": told["hint"]}), status
    return jsonify(told), status


class _Server:
    """The views, with the one chain of voices they share."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._paths = Paths(settings.home.resolve())
        self._labeller = Labeller(settings, self._paths, _log_of(settings, self._paths))
        self._lock = threading.Lock()
        self._opened: VoiceChain | None = None

    def _chain(self) -> VoiceChain:
        with self._lock:
            if self._opened is None:
                self._opened = open_synthesizer(self._settings)
            return self._opened

    def health(self) -> tuple[Response, int]:
        chain = self._chain()
        drivers = {name: {"ok": True, "detail": f"{len(driver.voices())} voices"}
                   for name, driver in chain.drivers.items()}
        drivers |= {name: {"ok": False, "detail": f"{exc.message} {exc.hint}".strip()}
                    for name, exc in chain.missing.items()}
        ok = "espeak" in chain.drivers or "piper" in chain.drivers
        engine = chain.default("zh").partition(":")[0]
        return jsonify(ok=ok, engine=engine, device=self._settings.voice_device, offline=ok,
                       drivers=drivers), 200 if ok else 503

    def voices(self) -> Response:
        chain = self._chain()
        return jsonify(voices=[asdict(voice) for voice in chain.voices()],
                       default={code: chain.default(code) for code in ("zh", "en")})

    def tts(self) -> Response:
        body = _json_body()
        if body.get("inline") is True:
            return self._inline(self._speak(body, _text(body, "text"), _text(body, "voice")))
        path, shown = self._target(_text(body, "out_path"))
        speech = self._speak(body, _text(body, "text"), _text(body, "voice"))
        write_wav(path, speech.samples, speech.rate)
        self._labeller.finish(path)
        return jsonify(wav_path=shown, **_told(speech))

    def _inline(self, speech: Speech) -> Response:
        """What is told of a speech and the sound itself as one body, so that a sentence costs one request."""
        told = json.dumps(_told(speech), ensure_ascii=False).encode()
        file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed with the response
        encode(speech.samples, speech.rate, "wav", file)  # type: ignore[arg-type]
        size = file.tell()
        file.seek(0)
        body = chain([told], FileWrapper(file, 1 << 18))  # type: ignore[arg-type]
        response = Response(body, mimetype=INLINE, headers={
            "Content-Length": str(len(told) + size), "X-Told-Bytes": str(len(told))}, direct_passthrough=True)
        response.call_on_close(file.close)
        return response

    def speech(self) -> Response:
        body = _json_body()
        form = _text(body, "response_format") or "mp3"
        if form not in FORMATS:
            raise InvalidRequest("Sound cannot be written as {form!r}; there are: {names}.", code="tts.format",
                                 hint="Use wav.", form=form, names=", ".join(FORMATS))
        voice = _text(body, "voice")
        number = OPENAI_VOICES.get(voice.lower())
        spoken = self._speak({**body, "speaker_id": number}, _text(body, "input"), "" if number is not None else voice)
        marking = self._labeller.marking()
        sound = with_rhythm(spoken.samples, spoken.rate, marking.audible)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"speech.{form}"
            with path.open("wb") as out:
                encode(sound, spoken.rate, form, out)
            # bare samples have no place for a label: the header says it, and the rhythm in the sound
            label = self._labeller.finish(path) if form != "pcm" else self._labeller.label()
            file = path.open("rb")  # stays readable when the folder goes; send_file closes it
        response = send_file(file, FORMATS[form], download_name=f"speech.{form}")
        response.headers["X-Voice"] = spoken.voice
        response.headers["X-Notes"] = json.dumps([*spoken.notes, *marking.notes])  # ASCII, as a header must be
        response.headers["X-AIGC"] = json.dumps(json.loads(label.dumps()))
        return response

    def sound(self, name: str) -> Response:
        return send_file(self._own_sound(name), "audio/wav")

    def forget(self, name: str) -> tuple[str, int]:
        self._own_sound(name).unlink(missing_ok=True)
        return "", 204

    def _speak(self, body: dict[str, Any], text: str, voice: str) -> Speech:
        chain = self._chain()
        language = _text(body, "language")
        given = body.get("speaker_id")
        speaker = _number(body, "speaker_id", 0) if given is not None else self._settings.speaker_id
        if not (speaker >= 0 and speaker % 1 == 0):
            raise InvalidRequest("speaker_id must be a whole number, 0 or more.", code="tts.speaker",
                                 hint="Use 0 for the default voice.")
        return chain.speak(SpeechRequest(text, voice or f"{SPEAKER}{int(speaker)}", _number(body, "speed", 1.0),
                                         _number(body, "pitch", 0.0), language))

    def _target(self, wanted: str) -> tuple[Path, str]:
        """Where to write, and the path to tell: the one that was asked for, else the absolute one."""
        if not wanted.strip():
            path = self._paths.sounds / f"tts-{uuid.uuid4().hex}.wav"
            return path, str(path)
        name = Path(wanted.strip())
        top = name.parts[0] if name.parts else ""
        root = self._paths.home if top in ("static", "GeneFace-main", "var") else self._paths.sounds
        path = root / name
        if "\0" in wanted or ".." in name.parts or not inside(self._paths.home, path):
            raise InvalidRequest("{path} lies outside the folder that may be written to.", code="tts.out_path",
                                 hint="Give a name such as tts.wav, or a path below static/audios.", path=wanted)
        if path.suffix.lower() != ".wav" or path.is_dir():
            raise InvalidRequest("{path} is not the name of a .wav file.", code="tts.out_name",
                                 hint="End it in .wav.", path=wanted)
        return path, str(path)

    def _own_sound(self, name: str) -> Path:
        path = self._paths.sounds / name
        if not OWN_SOUND.fullmatch(name) or not path.is_file():
            raise NotFound("There is no sound {name}.", code="tts.no_sound", hint="POST /tts makes one.", name=name)
        return path


def _log_of(settings: Settings, paths: Paths) -> Audit | None:
    """The log, where an agreement in it could matter; else the voice server does without a database."""
    if settings.audible_mark != "off":
        return None
    from visage.storage.database import open_database, upgrade
    from visage.trust.audit import Audit

    engine = open_database(settings.database_url or paths.database)
    upgrade(engine)
    return Audit(engine, settings.audit_days)


def _told(speech: Speech) -> dict[str, Any]:
    return {"ok": True, "text_used": speech.text_used, "voice": speech.voice,
            "driver": speech.voice.partition(":")[0], "seconds": len(speech.samples) / speech.rate,
            "rate": speech.rate, "loudness": round(speech_loudness(speech.samples, speech.rate), 2),
            "phones": [asdict(phone) for phone in speech.phones], "notes": list(speech.notes)}


def _json_body() -> dict[str, Any]:
    body = request.get_json(force=True, silent=False) if request.get_data(cache=True) else {}
    if not isinstance(body, dict):
        raise InvalidRequest("The body must be a JSON object.", code="request.json", hint='Send {"text": "…"}.')
    return body


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidRequest("{name} must be text.", code="request.text", hint="Send {name} as a JSON string.",
                             name=name)
    return value


def _number(body: dict[str, Any], name: str, default: float) -> float:
    value = body.get(name)
    try:
        return default if value is None else float(value)
    except (TypeError, ValueError, OverflowError) as exc:
        raise InvalidRequest("{name} must be a number.", code="request.number", hint="Send {name} as a JSON number.",
                             name=name) from exc
