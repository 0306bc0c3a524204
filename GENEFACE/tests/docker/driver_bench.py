"""What the tests of the Docker driver work with: an installation of its own, orders, and processes that run them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import docker
from docker.models.containers import Container

from visage.containers.contract import Mount, Order
from visage.containers.docker import HOME, JOB, DockerContainers
from visage.errors import Cancelled, VisageError

ROOT = Path(__file__).resolve().parents[2]
WAIT_FOR_GO = "while [ ! -e go ]; do sleep 0.05; done"
"""Shell that goes on when the file ``go`` is in the workspace."""


@dataclass
class Bench:
    """A driver with a home that nothing else uses, and a view of the same daemon without it."""

    client: docker.DockerClient
    image: str
    home: Path
    address: str | None = None

    @property
    def work(self) -> Path:
        """The folder that containers see as ``/work``, where they start."""
        return self.home / "work"

    def driver(self, **patience: float) -> DockerContainers:
        """The driver under test."""
        return DockerContainers(self.home, **patience)

    def order(self, script: str, job: str = "job1", **more: Any) -> Order:
        """One that runs a shell script."""
        given = {"step": "train", "image": self.image, "mounts": (Mount(self.work, "/work"),), "workdir": "/work"}
        return Order(job=job, argv=("sh", "-c", script), **{**given, **more})

    def run(self, order: Order, **patience: float) -> list[str]:
        """The lines of a run in this process."""
        lines: list[str] = []
        self.driver(**patience).run(order, lines.append)
        return lines

    def containers(self) -> list[Container]:
        """All containers of this installation, in any state."""
        return self.client.containers.list(all=True, ignore_removed=True,
                                           filters={"label": f"{HOME}={self.home}"})

    def jobs(self) -> list[str]:
        """The jobs that they work for."""
        return sorted(container.labels[JOB] for container in self.containers())

    def write(self, name: str) -> None:
        """Put a file into the workspace."""
        (self.work / name).touch()

    def read(self, name: str) -> str:
        """What a container wrote there; empty when there is no such file."""
        file = self.work / name
        return file.read_text() if file.exists() else ""

    @contextmanager
    def process(self, order: Order, *before: str) -> Iterator[subprocess.Popen[str]]:
        """A process that runs an order and prints its lines; ``before`` goes before its command line."""
        told = json.dumps({**asdict(order), "home": str(self.home)}, default=str)
        address = {"DOCKER_HOST": self.address} if self.address else {}
        process = subprocess.Popen([*before, sys.executable, "-m", __name__, told], cwd=ROOT, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **address})
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def clean(self) -> None:
        """Remove what a test left."""
        for container in self.containers():
            container.remove(force=True, v=True)


def until(true: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def main(told: dict[str, Any]) -> int:
    """Run an order as a job's process does: SIGTERM raises `Cancelled`; an error is told as the last line."""
    home = Path(told.pop("home"))
    mounts = tuple(Mount(Path(mount.pop("source")), **mount) for mount in told.pop("mounts"))
    order = Order(mounts=mounts, argv=tuple(told.pop("argv")), **told)
    signal.signal(signal.SIGTERM, _stop)
    try:
        DockerContainers(home).run(order, lambda text: print(text, flush=True))
    except VisageError as exc:
        print(json.dumps(exc.as_dict()), flush=True)
        return 1
    return 0


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Cancelled("The job was stopped.")


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
