"""PSNR and SSIM are those of scikit-image."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from eval_metrics.contract import Frame, Options, Scene
from eval_metrics.metrics.pictures import Psnr, Ssim, psnr, squared_error, ssim

RNG = np.random.default_rng(5)
ASTRONAUT = data.astronaut()
NOISE = RNG.integers(0, 256, ASTRONAUT.shape).astype(np.uint8)
BOARD = (np.indices((130, 97)).sum(0)[..., None] % 2 * 255).repeat(3, 2).astype(np.uint8)
PAIRS = {
    "noise": (np.clip(ASTRONAUT + RNG.normal(0, 12, ASTRONAUT.shape), 0, 255).astype(np.uint8), ASTRONAUT),
    "blur": (cv2.GaussianBlur(ASTRONAUT, (0, 0), 2), ASTRONAUT),
    "negative": (255 - ASTRONAUT, ASTRONAUT),
    "unlike": (NOISE, ASTRONAUT),
    "board": (BOARD, 255 - BOARD),
    "black and white": (RNG.integers(0, 2, (61, 400, 3)).astype(np.uint8) * 255,
                        RNG.integers(0, 2, (61, 400, 3)).astype(np.uint8) * 255),
    "nearly white": (np.full((97, 96, 3), 255, np.uint8), np.full((97, 96, 3), 254, np.uint8)),
    "one window": (NOISE[:11, :11], ASTRONAUT[:11, :11]),
    "cut out": (NOISE[100:333, 7:300], ASTRONAUT[100:333, 7:300]),
}
SCENE = Scene(Path("a"), Path("b"), 25.0, 2, "full", None, None, {"stride": 1})


@pytest.mark.parametrize("name", PAIRS)
def test_equal_to_scikit_image(name: str) -> None:
    pred, truth = PAIRS[name]
    expected = structural_similarity(truth, pred, channel_axis=2, gaussian_weights=True, sigma=1.5,
                                     use_sample_covariance=False, data_range=255)
    assert ssim(pred, truth) == pytest.approx(expected, abs=1e-6)
    assert psnr(squared_error(pred, truth)) == pytest.approx(peak_signal_noise_ratio(truth, pred, data_range=255),
                                                             abs=1e-6)


def test_equal_pictures_are_infinitely_good() -> None:
    assert psnr(squared_error(ASTRONAUT, ASTRONAUT)) == math.inf
    assert ssim(ASTRONAUT, ASTRONAUT) == pytest.approx(1, abs=1e-9)
    metric = Psnr(Options())
    metric.take([Frame(0, 0.0, ASTRONAUT, ASTRONAUT), Frame(1, 0.04, ASTRONAUT, ASTRONAUT)])
    figure = metric.finish(SCENE)["psnr"]
    assert figure.value is None and figure.note.startswith("infinite") and figure.parameters["equal_frames"] == 2


def test_means_of_a_clip() -> None:
    metric = Psnr(Options())
    other = PAIRS["noise"][0]
    metric.take([Frame(0, 0.0, other, ASTRONAUT), Frame(1, 0.04, 255 - ASTRONAUT, ASTRONAUT)])
    metric.take([Frame(2, 0.08, ASTRONAUT, ASTRONAUT)])
    figure = metric.finish(SCENE)["psnr"]
    errors = [squared_error(other, ASTRONAUT), squared_error(255 - ASTRONAUT, ASTRONAUT), 0.0]
    assert figure.value == pytest.approx((psnr(errors[0]) + psnr(errors[1])) / 2)
    assert figure.parameters["psnr_of_mean_squared_error"] == pytest.approx(psnr(sum(errors) / 3))
    assert figure.note.startswith("1 of 3 frames") and math.isnan(figure.series[2])


def test_too_small_for_the_window() -> None:
    metric = Ssim(Options())
    metric.take([Frame(0, 0.0, ASTRONAUT[:10, :40], ASTRONAUT[:10, :40])])
    figure = metric.finish(SCENE)["ssim"]
    assert figure.value is None and "window" in figure.reason
