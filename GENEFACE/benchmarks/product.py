"""A whole product of its own, started for a measurement and stopped after it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Product:
    """A running product."""

    home: Path
    """Its folder."""
    url: str
    """Address of its web app."""
    process: subprocess.Popen[bytes]
    """Its supervisor."""

    def get(self, path: str) -> dict[str, Any]:
        """The JSON answer; raises `requests.RequestException`, also for a refusal."""
        answer = requests.get(self.url + path, timeout=20)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """The JSON answer; raises `RuntimeError` with the reason for a refusal."""
        answer = requests.post(self.url + path, json=body, timeout=60)
        if not answer.ok:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else {}

    def upload(self, kind: str, file: Path) -> str:
        """Id of an uploaded file."""
        with file.open("rb") as stream:
            answer = requests.post(f"{self.url}/api/uploads", params={"kind": kind, "name": file.name}, data=stream,
                                   timeout=300)
        answer.raise_for_status()
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """A job as it is now; patient with a web app that is just starting again."""
        until = time.monotonic() + 60
        while True:
            try:
                return self.get(f"/api/jobs/{job_id}")
            except requests.RequestException:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def ended(self, job_id: str, seconds: float) -> dict[str, Any]:
        """The job once it has ended.  Raises `TimeoutError`."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            job = self.job(job_id)
            if job["state"] in ("succeeded", "failed", "cancelled"):
                return job
            time.sleep(0.05)
        raise TimeoutError(f"{job_id} has not ended after {seconds:.0f} s: {job}")


def child_of(parent: int, word: str) -> int:
    """Process id of the child of ``parent`` whose command line holds a word.  Raises `LookupError`."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            theirs = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if theirs == parent and word in (entry / "cmdline").read_text():
                return int(entry.name)
        except (OSError, ValueError):
            continue
    raise LookupError(f"no process {word}")


@contextmanager
def running(home: Path, **settings: str) -> Iterator[Product]:
    """A product below ``home`` with these settings; stopped at the end."""
    ports = [_free_port() for _ in range(2)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VISAGE_")}
    environment = {**kept, "VISAGE_HOME": str(home), "VISAGE_PORT": str(ports[0]), "VISAGE_VOICE_PORT": str(ports[1]),
                   "VISAGE_ONLINE": "false", "PYTHONPATH": str(ROOT), **settings}
    process = subprocess.Popen([sys.executable, "-m", "backend.supervisor"], cwd=ROOT, env=environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    product = Product(home, f"http://127.0.0.1:{ports[0]}", process)
    try:
        _await(product)
        yield product
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _await(product: Product, seconds: float = 90.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and product.process.poll() is None:
        try:
            if product.get("/health")["worker"]["alive"]:
                return
        except (requests.RequestException, json.JSONDecodeError, KeyError):
            pass
        time.sleep(0.3)
    raise RuntimeError(f"the product did not start; its logs are in {product.home}/var/logs")


def _free_port() -> int:
    with closing(socket.socket()) as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])
