"""The compose files, brought up for real: three containers that share one folder, and a fourth that they start."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
import yaml

from tests.conftest import ROOT, clean_environment, free_port
from tests.docker.contract_run import OWNER, give
from tests.docker_engine import give_up
from visage.media.probe import probe

FILES = ("docker-compose.yml", "docker-compose.engines.yml")


def compose_command() -> list[str]:
    """docker-compose 1.29, else compose v2, else the test is skipped."""
    tool = shutil.which("docker-compose")
    if tool:
        return [tool]
    client = shutil.which("docker")
    if client and subprocess.run([client, "compose", "version"], capture_output=True, check=False).returncode == 0:
        return [client, "compose"]
    return give_up("there is no docker-compose: sudo apt-get install -y docker-compose")


@dataclass(frozen=True)
class Project:
    """Containers of one compose project."""

    client: docker.DockerClient
    name: str
    home: Path
    environment: dict[str, str]
    files: tuple[str, ...] = FILES

    def __call__(self, *words: str, check: bool = True) -> str:
        """Run compose; returns what it printed."""
        files = [word for file in self.files for word in ("-f", file)]
        ran = subprocess.run([*compose_command(), "-p", self.name, *files, *words], cwd=ROOT, env=self.environment,
                             capture_output=True, text=True, check=False, timeout=300)
        if check and ran.returncode:
            raise AssertionError(ran.stdout + ran.stderr)
        return ran.stdout + ran.stderr

    def containers(self) -> dict[str, Any]:
        """Service → container."""
        found = self.client.containers.list(all=True, filters={"label": f"com.docker.compose.project={self.name}"})
        return {one.labels["com.docker.compose.service"]: one for one in found}

    def until_healthy(self, count: int, seconds: float = 150) -> None:
        """Wait for the containers' own health checks."""
        until = time.monotonic() + seconds
        while True:
            states = {name: one.attrs["State"] for name, one in self.containers().items()}
            health = [state.get("Health", {}).get("Status") for state in states.values()]
            if health == ["healthy"] * count:
                return
            if time.monotonic() > until:
                raise AssertionError(f"{states}\n{self('logs', '--no-color')[-5000:]}")
            time.sleep(0.5)

    @property
    def url(self) -> str:
        """The web app."""
        return f"http://127.0.0.1:{self.environment['VISAGE_PORT']}"


def describe_engine(home: Path, image: str) -> None:
    """Have an installation know the contract image as an engine that learns for a few seconds."""
    told = yaml.safe_load((ROOT / "docker/lite/engine.yaml").read_text(encoding="utf-8"))
    told["image"] = image
    told["train"]["argv"] += ["--seconds", "5"]
    (home / "engines").mkdir()
    (home / "engines" / "lite-container.yaml").write_text(yaml.safe_dump(told))


@pytest.fixture(scope="module")
def project(docker_engine: docker.DockerClient, app_image: str, tts_image: str, lite_image: str,
            tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """All services with the socket, in a folder of their own."""
    home = tmp_path_factory.mktemp("home").resolve()
    describe_engine(home, lite_image)
    give(home)
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not host.startswith("unix://"):
        give_up(f"the engine is at {host}, not behind a socket of this machine")
    socket = host.removeprefix("unix://")
    environment = clean_environment(
        APP_IMAGE=app_image, TTS_IMAGE=tts_image, VISAGE_HOME=str(home), RUN_AS=":".join(map(str, OWNER)),
        DOCKER_GID=str(Path(socket).stat().st_gid), DOCKER_SOCKET=socket, VISAGE_PORT=str(free_port()),
        VISAGE_VOICE_PORT=str(free_port()), VISAGE_ONLINE="false")
    made = Project(docker_engine, f"visagetest{os.getpid()}", home, environment)
    try:
        yield made
    finally:
        made("down", "--volumes", check=False)


def test_the_voice_server_alone_as_deployed_systems_start_it(project: Project) -> None:
    alone = Project(project.client, project.name, project.home, project.environment, ())
    alone("up", "-d", "tts")
    alone.until_healthy(1)
    assert list(alone.containers()) == ["tts"]
    assert requests.get(f"http://127.0.0.1:{alone.environment['VISAGE_VOICE_PORT']}/health", timeout=20).json()["ok"]


@pytest.fixture(scope="module")
def product(project: Project) -> Project:
    """Everything up and healthy."""
    project("up", "-d")
    project.until_healthy(3)
    return project


def test_pages_are_answered_and_a_job_is_done_in_another_container(product: Project, tmp_path: Path) -> None:
    assert "/video_generation" in requests.get(product.url, timeout=20).text
    form = {"model_name": "lite", "model_param": "astronaut", "target_text": "Hello from a container."}
    answer = requests.post(f"{product.url}/video_generation", data=form, timeout=200).json()
    assert answer["status"] == "success", answer
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(requests.get(product.url + answer["video_path"], timeout=20).content)
    assert probe(clip, "video").has_sound
    kept = product.home / answer["video_path"].lstrip("/")
    assert (kept.stat().st_uid, kept.stat().st_gid) == OWNER


def test_the_worker_starts_engines_in_containers_that_see_the_same_folder(product: Project, shared_clips: Path) -> None:
    recording = shared_clips / "videos" / "segment10_man_5s.mp4"
    sent = requests.post(f"{product.url}/api/uploads", params={"kind": "video", "name": recording.name},
                         data=recording.read_bytes(), timeout=60)
    done(product, "train", upload=sent.json()["id"], engine="LiteContainer", id="man", name="man", epochs=1)
    assert (product.home / "var/lite-container/checkpoints/man/painter.onnx").is_file()
    shown = requests.get(f"{product.url}/api/avatars/man", timeout=20).json()
    assert (shown["engine"], shown["width"]) == ("LiteContainer", 512)
    assert shown["figures"]["frames"] == pytest.approx(126, abs=2)
    job = done(product, "generate", avatar="man", text="Hello from two containers.")
    clip = probe(product.home / job["result"]["url"].lstrip("/"), "video")
    assert clip.has_sound
    assert clip.seconds > 1


def done(product: Project, verb: str, **asked: Any) -> dict[str, Any]:
    """The job of that verb when it has succeeded."""
    job = requests.post(f"{product.url}/api/jobs/{verb}", timeout=60, json=asked).json()
    until = time.monotonic() + 240
    while job.get("state") not in ("succeeded", "failed", "cancelled"):
        assert time.monotonic() < until, job
        assert "id" in job, job
        time.sleep(0.3)
        job = requests.get(f"{product.url}/api/jobs/{job['id']}", timeout=20).json()
    log = requests.get(f"{product.url}/api/jobs/{job['id']}/log", timeout=20).text
    assert job["state"] == "succeeded", f"{job['error']}\n{log}"
    return job


def test_all_end_at_once_and_cleanly(product: Project) -> None:
    began = time.monotonic()
    product("stop")
    assert time.monotonic() - began < 25
    codes = {name: one.attrs["State"]["ExitCode"] for name, one in product.containers().items()}
    assert codes == {"tts": 0, "web": 0, "worker": 0}


def test_the_socket_is_given_only_when_it_is_asked_for(project: Project) -> None:
    plain = Project(project.client, project.name, project.home, project.environment, ())
    assert "docker.sock" not in plain("config")
    without = {name: value for name, value in project.environment.items() if name not in ("VISAGE_HOME", "DOCKER_GID")}
    for name in ("VISAGE_HOME", "DOCKER_GID"):
        lacking = {**without, **{other: project.environment[other] for other in ("VISAGE_HOME", "DOCKER_GID")
                                 if other != name}}
        said = Project(project.client, project.name, project.home, lacking)("config", check=False)
        assert "the head of docker-compose.engines.yml" in said


def test_a_gpu_is_asked_for_in_a_file_of_its_own(project: Project) -> None:
    with_gpu = Project(project.client, project.name, project.home, project.environment,
                       ("docker-compose.yml", "docker-compose.gpu.yml"))
    assert with_gpu("config").count("driver: nvidia") == 2
