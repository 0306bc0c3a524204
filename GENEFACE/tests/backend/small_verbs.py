"""Verbs of the worker's tests: small, and each writes into ``request["trace"]`` what it really did."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from visage.errors import BadVideo
from visage.jobs.job import Job
from visage.types import Progress, Report

VERBS = {name: f"tests.backend.small_verbs:{name}" for name in
         ("count", "deaf", "die", "fault", "refuse", "talkative", "family", "hold", "slow_stop")}
VERBS["broken"] = "tests.no_such_module:run"


def count(job: Job, _services: Any, report: Report) -> Mapping[str, Any]:
    """Count to ``steps``, one line a step; goes on where the trace ends."""
    trace, steps = Path(job.request["trace"]), job.request["steps"]
    done = len(trace.read_text().splitlines()) if trace.exists() else 0
    for step in range(done, steps):
        time.sleep(job.request.get("pause", 0.05))
        with trace.open("a") as file:
            file.write(f"{step} {os.getpid()} {time.time():.3f}\n")
        report(Progress("count", (step + 1) / steps, f"step {step}", {"step": step}))
    return {"steps": steps, "attempt": job.attempt}


def deaf(job: Job, _services: Any, report: Report) -> Mapping[str, Any]:
    """Cannot be interrupted politely."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    report(Progress("deaf", 0.1))
    Path(job.request["trace"]).write_text(str(os.getpid()))
    while True:
        time.sleep(1)


def die(job: Job, _services: Any, _report: Report) -> Mapping[str, Any]:
    """Is killed each time."""
    with Path(job.request["trace"]).open("a") as file:
        file.write("x\n")
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def fault(_job: Job, _services: Any, _report: Report) -> Mapping[str, Any]:
    """Has a fault."""
    raise ValueError("an odd value")


def refuse(_job: Job, _services: Any, _report: Report) -> Mapping[str, Any]:
    """Cannot do it."""
    raise BadVideo("No face in {name}.", code="video.no_face", hint="Use another.", name="a.mp4")


def talkative(job: Job, _services: Any, report: Report) -> Mapping[str, Any]:
    """Reports a thousand times, once backwards."""
    for step in range(1000):
        report(Progress("talk", step / 1000, facts={"step": step}))
    report(Progress("end", 0.2, "almost done", {"loss": 0.5}))
    Path(job.request["trace"]).write_text(str(job.lane))
    return {"niceness": os.nice(0)}


def family(job: Job, _services: Any, report: Report) -> Mapping[str, Any]:
    """Starts a program and waits for it."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path(job.request["trace"]).write_text(f"{os.getpid()} {child.pid}")
    report(Progress("wait", 0.5))
    child.wait()
    return {}


def hold(job: Job, services: Any, report: Report) -> Mapping[str, Any]:
    """Hold a GPU until ``request["until"]`` exists, as a container would that outlives this process."""
    services.store.works_in_container(job.id)
    with Path(job.request["trace"]).open("a") as file:
        file.write(f"{job.gpu} {os.getpid()}\n")
    while not Path(job.request["until"]).exists():
        report(Progress("hold", 0.5))
        time.sleep(0.02)
    return {"gpu": job.gpu}


def slow_stop(job: Job, services: Any, report: Report) -> Mapping[str, Any]:
    """Need two seconds to stop, as one does who has a container to end; says so if ``request["container"]``."""
    services.store.works_in_container(job.id, bool(job.request.get("container")))
    Path(job.request["trace"]).write_text("begun\n")
    try:
        while True:
            report(Progress("work", 0.5))
            time.sleep(0.02)
    finally:
        time.sleep(2)
        Path(job.request["trace"]).write_text("begun\ntidied up\n")
