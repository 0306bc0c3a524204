"""The built-in engine as a contract image: a real recording is learnt and speaks, by plain ``docker run``."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.docker.contract_run import OWNER, Ran, argv, give, run, told
from tests.media_on_hand import Clips
from visage.media.audio import read_sound, write_wav
from visage.media.probe import probe

TRAIN = ("visage-lite", "train", "--video_path", "data/raw/videos/man.mp4", "--epochs", "1", "--seconds")
INFER = ("visage-lite", "infer", "--video_id", "man", "--audio_path", "data/raw/val_wavs/line.wav")


def workspace(folder: Path, recording: Path) -> Path:
    """What is mounted: a recording and a sound."""
    work = folder / "GeneFace-main"
    for name in ("videos", "val_wavs"):
        (work / "data" / "raw" / name).mkdir(parents=True)
    shutil.copy(recording, work / "data/raw/videos/man.mp4")
    write_wav(work / "data/raw/val_wavs/line.wav", read_sound(recording, 16_000, limit=3.0), 16_000)
    return give(work)


@pytest.fixture(scope="module")
def recording(shared_clips: Path) -> Path:
    return shared_clips / "videos" / "segment10_man_5s.mp4"


@pytest.fixture(scope="module")
def work(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workspace(tmp_path_factory.mktemp("lite"), recording)


@pytest.fixture(scope="module")
def trained(lite_image: str, work: Path) -> Ran:
    ran = run(lite_image, work, *TRAIN, "6")
    assert ran.code == 0, ran
    return ran


def test_a_real_recording_is_learnt(trained: Ran, work: Path) -> None:
    assert [step["stage"] for step, after in pairwise([*trained.steps, {"stage": ""}])
            if step["stage"] != after["stage"]] == ["check", "track", "listen", "learn", "finish"]
    assert {step["of"] for step in trained.steps} == {5}
    assert all(0 <= step["progress"] <= 1 for step in trained.steps)
    shares = [step["overall"] for step in trained.steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    result = trained.last["result"]
    assert (result["width"], result["height"]) == (512, 512)
    assert result["frames"] == pytest.approx(126, abs=2)
    assert result["steps"] > 2
    assert probe(work / "checkpoints/man/idle.mp4", "video").frames == 2 * result["frames"] - 2
    assert probe(work / "checkpoints/man/poster.jpg", "image").width == 512
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in (work / "checkpoints").rglob("*")}
    assert owners == {OWNER}
    assert sorted(path.name for path in work.iterdir()) == ["checkpoints", "data"], "it tidied up after itself"


def test_the_same_training_again_is_done_already(trained: Ran, lite_image: str, work: Path) -> None:
    again = run(lite_image, work, *TRAIN, "6")
    assert (again.code, again.lines) == (0, [trained.last])


def test_it_speaks(trained: Ran, lite_image: str, work: Path) -> None:
    spoken = run(lite_image, work, *INFER)
    assert spoken.code == 0, spoken
    assert spoken.steps[-1]["overall"] == 1.0
    clip = work / "infer_out/man/pred_video/line.mp4"
    found = probe(clip, "video")
    assert (found.width, found.fps, found.has_sound) == (512, 25, True)
    assert found.frames == pytest.approx(75, abs=1)
    assert spoken.last["result"] == {"video": "infer_out/man/pred_video/line.mp4", "seconds": round(found.seconds, 3),
                                     "frames": found.frames, "width": 512, "height": 512}


def test_sigint_stops_it_at_once_and_it_goes_on_where_it_stopped(lite_image: str, recording: Path, tmp_path: Path
                                                                  ) -> None:
    work, name = workspace(tmp_path, recording), f"visage-test-{tmp_path.name}".lower()
    with subprocess.Popen(argv(lite_image, work, *TRAIN, "24", name=name), stdout=subprocess.PIPE,
                          text=True) as container:
        said: list[str] = []
        for line in container.stdout or ():
            said.append(line)
            step = json.loads(line) if line.startswith("{") else {}
            if step.get("stage") == "learn" and step["progress"] > 0.6:
                began = time.monotonic()
                subprocess.run(["docker", "kill", "--signal", "INT", name], check=True, capture_output=True)
                break
        said += list(container.stdout or ())
        assert container.wait(20) == 130
        assert time.monotonic() - began < 5
    assert list(told(said))[-1]["error"]["code"] == "job.cancelled"
    assert (work / "checkpoints/man/work/learn_112.pt").is_file()

    again = run(lite_image, work, *TRAIN, "24")
    assert again.code == 0, again
    learnt = [step["progress"] for step in again.steps if step["stage"] == "learn"]
    assert learnt[1] > 0.3, f"the learning began anew: {learnt}"


@pytest.mark.parametrize(("words", "code", "name"), [
    (("train",), 2, "lite.arguments"),
    (("train", "--video_path", "data/raw/videos/a-b.mp4"), 2, "lite.identifier"),
    (("train", "--video_path", "data/raw/videos/absent.mp4"), 2, "lite.file_missing"),
    (("train", "--video_path", "data/raw/videos/wall.mp4", "--epochs", "0"), 2, "lite.epochs"),
    (("train", "--video_path", "data/raw/videos/wall.mp4", "--seconds", "-1"), 2, "lite.option_wrong"),
    (("train", "--video_path", "data/raw/videos/wall.mp4", "--device", "TPU"), 2, "lite.device"),
    (("train", "--video_path", "data/raw/videos/wall.mp4", "--device", "GPU0"), 5, "lite.gpu_missing"),
    (("train", "--video_path", "data/raw/videos/wall.mp4"), 4, "video.no_face_at_all"),
    (("train", "--video_path", "data/raw/videos/text.mp4"), 4, "media.unknown"),
    (("infer", "--video_id", "nobody", "--audio_path", "data/raw/videos/wall.mp4"), 2, "avatar.missing"),
])
def test_a_failure_says_why_in_its_last_line_and_its_exit_code(
        lite_image: str, wrong: Path, words: tuple[str, ...], code: int, name: str) -> None:
    ran = run(lite_image, wrong, "visage-lite", *words)
    error = ran.last["error"]
    assert (ran.code, error["code"]) == (code, name), ran
    assert error["message"]
    assert error["hint"]
    assert "{" not in error["message"]


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with recordings that cannot be used."""
    work = tmp_path_factory.mktemp("wrong") / "GeneFace-main"
    (work / "data/raw/videos").mkdir(parents=True)
    (work / "data/raw/videos/wall.mp4").write_bytes(Clips(tmp_path_factory.mktemp("clips"))("no_face"))
    (work / "data/raw/videos/text.mp4").write_text("This is no video.")
    return give(work)


def test_another_engines_model_in_the_same_folder_stays(lite_image: str, wrong: Path) -> None:
    other = wrong / "checkpoints/wall/lm3d_radnerf/model_ckpt_steps_2000.ckpt"
    other.parent.mkdir(parents=True)
    other.write_text("hours of work")
    give(wrong)
    assert run(lite_image, wrong, "visage-lite", "train", "--video_path", "data/raw/videos/wall.mp4").code == 4
    assert other.read_text() == "hours of work"
