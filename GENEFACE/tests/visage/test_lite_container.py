"""The built-in engine's command line, as its contract image runs it; the image itself is tried in tests/docker."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from visage.engines.lite.container_files import ContainerFiles, Training, fingerprint
from visage.engines.lite.container_lines import Steps
from visage.errors import NotFound
from visage.types import Progress

ROOT = Path(__file__).resolve().parents[2]
TASK = Training("abc", 10, None)
WHOLE = ("idle.mp4", "poster.jpg", "painter.onnx", "listener.npz", "scene.npz")


def start(folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """Exit code and last line of the program."""
    ran = subprocess.run([sys.executable, "-m", "visage.engines.lite.container", *words], cwd=folder, text=True,
                         capture_output=True, check=False, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"})
    assert ran.stdout, ran.stderr
    return ran.returncode, json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.parametrize(("words", "code"), [
    ((), "lite.arguments"),
    (("train", "--video_path", "x.mp4", "--epochs", "many"), "lite.arguments"),
    (("train", "--video_path", "../a.b.mp4"), "lite.identifier"),
    (("train", "--video_path", "data/raw/videos/x.mp4"), "lite.file_missing"),
    (("infer", "--video_id", "x", "--audio_path", "y.wav"), "avatar.missing"),
])
def test_wrong_arguments_are_told_as_a_json_line(tmp_path: Path, words: tuple[str, ...], code: str) -> None:
    status, last = start(tmp_path, *words)
    assert (status, last["error"]["code"]) == (2, code)
    assert list(tmp_path.iterdir()) == []


def test_a_recording_that_is_none_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    status, last = start(tmp_path, "train", "--video_path", "text.mp4")
    assert status == 4
    assert last["error"]["hint"]


def test_steps_tell_the_share_of_the_stage_and_of_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    steps = Steps({"check": 10.0, "learn": 30.0})
    steps(Progress("check", 0.125, "Looking"))
    steps(Progress("check", 0.2))
    steps(Progress("learn", 0.25, "Learning", {"loss": 0.5, "preview": 3}))
    steps(Progress("learn", 1.0))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"stage": "check", "index": 1, "of": 2, "progress": 0.5, "overall": 0.125, "message": "Looking"}
    assert [line["overall"] for line in lines] == [0.125, 0.25, 1.0], "a number alone is not told again at once"
    assert lines[1]["facts"] == {"loss": 0.5}
    assert (lines[2]["progress"], lines[2]["message"]) == (1.0, "Learning")


def test_the_same_task_goes_on_and_another_begins_anew(tmp_path: Path) -> None:
    files = ContainerFiles(tmp_path)
    assert files.resume("man", TASK) is None
    folder = files.avatar("man")
    (folder / "work").mkdir()
    (folder / "lm3d_radnerf").mkdir()
    for name in WHOLE:
        (folder / name).touch()
    assert files.resume("man", TASK) is None, "it was not finished"
    assert (folder / "work").is_dir()
    assert files.finish("man", TASK, {"width": 512}) == files.resume("man", TASK) == {"width": 512}
    assert files.trained("man") == folder

    assert files.resume("man", Training("another recording", 10, None)) is None
    assert sorted(path.name for path in folder.iterdir()) == ["lm3d_radnerf", "training.json"]
    with pytest.raises(NotFound):
        files.trained("man")


def test_recordings_are_told_apart_by_all_of_their_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"x" * (3 << 20))
    other.write_bytes(b"x" * ((3 << 20) - 1) + b"y")
    assert fingerprint(one) != fingerprint(other)
