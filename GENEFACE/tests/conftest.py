"""A whole installation, really running: own folder, own ports, voice server, worker and web as processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from benchmarks.product import child_of
from tests.docker_engine import (  # noqa: F401 - for all folders
    app_image,
    docker_engine,
    eval_image,
    lite_image,
    local_base,
    pytest_collection_modifyitems,
    swap_image,
    tts_image,
)

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parents[1] / "shared" / "data" / "open"


@dataclass(frozen=True)
class Installation:
    """One running product."""

    home: Path
    url: str
    voice_url: str
    environment: dict[str, str]
    process: subprocess.Popen[bytes]

    def wait(self, job: dict, seconds: float = 240.0) -> dict:
        """The job when it has ended."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            now = requests.get(f"{self.url}/api/jobs/{job['id']}", timeout=10).json()
            if now["state"] in ("succeeded", "failed", "cancelled"):
                return now
            time.sleep(0.2)
        raise AssertionError(f"not ended after {seconds} s: {now}")

    def child(self, word: str) -> int:
        """Process id of the child of the supervisor whose command line holds a word.  Raises `LookupError`."""
        return child_of(self.process.pid, word)


def free_port() -> int:
    """A port nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def clean_environment(**more: str) -> dict[str, str]:
    """This environment without the product's settings and keys, and with ``more``."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("VISAGE_", "ZHIPU", "OPENAI")) and name not in ("HOST", "PORT")}
    return {**kept, **more}


@pytest.fixture(scope="session")
def shared_clips() -> Path:
    """Folder of real clips, where this machine has it."""
    if not SHARED.is_dir():
        pytest.skip("the real clips (../shared/data/open) are not on this machine")
    return SHARED


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The product, running, with its built-in avatar and short trainings."""
    with run_product(tmp_path_factory.mktemp("home")) as running:
        yield running


@contextmanager
def run_product(home: Path, **settings: str) -> Iterator[Installation]:
    """A product of its own below ``home``, with these settings besides."""
    port, voice_port = free_port(), free_port()
    environment = clean_environment(
        VISAGE_HOME=str(home), VISAGE_PORT=str(port), VISAGE_VOICE_PORT=str(voice_port), VISAGE_ONLINE="false",
        VISAGE_LITE_TRAIN_SECONDS="200", PYTHONPATH=str(ROOT), PYTHONUNBUFFERED="1", **settings)
    made = [sys.executable, "-c", "from backend.services import open_services as o; "
            "from backend.model_trainer import ensure_built_in as e; e(o())"]
    subprocess.run(made, cwd=ROOT, env=environment, check=True, timeout=120, capture_output=True)
    process = subprocess.Popen([sys.executable, "-m", "backend.supervisor"], cwd=ROOT, env=environment,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    running = Installation(home, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{voice_port}", environment, process)
    try:
        _until_it_answers(running)
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def _until_it_answers(running: Installation, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and running.process.poll() is None:
        try:
            if requests.get(f"{running.url}/health", timeout=5).json()["worker"]["alive"]:
                return
        except (requests.RequestException, ValueError, KeyError):
            pass
        time.sleep(0.3)
    logs = "\n".join(f"== {log.name}\n{log.read_text()[-3000:]}" for log in (running.home / "var").rglob("*.log"))
    raise AssertionError(f"the product did not start\n{logs}")
