"""What nobody will ask for again is removed: old uploads, voice tests, recordings and broken-off trainings."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from backend.services import Services
from visage.jobs.job import State

_PASSING = ("preview_*.wav", "recording_*.wav", "tts_*.wav")


def sweep(services: Services) -> int:
    """Remove what is older than ``settings.keep_days`` and needed by no unfinished job; returns how many.

    Uploads whose sender went away go after a day.  Avatars and clips are never touched.
    """
    needed, limit = _needed(services), time.time() - services.settings.keep_days * 86_400
    removed = services.uploads.sweep()
    for path in _passing(services):
        if path.stat().st_mtime < limit and not any(part in path.name for part in needed):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            removed += 1
    return removed


def _passing(services: Services) -> Iterator[Path]:
    yield from services.paths.uploads.glob("*")
    yield from services.paths.training.glob("*")
    for pattern in _PASSING:
        yield from services.paths.sounds.glob(pattern)


def _needed(services: Services) -> set[str]:
    """Ids of uploads, recordings and avatars that waiting and running jobs were given."""
    jobs = [job for state in (State.QUEUED, State.RUNNING) for job in services.store.list(state=state, limit=10_000)]
    return {str(job.request[name]) for job in jobs for name in ("upload", "recording", "id") if job.request.get(name)}
