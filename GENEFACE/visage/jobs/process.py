"""Inside a job's own process: claim it, call its verb, write down how it ended."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from visage.errors import Cancelled, OutputInvalid, UnknownDriver, VisageError, from_os_error
from visage.jobs.job import Job, Lane
from visage.jobs.lock import held
from visage.jobs.rows import Pace
from visage.jobs.store import JobStore
from visage.types import Progress, Report

NOT_MINE = 4
"""Exit code of a process whose job had already been taken."""
_NO_ROOM = 1 << 20
"""Free bytes of disk below which an unforeseen failure is put down to the full disk."""
_WRITE_SECONDS = 0.2
_NICE_TRAINING = 10
_PATIENT = frozenset({"film"})
"""Kinds that wait in the lane of clips and turns, but give way to whoever talks meanwhile."""


class HasStore(Protocol):
    """What this file needs of the services; verbs get the same object and know more of it."""

    @property
    def store(self) -> JobStore:
        """The jobs."""


Verb = Callable[[Job, Any, Report], Mapping[str, Any]]
"""Does a job and returns its result, JSON-ready; raises a `VisageError` when it cannot."""


def work(job_id: str, services: HasStore, verbs: Mapping[str, str]) -> int:
    """Do one job in this process; returns the exit code.  ``verbs``: kind → ``"module:function"``."""
    store = services.store
    with held(store.folder(job_id) / "lock", patience=2.0) as mine:
        if not mine or not store.claim(job_id):
            return NOT_MINE
        job = store.get(job_id)
        if job.lane is Lane.CPU or job.kind in _PATIENT:
            os.nice(_NICE_TRAINING)
        stop = _Stop()
        report = Reporter(store, job, stop)
        print(f"--- {job.kind} {job.title!r}, attempt {job.attempt}", flush=True)
        try:
            result = dict(load_verb(verbs, job.kind)(job, services, report))
            stop.forget()
            report.flush()
            store.succeed(job_id, result)
        except BaseException as exc:  # whatever it was, the row must say so
            stop.forget()
            _write_down(store, job_id, exc, stop.asked)
    return 0


def load_verb(verbs: Mapping[str, str], kind: str) -> Verb:
    """The function of a kind of job, imported now; raises `UnknownDriver`."""
    if kind not in verbs:
        raise UnknownDriver("There is no job of the kind {kind}.", code="job.unknown_kind",
                            hint="Known kinds: {known}.", kind=kind, known=", ".join(sorted(verbs)))
    module, _, name = verbs[kind].partition(":")
    return getattr(importlib.import_module(module), name)


class _Stop:
    """SIGTERM raises `Cancelled` in the verb, once, wherever it is."""

    def __init__(self) -> None:
        self.asked = False
        self._armed = True
        signal.signal(signal.SIGTERM, self._hear)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        first, self.asked = not self.asked, True
        if first and self._armed:
            raise Cancelled("The job was stopped.")

    def forget(self) -> None:
        """From here on nothing is interrupted."""
        self._armed = False


class Reporter:
    """The `Report` of a verb: prints messages to the log and brings the row up to date, not too often."""

    def __init__(self, store: JobStore, job: Job, stop: _Stop) -> None:
        self._store, self._job_id, self._stop = store, job.id, stop
        self._facts = dict(job.facts)
        self._stage, self._message, self._fraction = "", "", 0.0
        self._written = 0.0
        self._pace = Pace(resumed=job.attempt > 1 or bool(job.retry_of))

    def __call__(self, step: Progress) -> None:
        """Take one step down; raises `Cancelled` when the job must stop."""
        new_stage = step.stage != self._stage
        self._stage, self._fraction = step.stage, min(1.0, max(self._fraction, step.fraction))
        self._facts.update(step.facts)
        if step.message and step.message != self._message:
            self._message = step.message
            print(f"{time.strftime('%H:%M:%S')} {step.stage} {self._fraction:4.0%}  {step.message}", flush=True)
        if new_stage or time.monotonic() - self._written >= _WRITE_SECONDS:
            self._check(self.flush())

    def flush(self) -> bool:
        """Write where the job stands; False when it runs no more."""
        self._written = time.monotonic()
        return self._store.progress(self._job_id, stage=self._stage, fraction=self._fraction, message=self._message,
                                    facts=self._facts, pace=self._pace.step(self._fraction))

    def _check(self, runs: bool) -> None:
        if self._stop.asked or not runs or self._store.cancel_asked(self._job_id):
            raise Cancelled("The job was stopped.")


def _write_down(store: JobStore, job_id: str, exc: BaseException, interrupted: bool) -> None:
    if interrupted and not store.cancel_asked(job_id):
        _say("--- the worker stops; the job goes on at its next start")
        store.requeue(job_id, "Waiting for the worker to start again.")
    elif interrupted or isinstance(exc, Cancelled):
        _say("--- cancelled")
        store.cancelled(job_id)
    else:
        error = as_error(exc, store.folder(job_id))
        store.fail(job_id, error)
        if not isinstance(exc, VisageError):
            _say("".join(traceback.format_exception(exc)))
        _say(f"--- failed: {error.message} {error.hint}")


def _say(line: str) -> None:
    """A line for the log, where there is room for one: a full disk must not hide how the job ended."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


def as_error(exc: BaseException, folder: Path | None = None) -> VisageError:
    """The error of our tree that a user reads for anything that a verb may raise.

    ``folder`` is where the job writes: libraries that run out of room there say so in many ways.
    """
    if isinstance(exc, VisageError):
        return exc
    if isinstance(exc, OSError) and exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return from_os_error(exc)
    if folder and shutil.disk_usage(folder).free < _NO_ROOM:
        return from_os_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)))
    if isinstance(exc, MemoryError):
        return VisageError("The memory of this machine ran out.", code="job.memory",
                           hint="Close other programs, or use a shorter or smaller video.")
    reason = f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__
    if isinstance(exc, FileNotFoundError):
        return OutputInvalid("A file that the job needs is not there: {reason}", code="job.file_gone",
                             hint="Try again; the log of the job tells more.", reason=reason)
    return VisageError("The job stopped at a fault in the program: {reason}", code="job.crashed",
                       hint="The log of the job tells more; please report it with that log.", reason=reason)
