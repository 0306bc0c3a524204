"""The picture service's image: a face onto a picture, by a stranger without rights, by HTTP and as a single job."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import requests

from tests.backend.test_face_swapper import picture
from tests.conftest import free_port
from tests.docker.contract_run import OWNER, give

TAG = "image-generation:latest"
LIMITS = ["--init", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
          "--label", "visage.test=run"]


@pytest.fixture(scope="module")
def image(docker_engine: docker.DockerClient, swap_image: str) -> str:
    """The image under the name that people call it by."""
    assert docker_engine.images.get(swap_image).tag(TAG)
    return TAG


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photo and target, the service's volume, and a folder of models that holds none."""
    made = tmp_path_factory.mktemp("pictures")
    for name in ("data", "models/faceswap", "in"):
        (made / name).mkdir(parents=True)
    picture(made / "in", "photo.png")
    picture(made / "in", "target.png", mirrored=True)
    return give(made)


def run(image: str, folder: Path, *words: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """``docker run`` without a network, as an unknown user."""
    found = shutil.which("docker") or pytest.skip("there is no docker command here")
    return subprocess.run([found, "run", "--rm", *LIMITS, "--network", "none", "--user", ":".join(map(str, OWNER)),
                           "-e", "VISAGE_CONSENT_PROOF=false", "-v", f"{folder}/data:/data", "-v",
                           f"{folder}/models:/runpod-volume", "-v", f"{folder}/in:/in:ro", *options, image, *words],
                          capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def consent(image: str, folder: Path) -> str:
    """Id of the consent, recorded by the command in the volume of the service."""
    ran = run(image, folder, "python", "-m", "backend.swap_command", "consent", "--source", "photo.png", "--person",
              "Eileen", "--agree", options=("-w", "/in"))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout.split()[-1]


def job(folder: Path, consent: str, **more: Any) -> dict[str, Any]:
    """A whole job of the service."""
    image, source = (base64.b64encode((folder / "in" / name).read_bytes()).decode()
                     for name in ("target.png", "photo.png"))
    return {"input": {"image": image, "source": source, "consent": consent, "engine": "embedded", **more}}


@pytest.fixture(scope="module")
def server(docker_engine: docker.DockerClient, image: str, folder: Path) -> Iterator[tuple[Any, str]]:
    """The service as people start it, and its address."""
    port = free_port()
    container = docker_engine.containers.run(
        image, ["python", "/opt/visage/handler.py", "--rp_serve_api", "--rp_api_port", str(port)], detach=True,
        network_mode="host", read_only=True, tmpfs={"/tmp": ""}, cap_drop=["ALL"], init=True,
        user=":".join(map(str, OWNER)), labels={"visage.test": "run"},
        volumes=[f"{folder}/data:/data", f"{folder}/models:/runpod-volume"],
        environment={"VISAGE_CONSENT_PROOF": "false", "PICTURE_HOST": "127.0.0.1"})
    try:
        url, until = f"http://127.0.0.1:{port}", time.monotonic() + 120
        while not _is_ready(url):
            container.reload()
            assert container.status in ("created", "running") and time.monotonic() < until, container.logs().decode()
            time.sleep(0.3)
        yield container, url
    finally:
        container.remove(force=True)


def _is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/ready", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def test_what_it_is_by_default(docker_engine: docker.DockerClient, image: str) -> None:
    made = docker_engine.images.get(image).attrs["Config"]
    assert made["User"] == "1000:1000" and "8000/tcp" in made["ExposedPorts"] and made["StopSignal"] == "SIGTERM"
    assert made["Cmd"] == ["python", "/opt/visage/handler.py", "--rp_serve_api"] and not made["Entrypoint"]


def test_a_face_goes_onto_a_picture(server: tuple[Any, str], folder: Path, consent: str) -> None:
    container, url = server
    told = requests.post(f"{url}/runsync", json=job(folder, consent), timeout=240).json()
    assert told["status"] == "COMPLETED", told
    assert [(step["name"], step["status"]) for step in told["output"]["steps"]] == [
        (name, "ok") for name in ("generate", "swap", "enhance", "label", "upload")]
    assert base64.b64decode(told["output"]["image"])[:4] == b"\x89PNG"
    (stored,) = (folder / "data" / "var" / "objects").glob("*.png")
    assert (stored.stat().st_uid, stored.stat().st_gid) == OWNER
    assert "Success | Time: " in container.logs().decode()


def test_it_says_who_computes_and_which_models_are_there(server: tuple[Any, str]) -> None:
    container, url = server
    told = requests.get(f"{url}/health", timeout=20).json()
    assert told["provider"]["got"] == "CPU" and told["engine"] == "basic" and told["ready"]
    assert told["models"]["face_swap"] == {"path": "/runpod-volume/faceswap", "there": False}
    assert container.logs().decode().count("模型不存在") == 3


def test_without_consent_it_refuses(server: tuple[Any, str], folder: Path) -> None:
    told = requests.post(f"{server[1]}/runsync", json=job(folder, ""), timeout=60).json()
    assert (told["status"], told["output"]["fault"]) == ("FAILED", "E09")


def test_it_ends_at_once_when_it_is_stopped(server: tuple[Any, str]) -> None:
    container, _ = server
    began = time.monotonic()
    container.stop(timeout=30)
    container.reload()
    assert container.attrs["State"]["ExitCode"] == 0 and time.monotonic() - began < 15


def test_the_job_of_a_file_in_the_working_folder(image: str, folder: Path, consent: str) -> None:
    (folder / "in" / "test_input.json").write_text(json.dumps(job(folder, consent)), encoding="utf-8")
    ran = run(image, folder, "python", "/opt/visage/handler.py", options=("-w", "/in"))
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert json.loads(ran.stdout)["enhanced"] is True


def test_the_job_that_comes_with_it_runs_or_says_what_it_needs(image: str, folder: Path) -> None:
    ran = run(image, folder, "python", "handler.py")
    assert ran.returncode == 1 and json.loads(ran.stdout)["code"] == "pictures.library_empty", ran.stderr[-3000:]
    library = folder / "data" / "model_cache" / "pictures"
    shutil.copytree(folder / "in", library, ignore=shutil.ignore_patterns("*.json"))
    give(library)
    ran = run(image, folder, "python", "handler.py")
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert json.loads(ran.stdout)["steps"][0]["maker"].startswith("library:")


def test_strictness_keeps_it_from_starting_without_the_gpu(image: str, folder: Path) -> None:
    ran = run(image, folder, options=("-e", "VISAGE_FACE_PROVIDER=cuda", "-e", "VISAGE_FACE_STRICT_PROVIDER=true"))
    assert ran.returncode == 2 and "cuda was asked for" in ran.stderr, ran.stderr[-3000:]
