"""NIQE: its features against a second computation, its sense of distortions, its parameter sets and its refusals."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.ndimage import correlate
from scipy.optimize import brentq
from scipy.special import gamma
from skimage import data

from eval_metrics.contract import Frame, Options, Scene
from eval_metrics.metrics import niqe_pristine
from eval_metrics.metrics.niqe import Niqe, niqe
from eval_metrics.metrics.niqe_features import features, halved, luma
from eval_metrics.metrics.niqe_pristine import OWN, own, parameter_set
from visage.errors import BadMedia, InvalidRequest, NotFound

OPEN = Path(__file__).resolve().parents[4] / "shared" / "data" / "open"
"""Photos and clips that lie beside the working tree on some machines."""
INSIDE = ("astronaut", "camera", "chelsea", "coffee", "rocket", "gravel", "retina")
"""Pictures that come with scikit-image; five of them are what the own set is fitted from."""


def rgb(picture: np.ndarray) -> np.ndarray:
    return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, 2)


@cache
def ten() -> dict[str, np.ndarray]:
    import matplotlib

    found = {name: rgb(getattr(data, name)()) for name in INSIDE}
    found["motorcycle left"], found["motorcycle right"], _ = data.stereo_motorcycle()
    portrait = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    found["portrait"] = cv2.cvtColor(cv2.imread(str(portrait)), cv2.COLOR_BGR2RGB)
    assert len(found) == 10
    return found


def distorted(picture: np.ndarray) -> dict[str, list[np.ndarray]]:
    """Three distortions, each in two strengths, the lighter first."""
    rng = np.random.default_rng(5)
    noise = rng.normal(0, 1, picture.shape)
    return {"blur": [cv2.GaussianBlur(picture, (0, 0), sigma) for sigma in (1.5, 3)],
            "noise": [np.clip(picture + noise * sigma, 0, 255).astype(np.uint8) for sigma in (15, 30)],
            "jpeg": [cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1)
                     for quality in (15, 6)]}


def published_file() -> Path | None:
    """The published parameters where this machine has them: installed, or named by an operator."""
    from eval_metrics.weights import seek
    from visage.errors import VisageError

    try:
        return seek("niqe", Options(), download=False).path
    except VisageError:
        return None


@pytest.fixture(params=["visage-1", "published"])
def pristine(request: pytest.FixtureRequest) -> niqe_pristine.ParameterSet:
    if request.param == "visage-1":
        return own()
    if (file := published_file()) is None:
        pytest.skip("the published parameters of NIQE are not installed: GENEFACE/scripts/weights fetch niqe")
    return parameter_set(Options(weights={"niqe": file}))


def test_it_rises_with_blur_noise_and_compression_on_ten_pictures(pristine: niqe_pristine.ParameterSet) -> None:
    for name, picture in ten().items():
        clean = niqe(picture, pristine)
        for what, (light, strong) in distorted(picture).items():
            values = clean, niqe(light, pristine), niqe(strong, pristine)
            assert values[0] < values[1], f"{name}, {what}: {values}"
            assert values[0] < values[2], f"{name}, {what}: {values}"


@pytest.mark.skipif(not (OPEN / "photos").is_dir(), reason="the open photos are not on this machine")
def test_it_rises_on_photos_that_its_own_set_has_not_seen() -> None:
    photos = [rgb(cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)) for file in
              sorted((OPEN / "photos").iterdir()) if file.suffix in (".jpg", ".png") and "coffee" not in file.name]
    photos = [cv2.resize(photo, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
              for photo in photos if (k := min(1.0, 640 / max(photo.shape)))]
    assert len(photos) >= 10
    wrong = sum(niqe(photo, own()) >= niqe(strong, own()) for photo in photos
                for _, strong in distorted(photo).values())
    # one of them, blurred in the camera, is allowed to gain from what hides its blur
    assert wrong <= 1, f"{wrong} of {3 * len(photos)}"


def test_the_published_value_of_a_known_picture() -> None:
    """Astronaut, whose value with the published parameters was computed by the code that publishes them."""
    if (file := published_file()) is None:
        pytest.skip("the published parameters of NIQE are not installed: GENEFACE/scripts/weights fetch niqe")
    chosen = parameter_set(Options(weights={"niqe": file}))
    assert chosen.name == "published" and chosen.told["checksum"] == "as published"
    assert niqe(data.astronaut(), chosen) == pytest.approx(3.07, abs=0.01)
    assert niqe(cv2.GaussianBlur(data.astronaut(), (0, 0), 2), chosen) == pytest.approx(7.28, abs=0.01)


# a second computation, block by block and number by number; shares no code with the first

def second_luma(picture: np.ndarray) -> np.ndarray:
    red, green, blue = (picture[..., n].astype(float) / 255 for n in range(3))
    return np.round(16 + 65.481 * red + 128.553 * green + 24.966 * blue)


def second_half(plane: np.ndarray) -> np.ndarray:
    """Bicubic interpolation, each result written out as a weighted sum of mirrored pixels."""
    def kernel(x: float) -> float:
        x = abs(x)
        if x <= 1:
            return 1.5 * x**3 - 2.5 * x**2 + 1
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0

    def matrix(length: int) -> np.ndarray:
        rows = np.zeros((length // 2, length))
        for out in range(length // 2):
            middle = 2 * out + 0.5
            for pixel in range(2 * out - 4, 2 * out + 6):
                inside = -pixel - 1 if pixel < 0 else 2 * length - 1 - pixel if pixel >= length else pixel
                rows[out, inside] += kernel((pixel - middle) / 2)
        return rows / rows.sum(1, keepdims=True)

    return matrix(plane.shape[0]) @ plane @ matrix(plane.shape[1]).T


def second_fit(values: np.ndarray) -> tuple[float, float, float]:
    below, above = values[values < 0], values[values > 0]
    left, right = np.sqrt(np.mean(below**2)), np.sqrt(np.mean(above**2))
    ratio = left / right
    target = np.mean(np.abs(values)) ** 2 / np.mean(values**2)
    target *= (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2

    def gap(shape: float) -> float:
        return gamma(2 / shape) ** 2 / (gamma(1 / shape) * gamma(3 / shape)) - target

    shape = 0.2 if gap(0.2) > 0 else 10.0 if gap(10.0) < 0 else brentq(gap, 0.2, 10.0)
    factor = np.sqrt(gamma(1 / shape) / gamma(3 / shape))
    return shape, left * factor, right * factor


def second_features(picture: np.ndarray) -> np.ndarray:
    plane = second_luma(picture)
    plane = plane[: plane.shape[0] // 96 * 96, : plane.shape[1] // 96 * 96]
    steps = np.arange(-3, 4)
    window = np.exp(-(steps[:, None] ** 2 + steps**2) / (2 * (7 / 6) ** 2))
    window /= window.sum()
    scales = []
    for side in (96, 48):
        mean = correlate(plane, window, mode="nearest")
        deviation = np.sqrt(np.abs(correlate(plane**2, window, mode="nearest") - mean**2))
        structure = (plane - mean) / (deviation + 1)
        rows = []
        for top in range(0, structure.shape[0], side):
            for left in range(0, structure.shape[1], side):
                block = structure[top : top + side, left : left + side]
                shape, low, high = second_fit(block.ravel())
                row = [shape, (low + high) / 2]
                for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
                    turned = np.roll(np.roll(block, down, 0), right, 1)
                    shape, low, high = second_fit((block * turned).ravel())
                    row += [shape, (high - low) * gamma(2 / shape) / gamma(1 / shape), low, high]
                rows.append(row)
        scales.append(np.array(rows))
        plane = second_half(plane)
    return np.concatenate(scales, 1)


@pytest.mark.parametrize("picture", [data.chelsea(), data.coffee()[50:260, 100:410],
                                     cv2.GaussianBlur(data.chelsea(), (0, 0), 2)], ids=["sharp", "odd", "blurred"])
def test_all_36_features_agree_with_a_second_computation(picture: np.ndarray) -> None:
    ours, theirs = features(luma(picture))[0], second_features(picture)
    assert ours.shape == theirs.shape and ours.shape[1] == 36
    shapes = [scale * 18 + place for scale in (0, 1) for place in (0, 2, 6, 10, 14)]
    rest = [place for place in range(36) if place not in shapes]
    # shapes are looked up in steps of 0.001, everything that hangs on them moves a little
    np.testing.assert_allclose(ours[:, shapes], theirs[:, shapes], atol=6e-4, rtol=0)
    np.testing.assert_allclose(ours[:, rest], theirs[:, rest], atol=1e-3, rtol=2e-3)


def test_halving_is_the_bicubic_one_against_aliasing() -> None:
    plane = np.random.default_rng(0).uniform(0, 255, (50, 64))
    np.testing.assert_allclose(halved(plane.astype(np.float32)), second_half(plane), atol=2e-3)


def test_the_own_set_can_be_made_again_and_tells_what_it_is(tmp_path: Path) -> None:
    niqe_pristine.write(tmp_path / "again.json")
    again, shipped = json.loads((tmp_path / "again.json").read_text()), json.loads(OWN.read_text())
    assert {key: again[key] for key in again if key not in ("mean", "covariance")} == {
        key: shipped[key] for key in shipped if key not in ("mean", "covariance")}
    np.testing.assert_allclose(again["mean"], shipped["mean"], atol=2e-3)
    for ours, theirs in zip(again["covariance"], shipped["covariance"], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-3)
    assert shipped["blocks"] == 108 > 36 and all("CC0" in told or "public domain" in told
                                                 for told in shipped["pictures"].values())
    covariance = own().covariance
    assert np.allclose(covariance, covariance.T) and np.linalg.eigvalsh(covariance).min() > 0


# the metric

def frames(*pictures: np.ndarray) -> list[Frame]:
    return [Frame(index, index / 25, picture) for index, picture in enumerate(pictures)]


def scene(region: str = "full") -> Scene:
    return Scene(Path("a.mp4"), None, 25.0, 11, region, None, None)


def test_every_fifth_frame_counts_and_is_told() -> None:
    metric = Niqe(Options())
    coffee = data.coffee()
    for place in range(0, 11, 3):
        metric.take(frames(*[coffee] * 11)[place : place + 3])
    figure = metric.finish(scene())["niqe"]
    assert figure.frames == 3 and figure.every == 5 and len(figure.series) == 3
    assert figure.value == pytest.approx(niqe(coffee, own())) and figure.better == "lower"
    if published_file() is None:
        assert figure.parameters["set"] == "visage-1" and "scripts/weights fetch niqe" in figure.note
        assert len(figure.weights["sha256"]) == 64


def test_a_published_set_that_is_named_becomes_the_one_used(tmp_path: Path) -> None:
    from scipy.io import savemat

    mean, covariance = np.zeros(36), np.eye(36)
    np.savez(tmp_path / "niqe_pris_params.npz", mu_pris_param=mean[None], cov_pris_param=covariance)
    savemat(tmp_path / "modelparameters.mat", {"mu_prisparam": mean[None], "cov_prisparam": covariance})
    for name, file in (("niqe", "niqe_pris_params.npz"), ("niqe-live", "modelparameters.mat")):
        metric = Niqe(Options(weights={name: tmp_path / file}, models=tmp_path / "none"))
        metric.take(frames(data.coffee()))
        figure = metric.finish(scene())["niqe"]
        assert figure.parameters["set"] == "published" and figure.weights["source"] == "given"
        assert figure.value != pytest.approx(niqe(data.coffee(), own()))
    with pytest.raises(NotFound):
        Niqe(Options(weights={"niqe": tmp_path / "nothing.npz"}))
    np.savez(tmp_path / "other.npz", something=mean)
    with pytest.raises(BadMedia, match="cannot be used"):
        Niqe(Options(weights={"niqe": tmp_path / "other.npz"}))


@pytest.mark.parametrize(("picture", "code"), [
    (data.astronaut()[:191, :400], "evaluation.niqe_small"), (np.full((256, 256, 3), 128, np.uint8),
                                                              "evaluation.niqe_flat")])
def test_small_and_grey_pictures_get_a_reason(picture: np.ndarray, code: str) -> None:
    metric = Niqe(Options())
    metric.take(frames(picture))
    with pytest.raises(InvalidRequest) as caught:
        metric.finish(scene("mouth"))
    assert caught.value.code == code and caught.value.hint


def test_no_frames_get_a_reason() -> None:
    with pytest.raises(InvalidRequest):
        Niqe(Options()).finish(scene())
