"""The worst moments: the planted ones are found, and shown as they are in the files."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from eval_metrics.report.worst import choose, heat, worst_frames
from tests.eval.report_results import detail, result
from visage.media.encoder import ClipWriter

GREY, BRIGHT = 60, 180


def clip(
    path: Path, shades: list[int], fps: float = 25.0, size: tuple[int, int] = (64, 96), patch: int | None = None
) -> Path:
    """A clip of grey pictures, with a bright patch in picture number ``patch``."""
    height, width = size
    with ClipWriter(path, width, height, round(fps)) as writer:
        for n, shade in enumerate(shades):
            picture = np.full((height, width, 3), shade, np.uint8)
            if n == patch:
                picture[16:48, 32:64] = BRIGHT
            writer.write(picture)
    return path


def opened(uri: str) -> np.ndarray:
    head, data = uri.split(",", 1)
    assert head == "data:image/jpeg;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def told(values: list[float | None], better: str = "higher", **rest: object) -> dict:
    return result() | {"details": {"psnr": detail("PSNR", values, better=better, **rest)}}


def test_the_worst_are_chosen_by_direction_and_apart() -> None:
    values = [float(30 + n % 2) for n in range(100)]
    values[40], values[42], values[80], values[10] = 5.0, 6.0, 7.0, 99.0
    assert [(entry["index"], entry["value"]) for entry in choose(told(values), each=2)] == [(40, 5.0), (80, 7.0)]
    assert choose(told(values, "lower"), each=1)[0]["index"] == 10
    assert choose(told(values, "nearer to 1"), each=1)[0]["index"] == 10
    assert choose(told(values, "")) == []
    assert choose(told([None, *values[1:]]), each=1)[0] == {"key": "psnr", "index": 40, "time": 1.6, "value": 5.0}


def test_frames_of_a_sparse_series_keep_their_number() -> None:
    assert choose(told([9.0, 8.0, 1.0, 7.0], every=5), each=1)[0]["index"] == 10


def test_two_figures_that_fall_together_share_a_moment_and_the_number_is_bounded() -> None:
    values = [30.0] * 200
    values[50] = 1.0
    other = [0.9] * 200
    other[52] = 0.1
    both = told(values)
    both["details"]["ssim"] = detail("SSIM", other, better="higher")
    first = choose(both, each=1)
    assert {entry["index"] for entry in first} == {first[0]["index"]}
    assert len({entry["index"] for entry in choose(both, most=4, each=5)}) == 4


@pytest.mark.parametrize(("lag", "fps"), [(0, 25.0), (3, 25.0), (-4, 25.0), (0, 30.0)])
def test_the_pictures_are_those_of_the_moment(tmp_path: Path, lag: int, fps: float) -> None:
    """The patch lies at frame 20 of the common clock in the clip; the truth shows a shade for each of its frames."""
    pred = clip(tmp_path / "pred.mp4", [GREY] * 40, fps, patch=20 + max(lag, 0))
    truth = clip(tmp_path / "truth.mp4", [GREY + n for n in range(40)], fps)
    values = [30.0] * 30
    values[20] = 1.0
    there = told(values)
    there["pair"] = {"fps": fps, "offset": {"frames": lag}}
    entry = worst_frames(there, pred, truth, each=1)[0]
    shown, true, difference = (opened(entry[name]) for name in ("pred", "truth", "difference"))
    assert shown[32, 48].mean() == pytest.approx(BRIGHT, abs=6)
    assert true.mean() == pytest.approx(GREY + 20 + max(-lag, 0), abs=2)
    assert difference[32, 48].sum() > difference[56, 10].sum() + 60


def test_a_truth_of_another_shape_is_cropped_as_the_facts_say(tmp_path: Path) -> None:
    pred = clip(tmp_path / "pred.mp4", [GREY] * 30, size=(64, 64))
    truth = clip(tmp_path / "truth.mp4", [GREY] * 30, size=(128, 192), patch=5)
    there = told([30.0] * 5 + [1.0] + [30.0] * 20)
    there["pair"] = {"fps": 25.0, "offset": {"frames": 0}, "truth_cropped": [32, 0, 128, 128]}
    entry = worst_frames(there, pred, truth, each=1)[0]
    assert opened(entry["truth"]).shape == (128, 128, 3)
    assert opened(entry["difference"]).shape == (64, 64, 3)
    # the patch at 32 to 64 of 192 across begins at the left edge of the part
    assert opened(entry["difference"])[16, 8].sum() > opened(entry["difference"])[16, 40].sum() + 60


def test_without_a_truth_there_is_only_the_clip_and_pictures_are_bounded(tmp_path: Path) -> None:
    pred = clip(tmp_path / "pred.mp4", [GREY] * 30, size=(360, 640))
    entry = worst_frames(told([1.0] + [30.0] * 20), pred, each=1)[0]
    assert (entry["truth"], entry["difference"]) == (None, None)
    assert opened(entry["pred"]).shape == (180, 320, 3)
    assert len(entry["pred"]) < 40_000


def test_identical_clips_have_no_heat(tmp_path: Path) -> None:
    pred = clip(tmp_path / "pred.mp4", [GREY] * 30, patch=3)
    there = told([30.0, 1.0] + [30.0] * 20) | {"pair": {"fps": 25.0, "offset": {"frames": 0}}}
    entry = worst_frames(there, pred, pred, each=1)[0]
    assert entry["scale"] == 16
    assert opened(entry["difference"]).max() < 40


def test_heat_brightens_with_the_difference() -> None:
    shades = heat(np.linspace(0, 1.5, 40)[None].astype(np.float32))[0].astype(int)
    assert (np.diff(shades @ [299, 587, 114]) >= 0).all()
    assert (shades[-1] == shades[-12]).all()
