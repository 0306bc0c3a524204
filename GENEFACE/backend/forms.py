"""What may be asked for: frozen, validated models for JSON bodies, and readers for the forms of older clients."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from visage.errors import InvalidRequest

_DEVICE = re.compile(r"auto|cpu|gpu\d", re.IGNORECASE)


class Form(BaseModel):
    """Base of all requests: frozen, blanks trimmed, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class _WithDevice(Form):
    device: str = Field("auto", description="auto, CPU, GPU0, GPU1 …; any case")

    @field_validator("device")
    @classmethod
    def _known_device(cls, value: str) -> str:
        if not _DEVICE.fullmatch(value or "auto"):
            raise ValueError("is not a device: use auto, CPU, GPU0 or GPU1")
        return "auto" if value.lower() in ("", "auto") else value.upper()


class TrainForm(_WithDevice):
    """Learn a face from a video."""

    upload: str = Field("", description="id of an upload of kind video")
    path: str = Field("", description="a file already on the server, below static/ or GeneFace-main/data/")
    name: str = Field("", max_length=80, description="what people read; default: the file's name")
    engine: str = Field("lite", description="an engine of GET /api/engines")
    epochs: int = Field(10, ge=1, le=1000, description="how thoroughly")
    quality: str = Field("", max_length=20, description="one of the engine's qualities; default: its usual one")
    id: str = Field("", description="id of the avatar; default: made from the name")


class PhotoForm(Form):
    """Make an avatar from one photo."""

    upload: str = Field("", description="id of an upload of kind image")
    path: str = Field("", description="a file already on the server")
    name: str = Field("", max_length=80)
    id: str = ""


class GenerateForm(_WithDevice):
    """Make an avatar say a text or a sound."""

    avatar: str = Field(min_length=1, description="id of an avatar")
    engine: str = Field("", description="engine the avatar must be of; default: its own")
    text: str = Field("", description="what to say; or give a sound")
    upload: str = Field("", description="id of an upload of kind audio")
    sound: str = Field("", description="a sound already on the server")
    voice: str = Field("", description="a voice of GET /api/voices; default: by the language of the text")
    speed: float = Field(1.0, ge=0.5, le=2.0)
    pitch: float = Field(0.0, ge=-12, le=12, description="semitones")
    title: str = Field("", max_length=120)


class ChatForm(_WithDevice):
    """One turn of a conversation."""

    conversation: str = Field("", description="id of a conversation; empty: a new one")
    avatar: str = Field(min_length=1, description="id of an avatar")
    engine: str = Field("", description="engine the avatar must be of; default: its own")
    text: str = Field("", description="the question; or give a recording")
    recording: str = Field("", description="id of a recording")
    voice: str = ""
    llm: str = Field("", description="zhipu, openai, offline; empty: the best there is")
    notes: tuple[str, ...] = Field((), description="what must be said beside the answer")


class Footage(Form):
    """A video that is on the server: exactly one of three."""

    upload: str = Field("", description="id of an upload of kind video")
    clip: str = Field("", description="id of a finished clip")
    path: str = Field("", description="a file already on the server, below static/ or GeneFace-main/data/")


class EvaluateForm(_WithDevice):
    """Measure how good a clip is, alone or against its ground truth; or how good an avatar is."""

    pred: Footage | None = Field(None, description="the clip to measure; or give an avatar")
    truth: Footage | None = Field(None, description="what it should equal; without it fewer figures are found")
    avatar: str = Field("", description="an avatar: it speaks the last part of its recording and is compared with it")
    regions: tuple[Literal["full", "face", "mouth"], ...] = Field(
        (), description="one report each; default: full, for an avatar face and mouth")
    stride: int = Field(1, ge=1, le=1000, description="measure every n-th frame")
    max_frames: int = Field(0, ge=0, le=1_000_000, description="stop after so many frames; 0: all")
    title: str = Field("", max_length=120)


class FilmForm(Form):
    """One video of a whole conversation."""

    conversation: str = Field(min_length=1, description="id of a conversation of this browser")
    subtitles: Literal["none", "soft", "burnt"] = Field(
        "soft", description="none; soft: a track that players can switch off; burnt: part of the picture")


class SpeechForm(Form):
    """Hear a voice."""

    text: str = Field(min_length=1, max_length=20_000)
    voice: str = ""
    speed: float = Field(1.0, ge=0.5, le=2.0)
    pitch: float = Field(0.0, ge=-12, le=12)


class CloneForm(Form):
    """Lend a voice: a recording of somebody who agrees."""

    upload: str = Field("", description="id of an upload of kind audio; or give a recording")
    recording: str = Field("", description="id of a recording")
    name: str = Field(min_length=1, max_length=60, description="what people read")
    language: str = Field("", description="zh or en: what is spoken in it; default: the language of the sentence")
    consent: bool = Field(False, description="true: the sentence was agreed to")
    sentence: str = Field("", max_length=500, description="what was agreed to: one of GET /api/voices/cloned")
    keep_recording: bool = Field(False, description="keep the recording beside the voice; default: it is deleted")


def read(model: type[Form], data: Mapping[str, Any]) -> Any:
    """``data`` as that model.  Raises `InvalidRequest` naming the first wrong field."""
    try:
        return model(**data)
    except ValidationError as exc:
        raise wrong_field(exc) from exc


def wrong_field(error: ValidationError) -> InvalidRequest:
    """The error for the first field that does not fit its model, in words that can be translated."""
    first = error.errors()[0]
    kind, bounds = str(first["type"]), first.get("ctx") or {}
    field = ".".join(str(part) for part in first["loc"])
    if not field:
        return InvalidRequest("The request holds no JSON object.", code="request.no_object",
                              hint="Send a JSON object, with the header Content-Type: application/json.")
    if kind in ("missing", "string_too_short"):
        return _missing(field)
    if kind == "extra_forbidden":
        return InvalidRequest("There is no field {field}.", code="request.unknown_field", field=field,
                              hint="Leave it out, or look up its name in docs/http-api.md.")
    if kind == "string_too_long":
        return InvalidRequest("{field} may have at most {limit} characters.", code="request.too_long", field=field,
                              limit=bounds["max_length"], hint="Make it shorter.")
    if kind.startswith(("int_", "float_", "finite_", "greater_", "less_")):
        return _wrong_number(field, kind, bounds, str(first["input"])[:60])
    return _wrong_value(field, str(first["input"])[:60])


def _wrong_number(field: str, kind: str, bounds: Mapping[str, Any], value: str) -> InvalidRequest:
    if kind.startswith("greater_"):
        return InvalidRequest("{field} must be at least {limit}.", code="request.too_low", field=field,
                              limit=bounds["ge"], hint="Give a larger number.")
    if kind.startswith("less_"):
        return InvalidRequest("{field} may be at most {limit}.", code="request.too_high", field=field,
                              limit=bounds["le"], hint="Give a smaller number.")
    return _not_a_number(field, value)


def _wrong_value(field: str, value: str) -> InvalidRequest:
    if field == "device":
        return InvalidRequest("{value!r} is not a device.", code="request.device", hint="Use auto, CPU, GPU0 or GPU1.",
                              value=value)
    return InvalidRequest("{field} cannot be {value!r}.", code="request.field", field=field, value=value,
                          hint="Correct this field and send again.")


def train_form(data: Mapping[str, Any]) -> TrainForm:
    """The old training form: ``model_choice, ref_video, gpu_choice, epoch, custom_params``."""
    video = required(data, "ref_video")
    return read(TrainForm, {
        "path": video, "name": Path(video).stem, "id": _old_id(Path(video).stem),
        "engine": _engine(data.get("model_choice")), "device": data.get("gpu_choice") or "auto",
        "epochs": number(data.get("epoch"), "epoch", 10), "quality": str(data.get("quality") or "")})


def generate_form(data: Mapping[str, Any]) -> GenerateForm:
    """The old generation form: ``model_name, model_param, ref_audio, gpu_choice, target_text, speaker_id``.

    A sound wins over a text, as it always did: the old page fills ``ref_audio`` itself after its voice test.
    """
    sound, text = str(data.get("ref_audio") or "").strip(), str(data.get("target_text") or "").strip()
    if not sound and not text:
        raise InvalidRequest("There is nothing to say: no text and no sound.", code="generate.nothing_to_say",
                             hint="Give target_text or ref_audio.")
    speaker = number(data.get("speaker_id"), "speaker_id", 0)
    return read(GenerateForm, {"avatar": _avatar(data), "engine": _engine(data.get("model_name")), "sound": sound,
                               "text": "" if sound else text,
                               "voice": f"speaker:{speaker}" if speaker else "",
                               "device": data.get("gpu_choice") or "auto"})


def chat_form(data: Mapping[str, Any]) -> ChatForm:
    """The old chat form: ``model_name, model_param, voice_clone, api_choice, gpu_choice``."""
    return read(ChatForm, {"avatar": _avatar(data), "engine": _engine(data.get("model_name")),
                           "llm": str(data.get("api_choice") or ""),
                           "device": data.get("gpu_choice") or "auto"})


def required(data: Mapping[str, Any], field: str) -> str:
    """A field that must not be empty."""
    value = str(data.get(field) or "").strip()
    if not value:
        raise _missing(field)
    return value


def _missing(field: str) -> InvalidRequest:
    return InvalidRequest("The field {field} is missing.", code="request.missing_field",
                          hint="Fill it and send again.", field=field)


def _not_a_number(field: str, value: str) -> InvalidRequest:
    return InvalidRequest("{field} must be a number, not {value!r}.", code="request.not_a_number",
                          hint="Give a number.", field=field, value=value)


def _avatar(data: Mapping[str, Any]) -> str:
    """``May`` of ``May``, ``checkpoints/May`` or ``checkpoints/May/lm3d_radnerf_torso``."""
    parts = [part for part in required(data, "model_param").replace("\\", "/").split("/") if part]
    if ".." in parts or not parts:
        raise InvalidRequest("{name!r} cannot be an id.", code="path.identifier",
                             hint="Use 1 to 64 Latin letters, digits, - and _.", name=str(data.get("model_param")))
    return parts[parts.index("checkpoints") + 1] if "checkpoints" in parts[:-1] else parts[-1]


def _engine(name: Any) -> str:
    """The engine an old form means; the embedded one only where nothing is named."""
    return str(name or "lite").strip()


def _old_id(stem: str) -> str:
    cleaned = re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_")[:64]
    return cleaned if cleaned else ""


def number(value: Any, field: str, default: int) -> int:
    text = str(value if value is not None else "").strip()
    if not text:
        return default
    try:
        return int(float(text))
    except (ValueError, OverflowError) as exc:
        raise _not_a_number(field, text) from exc
