"""The real inference pipeline in a container, against stand-in programs whose pictures tell what they were given."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import wave
from collections.abc import Callable
from pathlib import Path

import docker
import numpy as np
import pytest

from tests.geneface.avatars import SHUT, Answer, Avatars, ended, inferring, pictures, sound_of, until
from tests.visage.media_clips import babble
from visage.media.run import ffmpeg_path

Run = Callable[..., Answer]


@pytest.fixture
def avatars(tmp_path: Path) -> Avatars:
    made = Avatars(tmp_path)
    made.train("Ann_1")
    return made


@pytest.fixture
def infer(docker_engine: docker.DockerClient, geneface_image: str, avatars: Avatars) -> Run:
    """Run the pipeline to its end."""
    def run(*arguments: str, user: int = 0, tmpfs: dict[str, str] | None = None, **environment: str) -> Answer:
        with inferring(docker_engine, geneface_image, avatars, *arguments, user=user, tmpfs=tmpfs,
                       **environment) as container:
            return ended(container)
    return run


def write_sound(file: Path, samples: np.ndarray, rate: int = 16000) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes((samples * 32767).astype("<i2").tobytes())
    return file


def say(avatars: Avatars, seconds: float, name: str = "hello.wav", rate: int = 16000) -> tuple[str, ...]:
    """Put a sound into the workspace; the arguments that make Ann say it."""
    write_sound(avatars.root / "data/raw/val_wavs" / name, babble(seconds, rate), rate)
    return "--video_id", "Ann_1", "--audio_path", f"data/raw/val_wavs/{name}"


def same_sound(video: Path, file: Path, rate: int) -> None:
    """The video's sound is the file's, whole and without a shift or a gap anywhere."""
    made, given = sound_of(video, rate), sound_of(file, rate)
    assert 0 <= len(made) - len(given) < 2048
    for start in range(0, len(given) - rate, rate):
        one, other = made[start:start + rate], given[start:start + rate]
        if np.abs(other).max() > 0.01:
            spectrum = np.fft.rfft(one) * np.conj(np.fft.rfft(other))
            assert np.argmax(np.fft.irfft(spectrum)) == 0, f"shifted at {start / rate} s"
            assert np.corrcoef(one, other)[0, 1] > 0.98


def test_a_short_sound(infer: Run, avatars: Avatars) -> None:
    answer = infer(*say(avatars, 3.0))
    assert answer.result == {"video": "infer_out/Ann_1/pred_video/hello.mp4", "seconds": 3.0, "frames": 75,
                             "chunks": 1, "motion": "postnet"}
    video = avatars.root / answer.result["video"]
    poses, _ = pictures(video)
    assert poses == [*range(40), *range(38, 3, -1)]
    same_sound(video, avatars.root / "data/raw/val_wavs/hello.wav", 16000)
    stages = [line["stage"] for line in answer.lines if "stage" in line]
    assert list(dict.fromkeys(stages)) == ["check", "sound", "avatar", "landmarks", "mouth", "render", "join"]
    overall = [line["overall"] for line in answer.lines if "stage" in line]
    assert overall == sorted(overall) and overall[-1] == 1.0
    assert any("step 4000" in line.get("message", "") for line in answer.lines)
    assert not list(avatars.root.glob("infer_out/Ann_1/work/*/*")), "nothing is left behind"
    assert [file.name for file in video.parent.iterdir()] == ["hello.mp4"]


def test_seventy_seconds_in_pieces(infer: Run, avatars: Avatars) -> None:
    """Frame-exact, poses forth and back and lips without a jump at the borders, the sound the original one."""
    asked = say(avatars, 70.0, rate=44100)
    answer = infer(*asked, "--chunk_seconds", "18")
    assert answer.result["frames"] == 1750 and answer.result["chunks"] >= 4
    video = avatars.root / answer.result["video"]
    poses, lips = pictures(video)
    assert len(poses) == 1750
    assert poses == [min(frame % 78, 78 - frame % 78) for frame in range(1750)]
    same_sound(video, avatars.root / asked[3], 44100)
    whole = infer(*asked, "--chunk_seconds", "25", "--out", "infer_out/Ann_1/other.mp4")
    assert whole.result["chunks"] == 3
    other_poses, other_lips = pictures(avatars.root / "infer_out/Ann_1/other.mp4")
    assert other_poses == poses
    assert abs(other_lips - lips).max() < 0.03, "where the pieces begin cannot be seen"


def test_the_mouth_is_shut_in_silence_and_untouched_in_speech(infer: Run, avatars: Avatars) -> None:
    sound = np.concatenate([np.zeros(16000), babble(2.0)[:24000], np.zeros(24000)])
    write_sound(avatars.root / "data/raw/val_wavs/hello.wav", sound)
    asked = ("--video_id", "Ann_1", "--audio_path", "data/raw/val_wavs/hello.wav")
    _, shut = pictures(avatars.root / infer(*asked).result["video"])
    _, kept = pictures(avatars.root / infer(*asked, "--keep_mouth", "--out", "infer_out/k.mp4").result["video"])
    assert abs(shut[:14] - SHUT).max() < 0.03 and abs(shut[-20:] - SHUT).max() < 0.03
    assert kept[:14].min() > 0.15 and kept[-20:].min() > 0.15
    speech = slice(26, 60)
    assert abs(shut[speech] - kept[speech]).max() < 0.04
    assert abs(np.diff(shut[:24])).max() < 0.1, "eased"


def test_silence_only(infer: Run, avatars: Avatars) -> None:
    write_sound(avatars.root / "data/raw/val_wavs/s.wav", np.zeros(16000 * 2 + 100))
    answer = infer("--video_id", "Ann_1", "--audio_path", "data/raw/val_wavs/s.wav")
    assert answer.result["frames"] == 50
    assert abs(pictures(avatars.root / answer.result["video"])[1] - SHUT).max() < 0.03


@pytest.mark.parametrize("name", ["a b.mp3", "ton.ogg", "söng.m4a", "film.mp4", "x.MP3"])
def test_any_sound_that_ffmpeg_reads(infer: Run, avatars: Avatars, tmp_path: Path, name: str) -> None:
    source = write_sound(tmp_path / "s.wav", babble(2.0, 44100), 44100)
    file = avatars.root / "data/raw/val_wavs" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    picture = ["-f", "lavfi", "-i", "color=red:64x64:25:d=2"] if name == "film.mp4" else []
    subprocess.run([ffmpeg_path(), "-v", "error", "-i", str(source), *picture, str(file)], check=True)
    answer = infer("--video_id", "Ann_1", "--audio_path", f"data/raw/val_wavs/{name}")
    assert answer.result["video"] == f"infer_out/Ann_1/pred_video/{name.rpartition('.')[0]}.mp4"
    assert abs(answer.result["frames"] - 50) <= 2
    same_sound(avatars.root / answer.result["video"], file, 44100)


def test_one_frame_of_sound(infer: Run, avatars: Avatars) -> None:
    write_sound(avatars.root / "data/raw/val_wavs/hello.wav", babble(1.0)[:640])
    answer = infer("--video_id", "Ann_1", "--audio_path", "data/raw/val_wavs/hello.wav")
    assert answer.result["frames"] == 1
    assert len(pictures(avatars.root / answer.result["video"])[0]) == 1


def test_without_a_postnet_the_general_model_moves_the_lips(infer: Run, avatars: Avatars) -> None:
    for file in (avatars.root / "checkpoints/Ann_1/lm3d_postnet_sync").glob("*.ckpt"):
        file.unlink()
    answer = infer(*say(avatars, 1.0))
    assert answer.result["motion"] == "audio2motion"
    assert any("no postnet was trained" in line.get("message", "") for line in answer.lines)
    refused = infer(*say(avatars, 1.0), "--motion", "postnet")
    assert (refused.status, refused.error["code"]) == (3, "geneface.not_trained")


@pytest.mark.parametrize(("steps", "chosen"), [((1000, 6000, 20000), 6000), ((9000, 12000), 9000), ((500,), 500)])
def test_the_postnets_step(infer: Run, avatars: Avatars, steps: tuple[int, ...], chosen: int) -> None:
    avatars.train("Bob", postnet=steps)
    say(avatars, 0.5)
    answer = infer("--video_id", "Bob", "--audio_path", "data/raw/val_wavs/hello.wav")
    assert any(f"step {chosen}" in line.get("message", "") for line in answer.lines if answer.result)


def test_an_old_video_is_never_taken_for_the_new_one(infer: Run, avatars: Avatars) -> None:
    asked = say(avatars, 1.0)
    old = avatars.write("infer_out/Ann_1/pred_video/hello.mp4", "old")
    answer = infer(*asked, STAND_IN_FAULT="render:fail")
    assert answer.status == 1 and answer.error["code"] == "geneface.step_failed"
    assert "told to fail in render" in answer.error["message"]
    assert not old.exists()


def test_what_upstream_loses_without_a_word_is_told(infer: Run, avatars: Avatars) -> None:
    lost = infer(*say(avatars, 1.0), STAND_IN_FAULT="pictures:lost")
    assert (lost.status, lost.error["code"]) == (1, "geneface.frames_missing")
    assert lost.error["params"] == {"found": "24", "expected": "25"}
    silent = infer(*say(avatars, 1.0), STAND_IN_FAULT="video:lost")
    assert (silent.status, silent.error["code"]) == (1, "geneface.frames_missing")
    assert "no video" in silent.error["message"]
    assert not (avatars.root / "infer_out/Ann_1/pred_video/hello.mp4").exists()


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_second_piece_it_goes_on_there(
        docker_engine: docker.DockerClient, geneface_image: str, avatars: Avatars, infer: Run,
        stop: signal.Signals) -> None:
    asked = (*say(avatars, 8.0), "--chunk_seconds", "4")
    with inferring(docker_engine, geneface_image, avatars, *asked, STAND_IN_FAULT="render_piece_1:hang") as container:
        until(container, "told to hang")
        container.kill(stop)
        answer = ended(container)
    if stop != signal.SIGKILL:
        assert answer.status == {signal.SIGINT: 130, signal.SIGTERM: 143}[stop]
        assert answer.error["code"] == "geneface.stopped"
        assert "KeyboardInterrupt" in answer.log, "python was told, not killed"
    pieces = sorted(file.name for file in avatars.root.glob("infer_out/Ann_1/work/*/piece_*.mkv"))
    assert pieces == ["piece_0.mkv"]
    again = infer(*asked)
    assert again.result["frames"] == 200
    assert again.rendered() == again.result["chunks"] - 1 and "predicting" not in again.log
    poses, _ = pictures(avatars.root / again.result["video"])
    assert poses == [min(frame % 78, 78 - frame % 78) for frame in range(200)]


def test_killed_at_the_landmarks_it_makes_them_again(
        docker_engine: docker.DockerClient, geneface_image: str, avatars: Avatars, infer: Run) -> None:
    asked = say(avatars, 1.0)
    with inferring(docker_engine, geneface_image, avatars, *asked, STAND_IN_FAULT="landmarks:hang") as container:
        until(container, "told to hang")
        container.kill(signal.SIGKILL)
        ended(container)
    assert infer(*asked, STAND_IN_FAULT="landmarks:fail").error["params"]["stage"] == "landmarks"
    assert infer(*asked).result["frames"] == 25


def test_a_full_disk_is_told(infer: Run, avatars: Avatars) -> None:
    asked = say(avatars, 20.0, rate=48000)
    answer = infer(*asked, tmpfs={"/GeneFace/infer_out": "size=1m,mode=777"})
    assert (answer.status, answer.error["code"]) == (1, "geneface.disk_full"), answer.log


def test_another_sound_of_the_same_name_starts_anew(infer: Run, avatars: Avatars) -> None:
    asked = (*say(avatars, 8.0), "--chunk_seconds", "4")
    assert infer(*asked, STAND_IN_FAULT="render_piece_1:fail").status == 1
    say(avatars, 7.0)
    answer = infer(*asked)
    assert answer.result["frames"] == 175 and answer.rendered() == answer.result["chunks"]


def test_the_same_video_is_not_made_twice_at_once(
        docker_engine: docker.DockerClient, geneface_image: str, avatars: Avatars, infer: Run) -> None:
    asked = say(avatars, 1.0)
    with inferring(docker_engine, geneface_image, avatars, *asked, STAND_IN_FAULT="render:hang") as container:
        until(container, "told to hang")
        refused = infer(*asked)
        assert (refused.status, refused.error["code"]) == (1, "geneface.busy")


@pytest.mark.parametrize(("gone", "code"), [
    ("checkpoints/Ann_1/lm3d_radnerf_torso/model_ckpt_steps_2000.ckpt", "geneface.not_trained"),
    ("checkpoints/Ann_1/lm3d_radnerf/model_ckpt_steps_2000.ckpt", "geneface.not_trained"),
    ("data/binary/videos/Ann_1/trainval_dataset.npy", "geneface.not_trained"),
    ("deep_3drecon/BFM/BFM_model_front.mat", "geneface.weight_missing"),
    ("checkpoints/lrs3/lm3d_vae_sync/model_ckpt_steps_40000.ckpt", "geneface.weight_missing")])
def test_what_is_missing_is_named_first(infer: Run, avatars: Avatars, gone: str, code: str) -> None:
    (avatars.root / gone).unlink()
    answer = infer(*say(avatars, 1.0))
    assert (answer.status, answer.error["code"]) == (3, code)
    assert gone.partition("model_ckpt")[0] in answer.error["message"]


def test_without_a_gpu(infer: Run, avatars: Avatars) -> None:
    answer = infer(*say(avatars, 1.0), GENEFACE_ALLOW_CPU="0")
    assert (answer.status, answer.error["code"]) == (5, "geneface.gpu")


@pytest.mark.parametrize("arguments", [
    ("--video_id", "../x", "--audio_path", "data/raw/val_wavs/hello.wav"),
    ("--video_id", "a b", "--audio_path", "data/raw/val_wavs/hello.wav"),
    ("--video_id", "", "--audio_path", "data/raw/val_wavs/hello.wav"),
    ("--audio_path", "data/raw/val_wavs/hello.wav"), ("--video_id", "Ann_1"),
    ("--video_id", "Ann_1", "--audio_path", "data/raw/val_wavs/none.wav"),
    ("--video_id", "Ann_1", "--audio_path", "data/raw/val_wavs/hello.wav", "--chunk_seconds", "26"),
    ("--video_id", "Ann_1", "--audio_path", "data/raw/val_wavs/hello.wav", "--chunk_seconds"),
    ("--video_id", "Ann_1", "--audio_path", "data/raw/val_wavs/hello.wav", "--postnet_step", "77"),
    ("--video_id", "Ann_1", "--audio_path", "data/raw/val_wavs/hello.wav", "--sing", "1")])
def test_bad_arguments(infer: Run, avatars: Avatars, arguments: tuple[str, ...]) -> None:
    say(avatars, 0.5)
    answer = infer(*arguments)
    assert answer.status == 2 and answer.error["code"] in ("geneface.arguments", "geneface.id"), answer.log


@pytest.mark.parametrize("content", [b"", b"not a sound at all" * 50])
def test_what_is_no_sound_is_refused(infer: Run, avatars: Avatars, content: bytes) -> None:
    asked = say(avatars, 0.5)
    (avatars.root / asked[3]).write_bytes(content)
    answer = infer(*asked)
    assert (answer.status, answer.error["code"]) == (4, "geneface.sound")


def test_it_runs_as_the_owner_of_the_workspace(infer: Run, avatars: Avatars) -> None:
    asked = say(avatars, 1.0)
    for file in [avatars.root.parent, *avatars.root.parent.rglob("*")]:
        os.chown(file, 4321, 4321)
    video = avatars.root / infer(*asked, user=4321).result["video"]
    assert video.stat().st_uid == 4321


def test_help_names_every_option(infer: Run) -> None:
    answer = infer("--help")
    text = (Path(__file__).resolve().parents[2] / "GeneFace-main/scripts/infer_pipeline.sh").read_text()
    options = set(re.findall(r"^      (--[a-z_]+)\b.*\)", text, re.MULTILINE))
    assert answer.status == 0 and len(options) == 9
    assert all(option in answer.log for option in options - {"--help"})
