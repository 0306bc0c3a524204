"""The published procedure round SyncNet: crops, shifts, distances, and the metric from frames to figures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from scipy.signal import medfilt

from eval_metrics import open_metrics
from eval_metrics.contract import Frame, Options, Scene
from eval_metrics.metrics.sync.clock import EvenFrames
from eval_metrics.metrics.sync.crops import FaceCrops
from eval_metrics.metrics.sync.distances import distances
from eval_metrics.metrics.sync.lse import Lse
from eval_metrics.metrics.sync.mfcc import mfcc
from tests.eval.test_sync_network import random_state
from tests.visage.media_clips import babble, portrait
from visage.errors import BadVideo, InvalidRequest, NotInstalled

PICTURE = np.zeros((2, 2, 3), np.uint8)


def box(x: float, y: float, half: float) -> np.ndarray:
    """A mesh whose box has this centre and half side."""
    points = np.full((478, 3), (x, y, 0), np.float32)
    points[0, :2] -= half
    points[1, :2] += half
    return points


def test_crops_equal_those_of_the_published_recipe() -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (120, 160, 3), np.uint8) for _ in range(20)]
    x, y, half = 80 + rng.normal(0, 9, 20), 50 + rng.normal(0, 9, 20), 30 + rng.normal(0, 3, 20)
    crops = FaceCrops()
    ours = [crop for n in range(20) for crop in crops.take(pictures[n], box(x[n], y[n], half[n]))] + list(crops.rest())
    assert len(ours) == 20
    # the mesh holds float32
    x, y, half = (medfilt(values.astype(np.float32).astype(float), 13) for values in (x, y, half))
    for n in range(20):
        margin = int(half[n] * 1.8)
        wide = np.pad(pictures[n], ((margin, margin), (margin, margin), (0, 0)), constant_values=110)
        my, mx, s = y[n] + margin, x[n] + margin, half[n]
        face = wide[int(my - s):int(my + s * 1.8), int(mx - s * 1.4):int(mx + s * 1.4)]
        assert np.abs(ours[n].astype(int) - cv2.resize(face, (224, 224))).mean() < 1.0, n


@pytest.mark.parametrize("planted", [-15, -5, -1, 0, 3, 15])
def test_a_planted_shift_is_found_among_embeddings(planted: int) -> None:
    rng = np.random.default_rng(4)
    heard = rng.normal(0, 1, (200, 64)).astype(np.float32)
    seen = np.roll(heard, planted, 0) + rng.normal(0, 0.3, (200, 64)).astype(np.float32)
    found = distances(seen, heard)
    assert found.offset == planted
    assert found.lse_c > 3 and found.lse_d < np.median(found.mean)


def test_distances_equal_those_of_torch_by_the_published_recipe() -> None:
    seen, heard = np.random.default_rng(5).normal(0, 1, (2, 600, 32)).astype(np.float32)
    padded = torch.nn.functional.pad(torch.from_numpy(heard), (0, 0, 15, 15))
    rows = [torch.nn.functional.pairwise_distance(torch.from_numpy(seen[[n]]).repeat(31, 1), padded[n:n + 31])
            for n in range(600)]
    mean = torch.stack(rows, 1).mean(1)
    found = distances(seen, heard)
    assert np.allclose(found.mean, mean.numpy(), atol=1e-5)
    assert found.lse_d == pytest.approx(float(mean.min()), abs=1e-5)
    assert found.lse_c == pytest.approx(float(mean.median() - mean.min()), abs=1e-5)
    assert found.nearest.mean() == pytest.approx(found.lse_d)


def test_the_standard_error_is_that_of_repetition() -> None:
    rng = np.random.default_rng(6)
    several = []
    for _ in range(60):
        heard = rng.normal(0, 1, (250, 16)).astype(np.float32)
        several.append(distances(heard + rng.normal(0, 0.5, (250, 16)).astype(np.float32), heard))
    real = float(np.std([one.lse_c for one in several]))
    assert np.median([one.lse_c_error for one in several]) == pytest.approx(real, rel=0.5)


@pytest.mark.parametrize("fps", [22.13, 25, 29.97, 30, 50])
def test_any_rate_becomes_25_by_the_nearest_frame(fps: float) -> None:
    clock, count = EvenFrames(), round(4 * fps)
    even = [*clock.take(Frame(n, n / fps, PICTURE) for n in range(count)), *clock.rest()]
    assert len(even) == pytest.approx(100, abs=1)
    assert [frame.index for frame in even] == list(range(len(even)))
    assert all(abs(frame.time - n / 25) < 1e-9 for n, frame in enumerate(even))


def take(metric: Lse, pictures: list[np.ndarray], points: list[np.ndarray | None]) -> None:
    for n, (picture, mesh) in enumerate(zip(pictures, points, strict=True)):
        metric.take([Frame(n, n / 25, picture, pred_points=mesh, pred_whole=picture)])


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> Options:
    path = tmp_path_factory.mktemp("syncnet") / "syncnet_v2.model"
    torch.save(random_state(), path)
    return Options(weights={"syncnet": path})


def scene(frames: int, sound: np.ndarray | None) -> Scene:
    return Scene(Path("clip.mp4"), None, 25.0, frames, "full", sound, None)


@pytest.mark.slow
def test_the_metric_equals_the_whole_recipe_at_once(options: Options) -> None:
    count, sound = 66, babble(66 / 25)
    pictures = [cv2.GaussianBlur(np.roll(portrait(), n % 7, 1), (0, 0), 0.5 + n % 4) for n in range(count)]
    metric = open_metrics(["lse"], options)["lse"]
    take(metric, pictures, [box(128 + n % 5, 120, 50) for n in range(count)])
    figures = metric.finish(scene(count, sound))
    network, crops = metric._network, FaceCrops()
    cut = [crop for n in range(count) for crop in crops.take(pictures[n], box(128 + n % 5, 120, 50))]
    cut += crops.rest()
    run = torch.from_numpy(np.array(cut)[..., ::-1].copy()).permute(3, 0, 1, 2).float()
    rows = mfcc(sound)
    with torch.inference_mode():
        seen = np.concatenate([network.see(run[None, :, n:n + 5]).numpy() for n in range(count - 5)])
        heard = np.concatenate([network.hear(torch.from_numpy(rows[4 * n:4 * n + 20].T.copy())[None, None]).numpy()
                                for n in range(count - 5)])
    whole = distances(seen, heard)
    assert figures["lse_d"].value == pytest.approx(whole.lse_d, rel=1e-4)
    assert figures["lse_c"].value == pytest.approx(whole.lse_c, rel=1e-3, abs=1e-4)
    assert figures["lse_d"].frames == count - 5 and len(figures["lse_d"].series) == count
    assert np.nanmean(figures["lse_c"].series) == pytest.approx(figures["lse_c"].value, abs=1e-6)
    assert len(figures["lse_c"].weights["sha256"]) == 64
    assert figures["lse_c"].parameters["box"] == "of the face mesh, longer side"


def test_short_clips_and_lost_faces_are_told(options: Options) -> None:
    short = Lse(options)
    take(short, [portrait()] * 12, [box(128, 120, 50)] * 12)
    with pytest.raises(InvalidRequest, match="too short"):
        short.finish(scene(12, babble(0.5)))
    lost = Lse(options)
    take(lost, [portrait()] * 70, [None] * 70)
    with pytest.raises(BadVideo, match="100 %"):
        lost.finish(scene(70, babble(3)))


def test_without_weights_the_keys_are_null_with_a_remedy(tmp_path: Path) -> None:
    metric = open_metrics(["lse"], Options(models=tmp_path, online=False))["lse"]
    assert set(metric.info.gives) == {"lse_c", "lse_d"}
    with pytest.raises(NotInstalled) as told:
        metric.finish(scene(100, None))
    assert "syncnet_v2.model" in told.value.message and "syncnet" in told.value.hint
