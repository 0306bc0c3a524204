"""The fixed routes of older clients, in one place: forms in, one JSON answer when the job has ended.

Failures answer in the shape of every other route (`web.errors`), which has the
``status``, ``message`` and ``error`` fields that these clients read.
"""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, jsonify, request, send_file
from werkzeug.datastructures import FileStorage

from backend import chat_engine, forms, model_trainer, recordings, video_generator
from backend.services import wait_for
from backend.video_generator import check_text
from backend.voice_cloner import get_voice_cloner
from visage.errors import BadMedia, InvalidRequest, NotFound
from visage.jobs.job import Job
from visage.media.audio import write_wav
from visage.storage.paths import child, safe_name
from visage.tts.contract import SpeechRequest
from web.visitor import owner, services

bp = Blueprint("template_api", __name__)
_INPUT_URL = "/static/audios/input.wav"


@bp.post("/model_training")
def train() -> dict[str, Any]:
    """Train and wait; answers with a clip of the new avatar."""
    job = model_trainer.submit(services(), forms.train_form(request.form), owner())
    avatar = str(wait_for(services(), job)["avatar"])
    return {"status": "success", "video_path": "/" + model_trainer.sample(services(), avatar), "job": job.id,
            "avatar": avatar}


@bp.post("/video_generation")
def generate() -> dict[str, Any]:
    """Generate and wait."""
    return _video(video_generator.submit(services(), forms.generate_form(request.form), owner()))


@bp.post("/chat_system")
def chat() -> dict[str, Any]:
    """Answer this browser's newest recording and wait."""
    form = forms.chat_form(request.form)
    wish = str(request.form.get("voice_clone") or "")
    if wish.startswith("clone:"):
        form = form.model_copy(update={"voice": wish})
    else:
        form = form.model_copy(update={"notes": tuple(get_voice_cloner(wish).notes)})
    return _video(chat_engine.submit_input(services(), form, owner()))


@bp.post("/save_audio")
def save_audio() -> Any:
    """Keep a browser's recording as its ``input.wav``."""
    if "audio" not in request.files:
        return _refused("没有音频文件", "recording.no_file")
    sent: FileStorage = request.files["audio"]
    if not sent.filename:
        return _refused("没有选择文件", "recording.no_name")
    try:
        upload = services().uploads.receive(sent.stream, "audio", sent.filename, owner())
        recording = recordings.take(services(), upload)
    except (BadMedia, InvalidRequest) as error:
        return _refused(f"转码失败：{error.message}", error.code)
    recordings.keep_own(services(), owner(), "input.wav", recording.file)
    recording.file.unlink()
    return {"status": "success", "message": "音频保存成功", "wav_url": _INPUT_URL}


@bp.get("/audio_exists")
def audio_exists() -> dict[str, Any]:
    """Whether this browser has recorded something."""
    exists = (services().paths.own_sounds(owner()) / "input.wav").is_file()
    return {"exists": exists, "url": _INPUT_URL if exists else ""}


@bp.get("/static/audios/<name>")
def sound(name: str) -> Response:
    """A sound file; the asking browser's own comes before a shared one of the same name."""
    own = child(services().paths.own_sounds(owner()), name)
    file = own if own.is_file() else child(services().paths.sounds, name)
    if not file.is_file():
        raise NotFound("There is no file {name}.", code="path.missing", hint="It may have been deleted.", name=name)
    return send_file(file, conditional=True, max_age=0)


@bp.post("/api/tts")
def tts() -> dict[str, Any]:
    """Speak a text into ``static/audios``."""
    data = request.get_json(silent=True)
    if not isinstance(data, dict):
        raise InvalidRequest("The request must be a JSON object.", code="request.not_json",
                             hint="Send Content-Type: application/json.")
    text, speaker = forms.required(data, "text"), forms.number(data.get("speaker_id"), "speaker_id", 0)
    check_text(services(), text)
    name = safe_name(str(data.get("out_name") or "tts.wav"), fallback="tts.wav")
    name = name if name.lower().endswith(".wav") else f"{name}.wav"
    speech = services().voice.speak(SpeechRequest(text, f"speaker:{speaker}" if speaker else ""))
    file = services().paths.sounds / f"tts_{uuid.uuid4().hex}.wav"
    write_wav(file, speech.samples, speech.rate)
    services().labeller.finish(file)
    recordings.keep_own(services(), owner(), name, file)
    file.unlink()
    return {"status": "success", "audio_url": f"/static/audios/{name}", "audio_path": f"static/audios/{name}",
            "voice": speech.voice, "notes": list(speech.notes)}


def _video(job: Job) -> dict[str, Any]:
    """The result of a job when it has succeeded; its error is raised otherwise."""
    result = dict(wait_for(services(), job))
    return {"status": "success", "video_path": result.pop("url"), "job": job.id, **result}


def _refused(message: str, code: str) -> tuple[Response, int]:
    told = {"status": "error", "message": message, "error": message, "code": code, "hint": "", "params": {}}
    return jsonify(told), 400
