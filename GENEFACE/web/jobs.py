"""Status, events, log, preview, cancel, retry: one shape for every job."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Response, request, send_file
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from backend import chat_engine, model_trainer, video_generator
from backend.forms import ChatForm, GenerateForm, PhotoForm, TrainForm
from visage.errors import NotFound
from visage.jobs.job import Job, State
from visage.jobs.store import JobStore
from web.events import BEAT, Event, stream
from web.visitor import owner, services
from web.words import translate

bp = APIBlueprint("jobs", __name__, abp_tags=[Tag(name="jobs")])
_POLL = 0.25


class JobPath(BaseModel):
    """Part of the address."""

    job_id: str = Field(description="id of a job")


class JobQuery(BaseModel):
    """Filters of the list."""

    kind: str = ""
    state: str = ""
    limit: int = Field(50, ge=1, le=500)


def shown(job: Job) -> dict[str, Any]:
    """A job as docs/http-api.md has it."""
    return {"id": job.id, "kind": job.kind, "title": job.title, "state": job.state.value, "stage": job.stage,
            "fraction": round(job.fraction, 4), "eta": job.eta, "position": job.position, "device": job.device,
            "gpu": job.gpu, "attempt": job.attempt, "message": job.message, "facts": dict(job.facts),
            "cancelling": job.cancelling,
            "error": translate(job.error) if job.error else None, "result": job.result,
            "created": _iso(job.created), "started": _iso(job.started), "ended": _iso(job.ended)}


@bp.post("/api/jobs/train")
def train(body: TrainForm) -> tuple[dict[str, Any], int]:
    """Learn a face from a video."""
    return shown(model_trainer.submit(services(), body, owner())), 202


@bp.post("/api/jobs/photo")
def photo(body: PhotoForm) -> tuple[dict[str, Any], int]:
    """Make an avatar from one photo."""
    return shown(model_trainer.submit(services(), body, owner())), 202


@bp.post("/api/jobs/generate")
def generate(body: GenerateForm) -> tuple[dict[str, Any], int]:
    """Make an avatar say a text or a sound."""
    return shown(video_generator.submit(services(), body, owner())), 202


@bp.post("/api/jobs/chat")
def chat(body: ChatForm) -> tuple[dict[str, Any], int]:
    """One turn of a conversation."""
    return shown(chat_engine.submit(services(), body, owner())), 202


@bp.get("/api/jobs")
def jobs(query: JobQuery) -> dict[str, Any]:
    """The newest jobs of this machine, newest first."""
    state = State(query.state) if query.state in {state.value for state in State} else None
    found = services().store.list(kind=query.kind or None, state=state, limit=query.limit)
    return {"jobs": [shown(job) for job in found]}


@bp.get("/api/jobs/<job_id>")
def job(path: JobPath) -> dict[str, Any]:
    """One job."""
    return shown(services().store.get(path.job_id))


@bp.delete("/api/jobs/<job_id>")
def forget(path: JobPath) -> tuple[str, int]:
    """Forget an ended job; what it made stays."""
    services().store.delete(path.job_id)
    return "", 204


@bp.post("/api/jobs/<job_id>/cancel")
def cancel(path: JobPath) -> dict[str, Any]:
    """Stop a job that waits or runs."""
    services().queue.cancel(path.job_id)
    return shown(services().store.get(path.job_id))


@bp.post("/api/jobs/<job_id>/retry")
def retry(path: JobPath) -> tuple[dict[str, Any], int]:
    """The same again; a training goes on from its last checkpoint."""
    return shown(services().queue.retry(path.job_id)), 202


@bp.get("/api/jobs/<job_id>/log")
def log(path: JobPath) -> Response:
    """The whole log."""
    file = _folder(path.job_id) / "log.txt"
    return Response(file.read_text(encoding="utf-8", errors="replace") if file.exists() else "", mimetype="text/plain")


@bp.get("/api/jobs/<job_id>/preview.jpg")
def preview(path: JobPath) -> Response:
    """The newest preview picture."""
    file = _folder(path.job_id) / "preview.jpg"
    if not file.is_file():
        raise NotFound("There is no preview yet.", code="job.no_preview", hint="Wait a moment.")
    return send_file(file, mimetype="image/jpeg", max_age=0)


@bp.get("/api/jobs/<job_id>/events")
def events(path: JobPath) -> Response:
    """Everything that happens to a job, as it happens."""
    services().store.get(path.job_id)
    return stream(_follow(services().store, path.job_id, request.headers.get("Last-Event-ID", "")))


def _follow(store: JobStore, job_id: str, last_seen: str) -> Iterator[Event]:
    """State, log and loss of a job until it has ended.  ``last_seen`` is ``log offset-loss points``."""
    marks = re.fullmatch(r"(\d{1,12})-(\d{1,9})", last_seen)
    offset, points = (int(marks[1]), int(marks[2])) if marks else (0, 0)
    seen, quiet = None, time.monotonic()
    while True:
        try:
            now, told = store.get(job_id), None
        except NotFound:  # deleted while somebody watched
            yield Event("end", {})
            return
        lines, offset = _new_lines(store.folder(job_id) / "log.txt", offset)
        losses, points = _new_points(store.folder(job_id) / "losses.jsonl", points)
        mark = f"{offset}-{points}"
        if lines:
            yield (told := Event("log", {"lines": lines}, mark))
        if losses:
            yield (told := Event("loss", {"points": losses}, mark))
        if (state := shown(now)) != seen:
            yield (told := Event("job", state, mark))
            seen = state
        if now.state.ended:
            yield Event("end", {}, mark)
            return
        if told:
            quiet = time.monotonic()
        elif time.monotonic() - quiet > BEAT:
            yield Event("")
            quiet = time.monotonic()
        time.sleep(_POLL)


def _new_lines(file: Path, offset: int) -> tuple[list[str], int]:
    """Whole lines after a byte offset, at most the last 64 kB of them, and the offset behind them."""
    if not file.exists():
        return [], offset
    with file.open("rb") as log_file:
        size = log_file.seek(0, 2)
        log_file.seek(max(offset, size - 65_536))
        data = log_file.read()
    whole, newline, _rest = data.rpartition(b"\n")
    if not newline:
        return [], offset
    end = max(offset, size - 65_536) + len(whole) + 1
    return whole.decode("utf-8", errors="replace").splitlines(), end


def _new_points(file: Path, count: int) -> tuple[list[Any], int]:
    """Loss points after the first ``count``, and how many there are now."""
    if not file.exists():
        return [], count
    lines = [line for line in file.read_text(encoding="utf-8").split("\n")[:-1] if line]
    # After a resume the list may be shorter than before.
    return [json.loads(line) for line in lines[min(count, len(lines)):]], len(lines)


def _folder(job_id: str) -> Path:
    services().store.get(job_id)
    return services().store.folder(job_id)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None
