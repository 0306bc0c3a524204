"""Parts of the built-in engine, each alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from skimage import data

from visage.engines.lite import crops, references
from visage.engines.lite.clock import Clock
from visage.engines.lite.compose import Composer
from visage.engines.lite.export import export_painter
from visage.engines.lite.footage import Footage, longest_shot, to_and_fro, write_footage
from visage.engines.lite.framing import frame_heads, frame_portrait
from visage.engines.lite.losses import PaintLoss
from visage.engines.lite.mesh_warp import MeshWarp
from visage.engines.lite.network import Painter, PixelPainter
from visage.engines.lite.paint import OnnxPainter
from visage.engines.lite.quality import psnr
from visage.errors import BadMedia
from visage.faces.contract import Face
from visage.media.planes import joined, planes_from_rgb, planes_of
from visage.types import Progress

RNG = np.random.default_rng(0)


def face_at(x: float, y: float, width: float) -> Face:
    return Face((RNG.random((478, 3)) * width + (x, y, 0)).astype(np.float32), 1.0)


def test_a_small_square_recording_stays_as_it_is() -> None:
    framing = frame_heads([face_at(80, 60, 100)], 257, 257)
    assert (framing.left, framing.top, framing.side, framing.size) == (0, 0, 256, 256)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1080, 1920), (900, 900), (360, 288), (1281, 721)])
def test_a_framing_lies_inside_and_holds_the_head(width: int, height: int) -> None:
    short = min(width, height)
    face = face_at(width * 0.6, height * 0.2, 0.3 * short)
    framing = frame_heads([face], width, height)
    left, top, right, bottom = face.box
    assert framing.size % 2 == 0
    assert framing.size <= 512
    assert 0 <= framing.left <= left
    assert right <= framing.left + framing.side <= width
    assert 0 <= framing.top <= top
    assert bottom <= framing.top + framing.side <= height
    assert framing.apply(np.zeros((height, width, 3), np.uint8)).shape == (framing.size, framing.size, 3)


def test_a_portrait_comes_near_but_is_not_blown_up_more_than_twice() -> None:
    framing = frame_portrait(face_at(200, 100, 60), 640, 480)
    assert framing.size <= 2 * framing.side
    assert 60 / framing.side > 0.25


def test_to_and_fro_never_jumps() -> None:
    numbers = to_and_fro(7, 100)
    assert numbers.min() == 0
    assert numbers.max() == 6
    assert (np.abs(np.diff(numbers)) == 1).all()
    assert (to_and_fro(7, 40, start=60) == numbers[60:]).all()
    assert (to_and_fro(1, 5) == 0).all()


def test_the_longest_shot_ends_at_cuts_and_lost_faces() -> None:
    found = np.ones(100, bool)
    found[70] = False
    assert longest_shot(found, np.array([30])) == slice(30, 70)
    assert longest_shot(found, np.array([30]), limit=10) == slice(30, 40)


def test_footage_comes_back_nearly_unchanged(tmp_path: Path) -> None:
    across = np.linspace(40, 200, 64)
    frames = [np.repeat((across + step)[None, :, None], 64, 0).repeat(3, 2).astype(np.uint8) for step in range(12)]
    list(write_footage(iter(frames), tmp_path / "footage.mp4", 64))
    footage = Footage(tmp_path / "footage.mp4")
    for number in (7, 0, 11):
        assert np.abs(footage[number].astype(int) - frames[number]).mean() < 2
    with pytest.raises(BadMedia):
        footage[12]
    footage.close()


def test_footage_longer_than_a_block_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visage.engines.lite.footage._BLOCK", 5 * 64 * 96)
    frames = [np.full((64, 64, 3), 20 * number, np.uint8) for number in range(12)]
    list(write_footage(iter(frames), tmp_path / "footage.mp4", 64))
    footage = Footage(tmp_path / "footage.mp4")
    for number in (11, 4, 5, 0, 10):
        assert footage.planes(number).shape == (96, 64)
        assert np.abs(footage[number].astype(int) - frames[number]).mean() < 2
    footage.close()


@pytest.mark.parametrize("linear", [[[0.9, 0.1, -41.3], [-0.1, 0.9, -20.7]], [[1.5, 0.0, -60], [0.0, 1.5, -55.5]],
                                    [[0.55, -0.2, 20.4], [0.2, 0.55, -7.0]]])
def test_a_mouth_lies_in_planes_where_it_lies_in_colours(linear: list[list[float]]) -> None:
    smooth = cv2.resize(data.astronaut(), (202, 200), interpolation=cv2.INTER_AREA)
    painted = cv2.resize(data.astronaut()[60:200, 150:290], (112, 112), interpolation=cv2.INTER_AREA) // 2 + 20
    transform = np.array(linear, np.float32)
    composer, planar, colours = Composer(), joined(planes_from_rgb(smooth)), smooth.copy()
    untouched = planar.copy()
    left, top, right, bottom = composer.blend_planes(planar, painted, transform)
    composer.blend(colours, painted, transform)
    assert np.abs(colours.astype(int) - smooth).max() > 20
    meant, made = (planes.part((left, top, right, bottom)) for planes in (planes_from_rgb(colours), planes_of(planar)))
    for wanted, got in ((meant.luma, made.luma), (meant.blue, made.blue), (meant.red, made.red)):
        assert psnr(wanted, got) > 45
    assert (left % 2, top % 2, right % 2, bottom % 2) == (0, 0, 0, 0)
    planes_of(planar).part((left, top, right, bottom)).paste(planes_of(untouched).part((left, top, right, bottom)))
    assert np.array_equal(planar, untouched), "nothing outside was touched"
    assert composer.blend_planes(planar, painted, transform + (0, 0, 1000)) is None


def test_a_mouth_takes_the_light_of_its_surroundings() -> None:
    face = cv2.resize(data.astronaut()[60:200, 150:290], (112, 112), interpolation=cv2.INTER_AREA)
    dimmed = np.clip(face.astype(int) - (4, 2, 0), 0, 255).astype(np.uint8)
    matched = Composer().match(dimmed, face)
    assert np.abs(matched[20:90, 20:90].astype(int) - face[20:90, 20:90]).mean() < 0.6
    far = Composer().match(np.clip(face.astype(int) - 40, 0, 255).astype(np.uint8), face)
    assert np.abs(far.astype(int) - face).mean() > 25, "what differs much is not the light"


def test_chosen_references_cover_the_extremes() -> None:
    keys = RNG.normal(0, 0.1, (500, 4)).astype(np.float32)
    keys[123] = 5
    chosen = references.choose(keys, 40)
    assert len(set(chosen.tolist())) == 40
    assert 123 in chosen
    assert (np.diff(chosen) > 0).all()


def test_no_reference_is_the_frame_itself_or_beside_it() -> None:
    keys = np.linspace(0, 1, 100, dtype=np.float32)[:, None]
    near = references.neighbours(keys, np.arange(100), np.arange(100), apart=5, count=10)
    assert (np.abs(near - np.arange(100)[:, None]) > 5).all()


def test_references_follow_the_mouth_without_flicker() -> None:
    stored = np.array([[0.0], [1.0], [0.02]], np.float32)
    wanted = np.array([0, 0.012, 0.008, 0.013, 0.009, 1, 1, 1], np.float32)[:, None]
    path = references.follow(wanted, stored)
    assert len(set(path[:5].tolist())) == 1
    assert (path[5:] == 1).all()
    assert references.follow(wanted[2:3], stored, start=2)[0] == 2
    assert path[-1] == 1 and references.follow(wanted[:5], stored, start=0, end=2)[-1] == 2


def test_a_clock_only_goes_forward() -> None:
    seen: list[Progress] = []
    clock = Clock({"first": 1, "second": 3}, seen.append)
    clock.enter("first")
    clock.tell(0.9)
    clock.tell(0.2)
    clock.enter("second", "on", step=3)
    clock.tell(1.0)
    fractions = [step.fraction for step in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert seen[3].facts == {"step": 3}


def test_what_is_not_painted_stays() -> None:
    frame = RNG.integers(0, 255, (200, 200, 3)).astype(np.uint8)
    transform = np.array([[1, 0, -40], [0, 1, -50]], np.float32)
    done = frame.copy()
    Composer().blend(done, np.full((crops.SIZE, crops.SIZE, 3), 200, np.uint8), transform)
    changed = (done != frame).any(2)
    assert not changed[:50].any()
    assert not changed[:, :40].any()
    assert changed[50 + crops.SIZE // 2, 40 + crops.SIZE // 2]


def test_a_crop_outside_the_picture_is_left_alone() -> None:
    frame = np.zeros((64, 64, 3), np.uint8)
    far = np.array([[1, 0, -500], [0, 1, 0]], np.float32)
    Composer().blend(frame, np.full((crops.SIZE, crops.SIZE, 3), 9, np.uint8), far)
    assert not frame.any()


def test_a_new_painter_shows_the_reference() -> None:
    face, real = torch.zeros(2, 3, 112, 112), torch.rand(2, 3, 112, 112)
    with torch.no_grad():
        painted = Painter()(face, real, torch.rand(2, 2, 112, 112), torch.rand(2, 2, 112, 112))
    assert torch.allclose(painted, real, atol=1e-3)


def test_the_exported_painter_paints_the_same(tmp_path: Path) -> None:
    torch.manual_seed(1)
    painter = Painter(channels=16, deep=32, blocks=1)
    for weight in painter.parameters():
        weight.data += 0.02 * torch.randn_like(weight)
    parts = [RNG.integers(0, 255, (3, 112, 112, planes)).astype(np.uint8) for planes in (3, 3, 2, 2)]
    blank = torch.from_numpy((crops.paint_mask() > 0).astype("float32"))
    with torch.no_grad():
        expected = PixelPainter(painter.eval(), blank)(*(torch.from_numpy(part) for part in parts)).numpy()
    made = OnnxPainter(export_painter(painter, tmp_path / "painter.onnx"), 1).paint(*parts)
    assert np.abs(made.astype(int) - expected).max() <= 1
    (tmp_path / "broken.onnx").write_bytes(b"nothing")
    with pytest.raises(BadMedia):
        OnnxPainter(tmp_path / "broken.onnx")


def test_the_loss_prefers_texture_to_blur() -> None:
    loss = PaintLoss(torch.from_numpy(crops.paint_mask()), torch.from_numpy(crops.lips_weight()))
    real = torch.rand(1, 3, 112, 112)
    assert loss(real, real) < 1e-6
    assert loss(torch.full_like(real, 0.5), real) > loss(0.5 * real + 0.25, real)


def test_a_mesh_bends_what_is_inside_it() -> None:
    picture = np.zeros((60, 60, 3), np.uint8)
    picture[28:32, 28:32] = 255
    rest = np.array([[10, 10], [50, 10], [50, 50], [10, 50], [30, 30]], float)
    warp = MeshWarp(picture, rest, rest, set(), {0, 1, 2, 3})
    moved = rest.copy()
    assert np.abs(warp.bend(moved).astype(int) - picture[warp.box]).max() <= 1
    moved[4] += (6, 0)
    where = np.argwhere(warp.bend(moved)[..., 0] > 128).mean(0) + (warp.top, warp.left)
    assert where == pytest.approx([29.5, 35.5], abs=1.5)
