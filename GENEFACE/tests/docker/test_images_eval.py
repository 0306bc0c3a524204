"""The evaluation's image: built, and run with the very line that people are told to type."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import docker
import pytest

from visage.media.run import run_tool

KEYS = ["niqe", "psnr", "ssim", "fid", "lse_c", "lse_d"]
TAG = "talkingface-eval:latest"
SECONDS = 2


@pytest.fixture(scope="module")
def image(docker_engine: docker.DockerClient, eval_image: str) -> str:
    """The image under the name that people call it by."""
    assert docker_engine.images.get(eval_image).tag(TAG)
    return TAG


@pytest.fixture(scope="module")
def workspace(shared_clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recording and a worse copy of it, both real people who speak."""
    folder = tmp_path_factory.mktemp("eval") / "GENEFACE"
    folder.mkdir()
    source = shared_clips / "videos" / "segment10_man_5s.mp4"
    for name, quality in (("truth.mp4", "16"), ("pred.mp4", "38")):
        run_tool(["ffmpeg", "-loglevel", "error", "-i", str(source), "-t", str(SECONDS), "-crf", quality,
                  str(folder / name)])
    return folder


def run(image: str, folder: Path, *words: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """``docker run`` as the documents have it, with ``options`` besides."""
    found = shutil.which("docker") or pytest.skip("there is no docker command here")
    return subprocess.run([found, "run", "--rm", *options, "-v", f"{folder}:/workspace", image, *words],
                          capture_output=True, text=True, check=False, timeout=600)


def test_the_line_that_people_type(image: str, workspace: Path) -> None:
    line = (f'docker run --rm -v "$(pwd):/workspace" {image} --gt_video "/workspace/truth.mp4" '
            '--pred_video "/workspace/pred.mp4" --out_json "/workspace/metrics.json"')
    ran = subprocess.run(["sh", "-c", line], cwd=workspace, capture_output=True, text=True, check=False, timeout=600)
    assert ran.returncode == 0, ran.stderr[-3000:]
    told = json.loads(ran.stdout)
    assert json.loads((workspace / "metrics.json").read_text(encoding="utf-8")) == told
    assert list(told)[:6] == KEYS
    assert set(KEYS) <= told["details"].keys()
    assert 20 < told["psnr"] < 45, "a recording and its coarse copy are alike, not the same"
    assert 0.5 < told["ssim"] < 0.999
    assert told["details"]["psnr"]["frames"] == pytest.approx(SECONDS * 25, abs=2)
    for key in KEYS:
        one = told["details"][key]
        assert (told[key] is None) == (one["value"] is None)
        assert one["value"] is not None or (one["reason"] and one["remedy"]), f"{key} is null and does not say why"


def test_a_stranger_without_network_and_rights_measures_as_well(image: str, workspace: Path) -> None:
    user = (4242, 4243)
    if os.geteuid():
        pytest.skip("only root can make a folder that belongs to somebody else")
    out = workspace / "theirs"
    out.mkdir(exist_ok=True)
    os.chown(out, *user)
    ran = run(image, workspace, "--pred_video", "/workspace/pred.mp4", "--out_json", "/workspace/theirs/metrics.json",
              "--max_frames", "10",
              options=("--init", "--read-only", "--network", "none", "--cap-drop", "ALL", "--security-opt",
                       "no-new-privileges", "--user", ":".join(map(str, user))))
    assert ran.returncode == 0, ran.stderr[-3000:]
    told = json.loads(ran.stdout)
    written = out / "metrics.json"
    assert json.loads(written.read_text(encoding="utf-8")) == told
    assert (written.stat().st_uid, written.stat().st_gid) == user
    assert told["psnr"] is None, "there was nothing to compare with"
    assert any(one["value"] is not None for one in told["details"].values())


def test_weights_come_from_the_mounted_model_cache(image: str, workspace: Path) -> None:
    probe = run(image, workspace, "-c", "from visage.config import read_settings; from visage.storage.paths import "
                "Paths; print(Paths(read_settings().home).models)", options=("--entrypoint", "python"))
    assert probe.stdout.strip() == "/workspace/model_cache", probe.stderr


@pytest.mark.parametrize(("words", "code"), [
    (("--pred_video", "/workspace/absent.mp4"), 4), (("--gt_video", "/workspace/truth.mp4"), 2),
    (("--pred_video", "/workspace/pred.mp4", "--out_json", "/nowhere/metrics.json"), 2)])
def test_what_cannot_be_measured_is_told_by_the_exit_code(image: str, workspace: Path, words: tuple[str, ...],
                                                          code: int) -> None:
    ran = run(image, workspace, *words, options=("--read-only",))
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stderr.strip()
