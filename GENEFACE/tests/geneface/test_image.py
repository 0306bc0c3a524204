"""The Dockerfile of the product, really built: it ends well, or it says what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import docker
import pytest

from tests.docker_engine import build
from tests.geneface.geneface_image import ARGUMENTS, SMOKE, write_context

BROKEN = "visage-test-geneface:broken"


@pytest.fixture
def context(tmp_path: Path, geneface_image: str) -> Path:
    """A context of its own to break; the layers below are those of the whole image."""
    return write_context(tmp_path / "context")


def refusal(docker_engine: docker.DockerClient, local_base: str, context: Path, **changed: str) -> str:
    """The log of a build that must fail."""
    with pytest.raises(pytest.fail.Exception) as failed:
        build(docker_engine, context, "Dockerfile", BROKEN, BASE_IMAGE=local_base, **{**ARGUMENTS, **changed})
    return str(failed.value)


def test_anybody_can_work_in_it(docker_engine: docker.DockerClient, geneface_image: str) -> None:
    said = docker_engine.containers.run(
        geneface_image, ["bash", "-c", "cd /opt/geneface && ls tasks/run.py && test ! -w tasks/run.py && "
                         "cd /root/.cache/torch/hub/checkpoints && python -c 'import mediapipe, _raymarching_face' && "
                         "echo well $HF_HOME"],
        remove=True, user="4711:4711", read_only=True, tmpfs={"/tmp": ""}, cap_drop=["ALL"],
        network_mode="none").decode()
    assert "tasks/run.py" in said
    assert said.endswith("well /root/.cache/torch/hub/checkpoints/huggingface\n")


def test_a_missing_package_is_named(docker_engine: docker.DockerClient, local_base: str, context: Path) -> None:
    (context / "source" / "smoke.json").write_text(json.dumps({**SMOKE, "imports": ["numpy", "pytorch3d"]}))
    told = refusal(docker_engine, local_base, context)
    assert "MISSING import pytorch3d: ModuleNotFoundError" in told
    assert "import numpy" not in told


def test_a_missing_extension_is_named(docker_engine: docker.DockerClient, local_base: str, context: Path) -> None:
    setup = context / "source" / "modules" / "radnerfs" / "raymarching" / "setup.py"
    setup.write_text(setup.read_text().replace("['_raymarching_face']", "[]"))
    assert "MISSING extension _raymarching_face: ModuleNotFoundError" in refusal(docker_engine, local_base, context)


def test_a_torch_without_cuda_is_refused(docker_engine: docker.DockerClient, local_base: str, context: Path) -> None:
    (context / "source" / "smoke.json").write_text(json.dumps({**SMOKE, "cuda": True}))
    told = refusal(docker_engine, local_base, context)
    assert "MISSING build torch" in told


def test_a_pointer_instead_of_a_weight_is_named(docker_engine: docker.DockerClient, local_base: str,
                                                context: Path) -> None:
    name = "data_util/face_parsing/79999_iter.pth"
    (context / "source" / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    (context / "source" / "deep_3drecon" / "reconstructor_opt.pkl").unlink()
    told = refusal(docker_engine, local_base, context)
    assert f"MISSING file {name}: ValueError: it is a pointer of git lfs" in told
    assert "MISSING file deep_3drecon/reconstructor_opt.pkl: FileNotFoundError" in told


def test_a_missing_source_is_named(docker_engine: docker.DockerClient, local_base: str, context: Path) -> None:
    (context / "source" / "tasks" / "run.py").unlink()
    assert "no GeneFace-main/source with GeneFace's code" in refusal(docker_engine, local_base, context)


def test_it_clones_the_commit_that_is_asked_for(docker_engine: docker.DockerClient, local_base: str, context: Path,
                                                tmp_path: Path) -> None:
    """From a repository that serves plain files, as a mirror would, and not of its newest commit."""
    from tests.geneface.repository import served
    with served(tmp_path / "repository", context / "source") as (address, commit):
        build(docker_engine, context, "Dockerfile", BROKEN, BASE_IMAGE=local_base,
              **{**ARGUMENTS, "SOURCE": "clone", "GENEFACE_REPO": address, "GENEFACE_COMMIT": commit})
    said = docker_engine.containers.run(BROKEN, ["cat", "/opt/geneface/VERSION"], remove=True).decode()
    docker_engine.images.remove(BROKEN, force=True)
    assert said == "pinned\n"
