"""Which GPU a job gets: one job a GPU unless told otherwise, the oldest first, and never two at once.

A row of the job table that has a ``gpu`` and has not ended holds that GPU: while
it runs, while it is about to start, and also after its process was killed,
because a container may still work there for it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa

from visage.config import Settings
from visage.containers.nvidia import Gpu, offered
from visage.errors import NotInstalled
from visage.jobs.job import Job, Lane, State
from visage.jobs.store import JobStore
from visage.storage.database import jobs, translated, turn

_ON_LANE = sa.and_(jobs.c.lane == Lane.GPU.value, jobs.c.state.in_([State.QUEUED.value, State.RUNNING.value]))


class Placing:
    """Gives GPUs to queued jobs."""

    def __init__(self, settings: Settings, store: JobStore) -> None:
        self._settings = settings
        self._store = store

    def __call__(self, job: Job) -> bool:
        """Whether a queued job may start now; a job of the GPU lane has its GPU then.

        A job that asked for a GPU that is no longer there fails, instead of waiting for ever.
        """
        if job.lane is not Lane.GPU or job.gpu is not None:
            return True
        cards = offered(self._settings)
        if not any(wanted(job.device, gpu) for gpu in cards):
            self._store.fail(job.id, gone(job.device))
            return False
        with translated(), self._store.engine.connect() as connection:
            if not choices(connection, job, cards, self._settings.jobs_per_gpu):
                return False
        return place(self._store.engine, job, cards, self._settings.jobs_per_gpu) is not None


def wanted(device: str, gpu: Gpu) -> bool:
    """Whether a job that asked for ``device`` may take this GPU."""
    return not device.startswith("GPU") or device == gpu.name


def gone(device: str) -> NotInstalled:
    """The error for a GPU that is not there any more."""
    return NotInstalled("The job waited for a GPU ({device}), but there is none like that any more.",
                        code="job.gpu_gone", hint="Check `nvidia-smi`, then try again, or choose another device.",
                        device=device)


def place(engine: sa.Engine, job: Job, cards: Sequence[Gpu], each: int) -> int | None:
    """Give a queued job one of ``cards``, of which each takes ``each`` jobs; its index, or None when it must wait.

    Atomic across processes: of two callers that want the last GPU one gets it.
    """
    with translated(), turn(engine) as connection:
        found = choices(connection, job, cards, each)
        if not found:
            return None
        mine = sa.and_(jobs.c.id == job.id, jobs.c.state == State.QUEUED.value, jobs.c.gpu.is_(None))
        given = connection.execute(sa.update(jobs).where(mine).values(
            gpu=found[0].index, changed=time.time(), version=jobs.c.version + 1))
        return found[0].index if given.rowcount else None


def choices(connection: sa.Connection, job: Job, cards: Sequence[Gpu], each: int) -> list[Gpu]:
    """The GPUs that a job may take now, best first: most free memory, then fewest jobs, then lowest number.

    Older jobs that wait come first: what they would take now is not free.
    """
    columns = jobs.c.id, jobs.c.device, jobs.c.gpu
    rows = connection.execute(sa.select(*columns).where(_ON_LANE).order_by(jobs.c.created, jobs.c.id)).all()
    used = Counter(row.gpu for row in rows if row.gpu is not None)
    for row in rows:
        if row.gpu is not None:
            continue
        free = sorted((gpu for gpu in cards if wanted(row.device, gpu) and used[gpu.index] < each),
                      key=lambda gpu: (-(gpu.memory_free or 0), used[gpu.index], gpu.index))
        if row.id == job.id:
            return free
        used.update(gpu.index for gpu in free[:1])
    return []
