"""The shape language: a few numbers say what a mouth does, and say it back."""

from __future__ import annotations

import io

import numpy as np
import pytest

from tests.visage.lite_talker import plain_face
from visage.engines.lite.generic_mouth import MOVES, generic_basis
from visage.engines.lite.mouth import (
    INNER_LIP,
    LIPS,
    POINTS,
    MouthBasis,
    fit_basis,
    jaw,
    measures,
    opening,
    outer,
    select,
    width,
)


def talking(frames: int = 300) -> np.ndarray:
    """Face-frame points [N, 478, 3] of a drawn mouth that opens, purses and drops its jaw."""
    basis = generic_basis(plain_face())
    time = np.arange(frames) / 25
    coefficients = np.zeros((frames, len(MOVES)), np.float32)
    coefficients[:, 0] = np.clip(np.sin(2 * np.pi * 1.7 * time), 0, None)
    coefficients[:, 2] = np.clip(np.sin(2 * np.pi * 1.1 * time + 1), 0, None)
    points = np.zeros((frames, 478, 3), np.float32)
    points[:, list(POINTS)] = basis.decode(coefficients)
    return points


def test_points_are_named_once_and_lips_come_first() -> None:
    assert len(set(POINTS)) == len(POINTS)
    assert POINTS[:40] == LIPS and len(set(LIPS)) == 40
    assert max(POINTS) < 478


def test_measures_are_distances_in_the_face_frame() -> None:
    shape = select(plain_face(gap=0.08)[None])
    assert opening(shape)[0] == pytest.approx(0.08, abs=1e-6)
    assert width(shape)[0] == pytest.approx(0.54, abs=1e-6)
    assert outer(shape)[0] == pytest.approx(0.28, abs=1e-6)
    assert jaw(shape)[0] == pytest.approx(0.90, abs=1e-6)


def test_a_fitted_basis_says_shapes_back() -> None:
    points = talking()
    basis = fit_basis(points, size=6)
    back = basis.decode(basis.encode(select(points)))
    assert basis.size == 6
    assert np.abs(back - select(points))[:, :40, :2].max() < 0.01
    assert opening(basis.decode(basis.rest[None]))[0] < 0.15 * basis.span[1, 0]


def test_lips_touch_but_never_cross() -> None:
    basis = fit_basis(talking(), size=6)
    shapes = basis.decode(np.random.default_rng(0).normal(size=(200, 6)) * basis.spread * 4)
    upper = shapes[:, [POINTS.index(index) for index in INNER_LIP[1:10]], 1]
    lower = shapes[:, [POINTS.index(index) for index in INNER_LIP[:10:-1]], 1]
    assert (lower - upper).min() > -1e-5


def test_a_wanted_opening_is_shown() -> None:
    basis = fit_basis(talking(), size=6)
    wanted = measures(select(talking()))
    error = basis.measure(basis.pose(wanted))[:, 0] - wanted[:, 0]
    assert np.sqrt((error ** 2).mean()) < 0.02


def test_a_basis_survives_the_disk() -> None:
    basis, box = fit_basis(talking()), io.BytesIO()
    np.savez(box, **basis.arrays())
    box.seek(0)
    with np.load(box) as stored:
        again = MouthBasis.from_arrays(stored)
    assert all(np.array_equal(again.arrays()[name], value) for name, value in basis.arrays().items())


def test_too_few_frames_are_refused_and_lost_frames_left_out() -> None:
    points = talking(40)
    points[3] = np.nan
    assert np.isfinite(fit_basis(points).mean).all()
    with pytest.raises(ValueError, match="too few"):
        fit_basis(points[:6])


def test_the_generic_mouth_closes_a_smile_and_moves_as_named() -> None:
    basis = generic_basis(plain_face(gap=0.1))
    rest = basis.measure(basis.rest[None])[0]
    moved = basis.measure(np.eye(len(MOVES), dtype=np.float32))
    assert rest[0] < 0.01
    assert moved[0, 0] > 0.12 and moved[0, 3] > rest[3] + 0.1
    assert moved[1, 1] > rest[1] * 1.1 and moved[2, 1] < rest[1] * 0.8
    assert moved[5, 2] < rest[2] and moved[5, 0] < 0.02
    assert measures(basis.mean[None]).shape == (1, 4)
