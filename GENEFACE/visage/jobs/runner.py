"""The worker's side of a running job: starts its process, watches it, stops it, and tells how it was lost."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from visage.errors import NotFound, VisageError
from visage.jobs.job import Job, Lane, State
from visage.jobs.lock import held
from visage.jobs.process import NOT_MINE
from visage.jobs.store import JobStore

MARK = "JOB_OF_VISAGE"
"""Environment variable with the job's id: what a job's process starts can be found by it."""
_POLL = 0.1
_GRACE = 1.0
_CONTAINER_GRACE = 5.0
"""Seconds that a process gets to end after SIGTERM; one that has a container to stop needs more."""
log = logging.getLogger("visage.runner")


class Runner:
    """Runs each job in a process group of its own; one call of `run` a slot."""

    def __init__(self, store: JobStore, command: Callable[[str], Sequence[str]], folder: Path,
                 place: Callable[[Job], bool] = lambda job: True) -> None:
        """``command``: argv for a job's id; ``folder``: where it is started; ``place``: whether it may start now."""
        self._store = store
        self._place = place
        self._command = command
        self._folder = folder
        self._active: set[str] = set()
        self._guard = threading.Lock()
        self._stopping = threading.Event()

    @property
    def active(self) -> frozenset[str]:
        """Ids of the jobs whose processes this runner watches."""
        with self._guard:
            return frozenset(self._active)

    def stop(self) -> None:
        """End all processes and take no more; running jobs are queued again."""
        self._stopping.set()

    def run(self, job_id: str) -> None:
        """Run one job until its process has ended; returns at once when it is not queued or cannot be placed."""
        with self._guard:
            if self._stopping.is_set() or job_id in self._active:
                return
            self._active.add(job_id)
        try:
            job = self._store.get(job_id)
            if job.state is State.QUEUED and self._place(job):
                self._run(job_id)
        except NotFound:
            return
        finally:
            with self._guard:
                self._active.discard(job_id)

    def _run(self, job_id: str) -> None:
        kills = oom_kills()
        file = self._store.folder(job_id) / "log.txt"
        with file.open("ab") as output:
            process = subprocess.Popen(
                list(self._command(job_id)), cwd=self._folder, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, MARK: job_id, "PYTHONUNBUFFERED": "1"})
        self._watch(job_id, process.pid)
        # before the leader is reaped its group's number cannot belong to anybody else
        _signal_group(process.pid, signal.SIGKILL)
        self._settle(job_id, process.wait(), oom_kills() > kills)

    def _watch(self, job_id: str, pid: int) -> None:
        asked_at, grace = 0.0, _GRACE
        while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if asked_at and time.monotonic() - asked_at > grace:
                _signal_group(pid, signal.SIGKILL)
            elif not asked_at and (self._stopping.is_set() or self._cancel_asked(job_id)):
                asked_at, grace = time.monotonic(), self._grace(job_id)
                os.kill(pid, signal.SIGTERM)
            time.sleep(_POLL)

    def _cancel_asked(self, job_id: str) -> bool:
        try:
            return self._store.cancel_asked(job_id)
        except VisageError:
            log.exception("the database did not say whether job %s is to be cancelled; asking again", job_id)
            return False

    def _grace(self, job_id: str) -> float:
        try:
            job = self._store.get(job_id)
        except VisageError:
            return _CONTAINER_GRACE
        return _CONTAINER_GRACE if job.container or job.lane is Lane.GPU else _GRACE

    def _settle(self, job_id: str, code: int, memory: bool) -> None:
        job = self._store.get(job_id)
        if job.state.ended or code == NOT_MINE or (job.state is State.QUEUED and code == 0):
            return
        if job.cancelling:
            self._store.cancelled(job_id)
        elif self._stopping.is_set():
            # killed, not ended: its container may still be there
            self._store.requeue(job_id, "Waiting for the worker to start again.", gone=not job.container)
        else:
            self._store.lose(job_id, reason(code, memory))


def rescue(store: JobStore, ours: frozenset[str]) -> None:
    """Take up running jobs whose process is gone, except those that a runner here watches (``ours``)."""
    for job_id, _, state, _, _ in store.unfinished():
        if state is not State.RUNNING or job_id in ours:
            continue
        with held(store.folder(job_id) / "lock") as abandoned:
            if abandoned and (job := store.get(job_id)).state is State.RUNNING:
                kill_leftovers(job_id)
                store.lose(job_id, "the worker was killed", blame=not job.container)


def kill_leftovers(job_id: str) -> None:
    """Kill what an abandoned job's process had started (known by `MARK`)."""
    mark = f"{MARK}={job_id}".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if int(entry.name) != os.getpid() and mark in (entry / "environ").read_bytes().split(b"\0"):
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            continue


def reason(code: int, memory: bool) -> str:
    """Why a process ended, as a clause; ``code`` as of `subprocess.Popen.returncode`."""
    if code >= 0:
        return f"it ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    ran_out = ", because the memory of this machine ran out" if memory and -code == signal.SIGKILL else ""
    return f"killed by signal {-code} ({name}){ran_out}"


def oom_kills() -> int:
    """How many processes the kernel has killed for want of memory; 0 where it does not say."""
    total = 0
    for file in ("/proc/vmstat", "/sys/fs/cgroup/memory.events"):
        try:
            lines = Path(file).read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return total


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
