"""What nobody will ask for again is removed: old uploads, voice tests, recordings, broken-off trainings, containers."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from backend.services import Services
from visage.errors import NotFound, NotInstalled
from visage.jobs.job import State

_PASSING = ("preview_*.wav", "recording_*.wav", "tts_*.wav")


def sweep(services: Services) -> int:
    """Remove what is older than ``settings.keep_days`` and needed by no unfinished job; returns how many.

    Uploads whose sender went away go after a day, films and recordings of conversations as uploads do; what was said
    stays to be read.  Avatars and clips are never touched.
    """
    needed, limit = _needed(services), time.time() - services.settings.keep_days * 86_400
    services.audit.sweep()
    removed = services.uploads.sweep() + services.talks.sweep(services.settings.keep_days, needed)
    for path in _passing(services):
        if path.stat().st_mtime < limit and not any(part in path.name for part in needed):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            removed += 1
    return removed


def collect_containers(services: Services) -> list[str]:
    """Remove the containers of jobs that have ended or are gone; returns the ids of those jobs.

    A container of an unfinished job stays: the next attempt takes it up again.
    """
    def unfinished(job_id: str) -> bool:
        try:
            return not services.store.get(job_id).state.ended
        except NotFound:
            return False

    try:
        return list(services.containers.collect(unfinished))
    except NotInstalled:  # no container engine answers, so it runs none of ours either
        return []


def _passing(services: Services) -> Iterator[Path]:
    yield from services.paths.uploads.glob("*")
    yield from services.paths.training.glob("*")
    for pattern in _PASSING:
        yield from services.paths.sounds.glob(pattern)


def _needed(services: Services) -> set[str]:
    """Ids of uploads, recordings, avatars and conversations that waiting and running jobs were given."""
    jobs = [job for state in (State.QUEUED, State.RUNNING) for job in services.store.list(state=state, limit=10_000)]
    asked = [part for job in jobs for part in (job.request, job.request.get("pred"), job.request.get("truth")) if part]
    names = ("upload", "recording", "id", "conversation")
    return {str(part[name]) for part in asked for name in names if part.get(name)}
