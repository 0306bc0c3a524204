"""The qualities of the built-in engine, from option to package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.visage.lite_avatars import lite, speech, talking_clip
from visage.engines import RenderRequest, TrainRequest
from visage.engines.lite import crops
from visage.engines.lite.lesson import Lesson
from visage.engines.lite.live import LiteFace
from visage.engines.lite.modes import FAST, FINE, GPU_SHARE, find_mode, learning_seconds
from visage.engines.lite.options import TrainOptions
from visage.engines.lite.package import Package
from visage.engines.lite.speaking import Speaker
from visage.errors import InvalidRequest
from visage.faces.align import Crops
from visage.media.probe import probe
from visage.types import silent

# MediaPipe asks protobuf in an old way whenever a second finder is opened.
pytestmark = pytest.mark.filterwarnings("ignore:label:DeprecationWarning")


@pytest.fixture(scope="module")
def fine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """An avatar learnt fine, for a moment only."""
    home = tmp_path_factory.mktemp("fine")
    request = TrainRequest(talking_clip(home), home / "avatar", options={"quality": "fine", "seconds": 3})
    return home / "avatar", dict(lite(home).train(request, silent))


def test_an_unknown_quality_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as raised:
        TrainOptions.read(TrainRequest(tmp_path, tmp_path, options={"quality": "best"}))
    assert raised.value.code == "lite.quality"
    assert find_mode("") is find_mode(None) is FAST
    assert TrainOptions.read(TrainRequest(tmp_path, tmp_path, options={"quality": "fine"})).mode is FINE


def test_time_goes_with_epochs_quality_and_device(tmp_path: Path) -> None:
    assert TrainOptions.read(TrainRequest(tmp_path, tmp_path, epochs=5)).seconds == FAST.seconds / 2
    assert learning_seconds(FINE, 2400, 10, "CPU") == 2400
    assert learning_seconds(FINE, 2400, 20, "GPU1") == 4800 * GPU_SHARE
    assert learning_seconds(FAST, 270, 10, "GPU0") == 270


def test_a_fine_package_has_both_painters(fine) -> None:
    folder, facts = fine
    package = Package(folder)
    assert facts["quality"] == "fine"
    assert package.read_scene().squares.size == FINE.size == package.read_bank().faces.shape[1]
    assert package.live.read_scene().squares.size == FAST.size == package.live.read_bank().faces.shape[1]
    assert not package.work.exists()


def test_files_get_the_fine_painter_and_live_the_fast_one(fine, tmp_path: Path) -> None:
    folder, _ = fine
    out = lite(tmp_path).render(RenderRequest(folder, speech(tmp_path, 0.5), tmp_path / "out.mp4"), silent)
    assert probe(out, "video").frames > 10
    sizes = []
    for package in (Package(folder), Package(folder).live):
        speaker = Speaker(package, 1)
        painted = speaker.paint(np.arange(2), np.repeat(speaker.basis.rest[None], 2, 0), np.zeros(2, int))
        sizes.append(painted.mouths.shape[1])
        speaker.close()
    assert sizes == [FINE.size, FAST.size]
    face = LiteFace(folder)
    assert len(list(face.speak(np.zeros(3200, np.float32), (), 0))) > 3
    assert face._loaded.screen._speaker.scene.squares.size == FAST.size  # type: ignore[attr-defined]
    face.close()


def test_a_fast_package_is_its_own_live_one(tmp_path: Path) -> None:
    package = Package(tmp_path)
    assert package.live is package


def test_squares_of_another_side_show_the_same() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    picture = np.repeat(np.repeat(picture, 4, 0), 4, 1)
    squares = Crops(np.float32([[[0.5, 0, -12.25], [0, 0.5, -12.25]]]), 64)
    double = crops.resized(squares, 128)
    corners = np.float32([[[-0.5, -0.5], [63.5, 63.5]]])
    back = (corners - squares.transforms[:, None, :, 2]) / 0.5
    assert np.allclose(double.place(back), [[[-0.5, -0.5], [127.5, 127.5]]])
    assert crops.take(picture, double.transforms[0], 128).shape == (128, 128, 3)


def test_crops_stay_on_the_disk(tmp_path: Path) -> None:
    lesson = Lesson(np.zeros((6, 16, 16, 3), np.uint8) + np.arange(6, dtype=np.uint8)[:, None, None, None],
                    np.zeros((6, 40, 2), np.float32), np.zeros((6, 3), np.float32), np.arange(6))
    lesson.save(tmp_path / "lesson.npz")
    again = Lesson.load(tmp_path / "lesson.npz")
    assert isinstance(again.faces, np.memmap)
    assert again.faces[4, 0, 0, 0] == 4
