"""The image that product images are built on in tests: Debian bookworm with Python 3.11, made here without a registry.

On top of it lies what a build on this very machine needs to reach packages:
its certificates, its package mirrors and its local folders of wheels.  So the
product's own Dockerfiles know nothing of any machine.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
from docker.errors import ImageNotFound

TAG = "local/base:1"
_BARE = "local/bookworm:1"
_SUITE = "bookworm"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_PACKAGES = "ca-certificates,python3,python3-venv,python3-pip"
_LIKE_PYTHON_IMAGES = """\
FROM {bare}
COPY etc/ /etc/
COPY wheels/ /opt/wheels/
RUN python3 -m venv /opt/python && rm -rf /var/lib/apt/lists/*
ENV PATH=/opt/python/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
LABEL visage.test=base
"""
"""``python`` and ``pip`` on the path and free to install packages, as in the official Python images."""


class CannotBuild(Exception):
    """Why the base image cannot be made here; the text ends in what mends it."""


def ready_base(client: docker.DockerClient) -> str:
    """The tag of the base image, made now when it is missing.  Raises `CannotBuild`."""
    with _one_at_a_time():
        if not _there(client, TAG):
            if not _there(client, _BARE):
                _bootstrap(client)
            _fit_out(client)
    return TAG


def _there(client: docker.DockerClient, tag: str) -> bool:
    try:
        client.images.get(tag)
    except ImageNotFound:
        return False
    return True


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with (Path(tempfile.gettempdir()) / "visage-base-image.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _bootstrap(client: docker.DockerClient) -> None:
    tool = shutil.which("debootstrap", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not tool:
        raise CannotBuild(f"{TAG} is not built and debootstrap is missing: sudo apt-get install -y debootstrap")
    if os.geteuid() != 0:
        raise CannotBuild(f"{TAG} is not built, which takes root: sudo python -m tests.docker.base_image")
    with tempfile.TemporaryDirectory(prefix="visage-base-") as folder:
        argv = [tool, "--variant=minbase", f"--include={_PACKAGES}", _SUITE, folder, next(iter(_sources()))[0]]
        made = subprocess.run(argv, capture_output=True, text=True, check=False)
        if made.returncode:
            raise CannotBuild(f"{' '.join(argv)} failed:\n{(made.stdout + made.stderr)[-2000:]}")
        with subprocess.Popen(["tar", "-C", folder, "-c", "."], stdout=subprocess.PIPE) as packed:
            repository, _, tag = _BARE.partition(":")
            client.api.import_image_from_stream(packed.stdout, repository, tag, ['CMD ["bash"]'])


def _fit_out(client: docker.DockerClient) -> None:
    with tempfile.TemporaryDirectory(prefix="visage-base-") as name:
        folder = Path(name)
        (folder / "Dockerfile").write_text(_LIKE_PYTHON_IMAGES.format(bare=_BARE))
        etc = folder / "etc"
        (etc / "ssl" / "certs").mkdir(parents=True)
        (etc / "apt" / "apt.conf.d").mkdir(parents=True)
        if _CERTIFICATES.exists():
            shutil.copy(_CERTIFICATES, etc / "ssl" / "certs")
        (etc / "apt" / "sources.list").write_text("".join(f"deb {uri} {suite} main\n" for uri, suite in _sources()))
        (etc / "apt" / "apt.conf.d" / "99machine").write_text(_apt_settings())
        (etc / "pip.conf").write_text(_pip_settings(folder / "wheels"))
        client.images.build(path=name, tag=TAG, rm=True, forcerm=True, network_mode="host")


def _sources() -> list[tuple[str, str]]:
    """Mirror and suite of each of this machine's own sources of Debian bookworm, the main one first."""
    told = _say("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
    rows = [line.split() for line in told.splitlines()]
    found = {(uri.rstrip("/"), suite): None for uri, suite, component in rows
             if component == "main" and suite.partition("-")[0] == _SUITE}
    if not found:
        raise CannotBuild(f"this machine has no package sources of Debian {_SUITE}: sudo apt-get update")
    return sorted(found, key=lambda source: len(source[1]))


def _apt_settings() -> str:
    wanted = ("Acquire::Check-", "Acquire::http", "Acquire::https", "Acquire::Retries")
    return "".join(f"{line}\n" for line in _say("apt-config", "dump", "Acquire").splitlines()
                   if line.startswith(wanted) and '""' not in line)


def _pip_settings(wheels: Path) -> str:
    """``pip.conf`` with the certificates and servers that pip uses here; its folders of wheels are copied along."""
    wheels.mkdir()
    (wheels / ".keep").touch()
    lines = ["[global]", f"cert = {_CERTIFICATES}", "find-links = /opt/wheels", "disable-pip-version-check = true"]
    for line in _say(sys.executable, "-m", "pip", "config", "list").splitlines():
        key, _, value = line.partition("=")
        name, value = key.rpartition(".")[2], value.strip("'\"")
        if name == "find-links":
            for place in map(Path, value.replace("\\n", " ").split()):
                for wheel in place.glob("*.whl") if place.is_dir() else ():
                    shutil.copy(wheel, wheels)
        elif name in ("index-url", "default-timeout", "timeout", "retries", "trusted-host", "proxy"):
            lines.append(f"{name.removeprefix('default-')} = {value}")
    return "\n".join(dict.fromkeys(lines)) + "\n"


def _say(*argv: str) -> str:
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return ""


if __name__ == "__main__":
    print(ready_base(docker.from_env()))
