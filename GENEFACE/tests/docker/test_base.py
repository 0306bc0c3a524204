"""The image that others are built on."""

from __future__ import annotations

from pathlib import Path

import docker
import pytest

from tests.docker_engine import build


def test_it_can_stand_for_the_official_python_image(docker_engine: docker.DockerClient, local_base: str) -> None:
    said = docker_engine.containers.run(
        local_base, ["sh", "-c", "python -V && pip -V && python -c 'import ssl; ssl.create_default_context()'"],
        remove=True).decode()
    assert said.startswith("Python 3.11")


def test_packages_can_be_installed_on_it(docker_engine: docker.DockerClient, local_base: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nRUN apt-get update -qq && "
                                         "apt-get install -y -qq --no-install-recommends tini && pip install sniffio\n")
    tag = "visage-test-base:packages"
    build(docker_engine, tmp_path, "Dockerfile", tag, BASE_IMAGE=local_base)
    try:
        said = docker_engine.containers.run(tag, ["sh", "-c", "tini --version && python -c 'import sniffio'"],
                                            remove=True).decode()
        assert said.startswith("tini version")
    finally:
        docker_engine.images.remove(tag, force=True)


def test_a_failed_build_shows_its_log(docker_engine: docker.DockerClient, local_base: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {local_base}\nRUN echo the cause && exit 7\n")
    with pytest.raises(pytest.fail.Exception, match="the cause"):
        build(docker_engine, tmp_path, "Dockerfile", "visage-test-base:broken")
