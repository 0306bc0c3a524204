"""The job table: the one truth about every job."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from visage.errors import Conflict, NotFound, VisageError, WorkerLost
from visage.jobs.job import Job, Lane, State
from visage.jobs.lock import held
from visage.jobs.rows import ahead, as_job
from visage.storage.database import jobs, translated
from visage.storage.paths import Paths, child

ATTEMPTS = 3
"""How often a job may lose its process at the same point before it has failed."""
_STEP = 0.01
"""Fraction of a job beyond which two points are not the same."""


class JobStore:
    """Reads and changes jobs; every change is one atomic statement.

    Used by the web app, the worker and each job's own process at once.
    """

    def __init__(self, engine: sa.Engine, paths: Paths) -> None:
        self._engine = engine
        self._paths = paths

    @property
    def engine(self) -> sa.Engine:
        """The database."""
        return self._engine

    def folder(self, job_id: str) -> Path:
        """Where a job keeps ``log.txt``, ``lock``, ``preview.jpg``, ``losses.jsonl`` and its working files."""
        return child(self._paths.jobs, job_id)

    def create(self, kind: str, title: str, lane: Lane, request: Mapping[str, Any], owner: str = "", *,
               retry_of: str = "") -> Job:
        """A new queued job with its folder; nobody is told (see `JobQueue.submit`)."""
        job_id, now = uuid.uuid4().hex, time.time()
        with translated():
            self.folder(job_id).mkdir(parents=True, exist_ok=True)
        self._write(sa.insert(jobs).values(
            id=job_id, kind=kind, title=title, lane=lane.value, request=dict(request), owner=owner, retry_of=retry_of,
            state=State.QUEUED.value, created=now, changed=now, version=1, stage="", fraction=0.0, message="",
            facts={}, attempt=0, lost=0, reached=0.0, cancelling=False, container=False,
            device=str(request.get("device") or "auto")))
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """One job as it is now; raises `NotFound`."""
        found = self._read(sa.select(jobs, ahead().label("ahead")).where(jobs.c.id == job_id))
        if not found:
            raise _missing(job_id)
        return as_job(found[0], found[0].ahead)

    def list(self, kind: str | None = None, state: State | None = None, owner: str | None = None,
             limit: int = 50) -> Sequence[Job]:
        """Jobs, newest first."""
        query = sa.select(jobs, ahead().label("ahead")).order_by(jobs.c.created.desc(), jobs.c.id).limit(limit)
        for column, value in ((jobs.c.kind, kind), (jobs.c.state, state and state.value), (jobs.c.owner, owner)):
            if value is not None:
                query = query.where(column == value)
        return [as_job(row, row.ahead) for row in self._read(query)]

    def count(self, state: State) -> int:
        """How many jobs are in ``state``."""
        return self._read(sa.select(sa.func.count()).select_from(jobs).where(jobs.c.state == state.value))[0][0]

    def version(self, job_id: str) -> int:
        """A number that grows with every change of the job: cheap to ask often.  Raises `NotFound`."""
        found = self._read(sa.select(jobs.c.version).where(jobs.c.id == job_id))
        if not found:
            raise _missing(job_id)
        return found[0][0]

    def cancel_asked(self, job_id: str) -> bool:
        """Whether somebody asked to stop this job (or deleted it)."""
        found = self._read(sa.select(jobs.c.cancelling).where(jobs.c.id == job_id))
        return not found or bool(found[0][0])

    def claim(self, job_id: str) -> bool:
        """queued → running and one attempt more; True for exactly one caller, and on the GPU lane only with a GPU."""
        now = time.time()
        placed = sa.or_(jobs.c.lane != Lane.GPU.value, jobs.c.gpu.is_not(None))
        return self._change(job_id, [State.QUEUED], placed, state=State.RUNNING.value, started=now, ended=None,
                            stage="", fraction=0.0, pace=None, message="", attempt=jobs.c.attempt + 1)

    def progress(self, job_id: str, *, stage: str, fraction: float, message: str, facts: Mapping[str, Any],
                 pace: float | None = None) -> bool:
        """Where a running job stands (``facts``: all of them); False when it runs no more."""
        return self._change(job_id, [State.RUNNING], stage=stage, fraction=fraction, message=message,
                            facts=dict(facts), pace=pace)

    def succeed(self, job_id: str, result: Mapping[str, Any]) -> bool:
        """running → succeeded; only the process that did the work may say so."""
        return self._change(job_id, [State.RUNNING], state=State.SUCCEEDED.value, fraction=1.0, result=dict(result),
                            error=None, ended=time.time(), cancelling=False)

    def fail(self, job_id: str, error: VisageError) -> bool:
        """queued or running → failed, with the reason."""
        return self._change(job_id, [State.QUEUED, State.RUNNING], state=State.FAILED.value, error=error.as_dict(),
                            ended=time.time(), cancelling=False)

    def cancelled(self, job_id: str) -> bool:
        """queued or running → cancelled."""
        return self._change(job_id, [State.QUEUED, State.RUNNING], state=State.CANCELLED.value, ended=time.time(),
                            cancelling=False)

    def request_cancel(self, job_id: str) -> Job:
        """Stop a job: a queued one at once, a running one by its runner.  An ended one stays as it is.

        A running job whose process is dead, and which no worker watches, is cancelled here.
        """
        if not self._change(job_id, [State.QUEUED], state=State.CANCELLED.value, ended=time.time()) \
                and self._change(job_id, [State.RUNNING], cancelling=True):
            with held(self.folder(job_id) / "lock") as nobody_runs_it:
                if nobody_runs_it:
                    self.cancelled(job_id)
        return self.get(job_id)

    def works_in_container(self, job_id: str, does: bool = True) -> bool:
        """Say that a container works for a running job, or does so no more.

        Its process then gets more time to stop it, and the death of the worker, which the container outlives, is not
        counted against the job.
        """
        return self._change(job_id, [State.RUNNING], container=does)

    def requeue(self, job_id: str, reason: str, *, gone: bool = True) -> bool:
        """running → queued without blame: the worker stops, and the job goes on at its next start.

        ``gone``: nothing works for it any more; otherwise it keeps its GPU.
        """
        freed = {"gpu": None, "container": False} if gone else {}
        return self._change(job_id, [State.RUNNING], state=State.QUEUED.value, started=None, pace=None, message=reason,
                            **freed)

    def lose(self, job_id: str, reason: str, *, blame: bool = True) -> Job:
        """The job's process was killed: cancelled if that was asked for, else queued again, in the end failed.

        It fails after `ATTEMPTS` losses at the same point; one that came further starts to count anew.  ``reason`` is
        an English clause such as ``"killed by signal 9"``; without ``blame`` this loss is not counted.  A GPU that it
        holds stays its own.
        """
        held_up = [State.QUEUED, State.RUNNING]
        asked = sa.and_(jobs.c.cancelling, jobs.c.state == State.RUNNING.value)
        further = jobs.c.fraction > jobs.c.reached + _STEP
        lost = sa.case((further, int(blame)), else_=jobs.c.lost + int(blame))
        error = WorkerLost("The process of this job was lost {attempts} times, the last time: {reason}.",
                           hint="Its log tells more. Free some memory, or use a shorter video, then try again.",
                           attempts=ATTEMPTS, reason=reason)
        now = time.time()
        _ = self._change(job_id, held_up, asked, state=State.CANCELLED.value, ended=now, cancelling=False) \
            or self._change(job_id, held_up, lost >= ATTEMPTS, state=State.FAILED.value,
                            lost=lost, error=error.as_dict(), ended=now) \
            or self._change(job_id, held_up, state=State.QUEUED.value, lost=lost, started=None,
                            reached=sa.case((further, jobs.c.fraction), else_=jobs.c.reached),
                            pace=None, message=f"Starting again: {reason}.")
        return self.get(job_id)

    def delete(self, job_id: str) -> None:
        """Forget an ended job and its folder; `Conflict` while it is not ended."""
        ended = [state.value for state in State if state.ended]
        if not self._write(sa.delete(jobs).where(jobs.c.id == job_id, jobs.c.state.in_(ended))):
            self.get(job_id)
            raise Conflict("This job has not ended.", code="job.not_ended", hint="Cancel it first.")
        shutil.rmtree(self.folder(job_id), ignore_errors=True)

    def unfinished(self) -> Sequence[tuple[str, Lane, State, float, float]]:
        """Id, lane, state, time of creation and of the last change of all jobs that have not ended, oldest first."""
        query = sa.select(jobs.c.id, jobs.c.lane, jobs.c.state, jobs.c.created, jobs.c.changed).where(
            jobs.c.state.in_([State.QUEUED.value, State.RUNNING.value])).order_by(jobs.c.created, jobs.c.id)
        return [(row.id, Lane(row.lane), State(row.state), row.created, row.changed) for row in self._read(query)]

    def _change(self, job_id: str, states: Sequence[State], *conditions: Any, **values: Any) -> bool:
        statement = sa.update(jobs).where(jobs.c.id == job_id, jobs.c.state.in_([s.value for s in states]), *conditions)
        return bool(self._write(statement.values(**values, changed=time.time(), version=jobs.c.version + 1)))

    def _write(self, statement: Any) -> int:
        with translated(), self._engine.begin() as connection:
            return connection.execute(statement).rowcount

    def _read(self, query: Any) -> Sequence[sa.Row[Any]]:
        with translated(), self._engine.connect() as connection:
            return list(connection.execute(query))


def _missing(job_id: str) -> NotFound:
    return NotFound("There is no job {id}.", code="job.missing", id=job_id, hint="It may have been deleted.")
