"""The voice server's image: it speaks, as an unknown user, with a read-only root, and ends when it is told to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import requests

from tests.conftest import free_port
from tests.docker.contract_run import OWNER, give
from visage.media.probe import probe


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return give(tmp_path_factory.mktemp("voice"))


@pytest.fixture(scope="module")
def server(docker_engine: docker.DockerClient, tts_image: str, home: Path) -> Iterator[tuple[Any, str]]:
    """The running container and its address."""
    port = free_port()
    container = docker_engine.containers.run(
        tts_image, detach=True, network_mode="host", read_only=True, tmpfs={"/tmp": ""}, cap_drop=["ALL"], init=True,
        user=":".join(map(str, OWNER)), labels={"visage.test": "run"}, volumes=[f"{home}:/data"],
        environment={"VISAGE_VOICE_PORT": str(port), "VISAGE_ONLINE": "false"},
        healthcheck={"test": ["CMD", "visage", "healthy", "voice"], "interval": 10**9, "timeout": 8 * 10**9})
    try:
        yield container, f"http://127.0.0.1:{port}"
    finally:
        container.remove(force=True)


@pytest.fixture(scope="module")
def address(server: tuple[Any, str]) -> str:
    container, url = server
    until = time.monotonic() + 90
    while (state := container.attrs["State"]).get("Health", {}).get("Status") != "healthy":
        assert time.monotonic() < until, container.logs().decode()
        assert state["Status"] in ("created", "running"), container.logs().decode()
        time.sleep(0.3)
        container.reload()
    return url


def test_its_own_health_check_passes_when_it_answers(address: str) -> None:
    told = requests.get(f"{address}/health", timeout=20).json()
    assert (told["ok"], told["engine"], told["offline"]) == (True, "espeak", True)


@pytest.mark.parametrize("text", ["你好，今天是 2026 年。", "Hello, one 2 three."])
def test_it_speaks_into_the_mounted_folder(address: str, home: Path, text: str) -> None:
    said = requests.post(f"{address}/tts", json={"text": text, "out_path": "static/audios/line.wav"}, timeout=60)
    assert said.json()["ok"], said.text
    sound = home / "static/audios/line.wav"
    assert probe(sound, "audio").seconds > 1
    assert (sound.stat().st_uid, sound.stat().st_gid) == OWNER


def test_every_sound_format_can_be_written(address: str) -> None:
    for form in ("wav", "mp3", "opus", "flac"):
        asked = {"input": "Hello", "response_format": form}
        answer = requests.post(f"{address}/v1/audio/speech", json=asked, timeout=60)
        assert answer.ok, answer.text
        assert len(answer.content) > 1000


def test_a_folder_of_somebody_else_is_refused_with_the_command_that_helps(
        docker_engine: docker.DockerClient, tts_image: str, home: Path) -> None:
    container = docker_engine.containers.run(tts_image, detach=True, volumes=[f"{home}:/data"], network_mode="none",
                                             labels={"visage.test": "run"})
    try:
        assert container.wait(timeout=60)["StatusCode"] == 1
        assert f"RUN_AS={OWNER[0]}:{OWNER[1]} docker-compose up -d" in container.logs().decode()
    finally:
        container.remove(force=True)


def test_it_ends_at_once_when_it_is_stopped(address: str, server: tuple[Any, str]) -> None:
    container, _ = server
    began = time.monotonic()
    container.stop(timeout=20)
    container.reload()
    assert container.attrs["State"]["ExitCode"] == 0
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("image", ["tts_image", "lite_image", "app_image"])
def test_an_image_holds_no_compiler_and_nothing_of_this_folders_own(
        request: pytest.FixtureRequest, docker_engine: docker.DockerClient, image: str) -> None:
    tag = request.getfixturevalue(image)
    look = "command -v gcc cc make git; find /opt/visage -maxdepth 1 -printf '%f\\n'; find /opt/visage -name '*.mp4'"
    found = docker_engine.containers.run(tag, ["-c", look + "; true"], entrypoint="sh", remove=True, user="0",
                                         network_mode="none").decode().split()
    assert set(found) <= {"visage", "backend", "web", "eval_metrics", "templates", "static", "app.py", "tts_server.py",
                          "__pycache__", "requirements.txt", "packages.txt"}
    assert docker_engine.images.get(tag).attrs["Config"]["User"] == "1000:1000"
