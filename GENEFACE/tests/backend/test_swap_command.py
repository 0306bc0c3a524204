"""The seeds' exact command lines, run as programs: consent, result, exit codes, what is printed."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from tests.backend.test_face_swapper import picture
from tests.backend.test_swap_lines import SEED_001, SEED_003
from visage.media.encoder import ClipWriter
from visage.media.labels import read_label
from visage.media.probe import probe

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seed's folder: a photo, and a second of a face that moves, with sound."""
    home = tmp_path_factory.mktemp("seed")
    (home / "assets").mkdir()
    picture(home / "assets", "img1.png")
    picture(home, "src.jpg")
    face = skimage.data.astronaut()[0:320, 100:400, :][:, ::-1]
    for file in (home / "assets" / "video1.mp4", home / "tgt.mp4"):
        writer = ClipWriter(file, 300, 320, 25, 44_100)
        writer.write_sound((0.2 * np.sin(np.arange(44_100 // 2) / 30)).astype(np.float32))
        for number in range(12):
            writer.write(np.ascontiguousarray(np.roll(face, number // 2, 1)))
        writer.close()
    return home


def run(folder: Path, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], cwd=folder, text=True, capture_output=True, timeout=240,
                          check=False, input=stdin,
                          env={**os.environ, "PYTHONPATH": str(ROOT), "VISAGE_HOME": str(folder / "home"),
                               "VISAGE_CONSENT_PROOF": "false", "LC_ALL": "C.UTF-8"})


def agree(folder: Path, photo: str, *more: str) -> subprocess.CompletedProcess[str]:
    return run(folder, "-m", "backend.swap_command", "consent", "--source", photo, "--person", "Eileen", *more,
               stdin="yes\n")


def test_the_line_of_seed_001_runs_once_somebody_agreed(folder: Path) -> None:
    command = [str(ROOT / "run.py"), *shlex.split(SEED_001)]
    refused = run(folder, *command)
    assert refused.returncode == 3 and "E09" in refused.stderr and "faceswap consent" in refused.stderr
    assert not (folder / "out.mp4").exists()
    assert agree(folder, "assets/img1.png").returncode == 0
    done = run(folder, *command)
    assert done.returncode == 0, done.stdout + done.stderr
    made, target = probe(folder / "out.mp4"), probe(folder / "assets" / "video1.mp4")
    assert (made.frames, made.fps, made.has_sound) == (target.frames, target.fps, True)
    assert read_label(folder / "out.mp4") and "basic" in done.stdout and "--temp-frame-format" in done.stdout


def test_the_line_of_seed_003_prints_the_time_of_each_step(folder: Path) -> None:
    assert agree(folder, "src.jpg", "--agree").returncode == 0
    done = run(folder, "-m", "backend.swap_command", "run", *shlex.split(SEED_003))
    assert done.returncode == 0, done.stdout + done.stderr
    assert probe(folder / "swapped-src-tgt.mp4").frames == 12
    for step in ("detect", "swap", "encode"):
        assert step in done.stdout


@pytest.mark.parametrize(("line", "code", "told"), [
    ("run --source nothing.png --target tgt.mp4", 2, "nothing.png"), ("run --target tgt.mp4", 2, "--source"),
    ("run --target nothing.mp4 --processors face_enhancer", 2, "nothing.mp4"), ("dance", 2, "usage"),
    ("run --target tgt.mp4 --processors face_enhancer --engine onnx", 2, "E02"),
    ("run --target tgt.mp4 --processors face_enhancer --engine nobody", 2, "nobody")])
def test_what_goes_wrong_has_an_exit_code_and_a_reason(folder: Path, line: str, code: int, told: str) -> None:
    done = run(folder, "-m", "backend.swap_command", *shlex.split(line))
    assert done.returncode == code and told in done.stderr, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr


def test_who_does_not_agree_records_nothing(folder: Path) -> None:
    done = run(folder, "-m", "backend.swap_command", "consent", "--source", "src.jpg", "--person", "X", stdin="no\n")
    assert done.returncode == 3


def test_the_doctor_tries_it(folder: Path) -> None:
    done = run(folder, "-m", "backend.doctor", "--faceswap", "--json")
    assert done.returncode == 0 and done.stdout.count('"name"') == 5, done.stdout + done.stderr


def test_five_checks_fail_where_models_are_missing(folder: Path) -> None:
    done = run(folder, str(ROOT / "backend" / "test_fixes.py"), "--json")
    told = json.loads(done.stdout)
    names = [one["name"] for one in told["requirements"]]
    assert names == ["ONNX Runtime", "face models", "packages", "handler", "swap"]
    assert [one["ok"] for one in told["requirements"]] == [True, False, True, True, True] and done.returncode == 1
    assert "basic restores (grey values move by" in told["requirements"][-1]["detail"]


def test_the_benchmark_prints_what_it_costs_here(folder: Path) -> None:
    done = run(folder, "-m", "backend.swap_command", "benchmark", "--json", "--frames", "4", "--runs", "1")
    told = json.loads(done.stdout)
    (cost,) = told["engines"]
    assert done.returncode == 0 and cost["engine"] == "basic" and "onnx" in told["absent"]
    assert cost["picture_ms"] == cost["find_ms"] + cost["swap_ms"] > 0
    assert cost["fps"] > 0 and cost["realtime"] > 0 and cost["restore_ms"] > 0


def test_stopped_by_the_keyboard_it_ends_with_four(folder: Path) -> None:
    agree(folder, "src.jpg", "--agree")
    code = ("import os, signal, sys; from backend import swap_command as line\n"
            # a shell's background jobs ignore the key from birth
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "def stop(self, step):\n    if step.facts.get('done'): os.kill(os.getpid(), signal.SIGINT)\n"
            "line._Lines.__call__ = stop\nsys.exit(line.main(sys.argv[1:]))")
    done = run(folder, "-c", code, "run", "-s", "src.jpg", "-t", "tgt.mp4", "-o", "stopped.mp4")
    assert done.returncode == 4 and "E12" in done.stderr and not (folder / "stopped.mp4").exists(), done.stderr
