"""The command line, as a shell sees it: JSON alone on stdout, exit codes, files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from eval_metrics import FIRST, GIVES, METRICS, open_metrics
from eval_metrics.evaluate import chosen, main
from tests.eval.pairs import moving, noisy, pair
from tests.visage.media_clips import clip
from visage.drivers import load
from visage.errors import InvalidRequest

ROOT = Path(__file__).resolve().parents[2]
QUICK = ["--metrics", "psnr,ssim,checks"]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    pred, truth = pair(tmp_path_factory.mktemp("pair"), count=50)
    return str(pred), str(truth)


def shell(*arguments: str, timeout: float = 200) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "eval_metrics.evaluate", *arguments], cwd=ROOT, text=True,
                          capture_output=True, timeout=timeout, check=False)


def told(text: str) -> dict:
    return json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


def test_as_the_seed_calls_it(clips: tuple[str, str], tmp_path: Path) -> None:
    out = tmp_path / "new folder" / "metrics.json"
    done = shell("--gt_video", clips[1], "--pred_video", clips[0], "--out_json", str(out), "--stride", "5",
                 "--max_frames", "8", "--offline", "--models", str(tmp_path / "none"))
    assert done.returncode == 0, done.stderr
    result = told(done.stdout)
    assert result == told(out.read_text(encoding="utf-8")), "stdout and the file say the same"
    assert list(result)[:6] == list(FIRST) and result["psnr"] > 20 and result["ssim"] > 0.5
    assert set(result["details"]) >= {key for name in METRICS for key in GIVES.get(name, (name,))}
    assert all(row["value"] is not None or row["reason"] or row["note"] for row in result["details"].values())
    for key in ("fid", "lse_c", "lse_d"):
        assert result[key] is None and result["details"][key]["remedy"], "without weights it says how to get them"
    assert "measure" in done.stderr and result["details"]["psnr"]["frames"] == 8


def test_without_a_ground_truth(clips: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--pred_video", clips[0], "--metrics", "psnr,cpbd,checks"]) == 0
    result = told(capsys.readouterr().out)
    assert result["psnr"] is None and "--gt_video" in result["details"]["psnr"]["remedy"]
    assert result["details"]["cpbd"]["value"] > 0 and result["truth"] is None


def test_nothing_measured(clips: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--pred_video", clips[0], "--metrics", "psnr"]) == 1
    assert told(capsys.readouterr().out)["psnr"] is None


def test_identical_is_valid_json(clips: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--pred_video", clips[1], "--gt_video", clips[1], "--metrics", "psnr"]) == 0
    result = told(capsys.readouterr().out)
    assert result["psnr"] is None and result["details"]["psnr"]["note"].startswith("infinite")


def test_reports(clips: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {kind: tmp_path / f"r.{kind}" for kind in ("json", "csv", "html")}
    arguments = [word for kind, file in files.items() for word in (f"--out_{kind}", str(file))]
    assert main(["--pred_video", clips[0], "--gt_video", clips[1], *QUICK, *arguments]) == 0
    captured = capsys.readouterr()
    assert told(captured.out)["worst"] == [] and "PSNR" in files["html"].read_text(encoding="utf-8")
    assert "psnr" in files["csv"].read_text(encoding="utf-8-sig") and f"wrote {files['html']}" in captured.err


def test_a_place_that_cannot_be_written_is_said_first(clips: tuple[str, str], tmp_path: Path,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "metrics.json", tmp_path):
        assert main(["--pred_video", clips[0], "--out_json", str(place), *QUICK]) == 2
        captured = capsys.readouterr()
        assert "cannot be written" in captured.err and captured.out == "" and "measure" not in captured.err


@pytest.mark.parametrize("arguments", [
    ["--region", "ear"], ["--stride", "0"], ["--metrics", "pnsr"], ["--metrics", ","], ["--offset", "soon"],
    ["--weights", "syncnet"], ["--max_frames", "-1"]])
def test_wrong_arguments(clips: tuple[str, str], arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(["--pred_video", clips[0], *QUICK, *arguments])
    except SystemExit as exit_:
        code = exit_.code
    captured = capsys.readouterr()
    assert code == 2 and captured.out == "" and captured.err


def test_input_that_cannot_be_used(clips: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    for bad in (tmp_path / "missing.mp4", empty, Path(__file__)):
        assert main(["--pred_video", clips[0], "--gt_video", str(bad), *QUICK]) == 4
        assert main(["--pred_video", str(bad), *QUICK]) == 4
        captured = capsys.readouterr()
        assert captured.out == "" and bad.name in captured.err


def test_no_face(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wall = clip(tmp_path / "wall.mp4", noisy([moving(1)[0][:96, :96] * 0 + 120] * 12))
    assert main(["--pred_video", str(wall), "--gt_video", str(wall), "--metrics", "lips,psnr"]) == 0
    result = told(capsys.readouterr().out)
    assert "No face" in result["details"]["lmd"]["reason"] and result["details"]["psnr"]["note"]


def test_help_names_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    text = capsys.readouterr().out
    assert "exit codes:" in text and all(word in text for word in ("--gt_video", "--stride", "--max_frames", "  4  "))


def test_words_for_metrics() -> None:
    assert chosen("all") == tuple(METRICS)
    assert chosen(" lse_c, LSE_D,psnr,psnr ") == ("lse", "psnr")
    assert chosen("lmd,unknown") == ("lips", "unknown")
    with pytest.raises(InvalidRequest):
        chosen(" , ")


@pytest.mark.parametrize("name", METRICS)
def test_what_a_metric_gives_is_known_without_it(name: str) -> None:
    kind = load("metric", METRICS, name)
    assert kind.info.name == name and (kind.info.gives or (name,)) == GIVES.get(name, (name,))
    assert set(open_metrics([name])) == {name}
