"""Docker, through its SDK: containers that go on while the process that watches them is killed and started again."""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import docker
import requests
from docker.errors import APIError, ImageNotFound, NotFound
from docker.models.containers import Container
from docker.types import DeviceRequest, LogConfig
from docker.types import Mount as Bind

from visage.containers.client import FAILURES, GOING, connect
from visage.containers.contract import Order
from visage.containers.failures import GPU_REMEDY, KILLED, absent, ended, lost, refused, removed
from visage.containers.folders import owner, prepare
from visage.containers.following import Following, Lost
from visage.containers.nvidia import gpus
from visage.types import Requirement

JOB, STEP, HOME = "visage.job", "visage.step", "visage.home"
"""Labels that every container of the product has."""
_WORK = 60.0
"""Seconds that making, starting or removing a container may take."""
_MOMENT = 2.0
"""Seconds that another process gets between making a container and starting it, or to remove it."""
_CLAIMED = 15.0
"""Seconds for which a name may be taken by a container that cannot be seen yet, or not be removed yet."""
_LOG = {"max-size": "32m", "max-file": "2"}
_SHARED_MEMORY = 1 << 30
"""Bytes of ``/dev/shm``: PyTorch's loaders need more than Docker's 64 MiB; they count towards the memory limit."""
log = logging.getLogger("visage.containers")


class DockerContainers:
    """The Docker daemon, and the containers in it that belong to the installation at ``home``."""

    def __init__(self, home: Path, patience: float = 2.0, interrupt: float = 1.0, terminate: float = 0.7,
                 quiet: float = 30.0, absence: float = 60.0):
        """All in seconds.

        ``patience``: one question may take that long.  ``interrupt``, ``terminate``: what a container gets between
        SIGINT, SIGTERM and SIGKILL.  ``quiet``: silence after which the daemon is asked anew.  ``absence``: a daemon
        that goes away while a container runs may take that long to come back.
        """
        self._home = str(home.resolve())
        self._patience, self._quiet, self._absence = patience, quiet, absence
        self._graces = (("SIGINT", interrupt), ("SIGTERM", terminate))

    def needs(self, image: str, remedy: str, gpu: bool) -> tuple[Requirement, ...]:
        """The daemon, the image and, if asked, a GPU in containers; of a dead daemon no GPU is asked."""
        try:
            with closing(connect(self._patience, self._patience)) as client:
                version = client.version().get("Version", "?")
                found = (Requirement("docker", True, f"Docker {version}"), _image(client, image, remedy))
                return (*found, _gpu(client)) if gpu else found
        except FAILURES as exc:
            error = absent(exc)
            detail = error.message[:1].lower() + error.message[1:].rstrip(".")
            return (Requirement("docker", False, detail, error.hint),
                    Requirement(f"image {image}", False, "unknown, as Docker does not answer", remedy))

    def run(self, order: Order, line: Callable[[str], None]) -> None:
        """As the contract says; a container that was killed while nobody watched is started anew."""
        name = self._name(order)
        with closing(self._connect()) as client, self._gone_on_error(name):
            try:
                container = self._found(client, order, name) or self._started(client, order, name)
            except FAILURES as exc:
                raise refused(exc, order) from exc
            following = Following(container, self._patience, self._quiet, self._absence)
            with closing(following.lines()) as lines:
                while (text := self._next(order, following, lines)) is not None:
                    line(text)
        self._end(name)
        if following.exit_code:
            raise ended(order, following.exit_code, following.out_of_memory, following.tail)

    def collect(self, keep: Callable[[str], bool]) -> Sequence[str]:
        """As the contract says.  Raises `NotInstalled` when no daemon answers."""
        with closing(self._connect()) as client:
            try:
                ours = client.containers.list(all=True, ignore_removed=True,
                                              filters={"label": f"{HOME}={self._home}"})
            except FAILURES as exc:
                raise absent(exc) from exc
            over = [container for container in ours if not keep(container.labels.get(JOB, ""))]
            try:
                gone = [container.labels.get(JOB, "") for container in over if self._remove(container)]
            except FAILURES as exc:
                raise absent(exc) from exc
        return tuple(dict.fromkeys(gone))

    def _connect(self) -> docker.DockerClient:
        try:
            return connect(self._patience, _WORK)
        except FAILURES as exc:
            raise absent(exc) from exc

    def _name(self, order: Order) -> str:
        """The same for every process that works for this step, so that Docker lets only one of them start it."""
        home = hashlib.sha256(self._home.encode()).hexdigest()[:8]
        return f"visage-{home}-" + re.sub(r"[^\w.-]", "_", f"{order.job}-{order.step}", flags=re.ASCII)

    def _started(self, client: docker.DockerClient, order: Order, name: str) -> str:
        """Id of a new container, or of the one that another process started meanwhile."""
        client.images.get(order.image)
        prepare(order)
        until = time.monotonic() + _CLAIMED
        while True:
            try:
                container = client.containers.create(name=name, **_parameters(order, self._home))
                container.start()
                return str(container.id)
            except APIError as exc:
                taken = exc.status_code in GOING and not isinstance(exc, ImageNotFound)
                if not taken or time.monotonic() > until:
                    raise
            if found := self._found(client, order, name):
                return found
            time.sleep(0.1)  # Docker gives a name away before the container of that name can be seen

    def _found(self, client: docker.DockerClient, order: Order, name: str) -> str | None:
        """Id of the container that an earlier process started for this order; any other of that name is removed."""
        container = self._ours(client, name)
        try:
            until = time.monotonic() + _MOMENT
            while container and container.status == "created" and time.monotonic() < until:
                time.sleep(0.05)
                container.reload()
        except NotFound:
            return None
        if container and _of_use(container, order):
            return str(container.id)
        if container:
            self._remove(container)
        return None

    def _ours(self, client: docker.DockerClient, name: str) -> Container | None:
        try:
            container = client.containers.get(name)
        except NotFound:
            return None
        return container if container.labels.get(HOME) == self._home else None

    def _next(self, order: Order, following: Following, lines: Generator[str, None, None]) -> str | None:
        try:
            return next(lines, None)
        except NotFound as exc:
            raise removed(order, following.tail) from exc
        except Lost as exc:
            raise lost(self._absence) from exc

    @contextmanager
    def _gone_on_error(self, name: str) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._end(name)
            raise

    def _end(self, name: str) -> None:
        """Stop and remove a container, where there is one; a daemon that is gone leaves it to `collect`."""
        try:
            with closing(connect(self._patience, _WORK)) as client:
                if container := self._ours(client, name):
                    self._remove(container)
        except FAILURES as exc:
            log.warning("the container %s is left to be collected: %s", name, exc)

    def _remove(self, container: Container) -> bool:
        """Stop it, gently first, and remove it; False when Docker could not."""
        try:
            for signal, grace in self._graces if container.status == "running" else ():
                container.kill(signal)
                if _ends(container, grace):
                    break
        except APIError as exc:
            log.info("the container %s took no signal: %s", container.name, exc)
        try:
            container.remove(force=True, v=True)
        except APIError as exc:
            if exc.status_code not in GOING or not _is_gone(container):
                log.warning("the container %s could not be removed: %s", container.name, exc)
                return False
        return True


def _parameters(order: Order, home: str) -> dict[str, object]:
    """What Docker is asked for."""
    user, group = owner(order)
    return {
        "image": order.image, "command": list(order.argv), "working_dir": order.workdir,
        "labels": {JOB: order.job, STEP: order.step, HOME: home},
        "environment": dict(order.environment),
        "mounts": [Bind(mount.target, str(mount.source), type="bind", read_only=not mount.writable)
                   for mount in order.mounts],
        "device_requests": [] if order.gpu is None else [DeviceRequest(device_ids=[str(order.gpu)],
                                                                       capabilities=[["gpu"]])],
        # Without a process 1 of its own the program would be it, and the kernel keeps most signals from that one.
        "init": True, "user": f"{user}:{group}", "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"],
        "network_mode": "bridge" if order.network else "none",
        "mem_limit": order.memory or None, "memswap_limit": order.memory or None, "pids_limit": order.pids,
        "shm_size": _SHARED_MEMORY,
        "log_config": LogConfig(type=LogConfig.types.JSON, config=_LOG),
    }


def _of_use(container: Container, order: Order) -> bool:
    """Whether it does, or has done, what is ordered."""
    config, state = container.attrs["Config"], container.attrs["State"]
    if (config["Image"], config["Cmd"]) != (order.image, list(order.argv)):
        return False
    if container.status == "exited":
        return state["OOMKilled"] or state["ExitCode"] not in KILLED
    return container.status in ("running", "paused", "restarting")


def _ends(container: Container, seconds: float) -> bool:
    try:
        container.wait(timeout=seconds)
    except requests.RequestException:  # the SDK's way to say that the time is over
        return False
    return True


def _is_gone(container: Container) -> bool:
    """Waits a moment for another process's removal of it."""
    until = time.monotonic() + _MOMENT
    try:
        while time.monotonic() < until:
            container.reload()
            time.sleep(0.05)
    except NotFound:
        return True
    return False


def _image(client: docker.DockerClient, image: str, remedy: str) -> Requirement:
    try:
        return Requirement(f"image {image}", True, client.images.get(image).short_id)
    except ImageNotFound:
        return Requirement(f"image {image}", False, "not built", remedy)


def _gpu(client: docker.DockerClient) -> Requirement:
    """Whether the daemon can hand an NVIDIA GPU to a container, and there is one."""
    cards = gpus()
    if not cards:
        return Requirement("GPU in containers", False, "no NVIDIA GPU on this machine",
                           "Use a machine with an NVIDIA GPU, or the built-in engine.")
    # The hook alone is enough for device requests; the daemon lists it only when it was configured.
    ready = "nvidia" in (client.info().get("Runtimes") or {}) or shutil.which("nvidia-container-runtime-hook")
    detail = f"{len(cards)} × NVIDIA" + ("" if ready else ", but Docker cannot hand it to containers")
    return Requirement("GPU in containers", bool(ready), detail, "" if ready else GPU_REMEDY)
