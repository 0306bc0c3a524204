"""The image that the pipelines run in, built once a session."""

from __future__ import annotations

import docker
import pytest

from tests.docker_engine import build
from tests.geneface.geneface_image import ARGUMENTS, TAG, write_context


@pytest.fixture(scope="session")
def geneface_image(docker_engine: docker.DockerClient, local_base: str,
                   tmp_path_factory: pytest.TempPathFactory) -> str:
    """Tag of the product's GeneFace image with the stand-in for upstream's code."""
    context = write_context(tmp_path_factory.mktemp("geneface") / "context")
    build(docker_engine, context, "Dockerfile", TAG, BASE_IMAGE=local_base, **ARGUMENTS)
    return TAG
