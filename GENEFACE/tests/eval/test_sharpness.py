"""CPBD falls with every bit of blur, and its edge widths are those that a plain walk along the row finds."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from eval_metrics.contract import Frame, Options, Scene
from eval_metrics.metrics.sharpness import Sharpness, cpbd, edge_widths, upright_edges

PICTURES = {"astronaut": data.astronaut, "coffee": data.coffee, "chelsea": data.chelsea, "rocket": data.rocket}


@pytest.mark.parametrize("name", PICTURES)
def test_falls_with_blur(name: str) -> None:
    picture = PICTURES[name]()
    values = [cpbd(cv2.GaussianBlur(picture, (0, 0), sigma)) for sigma in (0.3, 0.6, 0.9, 1.2, 1.6)]
    assert all(after < before for before, after in pairwise(values)), values
    assert values[0] > 0.3 and values[-1] < 0.25


def walked(row: np.ndarray, column: int, most: int) -> int:
    """Width of the edge at a pixel of one row, walked step by step."""
    best = 0
    for sign in (1, -1):
        left = right = 0
        while left < most and column - left > 0 and sign * (row[column - left] - row[column - left - 1]) > 0:
            left += 1
        while right < most and column + right < len(row) - 1 and (
                sign * (row[column + right + 1] - row[column + right]) > 0):
            right += 1
        best = max(best, left + right)
    return best


def test_widths_are_those_of_a_walk() -> None:
    grey = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY)[:80]
    rows, columns = np.indices(grey.shape).reshape(2, -1)
    widths = edge_widths(grey, rows, columns)
    expected = [walked(grey[row].astype(int), column, 6) for row, column in zip(rows, columns, strict=True)]
    assert widths.tolist() == expected


def test_width_of_a_ramp() -> None:
    row = np.array([20] * 20 + [20 + 30 * step for step in range(1, 6)] + [170] * 20, np.uint8)
    grey = np.repeat(row[None], 64, 0)
    assert np.unique(np.nonzero(upright_edges(grey))[1]).size == 1
    assert edge_widths(grey, np.array([5]), np.array([22])).tolist() == [5]


def test_a_step_is_sharp_and_a_wall_has_no_edge() -> None:
    step = np.zeros((128, 128, 3), np.uint8)
    step[:, 60:] = 200
    assert cpbd(step) == 1.0
    assert math.isnan(cpbd(np.full((128, 128, 3), 90, np.uint8)))
    assert math.isnan(cpbd(np.full((3, 2, 3), 90, np.uint8)))


def test_compared_with_the_ground_truth() -> None:
    metric, picture = Sharpness(Options()), data.astronaut()
    soft = cv2.GaussianBlur(picture, (0, 0), 0.6)
    metric.take([Frame(0, 0.0, soft, picture), Frame(1, 0.04, soft, picture)])
    figures = metric.finish(Scene(Path("a"), Path("b"), 25.0, 2, "full", None, None, {}))
    assert figures["cpbd"].value == pytest.approx(cpbd(soft))
    assert figures["cpbd_ratio"].value == pytest.approx(cpbd(soft) / cpbd(picture))
    alone = Sharpness(Options())
    alone.take([Frame(0, 0.0, soft)])
    figures = alone.finish(Scene(Path("a"), None, 25.0, 1, "full", None, None, {}))
    assert figures["cpbd"].value and figures["cpbd_ratio"].value is None and figures["cpbd_ratio"].remedy
