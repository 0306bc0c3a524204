"""What several suites with a real engine need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.docker.driver_bench import Bench
from tests.docker.shell_image import ready_shell


@pytest.fixture
def bench(docker_engine: docker.DockerClient, tmp_path: Path) -> Iterator[Bench]:
    """An installation whose containers are gone after the test."""
    made = Bench(docker_engine, ready_shell(docker_engine), tmp_path.resolve())
    made.work.mkdir()
    yield made
    made.clean()
