"""What comes out of good pairs and of everything that people send instead."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import eval_metrics
from eval_metrics.contract import Figure, Frame, MetricInfo, Options, Scene
from eval_metrics.evaluation import EvaluationRequest, evaluate
from tests.clip_commands import reencode
from tests.eval.pairs import moving, noisy, pair
from tests.visage.media_clips import babble, clip
from visage.errors import BadVideo, Cancelled, InvalidRequest, NotFound, UnknownDriver, VisageError
from visage.media.frames import read_video
from visage.media.run import run_tool
from visage.types import Progress

PLAIN = ("psnr", "ssim", "sharpness", "flicker", "checks")


def done(pred: Path, truth: Path | None = None, metrics: Sequence[str] = PLAIN, **more: Any) -> dict[str, Any]:
    """The result, which must survive strict JSON."""
    result = evaluate(EvaluationRequest(pred, truth, tuple(metrics), **more))
    again = json.loads(json.dumps(result, allow_nan=False))
    assert again == result and list(result)[:6] == ["niqe", "psnr", "ssim", "fid", "lse_c", "lse_d"]
    assert all(row["value"] is not None or row["reason"] or row["note"] for row in result["details"].values())
    return result


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return pair(tmp_path_factory.mktemp("pair"))


def test_a_pair(clips: tuple[Path, Path]) -> None:
    steps: list[Progress] = []
    result = evaluate(EvaluationRequest(*clips, PLAIN), steps.append)
    frames = list(zip(read_video(clips[0], 25), read_video(clips[1], 25), strict=True))
    assert result["psnr"] == pytest.approx(np.mean([peak_signal_noise_ratio(t, p) for p, t in frames]), abs=1e-6)
    assert result["ssim"] == pytest.approx(np.mean([structural_similarity(
        t, p, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False) for p, t in frames]),
        abs=1e-6)
    assert result["details"]["psnr"]["frames"] == len(result["details"]["psnr"]["series"]) == 75
    assert result["details"]["psnr"]["error"] > 0 and result["details"]["ssim"]["seconds"] > 0
    assert result["pair"]["offset"]["frames"] == 0 and result["pair"]["offset"]["confidence"] > 0.5
    assert result["niqe"] is None and "not asked" in result["details"]["niqe"]["reason"]
    assert result["details"]["flicker_ratio"]["value"] > 1
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0 and len(fractions) > 5


@pytest.mark.parametrize(("later", "sound"), [(5, True), (-4, True), (3, False)])
def test_an_offset_is_found_and_applied(tmp_path: Path, later: int, sound: bool) -> None:
    clips = pair(tmp_path, later, sound)
    result = done(*clips, ("psnr",))
    assert result["pair"]["offset"]["frames"] == later
    assert result["pair"]["offset"]["source"] == ("sound" if sound else "pictures")
    assert result["psnr"] > done(*clips, ("psnr",), offset=0.0)["psnr"] + 5


def test_sound_and_picture_that_disagree(tmp_path: Path) -> None:
    frames, sound = moving(75), babble(3)
    truth = clip(tmp_path / "truth.mp4", frames, sound)
    late = clip(tmp_path / "late.mp4", noisy(frames), np.concatenate([np.zeros(5 * 640, np.float32), sound]))
    result = done(late, truth, ("psnr",))
    assert result["pair"]["offset"]["frames"] == 0 and "200 ms" in result["warnings"][0]


def test_identical_videos(clips: tuple[Path, Path]) -> None:
    result = done(clips[1], clips[1])
    assert result["psnr"] is None and result["details"]["psnr"]["note"].startswith("infinite")
    assert result["ssim"] == pytest.approx(1) and result["details"]["cpbd_ratio"]["value"] == 1
    assert result["pair"]["offset"]["frames"] == 0


def test_other_length_size_and_rate(tmp_path: Path, clips: tuple[Path, Path]) -> None:
    other = tmp_path / "other.mp4"
    run_tool(reencode(clips[0], other, "libx264", "fps=30,scale=96:96,trim=end=2"))
    result = done(other, clips[1])
    assert result["pair"]["fps"] == 25 and result["pair"]["resampled"] == {"pred": True, "truth": False}
    assert result["pair"]["frames"] == 50 and result["pair"]["size"] == [96, 96]
    assert result["pair"]["truth_scaled"] == [0.5, 0.5] and result["pair"]["truth_cropped"] is None
    assert result["psnr"] > 20 and result["ssim"] > 0.6
    assert result["details"]["duration_difference"]["value"] == pytest.approx(-1, abs=0.05)
    assert result["details"]["fps_difference"]["value"] == pytest.approx(5, abs=0.1)


def test_other_shape(tmp_path: Path, clips: tuple[Path, Path]) -> None:
    wide = tmp_path / "wide.mp4"
    run_tool(reencode(clips[1], wide, "libx264", "pad=288:192:48:0"))
    result = done(clips[0], wide, ("psnr",))
    assert result["pair"]["truth_cropped"] == [48, 0, 192, 192] and result["pair"]["truth_scaled"] is None
    assert result["psnr"] > 25 and any("differ in shape" in line for line in result["warnings"])


def test_variable_frame_rate(tmp_path: Path, clips: tuple[Path, Path]) -> None:
    uneven = tmp_path / "uneven.mp4"
    run_tool(reencode(clips[0], uneven, "libx264", r"select='not(eq(mod(n\,5)\,2))'"))
    result = done(uneven, clips[1])
    assert result["pair"]["pred"]["variable_rate"] and result["pair"]["resampled"]["pred"]
    assert result["pair"]["frames"] == 75
    series = result["details"]["psnr"]["series"]
    assert np.median(series) > 25 and series[0] > 25


def test_no_sound_no_truth_no_face(tmp_path: Path) -> None:
    wall = clip(tmp_path / "wall.mp4", noisy([np.full((96, 96, 3), 120, np.uint8)] * 30))
    result = done(wall)
    assert "ground truth" in result["details"]["psnr"]["reason"] and result["details"]["psnr"]["remedy"]
    assert result["details"]["sound_present"]["value"] == 0 and result["details"]["flicker"]["value"] > 0
    with pytest.raises(BadVideo) as caught:
        done(wall, region="face")
    assert caught.value.code in {"evaluation.no_region", "faces.mediapipe_missing"}


def test_grey_video(tmp_path: Path) -> None:
    grey = clip(tmp_path / "grey.mp4", [np.full((64, 64, 3), 128, np.uint8)] * 20)
    result = done(grey, grey)
    assert result["psnr"] is None and result["ssim"] == pytest.approx(1)
    assert result["details"]["cpbd"]["reason"] and result["details"]["flicker"]["value"] == 0
    assert not result["pair"]["offset"]["found"]


def test_one_frame(tmp_path: Path) -> None:
    pred, truth = (clip(tmp_path / f"{n}.mp4", frames) for n, frames in enumerate((noisy(moving(1)), moving(1))))
    result = done(pred, truth)
    assert result["psnr"] > 25 and result["details"]["psnr"]["error"] is None
    assert result["details"]["flicker"]["value"] is None and "two frames" in result["details"]["flicker"]["reason"]


def test_a_tail_that_never_arrived(tmp_path: Path, clips: tuple[Path, Path]) -> None:
    whole = clips[0].read_bytes()
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(whole[:len(whole) * 2 // 3])
    result = done(broken, clips[1])
    assert 0 < result["pair"]["frames"] < 75 and result["psnr"] > 20
    assert any("breaks off" in line for line in result["warnings"])


def test_damage_in_the_middle(tmp_path: Path, clips: tuple[Path, Path]) -> None:
    data = bytearray(clips[0].read_bytes())
    middle = len(data) // 2
    data[middle:middle + 3000] = np.random.default_rng(1).bytes(3000)
    broken = tmp_path / "damaged.mp4"
    broken.write_bytes(data)
    assert done(broken, clips[1])["psnr"] > 5


def test_stride_and_number_of_frames(clips: tuple[Path, Path]) -> None:
    every = done(*clips)
    some = done(*clips, stride=10)
    assert some["details"]["psnr"]["series"] == pytest.approx(every["details"]["psnr"]["series"][::10])
    assert some["details"]["psnr"]["every"] == 10 and some["details"]["psnr"]["frames"] == 8
    assert some["details"]["flicker"]["value"] == every["details"]["flicker"]["value"]
    few = done(*clips, stride=4, max_frames=5)
    assert few["details"]["psnr"]["frames"] == 5 and few["details"]["flicker"]["frames"] == 19
    far = done(*clips, ("psnr",), stride=1000)
    assert far["details"]["psnr"]["frames"] == 1 and far["psnr"] == pytest.approx(every["details"]["psnr"]["series"][0])


def test_what_is_no_video(tmp_path: Path, clips: tuple[Path, Path]) -> None:
    picture = tmp_path / "picture.png"
    Image.fromarray(moving(1)[0]).save(picture)
    text = tmp_path / "text.mp4"
    text.write_text("no video at all")
    for bad in (picture, text):
        with pytest.raises(BadVideo):
            done(bad)
        with pytest.raises(BadVideo):
            done(clips[0], bad)
    with pytest.raises(NotFound):
        done(tmp_path / "nothing.mp4")
    for more in ({"region": "ear"}, {"stride": 0}, {"max_frames": 0}, {"offset": 60.0}):
        with pytest.raises(InvalidRequest):
            done(*clips, **more)
    with pytest.raises(UnknownDriver):
        done(*clips, metrics=("pnsr",))


class Faulty:
    """Raises where it is told to."""

    info = MetricInfo("faulty", "Faulty", gives=("one", "two"))
    where = ""

    def __init__(self, options: Options) -> None:
        self._fail("start")

    def take(self, frames: Sequence[Frame]) -> None:
        self._fail("take")

    def finish(self, scene: Scene) -> Mapping[str, Figure]:
        self._fail("finish")
        if self.where == "nan":
            return {"one": Figure(float("nan"), series=(float("inf"), 1.0)), "two": Figure(1.0)}
        return {"one": Figure(1.0)}

    def _fail(self, where: str) -> None:
        if where == self.where:
            told = VisageError("No.", code="evaluation.x", hint="Do.")
            raise told if where == "take" else ZeroDivisionError("by zero")


@pytest.mark.parametrize("where", ["start", "take", "finish", "nan", ""])
def test_one_that_fails_takes_none_with_it(clips: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch,
                                           where: str) -> None:
    monkeypatch.setattr(Faulty, "where", where)
    monkeypatch.setitem(eval_metrics.METRICS, "faulty", f"{__name__}:Faulty")
    result = done(*clips, metrics=("faulty", "psnr"))
    assert result["psnr"] > 20
    one, two = (result["details"][key] for key in ("one", "two"))
    if where == "":
        assert one["value"] == 1 and two["reason"] == "The metric gave no figure of this name."
    elif where == "nan":
        assert one["value"] is None and one["series"] == [None, 1.0] and two["value"] == 1
    elif where == "take":
        assert one["reason"] == two["reason"] == "No." and one["remedy"] == "Do."
    else:
        assert "ZeroDivisionError: by zero" in one["reason"] and two["value"] is None


def test_a_metric_whose_package_is_missing(clips: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(eval_metrics.METRICS, "gone", "no_such_package_anywhere:Gone")
    row = done(*clips, metrics=("gone", "checks"))["details"]["gone"]
    assert row["value"] is None and "no_such_package_anywhere" in row["reason"]
    assert row["remedy"].startswith("pip install")


def test_stopping(clips: tuple[Path, Path]) -> None:
    def stop(step: Progress) -> None:
        if step.fraction > 0.3:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        evaluate(EvaluationRequest(*clips, PLAIN), stop)


def test_a_truth_with_another_name_is_the_same(tmp_path: Path, clips: tuple[Path, Path]) -> None:
    copy = shutil.copy(clips[1], tmp_path / "ünder — 视频.mp4")
    assert done(clips[0], Path(copy), ("psnr",))["truth"] == "ünder — 视频.mp4"
