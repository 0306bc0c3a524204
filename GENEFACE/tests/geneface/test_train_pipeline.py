"""The real training pipeline in a container of the product's image, against the stand-in for upstream's programs."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import docker
import numpy as np
import pytest

from tests.geneface.avatars import until
from tests.geneface.usage import calls, seen, shape
from tests.geneface.workspaces import Workspace, done, hub, stages
from tests.media_on_hand import Clips, swaying
from tests.visage.media_clips import babble, clip, portrait
from visage.media.run import ffmpeg_path

STAGES = ["check", "inspect", "normalise", "audio", "frames", "landmarks", "parsing", "tracking", "background",
          "layers", "poses", "speech", "coefficients", "dataset", "postnet", "head", "torso", "preview"]
SHORT = ("--epochs", "10", "--min_seconds", "2")


class ShortClips(Clips):
    """As those of people, only shorter: every frame costs time in the stand-in too."""

    def good(self, out: Path) -> None:
        """A face that can be learned, in 60 frames."""
        clip(out, swaying(portrait(), 2.4), babble(2.4))


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return ShortClips(tmp_path_factory.mktemp("clips"))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def shape_of(video: Path) -> str:
    """What ffmpeg says about a file."""
    return subprocess.run([ffmpeg_path(), "-hide_banner", "-i", str(video)], capture_output=True, text=True,
                          check=False).stderr


def test_a_whole_training(docker_engine: docker.DockerClient, geneface_image: str, workspace: Workspace,
                          clips: Clips) -> None:
    workspace.put_lrs3()
    video = workspace.put(clips("good"))
    answer = workspace.train(docker_engine, geneface_image, "--video_path", video, *SHORT)
    assert answer.result == {"width": 512, "height": 512, "frames": 60, "steps": 2000, "postnet": True}
    assert stages(answer) == STAGES
    assert [line["index"] for line in answer.lines if "stage" in line] == sorted(
        line["index"] for line in answer.lines if "stage" in line)
    overall = [line["overall"] for line in answer.lines if "stage" in line]
    assert overall == sorted(overall)
    assert (overall[0], overall[-1]) == (0, 1)
    assert all(line["of"] == len(STAGES) for line in answer.lines if "stage" in line)

    ran, read = ({shape(call) for call in found} for found in (seen(answer.log), calls("train_pipeline.sh")))
    assert ran == read, "the check against upstream reads the script as bash does"

    models = workspace.root / "checkpoints" / "Ann_1"
    names = {file.name: sorted(path.name for path in file.glob("*.ckpt")) for file in models.glob("lm3d_*")}
    assert names == {"lm3d_radnerf": ["model_ckpt_steps_2000.ckpt"],
                     "lm3d_radnerf_torso": ["model_ckpt_steps_2000.ckpt"],
                     "lm3d_postnet_sync": [f"model_ckpt_steps_{step}000.ckpt" for step in range(1, 7)]}
    settings = json.loads((models / "lm3d_radnerf" / "model_ckpt_steps_2000.ckpt").read_text())["hparams"]
    assert settings["finetune_lips_start_iter"] == "1600"
    assert settings["individual_embedding_num"] == "13000"
    torso = (workspace.root / "egs/datasets/videos/Ann_1/lm3d_radnerf_torso.yaml").read_text()
    assert "video_id: Ann_1" in torso
    assert "checkpoints/Ann_1/lm3d_radnerf" in torso

    normalised = shape_of(workspace.root / "data/processed/videos/Ann_1/normalised.mp4")
    assert "512x512" in normalised
    assert "25 fps" in normalised
    assert "Audio" in normalised
    assert (models / "poster.jpg").read_bytes()[:3] == b"\xff\xd8\xff"
    idle = shape_of(models / "idle.mp4")
    assert "512x512" in idle
    assert "Audio" not in idle
    assert (workspace.root / video).read_bytes() == clips("good"), "the user's video stays as it was"
    dataset = np.load(workspace.root / "data/binary/videos/Ann_1/trainval_dataset.npy", allow_pickle=True).item()
    assert (len(dataset["train_samples"]), len(dataset["val_samples"])) == (54, 6)

    again = workspace.train(docker_engine, geneface_image, "--video_path", video, *SHORT)
    assert again.result == answer.result
    assert done(again) == STAGES[1:-1]


def test_a_real_recording_and_more_epochs_later(docker_engine: docker.DockerClient, geneface_image: str,
                                                workspace: Workspace, shared_clips: Path) -> None:
    """Not square, and 25 fps by luck only; without LRS3 the postnet is left out."""
    video = workspace.put(shared_clips / "videos" / "grid_sbwe5n.mpg", suffix="mpg")
    first = workspace.train(docker_engine, geneface_image, "--video_path", video, *SHORT)
    assert first.result == {"width": 512, "height": 512, "frames": 75, "steps": 2000, "postnet": False}
    assert not (workspace.root / "checkpoints/Ann_1/lm3d_postnet_sync").exists()
    more = workspace.train(docker_engine, geneface_image, "--video_path", video, "--epochs", "60", "--min_seconds", "2")
    assert more.result["steps"] == 6000
    assert done(more) == STAGES[1:14]
    head = workspace.root / "checkpoints/Ann_1/lm3d_radnerf"
    assert [file.name for file in head.glob("*.ckpt")] == ["model_ckpt_steps_6000.ckpt"]


@pytest.fixture(scope="module")
def unbroken(docker_engine: docker.DockerClient, geneface_image: str, tmp_path_factory: pytest.TempPathFactory,
             clips: Clips) -> dict[str, bytes]:
    """What a training leaves that nobody stopped."""
    workspace = Workspace(tmp_path_factory.mktemp("unbroken"))
    workspace.put_lrs3()
    answer = workspace.train(docker_engine, geneface_image, "--video_path", workspace.put(clips("good")), *SHORT)
    assert answer.status == 0, answer.log
    return workspace.made()


KILLED = ["audio", "frames", "landmarks", "parsing", "convert", "tracking", "background", "layers", "poses", "speech",
          "coefficients", "dataset", "lm3d_postnet_sync", "lm3d_radnerf", "lm3d_radnerf_torso"]
STAGE_OF = {"convert": "tracking", "lm3d_postnet_sync": "postnet", "lm3d_radnerf": "head",
            "lm3d_radnerf_torso": "torso"}


@pytest.mark.parametrize("program", KILLED)
def test_it_goes_on_after_a_kill(docker_engine: docker.DockerClient, geneface_image: str, workspace: Workspace,
                                 clips: Clips, unbroken: dict[str, bytes], program: str) -> None:
    workspace.put_lrs3()
    video = workspace.put(clips("good"))
    workspace.order_fault(f"{program}:hang")
    with workspace.training(docker_engine, geneface_image, "--video_path", video, *SHORT) as container:
        until(container, f"{program} was told to hang", 120)
        container.kill()
        container.wait(timeout=20)
    workspace.order_fault("")
    answer = workspace.train(docker_engine, geneface_image, "--video_path", video, *SHORT)
    assert answer.status == 0, answer.log
    stage = STAGE_OF.get(program, program)
    assert done(answer) == STAGES[1:STAGES.index(stage)], "the stages before it were skipped, and nothing else"
    made = workspace.made()
    assert made.keys() == unbroken.keys()
    assert [name for name, data in made.items() if data != unbroken[name]] == []


@pytest.mark.parametrize("stage", ["inspect", "normalise", "preview"])
def test_it_goes_on_after_a_kill_in_a_stage_of_ours(docker_engine: docker.DockerClient, geneface_image: str,
                                                    workspace: Workspace, clips: Clips, unbroken: dict[str, bytes],
                                                    stage: str) -> None:
    workspace.put_lrs3()
    video = workspace.put(clips("good"))
    with workspace.training(docker_engine, geneface_image, "--video_path", video, *SHORT) as container:
        until(container, f'"stage":"{stage}"', 120)
        container.kill()
        container.wait(timeout=20)
    answer = workspace.train(docker_engine, geneface_image, "--video_path", video, *SHORT)
    assert answer.status == 0, answer.log
    assert done(answer) == STAGES[1:STAGES.index(stage)]
    assert workspace.made() == unbroken


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_python(docker_engine: docker.DockerClient, geneface_image: str, workspace: Workspace,
                                 clips: Clips, number: signal.Signals) -> None:
    video = workspace.put(clips("good"))
    workspace.order_fault("lm3d_radnerf:hang")
    with workspace.training(docker_engine, geneface_image, "--video_path", video, *SHORT) as container:
        until(container, "lm3d_radnerf was told to hang", 120)
        container.kill(number.name)
        status = container.wait(timeout=20)["StatusCode"]
        last = json.loads(container.logs().decode().splitlines()[-1])
    assert status == 128 + number
    assert last["error"]["code"] == "geneface.stopped"
    assert last["error"]["params"]["stage"] == "head"
    assert (workspace.root / "checkpoints/Ann_1/lm3d_radnerf/interrupted").exists(), "python saw no KeyboardInterrupt"


def test_a_signal_reaches_the_grandchild(docker_engine: docker.DockerClient, geneface_image: str, workspace: Workspace,
                                         clips: Clips) -> None:
    """The tracker runs below a shell below python."""
    workspace.order_fault("tracking:hang")
    with workspace.training(docker_engine, geneface_image, "--video_path", workspace.put(clips("good")),
                            *SHORT) as container:
        until(container, "tracking was told to hang", 120)
        container.kill("SIGINT")
        assert container.wait(timeout=20)["StatusCode"] == 130
        assert "KeyboardInterrupt" in container.logs().decode()


def test_a_failing_program_is_named(docker_engine: docker.DockerClient, geneface_image: str, workspace: Workspace,
                                    clips: Clips) -> None:
    workspace.order_fault("landmarks:fail")
    answer = workspace.train(docker_engine, geneface_image, "--video_path", workspace.put(clips("good")), *SHORT)
    assert answer.status == 1
    assert answer.error["code"] == "geneface.step_failed"
    assert answer.error["params"]["stage"] == "landmarks"
    assert "told to fail in landmarks" in answer.error["message"]


def test_a_program_that_hides_its_failure_is_found_out(docker_engine: docker.DockerClient, geneface_image: str,
                                                       workspace: Workspace, clips: Clips) -> None:
    """Upstream's own program ends well when the tracker below it does not."""
    workspace.order_fault("tracking:fail")
    answer = workspace.train(docker_engine, geneface_image, "--video_path", workspace.put(clips("good")), *SHORT)
    assert answer.status == 1
    assert answer.error["params"]["stage"] in ("tracking", "poses")
    assert stages(answer)[-1] in ("tracking", "poses")


@pytest.mark.parametrize(("clip", "code", "words"), [
    ("no_face", "video_no_face", "130 frames show no face: 0-129 (0:00.0)."),
    ("two_faces", "video_faces", "130 frames show more than one face"),
    ("no_sound", "video_silent", "The video has no sound."),
    ("one_second", "video_short", "The video lasts 1.0 s; at least 2.0 s are needed."),
])
def test_a_bad_video_is_refused_before_any_work(docker_engine: docker.DockerClient, geneface_image: str,
                                                workspace: Workspace, clips: Clips, clip: str, code: str,
                                                words: str) -> None:
    answer = workspace.train(docker_engine, geneface_image, "--video_path", workspace.put(clips(clip)), *SHORT)
    assert answer.status == 4
    assert answer.error["code"] == f"geneface.{code}"
    assert words in answer.error["message"]
    assert answer.error["hint"]
    assert stages(answer) == ["check", "inspect"]


def test_what_is_no_video_is_refused(docker_engine: docker.DockerClient, geneface_image: str,
                                     workspace: Workspace) -> None:
    answer = workspace.train(docker_engine, geneface_image, "--video_path", workspace.put(b"no video" * 99), *SHORT)
    assert (answer.status, answer.error["code"]) == (4, "geneface.video_unreadable")


def test_too_little_memory_is_told_beforehand(docker_engine: docker.DockerClient, geneface_image: str,
                                              workspace: Workspace, clips: Clips) -> None:
    answer = workspace.train(docker_engine, geneface_image, "--video_path", workspace.put(clips("good")), *SHORT,
                             mem_limit="900m")
    assert (answer.status, answer.error["code"]) == (4, "geneface.memory")
    assert "60 frames need 1069 MB of memory; 900 MB are there." in answer.error["message"]


@pytest.mark.parametrize("path", ["deep_3drecon/BFM/01_MorphableModel.mat", "s3fd-619a316812.pth"])
def test_a_missing_weight_is_named(docker_engine: docker.DockerClient, geneface_image: str, workspace: Workspace,
                                   clips: Clips, path: str) -> None:
    place = workspace.root if path.startswith("deep") else workspace.cache
    (place / path).unlink()
    answer = workspace.train(docker_engine, geneface_image, "--video_path", workspace.put(clips("good")), *SHORT)
    assert (answer.status, answer.error["code"]) == (3, "geneface.weight_missing")
    assert path in answer.error["message"]
    assert answer.error["params"]["licence"] in answer.error["message"]
    assert answer.error["params"]["source"].startswith("https://")
    assert stages(answer) == ["check"]


def test_without_a_gpu_nothing_starts(docker_engine: docker.DockerClient, geneface_image: str, workspace: Workspace,
                                      clips: Clips) -> None:
    answer = workspace.train(docker_engine, geneface_image, "--video_path", workspace.put(clips("good")), *SHORT,
                             environment={})
    assert (answer.status, answer.error["code"]) == (5, "geneface.gpu")
    assert "--gpus" in answer.error["hint"]


@pytest.mark.parametrize(("name", "code"), [
    ("Ann and Bob", "id"), ("安娜", "id"), ("a'b;touch x", "id"), ("x" * 65, "id"), ("my_jpg", "id"),
])
def test_a_name_that_would_break_upstream_is_refused(docker_engine: docker.DockerClient, geneface_image: str,
                                                     workspace: Workspace, name: str, code: str) -> None:
    video = workspace.put(b"x", name)
    answer = workspace.train(docker_engine, geneface_image, "--video_path", video, "--epochs", "1")
    assert (answer.status, answer.error["code"]) == (2, f"geneface.{code}")
    assert not (workspace.root / "x").exists()


@pytest.mark.parametrize("arguments", [
    ["--epochs", "3"], ["--video_path", "data/raw/videos/nobody.mp4"], ["--video_path"], ["--nonsense", "1"],
    ["--video_path", "data/raw/videos/Ann_1.mp4", "--epochs", "0"],
    ["--video_path", "data/raw/videos/Ann_1.mp4", "--epochs", "1.5"],
    ["--video_path", "data/raw/videos/Ann_1.mp4", "--epochs", "$(touch x)"],
    ["--video_path", "data/raw/videos/Ann_1.mp4", "--postnet_steps", "1500"],
])
def test_bad_arguments_are_told(docker_engine: docker.DockerClient, geneface_image: str, workspace: Workspace,
                                arguments: list[str]) -> None:
    workspace.put(b"x")
    answer = workspace.train(docker_engine, geneface_image, *arguments)
    assert answer.status == 2, answer.log
    assert answer.error["message"]
    assert answer.error["hint"]
    assert not (workspace.root / "x").exists()


def test_help(docker_engine: docker.DockerClient, geneface_image: str, workspace: Workspace) -> None:
    answer = workspace.train(docker_engine, geneface_image, "--help")
    assert answer.status == 0
    assert "--video_path" in answer.log
    assert "--restart" in answer.log


def test_another_video_needs_another_name(docker_engine: docker.DockerClient, geneface_image: str,
                                          workspace: Workspace, clips: Clips) -> None:
    workspace.order_fault("audio:fail")
    workspace.train(docker_engine, geneface_image, "--video_path", workspace.put(clips("good")), *SHORT)
    video = workspace.put(clips("no_face"))
    refused = workspace.train(docker_engine, geneface_image, "--video_path", video, *SHORT)
    assert (refused.status, refused.error["code"]) == (2, "geneface.other_video")
    anew = workspace.train(docker_engine, geneface_image, "--video_path", video, *SHORT, "--restart")
    assert anew.error["code"] == "geneface.video_no_face"
    assert not (workspace.root / "data/processed/videos/Ann_1/normalised.mp4").exists()


def test_a_data_set_from_elsewhere_is_taken_over(docker_engine: docker.DockerClient, geneface_image: str,
                                                 workspace: Workspace, clips: Clips) -> None:
    video = workspace.put(clips("good"))
    workspace.order_fault("lm3d_radnerf:fail")
    workspace.train(docker_engine, geneface_image, "--video_path", video, *SHORT)
    workspace.order_fault("")
    processed = workspace.root / "data/processed/videos/Ann_1"
    for name in ("normalised.mp4", "inspection.json", "source.json", "vid_coeff.npy"):
        (processed / name).unlink()
    for seal in (processed / ".stages").iterdir():
        seal.unlink()
    (processed / ".stages").rmdir()
    answer = workspace.train(docker_engine, geneface_image, "--video_path", video, *SHORT)
    assert answer.result["frames"] == 60
    assert done(answer) == STAGES[1:14]


def test_two_trainings_of_one_id_do_not_meet(docker_engine: docker.DockerClient, geneface_image: str,
                                             workspace: Workspace, clips: Clips) -> None:
    video = workspace.put(clips("good"))
    workspace.order_fault("audio:hang")
    with workspace.training(docker_engine, geneface_image, "--video_path", video, *SHORT) as container:
        until(container, "audio was told to hang", 120)
        second = workspace.train(docker_engine, geneface_image, "--video_path", video, *SHORT)
        assert (second.status, second.error["code"]) == (1, "geneface.busy")
        container.kill()


def test_a_torn_file_is_made_again(docker_engine: docker.DockerClient, geneface_image: str, workspace: Workspace,
                                   clips: Clips) -> None:
    """Somebody emptied a frame's landmarks after the stage was sealed."""
    video = workspace.put(clips("good"))
    workspace.order_fault("lm3d_radnerf:fail")
    workspace.train(docker_engine, geneface_image, "--video_path", video, *SHORT)
    workspace.order_fault("")
    (workspace.root / "data/processed/videos/Ann_1/ori_imgs/7.lms").write_text("")
    answer = workspace.train(docker_engine, geneface_image, "--video_path", video, *SHORT)
    assert answer.status == 0, answer.log
    assert done(answer) == STAGES[1:STAGES.index("landmarks")]


def test_the_cache_of_hubert_is_where_its_library_looks(workspace: Workspace) -> None:
    assert (workspace.cache / hub("refs/main")).read_text()
