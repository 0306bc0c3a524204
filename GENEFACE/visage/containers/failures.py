"""What Docker says when something fails, as errors of the product: the cause, and the command that mends it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from docker.errors import APIError, ImageNotFound

from visage.containers.client import address
from visage.containers.contract import Order
from visage.errors import ContainerFailed, DiskFull, NotInstalled, VisageError

GPU_REMEDY = ("sudo apt-get install -y nvidia-container-toolkit && "
              "sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker")
"""Makes Docker able to hand out NVIDIA GPUs; the toolkit's package source is set up as docs/operations.md tells."""
_INSTALL = "sudo apt-get install -y docker.io"
_START = "sudo systemctl start docker"
_ELSEWHERE = "Start the daemon at that address, or: unset DOCKER_HOST"
_NOT_STARTED = 125
"""Exit code that stands for a container which never ran, as with ``docker run``."""
KILLED = frozenset({137, 143, 255})
"""Exit codes of SIGKILL, of SIGTERM, and of a machine that went down."""
_NO_ROOM = ("no space left on device", "disk quota exceeded")
_FULL = 1 << 20
"""Free bytes below which a folder counts as full."""


def absent(exc: Exception) -> NotInstalled:
    """Why no daemon answered."""
    if "Permission denied" in str(exc):
        return NotInstalled("This user may not talk to Docker.", code="docker.no_permission",
                            hint="sudo usermod -aG docker $USER  (then log in again)")
    installed = shutil.which("dockerd") or shutil.which("docker.io")
    remedy = _ELSEWHERE if os.environ.get("DOCKER_HOST") else _START if installed else _INSTALL
    return NotInstalled("No Docker daemon answers at {address}.", code="docker.no_daemon", hint="{remedy}",
                        address=address(), remedy=remedy)


def lost(seconds: float) -> NotInstalled:
    """The daemon went away while a container ran, and did not come back."""
    return NotInstalled("Docker went away while the container ran, and was not back after {seconds} s.",
                        code="docker.lost", hint="sudo systemctl start docker, then start the job again.",
                        seconds=round(seconds))


def no_image(order: Order) -> NotInstalled:
    """The image is not on this machine."""
    return NotInstalled("The image {image} is not on this machine.", code="docker.no_image", hint="{remedy}",
                        image=order.image, remedy=order.remedy or f"docker image ls {order.image.partition(':')[0]}")


def refused(exc: Exception, order: Order) -> VisageError:
    """Why a container could not be made or started."""
    if isinstance(exc, ImageNotFound):
        return no_image(order)
    if not isinstance(exc, APIError):
        return absent(exc)
    reason = " ".join(str(exc.explanation or exc).split())[-400:]
    if any(words in reason.lower() for words in _NO_ROOM):
        return DiskFull("Docker has no room left: {reason}", code="docker.disk_full", reason=reason,
                        hint="docker system df  shows what takes it; docker builder prune  frees old build steps.")
    if order.gpu is not None and ("device driver" in reason or "nvidia" in reason.lower()):
        return NotInstalled("Docker cannot hand the GPU to containers: {reason}", code="docker.no_gpu",
                            hint="{remedy}", reason=reason, remedy=GPU_REMEDY)
    if "bind source path does not exist" in reason:
        return NotInstalled("Docker runs where the product's folders are not: {reason}", code="docker.elsewhere",
                            hint="Use a daemon on this machine, or mount the folders there under the same paths.",
                            reason=reason)
    return ContainerFailed("The container could not be started: {reason}", exit_code=_NOT_STARTED,
                           code="container.not_started", argv=list(order.argv), stderr=reason, reason=reason,
                           hint="Docker's own log tells more: sudo journalctl -u docker -n 50")


def removed(order: Order, tail: str) -> ContainerFailed:
    """Somebody else removed the container, so that nobody knows how it ended."""
    return ContainerFailed("Somebody removed the container while it was watched.", code="container.removed",
                           hint="Start the job again.", exit_code=137, argv=list(order.argv), stderr=tail)


def ended(order: Order, exit_code: int, out_of_memory: bool, tail: str) -> VisageError:
    """Why a container ended as it did; ``tail`` is the end of what it printed."""
    argv, limit = list(order.argv), round(order.memory / 2**20)
    if out_of_memory:
        return ContainerFailed("The container needed more memory than it may have ({limit}).", exit_code=exit_code,
                               code="container.memory", argv=argv, stderr=tail,
                               hint="Raise the memory limit of the engine, or use a shorter or smaller video.",
                               limit=f"{limit} MiB" if limit else "the machine's")
    full = next((mount.source for mount in order.mounts if _is_full(mount.source)), None)
    if any(words in tail.lower() for words in _NO_ROOM):
        return DiskFull("The container ran out of disk space in {place}.", code="container.disk_full",
                        hint="df -h {place}; docker system df", place=full or "its folders")
    if exit_code in KILLED:
        return ContainerFailed("The container was killed from outside (exit code {exit_code}).", exit_code=exit_code,
                               code="container.killed", argv=argv, stderr=tail,
                               hint="A stop or restart of Docker does this, and so does a machine that runs out of "
                                    "memory (sudo dmesg | tail). Start the job again.")
    return ContainerFailed("The container ended with exit code {exit_code}: {reason}", exit_code=exit_code,
                           argv=argv, stderr=tail, hint="The log of the job tells more.",
                           reason=next(iter(tail.strip().splitlines()[-1:]), "it printed nothing"))


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _FULL
    except OSError:
        return False
