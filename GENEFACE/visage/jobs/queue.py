"""Hands jobs to the worker.

The database is the truth; huey only delivers.  A lost message is sent again by
`reconcile`, and a doubled one does no harm, since a job can be claimed once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from huey import SqliteHuey
from huey.api import TaskWrapper

from visage.config import Settings
from visage.containers.nvidia import offered
from visage.errors import Conflict, InvalidRequest, NotInstalled
from visage.jobs.job import Job, Lane, State
from visage.jobs.placing import wanted
from visage.jobs.store import JobStore
from visage.storage.database import translated
from visage.storage.paths import Paths


class JobQueue:
    """Submit, stop, repeat and await jobs; one huey queue a lane, all in one SQLite file."""

    def __init__(self, settings: Settings, store: JobStore, paths: Paths,
                 run: Callable[[str], None] | None = None) -> None:
        """``run`` is given by the worker: called with each delivered job's id."""
        self._settings = settings
        self._store = store
        self._file = paths.queue
        self._run = run
        self._tasks: dict[Lane, TaskWrapper] = {}
        self._opening = threading.Lock()
        self._sending = threading.Lock()

    def task(self, lane: Lane) -> TaskWrapper:
        """The huey task of a lane; its ``.huey`` is what a consumer listens to."""
        def run_job(job_id: str) -> None:
            if self._run is not None:
                self._run(job_id)

        with self._opening, translated():
            if lane not in self._tasks:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                huey = SqliteHuey(f"visage-{lane.value}", filename=str(self._file), results=False, timeout=20)
                self._tasks[lane] = huey.task(name="run_job")(run_job)
        return self._tasks[lane]

    def submit(self, kind: str, title: str, lane: Lane, request: Mapping[str, Any], owner: str = "", *,
               retry_of: str = "") -> Job:
        """Store a job and queue it.

        `NotInstalled` for the GPU lane of a machine without one, `InvalidRequest` for a GPU that is not there.
        """
        if lane is Lane.GPU:
            self._check(str(request.get("device") or "auto"))
        job = self._store.create(kind, title, lane, request, owner, retry_of=retry_of)
        self._send(job.id, lane, job.created.timestamp())
        return job

    def _check(self, device: str) -> None:
        cards = offered(self._settings)
        if not cards:
            raise NotInstalled("No GPU was found on this machine.", code="job.no_gpu",
                               hint="Choose CPU. If there is a GPU, check `nvidia-smi`, or set VISAGE_GPU_SLOTS=1.")
        if not any(wanted(device, gpu) for gpu in cards):
            raise InvalidRequest("There is no {device} on this machine.", code="job.no_such_gpu",
                                 hint="Choose one of: {devices}.", device=device,
                                 devices=", ".join(["auto", *(gpu.name for gpu in cards)]))

    def cancel(self, job_id: str) -> Job:
        """Ask a job to stop; it has stopped within two seconds, or six with a container.  Raises `NotFound`."""
        return self._store.request_cancel(job_id)

    def retry(self, job_id: str) -> Job:
        """A new job with the request of an ended one; `Conflict` while that has not ended."""
        job = self._store.get(job_id)
        if not job.state.ended:
            raise Conflict("This job has not ended.", code="job.not_ended", hint="Cancel it first.")
        return self.submit(job.kind, job.title, job.lane, job.request, job.owner, retry_of=job.id)

    def wait(self, job_id: str, timeout: float | None = None, poll: float = 0.1) -> Job:
        """The job once it has ended, or as it is after ``timeout`` seconds (default: ``settings.wait_limit``)."""
        until = time.monotonic() + (self._settings.wait_limit if timeout is None else timeout)
        seen = -1
        while True:
            version = self._store.version(job_id)
            if version != seen:
                seen, job = version, self._store.get(job_id)
            if job.state.ended or time.monotonic() >= until:
                return job
            time.sleep(min(poll, max(0.0, until - time.monotonic())))

    def reconcile(self, starting: Collection[str] = (), patience: float = 3.0) -> int:
        """Send again what the queue has lost; returns how many.

        ``starting`` are jobs already taken out; one that changed within ``patience`` seconds is on its way.
        """
        waiting = [row for row in self._store.unfinished() if row[2] is State.QUEUED and row[0] not in starting
                   and time.time() - row[4] > patience]
        if not waiting:
            return 0
        known = {task.args[0] for lane in {row[1] for row in waiting} for task in self.task(lane).huey.pending()}
        lost = [row for row in waiting if row[0] not in known]
        for job_id, lane, _, created, _ in lost:
            self._send(job_id, lane, created)
        return len(lost)

    def close(self) -> None:
        """Close this thread's connections to the queue."""
        for task in self._tasks.values():
            task.huey.storage.close()

    def _send(self, job_id: str, lane: Lane, created: float) -> None:
        task = self.task(lane)
        # the oldest first, also when a job comes back: as its position says
        message = task.s(job_id, priority=-created)
        with self._sending:  # the storage has one connection, which only one thread at a time may close
            task.huey.enqueue(message)
            task.huey.storage.close()
