"""The built-in engine as a whole: learns from a clip that is made here, is killed, goes on, speaks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.visage.lite_avatars import QUIET, Told, lite, photo_avatar, portrait, speech, talking_clip
from visage.engines import RenderRequest, TrainRequest
from visage.engines.lite.mouth import opening, select
from visage.engines.lite.photo_speaking import CYCLE
from visage.engines.lite.precision import Precision
from visage.engines.lite.rendering import render
from visage.errors import BadAudio, BadMedia, BadVideo, Cancelled, InvalidRequest
from visage.faces import open_faces
from visage.faces.pose import fit_pose, to_face
from visage.faces.track import track_video
from visage.media.audio import write_wav
from visage.media.encoder import ClipWriter
from visage.media.frames import read_video
from visage.media.probe import probe
from visage.types import FPS, SPEECH_RATE, Progress, silent

# MediaPipe asks protobuf in an old way whenever a second finder is opened.
pytestmark = pytest.mark.filterwarnings("ignore:label:DeprecationWarning")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return talking_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def trained(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict, Told]:
    """Avatar, facts and reports of a very short training."""
    home = tmp_path_factory.mktemp("trained")
    told = Told()
    options = {"seconds": 4, "preview": str(home / "preview.jpg"), "losses": str(home / "losses.jsonl")}
    facts = lite(home).train(TrainRequest(clip, home / "avatar", options=options), told)
    return home / "avatar", dict(facts), told


def test_training_tells_how_far_it_is(trained) -> None:
    avatar, facts, told = trained
    assert told.stages == ["check", "track", "listen", "learn", "finish"]
    assert told.rises
    learnt = [step.facts for step in told.steps if "step" in step.facts and "preview" in step.facts]
    assert learnt[-1]["preview"] >= 1
    assert learnt[-1]["step"] == facts["steps"] >= 2
    points = [json.loads(line) for line in (avatar.parent / "losses.jsonl").read_text().splitlines()]
    assert all(len(point) == 3 for point in points)
    assert (avatar.parent / "preview.jpg").stat().st_size > 5000


def test_a_package_is_whole_and_small(trained) -> None:
    avatar, facts, _ = trained
    light = Precision.read(avatar / "painter.onnx")
    assert {"footage.mp4", "scene.npz", "mouth.npz", "listener.npz", "painter.onnx", "painter.json", "references.npz",
            "poster.jpg", "idle.mp4", *(["painter_int8.onnx"] if light.kept else [])
            } == {file.name for file in avatar.iterdir()}
    assert facts["painter_bits"] == (8 if light.light else 32)
    assert facts["painter_agreement"] == light.agreement
    assert sum(file.stat().st_size for file in avatar.iterdir()) < 30e6
    assert (facts["width"], facts["height"]) == (512, 512)
    footage, idle = probe(avatar / "footage.mp4", "video"), probe(avatar / "idle.mp4", "video")
    assert idle.frames == 2 * footage.frames - 2
    assert not idle.has_sound
    assert "torch" in facts["versions"]


def test_a_package_speaks_wherever_it_is_moved(trained, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    trained[0].rename(moved)
    told = Told()
    try:
        sound = speech(tmp_path, 3.0)
        out = lite(tmp_path).render(RenderRequest(moved, sound, tmp_path / "out.mp4"), told)
    finally:
        moved.rename(trained[0])
    info = probe(out, "video")
    assert told.stages == ["move", "render", "verify"]
    assert told.rises
    assert (info.width, info.height, round(info.fps, 3)) == (512, 512, FPS)
    assert (info.codec, info.sound_codec) == ("h264", "aac")
    assert abs(info.frames - (3.0 + QUIET) * FPS) <= 1


def test_lips_move_with_speech_and_are_shut_in_silence(trained, tmp_path: Path) -> None:
    out = lite(tmp_path).render(RenderRequest(trained[0], speech(tmp_path, 3.0), tmp_path / "out.mp4"), silent)
    finder = open_faces()
    track = track_video(read_video(out, FPS), finder)
    finder.close()
    gaps = opening(select(to_face(track.points, fit_pose(track.points))))
    wide = np.percentile(gaps, 95) - gaps.min()
    assert wide > 0.02
    assert (gaps[-round(QUIET * FPS) + 6:] - gaps.min() < 0.3 * wide).mean() > 0.9


def test_every_frame_can_be_marked(trained, tmp_path: Path) -> None:
    marked: list[int] = []

    def mark(frame: np.ndarray, number: int) -> None:
        marked.append(number)
        frame[:32, :32] = 235 if number % 2 else 16

    out = render(RenderRequest(trained[0], speech(tmp_path, 0.5), tmp_path / "out.mp4"), silent, mark)
    corners = [frame[8:24, 8:24].mean() for frame in read_video(out, FPS)]
    assert marked == list(range(len(corners)))
    assert all((light > 200) == bool(number % 2) for number, light in enumerate(corners))


def test_rendering_needs_no_torch(trained, tmp_path: Path) -> None:
    code = ("import sys; from pathlib import Path; from visage.config import Settings; "
            "from visage.engines import RenderRequest, open_engine; "
            "from visage.storage.paths import Paths; from visage.types import silent; "
            "a, s, o = map(Path, sys.argv[1:]); "
            "open_engine('lite', Settings(), Paths(o.parent)).render(RenderRequest(a, s, o), silent); "
            "assert 'torch' not in sys.modules")
    arguments = [str(trained[0]), str(speech(tmp_path, 0.5)), str(tmp_path / "out.mp4")]
    subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, check=True, timeout=60)


@pytest.mark.slow
def test_a_killed_training_goes_on_where_it_stopped(clip: Path, tmp_path: Path) -> None:
    avatar = tmp_path / "avatar"
    code = ("import sys; from pathlib import Path; from visage.config import Settings; "
            "from visage.engines import TrainRequest, open_engine; "
            "from visage.storage.paths import Paths; a, c = map(Path, sys.argv[1:]); "
            "open_engine('lite', Settings(), Paths(a.parent)).train(TrainRequest(c, a, options={'seconds': 12}), "
            "lambda step: print(step.stage, step.facts.get('step', 0), flush=True))")
    with subprocess.Popen([sys.executable, "-c", code, str(avatar), str(clip)], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, start_new_session=True) as process:
        step = 0
        for line in process.stdout:
            step = int(line.split()[1]) if line.startswith("learn") else 0
            if step > 3:
                break
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGKILL)
    tracked = (avatar / "work" / "track.npz").stat().st_mtime_ns
    told = Told()
    looked: list[int] = []

    def report(progress: Progress) -> None:
        told(progress)
        if progress.stage == "learn":
            looked.append((avatar / "work" / "track.npz").stat().st_mtime_ns)

    lite(tmp_path).train(TrainRequest(clip, avatar, options={"seconds": 6}), report)
    assert set(looked) == {tracked}
    assert next(step.facts["step"] for step in told.steps if "step" in step.facts) > 1
    assert not (avatar / "work").exists()


def test_a_training_that_is_stopped_stops(clip: Path, tmp_path: Path) -> None:
    def report(progress: Progress) -> None:
        if progress.stage == "learn" and "step" in progress.facts:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        lite(tmp_path).train(TrainRequest(clip, tmp_path / "avatar", options={"seconds": 60}), report)


@pytest.mark.parametrize("options", [{"secnds": 3}, {"seconds": 0}, {"seconds": "long"}])
def test_wrong_options_are_named(clip: Path, tmp_path: Path, options: dict) -> None:
    with pytest.raises(InvalidRequest, match=next(iter(options))):
        lite(tmp_path).train(TrainRequest(clip, tmp_path / "avatar", options=options), silent)


def test_a_video_without_a_face_is_refused(tmp_path: Path) -> None:
    with ClipWriter(tmp_path / "grey.mp4", 320, 240, FPS, SPEECH_RATE) as writer:
        for _ in range(6 * FPS):
            writer.write(np.full((240, 320, 3), 90, np.uint8))
    with pytest.raises(BadVideo) as caught:
        lite(tmp_path).train(TrainRequest(tmp_path / "grey.mp4", tmp_path / "avatar"), silent)
    assert caught.value.code.startswith("video.no_face")


def test_a_sound_of_nothing_is_refused(trained, tmp_path: Path) -> None:
    nothing = write_wav(tmp_path / "nothing.wav", np.zeros(10, np.float32), SPEECH_RATE)
    with pytest.raises(BadAudio):
        lite(tmp_path).render(RenderRequest(trained[0], nothing, tmp_path / "out.mp4"), silent)
    assert not (tmp_path / "out.mp4").exists()


def test_a_damaged_package_is_named(tmp_path: Path) -> None:
    (tmp_path / "avatar").mkdir()
    with pytest.raises(BadMedia):
        lite(tmp_path).render(RenderRequest(tmp_path / "avatar", speech(tmp_path, 0.5), tmp_path / "out.mp4"), silent)


def test_a_stopped_rendering_leaves_nothing(tmp_path: Path) -> None:
    def report(progress: Progress) -> None:
        if progress.stage == "render" and progress.fraction > 0.3:
            raise Cancelled("Stopped.")

    avatar = photo_avatar(tmp_path)
    before = set(tmp_path.iterdir())
    with pytest.raises(Cancelled):
        lite(tmp_path).render(RenderRequest(avatar, speech(tmp_path, 4.0), tmp_path / "out.mp4"), report)
    assert {file.name for file in set(tmp_path.iterdir()) - before} == {"speech4.0.wav"}


def test_a_photo_avatar_lives(tmp_path: Path) -> None:
    avatar = photo_avatar(tmp_path)
    out = lite(tmp_path).render(RenderRequest(avatar, speech(tmp_path, 2.0), tmp_path / "out.mp4"), silent)
    frames = np.stack(list(read_video(out, FPS)))
    assert frames.shape[1:] == portrait().shape
    assert (avatar / "poster.jpg").is_file()
    assert probe(avatar / "idle.mp4", "video").frames == CYCLE
    moved = np.abs(frames[10].astype(int) - frames[40]).mean()
    assert 0.3 < moved < 20
