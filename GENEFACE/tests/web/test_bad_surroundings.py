"""A language model that refuses, no voice server, a full disk: said plainly, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.conftest import Installation, free_port, run_product
from tests.glm_server import GlmServer
from tests.media_on_hand import wav
from tests.web.test_api import post, upload
from tests.web.test_bad_input import ZH, in_chinese, plain

KEY = "very-secret-key"


@pytest.fixture(scope="module")
def model() -> Iterator[GlmServer]:
    with GlmServer("I am well, thank you.") as server:
        yield server


@pytest.fixture(scope="module")
def product(installation: Installation, model: GlmServer, tmp_path_factory: pytest.TempPathFactory
            ) -> Iterator[Installation]:
    """A product with a language model on the net and no voice server where it looks for one."""
    home = tmp_path_factory.mktemp("unlucky")
    shutil.copytree(installation.home / "var" / "avatars", home / "var" / "avatars")
    with run_product(home, ZHIPU_API_KEY=KEY, ZHIPUAI_BASE_URL=model.base_url, VISAGE_LLM_TIMEOUT="2",
                     VISAGE_VOICE_URL=f"http://127.0.0.1:{free_port()}") as running:
        yield running


def asked(product: Installation) -> dict:
    """A question's job when it has ended, in Chinese."""
    job = post(product, "/api/jobs/chat", conversation="", avatar="astronaut", text="How are you?", llm="zhipu")
    assert job.status_code == 202, job.text
    product.wait(job.json(), 60)
    return requests.get(f"{product.url}/api/jobs/{job.json()['id']}", headers=ZH, timeout=20).json()


@pytest.mark.parametrize(("mode", "code"), [
    ("refused", "llm.refused"), ("busy", "llm.busy"), ("silent", "llm.timeout"), ("broken", "llm.failed"),
    ("html", "llm.malformed")])
def test_a_language_model_that_fails_is_named(product: Installation, model: GlmServer, mode: str, code: str) -> None:
    model.mode = mode
    job = asked(product)
    assert job["state"] == "failed"
    assert job["error"]["code"] == code, job["error"]
    in_chinese(job["error"])
    plain(requests.get(f"{product.url}/api/jobs/{job['id']}", timeout=20).json()["error"])
    assert KEY not in requests.get(f"{product.url}/api/jobs/{job['id']}/log", timeout=20).text + str(job)


def test_without_a_voice_server_words_fail_but_sounds_still_become_clips(product: Installation,
                                                                         model: GlmServer) -> None:
    model.mode = "answer"
    job = asked(product)
    assert (job["state"], job["error"]["code"]) == ("failed", "tts.server_down"), job
    in_chinese(job["error"])
    told = requests.post(f"{product.url}/api/voices/preview", json={"text": "hi"}, headers=ZH, timeout=30)
    assert told.status_code == 503
    in_chinese(told.json())
    voices = requests.get(f"{product.url}/api/voices", timeout=30).json()
    assert not voices["ok"] and voices["message"]
    assert not requests.get(f"{product.url}/health", timeout=30).json()["voice"]["ok"]
    sound = upload(product, "audio", "mine.wav", wav(1.0)).json()
    clip = product.wait(post(product, "/api/jobs/generate", avatar="astronaut", upload=sound["id"]).json())
    assert clip["state"] == "succeeded", clip["error"]


@pytest.mark.slow
def test_a_killed_voice_server_comes_back(installation: Installation) -> None:
    def back() -> bool:
        """Whether another process answers: what the killed one had started may answer for a moment longer."""
        try:
            return installation.child("tts_server") != killed and requests.get(
                f"{installation.voice_url}/health", timeout=5).json()["ok"]
        except (LookupError, requests.RequestException):
            return False

    killed = installation.child("tts_server")
    os.kill(killed, signal.SIGKILL)
    until = time.monotonic() + 60
    while not back():
        assert time.monotonic() < until
        time.sleep(0.2)
    job = installation.wait(post(installation, "/api/jobs/generate", avatar="astronaut", text="Here I am.").json())
    assert job["state"] == "succeeded", job["error"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 260 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=260m", "tmpfs", str(disk)], check=False,
                                           capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True, timeout=20)


@pytest.mark.slow
def test_a_full_disk_is_said_and_survived(installation: Installation, small_disk: Path) -> None:
    shutil.copytree(installation.home / "var" / "avatars", small_disk / "var" / "avatars")
    with run_product(small_disk, VISAGE_VOICE_URL=installation.voice_url) as product:
        filler = small_disk / "filler"
        uploads = small_disk / "var" / "uploads"
        sound = upload(product, "audio", "s.wav", wav(8.0)).json()
        filler.write_bytes(b"x" * (100 << 20))
        before = set(uploads.iterdir())
        told = requests.post(f"{product.url}/api/uploads", params={"kind": "video", "name": "a.mp4"}, headers=ZH,
                             data=b"y" * (60 << 20), timeout=60)
        assert (told.status_code, told.json()["code"]) == (507, "disk.full")
        in_chinese(told.json())
        assert set(uploads.iterdir()) == before
        train = post(product, "/api/jobs/train", upload=sound["id"], name="x")
        assert train.status_code in (422, 507)
        with filler.open("ab") as file:
            _fill(file)
        job = product.wait(post(product, "/api/jobs/generate", avatar="astronaut", upload=sound["id"]).json(), 90)
        filler.unlink()
        assert job["state"] == "failed", job
        assert job["error"]["code"] == "disk.full", job["error"]
        again = product.wait(post(product, f"/api/jobs/{job['id']}/retry").json(), 90)
        assert again["state"] == "succeeded", again["error"]


def _fill(file: object) -> None:
    """Leave room for the database's pages, not for a video."""
    free = shutil.disk_usage(Path(file.name).parent).free - (300 << 10)
    file.write(b"x" * free)
