"""A real Docker engine for tests, the image they build on, and a build that shows its log when it fails."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import docker
import pytest
import requests
from docker.errors import BuildError, DockerException

from tests.docker.base_image import CannotBuild, ready_base

ROOT = Path(__file__).resolve().parents[1]
START = "sudo apt-get install -y docker.io debootstrap && sudo systemctl start docker"
DEMANDED = "REQUIRE_DOCKER"
"""Variable under which a missing engine is a failure: what must not be skipped on a build machine."""


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[docker.DockerClient]:
    """A client of the engine that answers here; skips the test, saying how to start one, when none does."""
    try:
        _knock(os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock")
        client = docker.from_env(timeout=300)
    except (DockerException, requests.RequestException, OSError) as exc:
        give_up(f"no Docker engine answers ({str(exc)[:200]}): {START}")
    with closing(client):
        yield client


def _knock(host: str) -> None:
    """Raises `OSError` where nobody listens; the SDK would leave a socket open, which is an error in tests."""
    scheme, _, path = host.partition("://")
    if scheme == "unix":
        with socket.socket(socket.AF_UNIX) as door:
            door.connect(path)


@pytest.fixture(scope="session")
def local_base(docker_engine: docker.DockerClient) -> str:
    """Tag of an image with Debian bookworm, Python 3.11, pip and this machine's way to packages."""
    try:
        return ready_base(docker_engine)
    except CannotBuild as exc:
        give_up(str(exc))


@pytest.fixture(scope="session")
def lite_image(docker_engine: docker.DockerClient, local_base: str) -> str:
    """Tag of the built-in engine's contract image, built of this tree."""
    return product_image(docker_engine, local_base, "lite")


@pytest.fixture(scope="session")
def app_image(docker_engine: docker.DockerClient, local_base: str, lite_image: str) -> str:
    """Tag of the image of web app and worker; shares most of ``lite_image``."""
    return product_image(docker_engine, local_base, "app")


@pytest.fixture(scope="session")
def tts_image(docker_engine: docker.DockerClient, local_base: str) -> str:
    """Tag of the voice server's image."""
    return product_image(docker_engine, local_base, "tts")


@pytest.fixture(scope="session")
def eval_image(docker_engine: docker.DockerClient, local_base: str, lite_image: str) -> str:
    """Tag of the evaluation's image; shares most of ``lite_image``."""
    return product_image(docker_engine, local_base, "eval")


@pytest.fixture(scope="session")
def swap_image(docker_engine: docker.DockerClient, local_base: str, app_image: str) -> str:
    """Tag of the picture service's image; shares all packages of ``app_image``."""
    return product_image(docker_engine, local_base, "swap")


def product_image(client: docker.DockerClient, base: str, name: str) -> str:
    """Build ``docker/NAME/Dockerfile`` as ``visage-NAME:test``; what did not change is not built again."""
    tag = f"visage-{name}:test"
    build(client, ROOT, f"docker/{name}/Dockerfile", tag, BASE_IMAGE=base, TORCH_INDEX="")
    return tag


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the engine, and give it the time that building an image takes."""
    for item in items:
        if "docker_engine" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.docker)
            item.add_marker(pytest.mark.slow)
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(1500))


def give_up(reason: str) -> NoReturn:
    """Skip the test, or fail it where Docker is demanded."""
    if os.environ.get(DEMANDED):
        pytest.fail(f"{DEMANDED} is set, but {reason}")
    pytest.skip(reason)


def build(client: docker.DockerClient, folder: Path, dockerfile: str, tag: str, **arguments: str) -> None:
    """Build an image of ``folder``; fails the test with the end of the build's log."""
    try:
        client.images.build(path=str(folder), dockerfile=dockerfile, tag=tag, buildargs=arguments, rm=True,
                            forcerm=True, network_mode="host", labels={"visage.test": "image"})
    except BuildError as exc:
        log = "".join(line.get("stream") or line.get("error") or "" for line in exc.build_log)
        pytest.fail(f"{dockerfile} was not built: {exc}\n{log[-6000:]}")
