"""Process 3: does the jobs.  ``python -m backend.worker`` is the worker, with ``--job ID`` one job's own process.

Of several workers of one installation only one is at work; the others wait
until it is gone.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from huey.consumer import Consumer

from backend.housekeeping import collect_containers, sweep
from backend.services import Services, open_services
from visage.errors import VisageError
from visage.jobs.job import Lane
from visage.jobs.lock import held, is_held
from visage.jobs.placing import Placing
from visage.jobs.process import work
from visage.jobs.queue import JobQueue
from visage.jobs.runner import Runner, rescue
from visage.jobs.slots import slots
from visage.storage.paths import Paths

VERBS: Mapping[str, str] = {
    "train": "backend.model_trainer:run",
    "photo": "backend.model_trainer:run_photo",
    "generate": "backend.video_generator:run",
    "chat": "backend.chat_engine:run",
    "evaluate": "backend.evaluator:run",
    "film": "backend.conversation_film:run",
    "swap": "backend.face_swapper:run",
}
"""Kind of job → the function that does it, imported in the job's own process only."""

ROOT = Path(__file__).resolve().parents[1]
_BEAT = 1.0
_SWEEP = 3600.0
_COLLECT = 5.0
_SILENT_SECONDS = 15.0
_PR_SET_PDEATHSIG = 1
log = logging.getLogger("visage.worker")


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """Whether jobs are being done."""

    alive: bool
    """Whether a worker lives and has shown so in the last 15 s."""
    pid: int = 0
    """Its process; 0 when there is none."""
    jobs_running: int = 0
    """Jobs whose processes it watches."""


def worker_status(paths: Paths) -> WorkerStatus:
    """How the worker of an installation is doing; cheap."""
    try:
        told = json.loads(paths.worker.read_text())
        fresh = time.time() - told["time"] < _SILENT_SECONDS
        if fresh and is_held(paths.worker):
            return WorkerStatus(True, told["pid"], told["jobs"])
    except (OSError, ValueError, KeyError):
        pass
    return WorkerStatus(False)


class _Consumer(Consumer):
    def _set_signal_handlers(self) -> None:
        """Signals belong to the worker, which has several consumers."""


class Worker:
    """Consumers for all lanes, the heartbeat, and the care for lost jobs."""

    def __init__(self, services: Services, command: Sequence[str]) -> None:
        """``command``: argv to which ``--job ID`` is added."""
        self._services = services
        self._runner = Runner(services.store, lambda job_id: [*command, "--job", job_id], ROOT,
                              Placing(services.settings, services.store))
        self._queue = JobQueue(services.settings, services.store, services.paths, run=self._runner.run)
        self._stop = threading.Event()

    def stop(self, *_: object) -> None:
        """End soon; may be called from a signal handler."""
        self._stop.set()

    def serve(self) -> None:
        """Do jobs until `stop`."""
        while not self._stop.is_set():
            with held(self._services.paths.worker) as mine:
                if mine:
                    self._serve()
                    return
            self._stop.wait(0.5)

    def _serve(self) -> None:
        self._tick(patience=0.0)
        threading.Thread(target=self._collect, name="collect", daemon=True).start()
        swept = 0.0
        # one at least, so that a job whose GPU is gone is told so
        consumers = [self._consume(lane, max(1, slots(self._services.settings, lane))) for lane in Lane]
        log.info("the worker is ready")
        while not self._stop.wait(_BEAT):
            self._tick(patience=_BEAT)
            if time.monotonic() - swept > _SWEEP or not swept:
                swept = time.monotonic()
                sweep(self._services)
        self._runner.stop()
        for consumer in consumers:
            consumer.stop_flag.set()
        for consumer in consumers:
            for _, thread in consumer.worker_threads:
                thread.join(timeout=7.0)
        self._queue.close()

    def _collect(self) -> None:
        """In a thread of its own: a container engine may take its time."""
        while not self._stop.wait(_COLLECT):
            try:
                for job_id in collect_containers(self._services):
                    log.info("removed the container of job %s, which needs it no more", job_id)
            except Exception:  # whatever it was, the next look must come
                log.exception("containers could not be looked after; trying again")

    def _consume(self, lane: Lane, count: int) -> _Consumer:
        consumer = _Consumer(self._queue.task(lane).huey, workers=count, periodic=False, initial_delay=0.05,
                             backoff=1.2, max_delay=0.2, scheduler_interval=60)
        consumer.start()
        return consumer

    def _tick(self, patience: float) -> None:
        running = self._runner.active
        beat(self._services.paths, len(running))
        try:
            rescue(self._services.store, running)
            self._queue.reconcile(running, patience)
        except VisageError:
            log.exception("jobs could not be looked after; trying again")


def beat(paths: Paths, jobs: int) -> None:
    """Write the heartbeat in place: the file is also the worker's lock."""
    text = json.dumps({"pid": os.getpid(), "time": time.time(), "jobs": jobs}).ljust(96)
    with paths.worker.open("r+") as file:
        file.write(text)


def listen(stop: object) -> None:
    """Call ``stop`` at SIGTERM and SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)  # type: ignore[arg-type]
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when ``parent`` dies, whatever kills that."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m backend.worker", description="Do the jobs.")
    parser.add_argument("--job", metavar="ID", help="do this one job in this process, then end")
    parser.add_argument("--parent", metavar="PID", type=int, help="die with this process")
    parser.add_argument("--verbs", metavar="MODULE", default="backend.worker",
                        help="module whose VERBS says what does which kind of job")
    given = parser.parse_args(arguments)
    if given.parent:
        die_with(given.parent)
    services = open_services()
    logging.basicConfig(level=services.settings.log_level, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("huey").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        if given.job:
            return work(given.job, services, importlib.import_module(given.verbs).VERBS)
        command = [sys.executable, "-m", "backend.worker", "--verbs", given.verbs, "--parent", str(os.getpid())]
        worker = Worker(services, command)
        listen(worker.stop)
        worker.serve()
        return 0
    finally:
        services.database.dispose()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except VisageError as error:
        sys.exit(f"{error.message} {error.hint}")
