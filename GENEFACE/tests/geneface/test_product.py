"""GeneFace through the product: its shipped manifest, its image and its pipelines, with the stand-in for upstream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
import requests
import yaml

from tests.conftest import Installation, run_product
from tests.docker.shell_engine import speech
from tests.docker.test_product import ours, post, upload
from tests.geneface.avatars import flat
from tests.geneface.test_train_pipeline import ShortClips
from tests.geneface.workspaces import Workspace
from visage.engines.container.manifest import SHIPPED


@pytest.fixture(scope="module")
def product(docker_engine: docker.DockerClient, geneface_image: str, tmp_path_factory: pytest.TempPathFactory
            ) -> Iterator[Installation]:
    """The shipped description, but for the GPU that is not here and the size of files that only stand for others."""
    home = tmp_path_factory.mktemp("home").resolve()
    write_files_for_speaking(Workspace(home).root)
    told = yaml.safe_load((SHIPPED / "geneface.yaml").read_text())
    told |= {"image": geneface_image, "gpu": "none", "environment": {"GENEFACE_ALLOW_CPU": "1"}, "weights": ""}
    told["train"]["argv"] += ["--min_seconds", "2"]
    (home / "engines").mkdir()
    (home / "engines/geneface.yaml").write_text(yaml.safe_dump(told))
    with run_product(home) as running:
        yield running
    assert not ours(docker_engine, home)


def write_files_for_speaking(root: Path) -> None:
    """The configuration that comes with the general network: inference is run with it."""
    (root / "checkpoints/lrs3/lm3d_vae_sync/config.yaml").write_text(
        flat("egs/egs_bases/audio2motion/vae_sync.yaml", "egs/datasets/lrs3/lm3d_vae_sync.yaml")
        .replace("work_dir: ''", "work_dir: checkpoints/lrs3/lm3d_vae_sync"))


def recorded(folder: Path, kind: str) -> Path:
    """A short video of that kind."""
    ShortClips(folder)(kind)
    return folder / f"{kind}.mp4"


def said(product: Installation, avatar: str, sound: str) -> dict:
    """The clip of an avatar that says a sound."""
    job = product.wait(post(product, "/api/jobs/generate", avatar=avatar, upload=sound).json())
    assert job["state"] == "succeeded", job["error"]
    clip = requests.get(product.url + job["result"]["url"], timeout=20)
    assert clip.headers["Content-Type"] == "video/mp4"
    return job["result"]


def test_a_face_is_trained_speaks_and_speaks_again_elsewhere(product: Installation, tmp_path: Path) -> None:
    video = upload(product, "video", recorded(tmp_path, "good"))
    job = post(product, "/api/jobs/train", upload=video, engine="geneface", name="Ann-1", epochs=1)
    assert job.status_code == 202, job.text
    trained = product.wait(job.json())
    assert trained["state"] == "succeeded", trained["error"]
    shown = requests.get(f"{product.url}/api/avatars/{trained['result']['avatar']}", timeout=20).json()
    assert (shown["id"], shown["engine"], shown["width"]) == ("Ann_1", "GeneFace", 512)
    assert shown["figures"]["steps"] == 2000
    sound = upload(product, "audio", speech(tmp_path))
    first = said(product, "Ann_1", sound)
    assert first["url"].startswith("/static/videos/geneface_Ann_1_")
    assert (product.home / "GeneFace-main/infer_out/Ann_1/pred_video").is_dir()

    package = requests.get(f"{product.url}/api/avatars/Ann_1/package.zip", timeout=60).content
    (tmp_path / "Ann.avatar.zip").write_bytes(package)
    assert requests.delete(f"{product.url}/api/avatars/Ann_1", timeout=20).status_code == 204
    left = [file for file in (product.home / "GeneFace-main").rglob("*Ann_1*") if file.name != "train.lock"]
    assert not left
    sent = upload(product, "package", tmp_path / "Ann.avatar.zip")
    renamed = post(product, "/api/avatars/import", upload=sent, id="Eve_2")
    assert (renamed.status_code, renamed.json()["code"]) == (422, "engine.fixed_id")
    taken = post(product, "/api/avatars/import", upload=sent)
    assert taken.status_code == 201, taken.text
    assert not (product.home / "GeneFace-main/data/processed/videos/Ann_1/ori_imgs/0.jpg").exists()
    assert said(product, "Ann_1", sound)["seconds"] == first["seconds"]


def test_a_recording_that_cannot_be_learned_is_told_in_both_languages(product: Installation, tmp_path: Path) -> None:
    video = upload(product, "video", recorded(tmp_path, "no_sound"))
    job = product.wait(post(product, "/api/jobs/train", upload=video, engine="GeneFace", name="Nobody").json())
    assert (job["state"], job["error"]["kind"]) == ("failed", "BadVideo")
    assert job["error"]["code"].startswith("geneface.video_")
    words = requests.get(f"{product.url}/static/i18n/zh.json", timeout=20).json()["errors"]
    assert words[job["error"]["code"]]["message"]
