"""Flicker sees what changes without moving, and hardly what moves."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from eval_metrics.contract import Figure, Frame, Options, Scene
from eval_metrics.metrics.flicker import Flicker
from tests.eval.pairs import moving, noisy


def smooth(count: int = 30) -> list[np.ndarray]:
    """A soft picture that glides."""
    picture = cv2.GaussianBlur(moving(2)[0], (0, 0), 1.5)
    return [cv2.warpAffine(picture, np.float32([[1, 0, 0.7 * n], [0, 1, 0.3 * n]]), picture.shape[1::-1],
                           borderMode=cv2.BORDER_REPLICATE) for n in range(count)]


def measured(pred: list[np.ndarray], truth: list[np.ndarray] | None = None) -> dict[str, Figure]:
    metric = Flicker(Options())
    pictures = truth or [None] * len(pred)
    metric.take([Frame(n, n / 25, *both) for n, both in enumerate(zip(pred, pictures, strict=True))])
    return dict(metric.finish(Scene(Path("a"), Path("b") if truth else None, 25.0, len(pred), "full", None, None, {})))


def test_motion_is_no_flicker_but_light_and_noise_are() -> None:
    frames = smooth()
    still = measured(frames)["flicker"].value
    uncompensated = np.mean([cv2.absdiff(a, b).mean() for a, b in pairwise(frames)])
    lit = measured([np.clip(f.astype(int) + 3 * (n % 2), 0, 255).astype(np.uint8) for n, f in enumerate(frames)])
    rough = measured(noisy(frames, 6))
    assert still < 0.4 * uncompensated
    assert lit["flicker"].value > still + 1.5
    assert rough["flicker"].value > still + 1.5


def test_beyond_the_ground_truths_own() -> None:
    frames = smooth()
    noise = noisy(frames, 3)
    figures = measured(noise, noise)
    assert figures["flicker_ratio"].value == 1.0
    worse = measured(noisy(frames, 9), noise)["flicker_ratio"]
    assert worse.value > 1.5 and worse.error is not None
    assert measured(frames)["flicker_ratio"].reason
    frozen = measured(noise[:5], [frames[0]] * 5)
    assert frozen["flicker_ratio"].value is None and "does not change" in frozen["flicker_ratio"].reason


def test_one_frame_is_not_enough() -> None:
    figure = measured(smooth(1))["flicker"]
    assert figure.value is None and figure.reason and math.isnan(figure.series[0])
