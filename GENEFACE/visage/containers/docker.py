"""Docker, through its SDK, at the address that ``DOCKER_HOST`` names or the usual socket."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import docker
import requests
from docker.errors import DockerException, ImageNotFound

from visage.containers.nvidia import gpus
from visage.types import Requirement

_INSTALL = "sudo apt-get install -y docker.io"
_START = "sudo systemctl start docker"
_PERMIT = "sudo usermod -aG docker $USER  (then log in again)"
_GPU = "Install the NVIDIA driver and the NVIDIA Container Toolkit, then: sudo nvidia-ctk runtime configure && " \
       "sudo systemctl restart docker"
_ANY_VERSION = "1.41"
_FAILURES = (DockerException, requests.RequestException, OSError, ValueError)


class DockerContainers:
    """The Docker daemon.  ``patience`` is how many seconds one question may take."""

    def __init__(self, patience: float = 2.0):
        self._patience = patience

    def available(self) -> Requirement:
        """Whether the daemon answers."""
        try:
            with self._client() as client:
                version = client.version().get("Version", "?")
        except _FAILURES as exc:
            return _absent(exc)
        return Requirement("docker", True, f"Docker {version}")

    def has_image(self, name: str, remedy: str) -> Requirement:
        """Whether an image is there."""
        try:
            with self._client() as client:
                short = client.images.get(name).short_id
        except ImageNotFound:
            return Requirement(f"image {name}", False, "not built", remedy)
        except _FAILURES:
            return Requirement(f"image {name}", False, "unknown, as Docker does not answer", remedy)
        return Requirement(f"image {name}", True, short)

    def gpu(self) -> Requirement:
        """Whether the daemon can hand an NVIDIA GPU to a container, and there is one."""
        cards = gpus()
        if not cards:
            return Requirement("GPU in containers", False, "no NVIDIA GPU on this machine",
                               "Use a machine with an NVIDIA GPU, or the built-in engine.")
        try:
            with self._client() as client:
                told = client.info()
        except _FAILURES:
            return Requirement("GPU in containers", False, "unknown, as Docker does not answer", _GPU)
        # The hook alone is enough for device requests; the daemon lists it only when it was configured.
        ready = "nvidia" in (told.get("Runtimes") or {}) or shutil.which("nvidia-container-runtime-hook")
        detail = f"{len(cards)} × NVIDIA" + ("" if ready else ", but Docker cannot hand it to containers")
        return Requirement("GPU in containers", bool(ready), detail, "" if ready else _GPU)

    @contextmanager
    def _client(self) -> Iterator[docker.DockerClient]:
        _knock(self._patience)
        # Asked for in two steps, because a client that finds out the version while it is built cannot be closed
        # when that fails.
        with closing(docker.from_env(timeout=self._patience, version=_ANY_VERSION)) as client:
            version = client.version(api_version=False).get("ApiVersion", _ANY_VERSION)
        with closing(docker.from_env(timeout=self._patience, version=version)) as client:
            yield client


def _knock(patience: float) -> None:
    """Raises `OSError` when nobody listens on the Unix socket; the SDK would leave the socket it tried open."""
    kind, _, path = (os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock").partition("://")
    if kind == "unix":
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
            knock.settimeout(patience)
            knock.connect(path)


def _absent(exc: Exception) -> Requirement:
    text = str(exc)
    if "Permission denied" in text:
        return Requirement("docker", False, "this user may not talk to Docker", _PERMIT)
    installed = shutil.which("dockerd") or shutil.which("docker.io")
    detail = "installed, but its daemon does not answer" if installed else "no daemon answers"
    return Requirement("docker", False, detail, _START if installed else _INSTALL)
