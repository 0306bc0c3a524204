"""The whole product with an engine in a container: through the web app, the worker, a real Docker engine and back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import requests

from backend import exams
from tests.conftest import Installation, run_product
from tests.docker.shell_engine import SECONDS, install, recording, speech
from tests.docker.shell_image import ready_shell
from tests.media_on_hand import Clips
from visage.media.labels import read_label
from visage.media.probe import probe

ZH = {"Accept-Language": "zh"}


@pytest.fixture(scope="module")
def product(docker_engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    home = tmp_path_factory.mktemp("home").resolve()
    image = ready_shell(docker_engine)
    install(home, image)
    install(home, image, "Carded", gpu="required")
    install(home, "visage-no-such-image:1", "Imageless")
    with run_product(home, VISAGE_GPU_SLOTS="1") as running:
        yield running
    assert not ours(docker_engine, home), "every container is gone when the product has stopped"


def ours(client: docker.DockerClient, home: Path, job: str = "") -> list[Any]:
    label = f"visage.job={job}" if job else f"visage.home={home}"
    return client.containers.list(all=True, filters={"label": label})


def post(product: Installation, path: str, **body: Any) -> requests.Response:
    return requests.post(product.url + path, json=body, headers=ZH, timeout=60)


def upload(product: Installation, kind: str, file: Path) -> str:
    answer = requests.post(f"{product.url}/api/uploads", params={"kind": kind, "name": file.name},
                           data=file.read_bytes(), timeout=60)
    assert answer.ok, answer.text
    return str(answer.json()["id"])


def training(product: Installation, folder: Path, avatar: str, engine: str = "Shell", **more: Any) -> dict[str, Any]:
    answer = post(product, "/api/jobs/train", upload=upload(product, "video", recording(folder)), engine=engine,
                  id=avatar, name=avatar, **more)
    assert answer.status_code == 202, answer.text
    return answer.json()


def until(true: Callable[[], Any], seconds: float = 30.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return found


def now(product: Installation, job: dict[str, Any]) -> dict[str, Any]:
    return requests.get(f"{product.url}/api/jobs/{job['id']}", timeout=20).json()


def patient(product: Installation, job: dict[str, Any]) -> dict[str, Any] | None:
    """The job, or None while the web app is away."""
    try:
        return now(product, job)
    except (requests.RequestException, ValueError):
        return None


def test_a_face_is_trained_and_speaks_and_its_package_travels(product: Installation, tmp_path: Path) -> None:
    job = product.wait(training(product, tmp_path, "face", epochs=3))
    assert job["state"] == "succeeded", job["error"]
    log = requests.get(f"{product.url}/api/jobs/{job['id']}/log", timeout=20).text
    assert "started with 3" in log
    assert "step 3" in log
    shown = requests.get(f"{product.url}/api/avatars/face", timeout=20).json()
    assert (shown["engine"], shown["width"], shown["figures"]["steps"]) == ("Shell", 64, 7)
    assert requests.get(product.url + shown["poster"], timeout=20).headers["Content-Type"] == "image/jpeg"
    sound = upload(product, "audio", speech(tmp_path))
    clip = product.wait(post(product, "/api/jobs/generate", avatar="face", upload=sound).json())
    assert clip["state"] == "succeeded", clip["error"]
    assert clip["result"]["seconds"] == pytest.approx(SECONDS, abs=0.1)
    assert clip["result"]["url"].startswith("/static/videos/shell_face_")
    video = requests.get(product.url + clip["result"]["url"], timeout=20)
    given = tmp_path / "given.mp4"
    given.write_bytes(video.content)
    assert probe(given).frames == probe(product.home / "var/shell/seed/clip.mp4").frames
    assert read_label(given), "what leaves the product says that a machine made it"

    package = requests.get(f"{product.url}/api/avatars/face/package.zip", timeout=20).content
    assert requests.delete(f"{product.url}/api/avatars/face", timeout=20).status_code == 204
    assert not (product.home / "var/shell/checkpoints/face").exists()
    (tmp_path / "face.avatar.zip").write_bytes(package)
    taken = post(product, "/api/avatars/import", upload=upload(product, "package", tmp_path / "face.avatar.zip"),
                 id="other")
    assert taken.status_code == 201, taken.text
    assert (product.home / "var/shell/checkpoints/other/idle.mp4").is_file()


def test_a_training_in_a_container_is_examined_and_shows_its_history(product: Installation, tmp_path: Path) -> None:
    face = tmp_path / "talker.mp4"
    face.write_bytes(Clips(tmp_path)("good"))
    seed = product.home / "var/shell/seed/clip.mp4"
    plain = seed.read_bytes()
    seed.write_bytes(face.read_bytes())
    try:
        sent = upload(product, "video", face)
        job = product.wait(post(product, "/api/jobs/train", upload=sent, engine="Shell", id="examined",
                                name="Examined", epochs=2).json())
        assert job["state"] == "succeeded", job["error"]
        assert job["result"]["notes"] == []
        follow_up = product.wait({"id": job["result"]["evaluation_job"]})
    finally:
        seed.write_bytes(plain)
    assert (follow_up["kind"], follow_up["title"], follow_up["state"]) == ("evaluate", "Examined", "succeeded")
    shown = requests.get(f"{product.url}/api/avatars/examined", timeout=20).json()
    assert shown["exam"] and shown["notes"] == []
    history = requests.get(f"{product.url}/api/evaluations?avatar=examined", timeout=20).json()["evaluations"]
    assert {one["region"] for one in history} == {"face", "mouth"}
    for one in history:
        assert (one["job"], one["facts"]["engine"], one["facts"]["epochs"]) == (follow_up["id"], "Shell", 2)
        assert one["facts"]["seen"] is True, "an engine in a container gets the whole recording"
        assert one["facts"]["exam_seconds"] == pytest.approx(exams.SHORTEST, abs=0.1)
        assert one["figures"]["psnr"]["value"] > 12, "a face beside the same face"
        assert requests.get(product.url + one["reports"]["html"], timeout=20).ok
    log = requests.get(f"{product.url}/api/jobs/{follow_up['id']}/log", timeout=20).text
    assert "half" in log, "the avatar spoke in a container"


def test_an_exam_too_short_is_told(product: Installation, tmp_path: Path) -> None:
    job = product.wait(training(product, tmp_path, "brief", epochs=1))
    assert job["state"] == "succeeded", job["error"]
    assert "evaluation_job" not in job["result"]
    shown = requests.get(f"{product.url}/api/avatars/brief", timeout=20).json()
    assert shown["notes"] == job["result"]["notes"] == [exams.UNCUT.format(reason="it is shorter than 3 s.")]


def test_a_waiting_client_of_the_old_form_gets_its_answer(product: Installation, tmp_path: Path) -> None:
    (product.home / "static/videos/speaker.mp4").write_bytes(recording(tmp_path).read_bytes())
    form = {"model_choice": "shell", "ref_video": "static/videos/speaker.mp4", "gpu_choice": "cpu", "epoch": "2"}
    answer = requests.post(f"{product.url}/model_training", data=form, timeout=60)
    assert answer.json()["status"] == "success", answer.text
    unknown = requests.post(f"{product.url}/model_training", data={**form, "model_choice": "SyncTalk"}, timeout=60)
    assert unknown.status_code >= 400
    assert "SyncTalk" in unknown.json()["message"]
    nobody = requests.post(f"{product.url}/model_training", data={**form, "model_choice": "model1"}, timeout=60)
    assert "Shell" in nobody.json()["message"]


def test_a_container_tells_why_it_failed(product: Installation, tmp_path: Path) -> None:
    workspace = product.home / "var/shell"
    (workspace / "fail").write_text('{"error": {"code": "shell.bad_video", "message": "No face before 0:03.", '
                                    '"hint": "Cut it."}}\n')
    (workspace / "code").write_text("4")
    try:
        job = product.wait(training(product, tmp_path, "long", epochs=2))
    finally:
        (workspace / "fail").unlink()
    assert (job["state"], job["error"]["kind"], job["error"]["code"]) == ("failed", "BadVideo", "shell.bad_video")
    assert (job["error"]["message"], job["error"]["hint"]) == ("No face before 0:03.", "Cut it.")
    assert requests.get(f"{product.url}/api/avatars/long", timeout=20).status_code == 404


def test_cancelling_takes_the_container_away(product: Installation, docker_engine: docker.DockerClient,
                                             tmp_path: Path) -> None:
    job = training(product, tmp_path, "long", epochs=600)
    until(lambda: now(product, job)["fraction"] > 0)
    assert len(ours(docker_engine, product.home, job["id"])) == 1
    began = time.monotonic()
    assert post(product, f"/api/jobs/{job['id']}/cancel").ok
    assert product.wait(job)["state"] == "cancelled"
    until(lambda: not ours(docker_engine, product.home, job["id"]))
    assert time.monotonic() - began < 3.5
    assert (product.home / "var/shell/interrupted").read_text() == "INT\n"


def test_a_job_goes_on_with_its_container_when_worker_and_web_are_killed(
        product: Installation, docker_engine: docker.DockerClient, tmp_path: Path) -> None:
    job = training(product, tmp_path, "face", epochs=150)
    until(lambda: now(product, job)["fraction"] > 0)
    container = ours(docker_engine, product.home, job["id"])[0]
    for word in ("backend.worker", "app.py"):
        os.kill(product.child(word), signal.SIGKILL)
    again = until(lambda: (told := patient(product, job)) and told["attempt"] == 2 and told["state"] == "running"
                  and told["fraction"] > 0 and told)
    assert [one.id for one in ours(docker_engine, product.home, job["id"])] == [container.id]
    assert again["cancelling"] is False
    ended = product.wait(job)
    assert (ended["state"], ended["attempt"]) == ("succeeded", 2), ended["error"]
    assert not ours(docker_engine, product.home, job["id"])


def test_a_container_of_a_deleted_job_is_collected(product: Installation, docker_engine: docker.DockerClient) -> None:
    stray = docker_engine.containers.run(ready_shell(docker_engine), ["sleep", "600"], detach=True, init=True,
                                         network_mode="none",
                                         labels={"visage.home": str(product.home), "visage.job": "0" * 32})
    until(lambda: not ours(docker_engine, product.home, "0" * 32))
    with pytest.raises(docker.errors.NotFound):
        stray.reload()


def test_the_failure_of_gpus_is_told_with_its_remedy(product: Installation, docker_engine: docker.DockerClient,
                                                     tmp_path: Path) -> None:
    refused = post(product, "/api/jobs/train", upload=upload(product, "video", recording(tmp_path)), engine="Carded",
                   device="CPU")
    assert (refused.status_code, refused.json()["code"]) == (422, "engine.needs_gpu")
    job = product.wait(training(product, tmp_path, "other2", engine="Carded", device="auto"))
    assert (job["state"], job["error"]["code"], job["gpu"]) == ("failed", "docker.no_gpu", 0)
    assert "nvidia-ctk" in job["error"]["hint"]
    assert not ours(docker_engine, product.home, job["id"])


def test_a_missing_image_is_refused_before_a_job_exists(product: Installation, tmp_path: Path) -> None:
    answer = post(product, "/api/jobs/train", upload=upload(product, "video", recording(tmp_path)), engine="Imageless")
    assert (answer.status_code, answer.json()["code"]) == (424, "engine.not_installed")
    assert "make-the-image" in answer.text
