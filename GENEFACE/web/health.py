"""What this machine can do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import current_app
from flask_openapi3 import APIBlueprint, Tag

from backend import doctor
from backend.model_trainer import learning_time
from backend.weights import told
from backend.worker import worker_status
from visage import __version__
from visage.containers.nvidia import offered
from visage.engines import EngineInfo
from visage.engines.weights import find
from visage.errors import VisageError
from web.visitor import services

bp = APIBlueprint("machine", __name__, abp_tags=[Tag(name="machine")])


@bp.get("/health")
@bp.get("/api/health")
def health() -> dict[str, Any]:
    """The doctor's findings, the worker, the voice server and who answers."""
    found = doctor.examine(services().settings, services().paths)
    worker = worker_status(services().paths)
    voice = next((need.ok for need in found if need.name == "voice_server"), False)
    essential = all(need.ok for need in found if need.essential)
    return {"ok": essential and worker.alive and voice, "version": __version__,
            "worker": {"alive": worker.alive, "jobs_running": worker.jobs_running},
            "voice": {"ok": voice, "url": services().voice_url}, "llm": _llm(),
            "live": {"sessions": current_app.extensions["visage_live"].sessions,
                     "most": services().settings.live_sessions},
            "languages_heard": ["any"] if services().settings.vosk_model else ["en"],
            "requirements": [asdict(need) for need in found]}


@bp.get("/api/engines")
def engines() -> dict[str, Any]:
    """All engines, installed or not, with what each needs."""
    infos = [engine.describe() for engine in services().engines()]
    return {"default": "lite", "engines": [
        {"name": info.name, "title": info.title, "summary": info.summary, "installed": info.installed,
         "devices": list(info.devices), "photo": info.photo, "trains": info.trains, "renders": info.renders,
         "live": info.live, "needs_gpu": info.needs_gpu, "qualities": _qualities(info),
         "needs": [asdict(need) for need in info.needs]}
        for info in infos], "gpus": [{"name": gpu.name, **asdict(gpu)} for gpu in offered(services().settings)]}


@bp.get("/api/weights")
def weights() -> dict[str, Any]:
    """What engines need beside their code: whether it is here, its source, its licence and how it gets here."""
    return {"weights": [told(services().paths, weight) for weight in find(())]}


def _qualities(info: EngineInfo) -> list[dict[str, Any]]:
    """The ways an engine can learn a face, with the seconds that ten epochs take on a CPU and with a GPU."""
    here = services()
    return [{"name": name, "seconds": round(learning_time(here, name, device="CPU")),
             "gpu_seconds": round(learning_time(here, name, device="GPU0"))} for name in info.qualities]


def _llm() -> dict[str, Any]:
    try:
        name = services().responder().name
    except VisageError as error:
        return {"name": error.message, "offline": True}
    return {"name": name, "offline": name.startswith("offline")}

