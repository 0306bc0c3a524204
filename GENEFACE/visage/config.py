"""Every setting, read once from the environment, typed and frozen.

A variable is ``VISAGE_`` and the field's name (``VISAGE_PORT=5001``); the few
older names that deployed systems use (``ZHIPU_API_KEY``, ``HOST`` and ``PORT``
of the voice server …) keep working.  A ``VISAGE_`` name that does not exist is
an error that names the likeliest one.  Secrets print as stars.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from visage.errors import InvalidRequest

PREFIX = "VISAGE_"
_LAUNCHER = {"VISAGE_PYTHON", "VISAGE_TORCH_INDEX", "VISAGE_SUPERVISED", "VISAGE_BENCH"}
"""Names read by scripts before Python starts; not settings."""


def _alias(field: str, *others: str) -> AliasChoices:
    return AliasChoices(PREFIX + field.upper(), *others)


class Settings(BaseSettings):
    """What an operator may choose.  Frozen: make another with ``model_copy(update=…)``."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", populate_by_name=True)

    home: Path = Path(__file__).resolve().parents[1]
    """Folder that holds everything the product writes."""
    host: str = "127.0.0.1"
    """Address the web app listens on; loopback unless told."""
    port: int = Field(5001, ge=1, le=65535)
    """Port of the web app."""
    voice_host: str = Field("127.0.0.1", validation_alias=_alias("voice_host", "HOST"))
    """Address the voice server listens on."""
    voice_port: int = Field(5003, ge=1, le=65535, validation_alias=_alias("voice_port", "PORT"))
    """Port of the voice server."""
    voice_url: str = ""
    """Where the web app finds the voice server; empty: this machine, ``voice_port``."""
    voice_device: str = Field("cpu", validation_alias=_alias("voice_device", "TTS_DEVICE"))
    """Device for voices that can use one."""
    speaker_id: int = Field(0, ge=0, validation_alias=_alias("speaker_id", "TTS_SPEAKER_ID"))
    """Speaker used when a request names none."""
    online: bool = True
    """Whether voices and models on the internet may be used at all."""
    piper_voices: Path | None = None
    """Folder with Piper voices (``*.onnx`` beside ``*.onnx.json``)."""
    speech_base_url: str = ""
    """A server with the OpenAI speech protocol whose voices are offered too, e.g. ``http://127.0.0.1:8880/v1``."""
    speech_api_key: SecretStr = SecretStr("")
    """Key for ``speech_base_url``; local servers need none."""
    speech_model: str = "tts-1"
    """Model asked for there."""
    speech_voices: str = "alloy"
    """Names of its voices, separated by commas."""
    clone_url: str = ""
    """A server that imitates a reference clip, for voice cloners, e.g. ``http://127.0.0.1:50000``."""
    clone_protocol: Literal["cosyvoice", "gpt-sovits", "openai"] = "cosyvoice"
    """What it speaks: ``cosyvoice``, ``gpt-sovits`` or ``openai`` with ``ref_audio``."""
    clone_api_key: SecretStr = SecretStr("")
    """Key for ``clone_url``, where the protocol has one."""
    clone_model: str = ""
    """Model asked for there; only the protocol ``openai`` names one."""
    clone_rate: int = Field(24_000, ge=8000, le=48_000)
    """Samples per second of a CosyVoice server: 24000, or 22050 for CosyVoice-300M; the server does not tell."""
    vosk_model: Path | None = None
    """Folder of one Vosk model; without it English is recognised by pocketsphinx."""
    vad: str = ""
    """Who hears whether somebody speaks, ``silero`` or ``energy``; empty: the best one there is."""
    zhipu_api_key: SecretStr = Field(
        SecretStr(""), validation_alias=_alias("zhipu_api_key", "ZHIPU_API_KEY", "ZHIPUAI_API_KEY"))
    """Key of the GLM service."""
    zhipu_model: str = Field("glm-4-flashx", validation_alias=_alias("zhipu_model", "ZHIPU_MODEL"))
    """Model asked for at the GLM service."""
    zhipu_base_url: str = Field("", validation_alias=_alias("zhipu_base_url", "ZHIPUAI_BASE_URL"))
    """Another address that speaks the GLM protocol; empty: the SDK's own."""
    openai_api_key: SecretStr = Field(SecretStr(""), validation_alias=_alias("openai_api_key", "OPENAI_API_KEY"))
    """Key for ``openai_base_url``; local servers need none."""
    openai_base_url: str = Field("", validation_alias=_alias("openai_base_url", "OPENAI_BASE_URL"))
    """Any server with the OpenAI protocol (Ollama, vLLM …), e.g. ``http://127.0.0.1:11434/v1``."""
    openai_model: str = Field("", validation_alias=_alias("openai_model", "OPENAI_MODEL"))
    """Model asked for there."""
    llm_timeout: float = Field(60.0, gt=0)
    """Seconds a language model may stay silent."""
    swap_rate: str = "60/minute"
    """How often one browser may ask for another face, e.g. ``60/minute``; empty: as often as it likes."""
    pictures: str = ""
    """Who makes pictures from words, ``library`` or ``openai``; empty: the best one that is configured."""
    pictures_folder: Path | None = None
    """Folder of pictures that ``library`` chooses from; without it ``model_cache/pictures``."""
    pictures_base_url: str = ""
    """A server with the OpenAI protocol that draws, e.g. ``http://127.0.0.1:8080/v1``."""
    pictures_api_key: SecretStr = SecretStr("")
    """Key for ``pictures_base_url``; local servers need none."""
    pictures_model: str = ""
    """Model asked for there; empty: the server's own."""
    objects: str = "local"
    """Where finished pictures of the picture service are put, ``local`` (a folder) or ``s3`` (S3, R2, MinIO …)."""
    objects_folder: Path | None = None
    """Folder of ``local``; without it ``var/objects``."""
    s3_endpoint: str = Field("", validation_alias=_alias("s3_endpoint", "R2_ENDPOINT", "S3_ENDPOINT_URL"))
    """Address of the store, e.g. ``https://ACCOUNT.r2.cloudflarestorage.com``; empty: AWS."""
    s3_region: str = "auto"
    """Region that requests are signed for; R2 wants ``auto``."""
    s3_bucket: str = Field("", validation_alias=_alias("s3_bucket", "R2_BUCKET", "S3_BUCKET"))
    """Bucket that files go to."""
    s3_access_key: SecretStr = Field(
        SecretStr(""), validation_alias=_alias("s3_access_key", "R2_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID"))
    """Name of the key that may write there."""
    s3_secret_key: SecretStr = Field(
        SecretStr(""), validation_alias=_alias("s3_secret_key", "R2_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY"))
    """The key itself."""
    s3_public_url: str = ""
    """Address at which the bucket is read, e.g. ``https://pictures.example.org``; empty: a link signed for a week."""
    database_url: str = ""
    """SQLAlchemy URL; empty: SQLite under ``home``."""
    cpu_slots: int = Field(1, ge=1)
    """Heavy jobs on the CPU (training) at once."""
    quick_slots: int = Field(1, ge=1)
    """Clips and chat turns made at once; apart from training, so that a talk never waits for one."""
    gpu_slots: int = Field(0, ge=0)
    """GPUs to reckon with, GPU0 and up, seen or not; 0: those that are seen."""
    live_sessions: int = Field(4, ge=0)
    """Live conversations at once; whoever comes then is asked to wait."""
    jobs_per_gpu: int = Field(1, ge=1)
    """Jobs at once on one GPU."""
    hf_mirror: str = Field("", validation_alias=_alias("hf_mirror", "HF_ENDPOINT"))
    """Mirror of huggingface.co that weights are fetched from, e.g. ``https://your.mirror``."""
    github_mirror: str = ""
    """Mirror of github.com for the same; a proxy may be named with the address in it, ``https://your.proxy/{url}``."""
    evaluation_models: Path | None = None
    """Folder in which evaluation looks for its weights and keeps them; without it ``model_cache``."""
    face_models: Path | None = Field(None, validation_alias=_alias("face_models", "FACE_FUSION_MODELS"))
    """Folder of the face-swap models (``*.onnx``); without it ``model_cache/face_models``."""
    face_provider: str = "auto"
    """Who computes them: ``auto`` (a GPU where one can be used), ``cpu``, ``cuda``, ``tensorrt``, ``directml`` …"""
    face_fp16: bool = False
    """Whether float16 files of face models are taken where there are any."""
    face_strict_provider: bool = False
    """Whether it is an error, instead of a warning, when another than the one named computes."""
    face_gpu_memory_mb: int = Field(2048, ge=256)
    """Most memory of the GPU that one face-swap model takes, in MiB."""
    face_restorer: str = ""
    """File that makes faces clear, e.g. ``codeformer.onnx``; empty: GFPGAN where it is there."""
    face_fidelity: float = Field(0.5, ge=0, le=1)
    """How faithful CodeFormer stays to the face as it was; larger is more faithful."""
    lite_train_seconds: float = Field(240.0, gt=0)
    """Time the built-in engine may spend on learning a face in the quality ``fast``, at the default of 10 epochs."""
    lite_fine_seconds: float = Field(2400.0, gt=0)
    """The same in the quality ``fine``; on a GPU a quarter of it is spent."""
    upload_limit_mb: int = Field(2048, ge=1)
    """Largest file accepted, in MiB."""
    speech_limit_minutes: float = Field(60.0, gt=0)
    """Longest driving sound accepted."""
    text_limit: int = Field(20_000, ge=1)
    """Longest text accepted, in characters."""
    keep_days: float = Field(7.0, gt=0)
    """Days that uploads, recordings and films of conversations are kept; avatars and clips stay until deleted."""
    label_producer: str = "Visage"
    """Who offers this service: the name or code that every label of generated content carries."""
    visible_mark: bool = True
    """The mark "AI generated" on pictures and videos; off only while an agreement is on record, see docs/trust.md."""
    audible_mark: Literal["end", "start", "off"] = "end"
    """Where speech given out as a file says in Morse that it is synthetic; off as for `visible_mark`."""
    consent_proof: bool = True
    """Whether a face is only swapped when its consent has a file that proves it."""
    audit_days: float = Field(200.0, ge=183)
    """Days that the log of consents, swaps, clones and exports is kept; six months at least."""
    signing_certificate: Path | None = None
    """PEM chain with which exports are signed as C2PA, the signing certificate first; needs `signing_key`."""
    signing_key: Path | None = None
    """PEM private key (ES256) that belongs to `signing_certificate`."""
    wait_limit: float = Field(24 * 3600.0, gt=0)
    """Seconds that a waiting (old-style) request waits for its job."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""


def read_settings(**given: object) -> Settings:
    """The settings of this process; ``given`` fields win over the environment.

    Raises `InvalidRequest` naming the variable that is unknown or wrong.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields} | _LAUNCHER
    for name in os.environ:
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise InvalidRequest("There is no setting {name}.", code="setting.unknown",
                                 hint=f"Did you mean {near[0]}?" if near else "See docs/operations.md.", name=name)
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as exc:
        first = exc.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidRequest("The setting {name} is wrong: {reason}.", code="setting.wrong",
                             hint="See docs/operations.md.", name=field, reason=first["msg"]) from exc
