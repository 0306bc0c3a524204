"""An installation with real workers, for tests that kill them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from backend.services import Services
from tests.conftest import ROOT, clean_environment
from visage.config import Settings
from visage.jobs.job import Job, Lane


class Bench:
    """An installation of its own, with workers started on demand."""

    def __init__(self, home: Path, gpus: int = 0) -> None:
        """``gpus`` are promised: no job of these tests asks anything of a real one."""
        self.home = home
        self.services = Services(Settings(home=home, cpu_slots=1, quick_slots=2, gpu_slots=gpus))
        self.queue, self.store = self.services.queue, self.services.store
        self.environment = clean_environment(VISAGE_HOME=str(home), VISAGE_QUICK_SLOTS="2",
                                             VISAGE_GPU_SLOTS=str(gpus))
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self, *more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-W", "error", "-m", "backend.worker", "--verbs", "tests.backend.small_verbs", *more]
        with (self.home / "worker.log").open("ab") as log:
            self.workers.append(subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log))
        return self.workers[-1]

    def submit(self, kind: str, lane: Lane = Lane.QUICK, **request: Any) -> Job:
        trace = self.home / f"trace{len(self.store.list())}"
        return self.queue.submit(kind, kind, lane, {"trace": str(trace), **request})

    def lines(self, job: Job) -> list[str]:
        trace = Path(job.request["trace"])
        return trace.read_text().splitlines() if trace.exists() else []

    def log(self, job: Job) -> str:
        return (self.store.folder(job.id) / "log.txt").read_text()

    def until(self, what: Callable[[], Any], seconds: float = 20.0) -> Any:
        limit = time.monotonic() + seconds
        while not (found := what()):
            assert time.monotonic() < limit, (self.home / "worker.log").read_text()[-3000:]
            time.sleep(0.02)
        return found

    def close(self) -> None:
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait(timeout=10)
        self.queue.close()
        self.services.database.dispose()


def processes_of(job: Job) -> list[int]:
    """Living processes that a job's own process is or has started."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("JOB_OF_VISAGE") == job.id and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found
