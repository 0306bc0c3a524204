"""Every number between a frame and a network, on stand-ins whose answers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.visage import swap_networks as nets
from tests.visage.swap_kit import opened
from visage.errors import InvalidRequest
from visage.swap.onnx import describing, emap, geometry, painting, recognise, restoring
from visage.swap.onnx.files import load
from visage.swap.onnx.paste import blend, patch, soft_square

RNG = np.random.default_rng(7)


def umeyama(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The published closed form by singular values, to hold ours against."""
    s, t = source - source.mean(0), target - target.mean(0)
    u, values, vt = np.linalg.svd(t.T @ s / len(s))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    turn = u @ np.diag(sign) @ vt
    scale = (values * sign).sum() / s.var(0).sum()
    return np.concatenate([scale * turn, (target.mean(0) - scale * turn @ source.mean(0))[:, None]], 1)


# ---- where faces lie ------------------------------------------------------------------------------------------------

def test_the_templates_are_the_published_ones() -> None:
    assert np.allclose(geometry.arcface(112)[0], [38.2946, 51.6963])
    assert np.allclose(geometry.arcface(128) / 128, [[0.36167656, 0.40387734], [0.63696719, 0.40235469],
                       [0.50019687, 0.56044219], [0.38710391, 0.72160547], [0.61507734, 0.72034453]], atol=1e-5)
    assert np.allclose(geometry.arcface(256), geometry.arcface(128) * 2)
    assert np.allclose(geometry.ffhq(512)[2], [256.63416, 314.01935])


def test_five_points_are_aligned_as_umeyama_does() -> None:
    for _ in range(20):
        five = geometry.arcface(112) * RNG.uniform(0.3, 5) + RNG.normal(0, 6, (5, 2)) + RNG.uniform(-50, 500, 2)
        assert np.allclose(geometry.align(five, "arcface", 128), umeyama(five, geometry.arcface(128)), atol=1e-3)


def test_a_letterbox_lies_in_the_top_left_corner() -> None:
    square, scale = geometry.letterbox(np.full((200, 400, 3), 255, np.uint8), 320)
    assert scale.tolist() == [0.8, 0.8]
    assert square[:160].min() == 255 and square[160:].max() == 0


@pytest.mark.parametrize("scale", [0.1, 0.3, 0.6, 1.0, 3.0])
def test_a_crop_shows_what_the_transform_says(scale: float) -> None:
    """A slanted ramp keeps its values however much it shrinks: nothing is shifted by half a pixel."""
    rows, columns = np.mgrid[:900, :1200]
    ramp = np.repeat((columns / 1200 * 200 + rows / 900 * 55)[..., None], 3, 2)
    transform = np.array([[scale, 0, 64 - scale * 600], [0, scale, 64 - scale * 450]], np.float32)
    crop = geometry.cut(ramp.round().astype(np.uint8), transform, 128)
    y, x = np.mgrid[:128, :128]
    expected = ((x - transform[0, 2]) / scale) / 1200 * 200 + ((y - transform[1, 2]) / scale) / 900 * 55
    inside = slice(32, 96)
    assert np.abs(crop[inside, inside, 0] - expected[inside, inside]).max() < 1.6
    assert abs(float((crop[inside, inside, 0] - expected[inside, inside]).mean())) < 0.25


# ---- who it is ------------------------------------------------------------------------------------------------------

def test_an_embedding_is_made_of_the_right_numbers(face_models: Path) -> None:
    network = opened(face_models / "buffalo_l" / "w600k_r50.onnx")
    crops = RNG.integers(0, 256, (3, 112, 112, 3), np.uint8)
    raw = recognise.embed(network, crops)
    squares = ((crops.astype(np.float64) - 127.5) / 127.5).reshape(3, 7, 16, 7, 16, 3).mean((2, 4))
    weights = np.random.default_rng(nets.SEED).normal(0, 1, (147, 512))
    expected = squares.transpose(0, 3, 1, 2).reshape(3, 147) @ weights
    assert np.allclose(raw, expected, atol=1e-3)
    assert not np.allclose(np.linalg.norm(raw, axis=1), 1)
    assert np.allclose(np.linalg.norm(recognise.unit(raw), axis=1), 1, atol=1e-6)


def test_a_latent_is_normalised_twice() -> None:
    raw = RNG.normal(0, 20, 512).astype(np.float32)
    matrix = nets.emap()
    once = raw / np.linalg.norm(raw) @ matrix
    assert abs(np.linalg.norm(once) - 1) > 0.1, "the matrix must show a missing normalisation"
    assert np.allclose(painting.latent(raw, matrix), [once / np.linalg.norm(once)], atol=1e-6)
    assert np.allclose(painting.latent(raw * 9, matrix), painting.latent(raw, matrix), atol=1e-6)


def test_the_painted_colour_tells_the_latent(face_models: Path) -> None:
    network = opened(face_models / "inswapper_128.onnx")
    raw = RNG.normal(0, 20, 512).astype(np.float32)
    crop = RNG.integers(0, 256, (128, 128, 3), np.uint8)
    painted = painting.paint(network, crop, painting.latent(raw, nets.emap()))
    once = raw / np.linalg.norm(raw) @ nets.emap()
    colours = [255 / (1 + np.exp(-40 * one[:3])) for one in (once / np.linalg.norm(once), once)]
    assert np.abs(painted - (crop * 0.5 + colours[0] * 0.5)).max() <= 0.51
    assert np.abs(painted - (crop * 0.5 + colours[1] * 0.5)).max() > 2, "one normalisation less must show"


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("place", ["last", "first", "unnamed"])
def test_the_embedding_map_is_found_wherever_it_lies(place: str, half: bool, tmp_path: Path) -> None:
    model = load(nets.inswapper(tmp_path / "inswapper_128.onnx", place=place, half=half))
    assert model.half == half
    found = emap.load(model.path, model.graph, "0" * 64, tmp_path / "cache")
    assert found.dtype == np.float32
    assert np.allclose(found, nets.emap(), atol=2e-3 if half else 0)
    model.path.write_bytes(b"gone")
    assert np.array_equal(emap.load(model.path, model.graph, "0" * 64, tmp_path / "cache"), found), "it was kept"


def test_strength_works_between_faces_before_they_are_projected() -> None:
    source, target = RNG.normal(0, 20, 512), RNG.normal(0, 5, 512)
    assert np.allclose(recognise.strengthened(source, target, 1), recognise.unit(source), atol=1e-6)
    assert np.allclose(recognise.strengthened(source, target, 0), recognise.unit(target), atol=1e-6)
    cosines = [recognise.cosine(recognise.strengthened(source, target, one), source) for one in (0, 0.3, 0.6, 1)]
    assert cosines == sorted(cosines)
    away = recognise.strengthened(source, target, 1.3)
    assert recognise.cosine(away, target) < recognise.cosine(source, target)
    with pytest.raises(InvalidRequest, match="between 0 and"):
        recognise.strengthened(source, target, 1.5)


@pytest.mark.parametrize("times", [2, 3, 4])
def test_a_finer_crop_is_painted_in_interleaved_parts(times: int, face_models: Path) -> None:
    crop = RNG.integers(0, 256, (128 * times, 128 * times, 3), np.uint8)
    parts = painting.split(crop, times)
    assert np.array_equal(parts[1], crop[::times, 1::times]) and np.array_equal(parts[times], crop[1::times, ::times])
    assert np.array_equal(painting.join(parts, times), crop)
    network = opened(face_models / "inswapper_128.onnx")
    source = painting.latent(RNG.normal(0, 1, 512).astype(np.float32), nets.emap())
    whole = painting.paint(network, crop, source)
    assert np.array_equal(whole[::times, 1::times], painting.paint(network, parts[1], source))
    assert network.session.runs == times * times + 1


# ---- back into the frame --------------------------------------------------------------------------------------------

def test_a_patch_is_as_large_as_the_face_and_leaves_the_rest() -> None:
    frame = RNG.integers(0, 256, (1080, 1920, 3), np.uint8)
    transform = geometry.align(nets.five(900, 400, 200), "arcface", 128)
    crop = np.full((128, 128, 3), 255, np.uint8)
    part = patch(frame.shape, crop, transform, soft_square(128))
    assert part.pixels.shape[0] < 450 and part.pixels.shape[1] < 450
    result = blend(frame, part)
    outside = np.ones(frame.shape[:2], bool)
    outside[part.area] = part.mask == 0
    assert np.array_equal(result[outside], frame[outside])
    assert (result[part.area][part.mask == 1] == 255).all() and (part.mask == 1).sum() > 5000


def test_what_was_cut_goes_back_where_it_was() -> None:
    smooth = np.clip(np.add.outer(np.linspace(20, 120, 480), np.linspace(0, 120, 640)), 0, 255).astype(np.uint8)
    frame = np.repeat(smooth[..., None], 3, 2)
    turned = (nets.FIVE - 0.5) @ np.array([[0.9, 0.4], [-0.4, 0.9]]) * 150 + [300, 240]
    transform = geometry.align(turned, "arcface", 128)
    part = patch(frame.shape, geometry.cut(frame, transform, 128), transform, soft_square(128))
    assert np.abs(blend(frame, part).astype(int) - frame).max() <= 2


def test_the_mask_is_nothing_at_the_edge_and_all_in_the_middle() -> None:
    mask = soft_square(128)
    assert mask[0].max() == mask[:, -1].max() == 0
    assert mask[64, 64] == 1 and np.abs(np.diff(mask[64])).max() < 0.08


@pytest.mark.parametrize("place", [(-60, -40), (600, 440), (2000, 100)])
def test_faces_at_and_beyond_the_edge_are_cut_off(place: tuple[int, int]) -> None:
    frame = np.zeros((480, 640, 3), np.uint8)
    transform = geometry.align(nets.five(*place, 100), "arcface", 128)
    part = patch(frame.shape, np.full((128, 128, 3), 200, np.uint8), transform, soft_square(128))
    assert blend(frame, part).shape == frame.shape
    assert (part.mask.size == 0) == (place[0] == 2000)


# ---- restoring ------------------------------------------------------------------------------------------------------

def test_gfpgan_gets_and_gives_minus_one_to_one(face_models: Path) -> None:
    crop = RNG.integers(0, 256, (1, 512, 512, 3), np.uint8)
    made = restoring.clear(opened(face_models / "GFPGANv1.4.onnx"), crop)
    expected = (np.clip((crop / 127.5 - 1) * 1.1, -1, 1) + 1) / 2 * 255
    assert np.abs(made - expected).max() <= 0.51


@pytest.mark.parametrize("form", [{}, {"names": ("x", "w", "y")}, {"kind": nets._FLOAT}, {"scalar": True}],
                         ids=["double", "other names", "single", "scalar"])
def test_a_larger_fidelity_is_more_faithful(form: dict, tmp_path: Path) -> None:
    network = opened(nets.codeformer(tmp_path / "anything.onnx", **form))
    assert network.model.spec.kind == "codeformer"
    crop = RNG.integers(0, 256, (1, 512, 512, 3), np.uint8)
    assert np.abs(restoring.clear(network, crop, 1.0).astype(int) - crop).max() <= 1
    assert restoring.clear(network, crop, 0.02).std() < 3
    errors = [np.abs(restoring.clear(network, crop, one) - crop.astype(float)).mean() for one in (0.1, 0.5, 0.9)]
    assert errors == sorted(errors, reverse=True)
    with pytest.raises(InvalidRequest, match="between 0 and 1"):
        restoring.clear(network, crop, 1.1)


def test_drift_is_the_cosine_of_the_faces_before_and_after(face_models: Path) -> None:
    recogniser = opened(face_models / "buffalo_l" / "w600k_r50.onnx")
    crop = RNG.integers(0, 256, (512, 512, 3), np.uint8)
    crop[200:350, 180:330] = (250, 40, 40)
    assert restoring.drift(recogniser, crop, crop) == pytest.approx(1, abs=1e-5)
    assert restoring.drift(recogniser, crop, 255 - crop) < 0


# ---- more about a face ----------------------------------------------------------------------------------------------

def test_landmarks_come_back_to_the_frame(face_models: Path) -> None:
    frame = nets.frame((160, 200, 80))
    box = (160.0, 200.0, 240.0, 280.0)
    points = describing.points_106(opened(face_models / "buffalo_l" / "2d106det.onnx"), frame, box)
    # the crop is 1.5 times the box, so -1 to 1 spans 120 pixels around its middle
    assert np.allclose(points, [200, 240] + nets.POINTS_106 * 60, atol=0.01)
    assert np.allclose(describing.five_of(points), points[[38, 88, 86, 52, 61]])
    deep = describing.points_68(opened(face_models / "buffalo_l" / "1k3d68.onnx"), frame, box)
    assert np.allclose(deep, nets.POINTS_68[-68:] * 60 + [200, 240, 0], atol=0.01)


def test_age_and_sex_are_read_as_published(face_models: Path) -> None:
    person = describing.person(opened(face_models / "buffalo_l" / "genderage.onnx"), nets.frame(), (0, 0, 100, 100))
    assert person.male and person.age == pytest.approx(34)


def test_what_covers_a_face_is_left_out(tmp_path: Path) -> None:
    network = opened(nets.occluder(tmp_path / "xseg_1.onnx"))
    assert network.model.spec.task == "occlude"
    crop = np.full((128, 128, 3), (200, 150, 130), np.uint8)
    crop[:, :40] = (0, 0, 255)
    mask = describing.uncovered(network, crop)
    assert mask[:, :38].max() < 0.01 and mask[:, 44:].min() > 0.99
