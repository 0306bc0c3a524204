"""The painter: how it is taught, how sharp it is made, and where it may paint."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from benchmarks.renderers import table
from benchmarks.renderers_networks import NETWORKS
from visage.engines.lite import crops, references
from visage.engines.lite.compose import Composer
from visage.engines.lite.export import export_painter
from visage.engines.lite.footage import Scene
from visage.engines.lite.learn import Plan, School
from visage.engines.lite.lesson import Lesson, Sampler
from visage.engines.lite.network import Crisp, _fold, _unfold
from visage.engines.lite.paint import OnnxPainter
from visage.engines.lite.speaking import Speaker
from visage.faces.align import Crops
from visage.faces.pose import Pose

RNG = np.random.default_rng(0)
SIZE = 32


class Soft(Crisp):
    """Shows the reference, blurred."""

    def __init__(self, size: int):
        super().__init__(size)
        self.share = torch.nn.Parameter(torch.ones(()))

    def forward(self, face: torch.Tensor, real: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
        blurred = F.conv2d(F.pad(real.float(), (1, 1, 1, 1), mode="replicate"), self.soft, groups=3) * self.share
        return blurred if self.training else self.crisp(blurred)


def lesson(count: int = 40, wide: int = 1) -> Lesson:
    """Frames of one and the same picture; in the last ``wide`` of those that are learnt from the mouth is open."""
    face = RNG.integers(0, 255, (SIZE // 2, SIZE // 2, 3), np.uint8).repeat(2, 0).repeat(2, 1)
    turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    ring = np.stack([np.cos(turn - np.pi) * 6, np.sin(turn - np.pi) * 1.0], 1) + 16
    contours = np.tile(np.concatenate([ring * 1.0, ring]), (count, 1, 1)).astype(np.float32)
    contours += RNG.normal(0, 0.05, (count, 1, 1)).astype(np.float32)
    learnt = Lesson(np.zeros((count, 1, 1, 3), np.uint8), contours, np.zeros((count, 2)), np.arange(count)).learnt
    contours[learnt - wide:learnt, 20:, 1] = 16 + (contours[learnt - wide:learnt, 20:, 1] - 16) * 8
    keys = RNG.normal(size=(count, 5)).astype(np.float32)
    return Lesson(np.tile(face, (count, 1, 1, 1)), contours, keys, np.arange(count))


def school(tmp_path: Path, **plan: object) -> School:
    return School(lesson(), Plan(0.01, tmp_path / "state.pt", tmp_path / "shown.jpg", tmp_path / "losses.jsonl",
                                 threads=1, **plan))


def test_folding_keeps_every_pixel_and_comes_back() -> None:
    planes = torch.rand(2, 5, 16, 24)
    folded = _fold(planes)
    assert folded.shape == (2, 80, 4, 6)
    assert torch.equal(folded.sort(1).values, F.pixel_unshuffle(planes, 4).sort(1).values)
    assert torch.equal(_unfold(folded), planes)


def test_wide_mouths_are_drawn_more_often_than_they_are_seen() -> None:
    material = lesson(200)
    sampler = Sampler(material, material.neighbours(), 500, np.random.default_rng(1))
    frames, _ = sampler.draw()
    wide = material.learnt - 1
    # One frame in 185: evenly drawn it would come 2.7 times; the share that is drawn by opening is 30 %.
    assert 60 < (frames == wide).sum() < 200
    assert len(np.unique(frames)) > 100


def test_a_soft_painter_is_made_as_sharp_as_what_it_paints(tmp_path: Path) -> None:
    taught = school(tmp_path, network=Soft)
    before = taught.judge()["sharpness_ratio"]
    taught.learn(lambda _: None)
    after = taught.judge()["sharpness_ratio"]
    assert before < 0.75
    assert 0 < float(taught.painter.gain) <= 0.8
    assert before + 0.1 < after < 1.1


def test_a_resumed_school_keeps_its_sharpness(tmp_path: Path) -> None:
    taught = school(tmp_path, network=Soft)
    taught.learn(lambda _: None)
    assert float(school(tmp_path, network=Soft).painter.gain) == pytest.approx(float(taught.painter.gain))


def test_a_painter_in_training_is_not_sharpened() -> None:
    painter = Soft(SIZE)
    painter.gain.fill_(0.5)
    picture = torch.rand(1, 3, SIZE, SIZE)
    assert not torch.allclose(painter.eval()(picture, picture), painter.train()(picture, picture))
    flat = torch.full((1, 3, SIZE, SIZE), 0.4)
    assert torch.allclose(painter.eval()(flat, flat), flat, atol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_compared_painter_learns_and_is_exported(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    taught = school(tmp_path, network=NETWORKS[name])
    assert np.isfinite(taught.learn(lambda _: None).held_out)
    parts = [RNG.integers(0, 255, (3, SIZE, SIZE, planes)).astype(np.uint8) for planes in (3, 3, 2, 2)]
    painted = OnnxPainter(export_painter(taught.painter, tmp_path / "painter.onnx"), 1).paint(*parts)
    assert painted.shape == (3, SIZE, SIZE, 3)
    assert painted.dtype == np.uint8


def test_a_fine_painter_is_the_same_network() -> None:
    fine = NETWORKS["bend"](crops.FINE).eval()
    parts = [torch.rand(1, planes, crops.FINE, crops.FINE) for planes in (3, 3, 2, 2)]
    with torch.no_grad():
        assert torch.allclose(fine(*parts), parts[1], atol=2e-3)
    assert [one.shape for one in fine.parameters()] == [one.shape for one in NETWORKS["bend"](SIZE).parameters()]


def test_nothing_beside_the_face_belongs_to_it() -> None:
    # A jaw line round the middle of the crop, its ears above the crop.
    turn = np.linspace(0, np.pi, 21)
    outline = np.stack([56 + 40 * np.cos(turn), -20 + 100 * np.sin(turn)], 1)
    share = crops.face_mask(outline, 0.0)
    assert share.shape == (112, 112)
    assert share[60, 56] == 1
    assert share[90, 56] == 0
    assert share[40, 5] == 0
    assert share[40, 107] == 0
    lower = crops.face_mask(outline, 15.0)
    assert lower[86, 56] == 1
    assert (lower >= share - 1e-6).all()
    assert np.array_equal(crops.face_mask(outline, -9.0), share)


def test_a_scene_keeps_its_outlines_and_opens_without() -> None:
    pose = Pose(np.ones(3, np.float32), np.tile(np.eye(3, dtype=np.float32), (3, 1, 1)), np.zeros((3, 3), np.float32))
    squares = Crops(np.zeros((3, 2, 3), np.float32), 112)
    outlines = RNG.random((3, 21, 2)).astype(np.float32)
    stored = Scene.from_arrays(Scene(squares, pose, outlines).arrays())
    assert np.array_equal(stored.at(np.array([2, 0])).outlines, outlines[[2, 0]])
    half = stored.resized(56)
    assert np.allclose(half.outlines + 0.5, (outlines + 0.5) / 2, atol=1e-6)
    old = Scene.from_arrays(Scene(squares, pose).arrays())
    assert old.resized(56).outlines is None
    assert old.outlines is None
    assert old.at(np.array([1])).outlines is None


def test_what_is_beside_the_face_stays_as_it_was() -> None:
    turn = np.linspace(0, np.pi, 21)
    outlines = np.stack([56 + 40 * np.cos(turn), -20 + 110 * np.sin(turn)], 1)[None].astype(np.float32)
    faces = np.full((1, 112, 112, 3), 90, np.uint8)
    mouths = np.full((1, 112, 112, 3), 200, np.uint8)
    scene = SimpleNamespace(outlines=outlines)
    speaker = SimpleNamespace(composer=Composer())
    kept = Speaker._within(speaker, scene, faces, mouths, np.array([90.0]))
    assert (kept[0, 40, :5] == 90).all()
    assert (kept[0, 50, 56] > 180).all()
    assert np.array_equal(Speaker._within(speaker, SimpleNamespace(outlines=None), faces, mouths, np.zeros(1)), mouths)


def test_head_turn_decides_between_equal_lips() -> None:
    shapes = np.tile(RNG.random((1, 85, 3)).astype(np.float32), (3, 1, 1))
    keys = references.keys(shapes, np.array([[0, 0, 0], [10, 0, 0], [3, 0, 0]], np.float32))
    assert references.distances(keys[2:], keys[:2]).argmin() == 0


def test_the_comparison_is_told_as_a_table() -> None:
    keys = ("psnr_mouth_crop", "ssim_mouth_crop", "sharpness_ratio", "flicker_ratio", "ms_per_frame")
    one = {"parameters": 1_200_000, "mean": dict.fromkeys(keys, 2.0), "spread": dict.fromkeys(keys, 0.25),
           "rows": [{"samples_per_cpu_s": 100.0}, {"samples_per_cpu_s": 120.0}]}
    lines = table({"bend": one, "unet": one}).splitlines()
    assert lines[2] == "| bend | 1.20 M | " + " | ".join(["2.000 ± 0.250"] * 4) + " | 110 | 2.0 |"
    assert len({line.count("|") for line in lines}) == 1


def test_a_seed_changes_what_is_learnt(tmp_path: Path) -> None:
    first, second, again = (school(tmp_path / str(seed), seed=seed % 2) for seed in (0, 1, 2))
    weights = [one.painter.stem.weight for one in (first, second, again)]
    assert torch.equal(weights[0], weights[2])
    assert not torch.equal(weights[0], weights[1])
