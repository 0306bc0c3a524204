"""Rigid motion, alignment and crops, against transforms made up here."""

from __future__ import annotations

import numpy as np
import pytest

from visage.faces.align import ANCHORS, OUTER_LIP, inverse, mouth_crops, similarity
from visage.faces.pose import REFERENCE, STABLE, Pose, angles, fit_pose, misfit, own_reference, to_face, to_image


def turned(yaw: float = 0, pitch: float = 0, roll: float = 0) -> np.ndarray:
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return (about_z @ about_y @ about_x).astype(np.float32)


@pytest.fixture
def shapes() -> np.ndarray:
    points = np.random.default_rng(1).normal(0, 0.5, (4, 478, 3)).astype(np.float32)
    points[:, STABLE] = REFERENCE
    return points


@pytest.fixture
def pose() -> Pose:
    rotation = np.stack([turned(), turned(yaw=30), turned(pitch=-20), turned(roll=75)])
    return Pose(np.float32([100, 50, 200, 10]), rotation, np.float32([[0, 0, 0], [100, 50, 3], [-4, 9, 1], [7, 7, 7]]))


def test_pose_is_recovered_and_removed(shapes: np.ndarray, pose: Pose) -> None:
    image = to_image(shapes, pose)
    found = fit_pose(image)
    np.testing.assert_allclose(found.scale, pose.scale, rtol=1e-4)
    np.testing.assert_allclose(found.rotation, pose.rotation, atol=1e-4)
    np.testing.assert_allclose(to_face(image, found), shapes, atol=1e-3)
    assert misfit(image, found).max() < 1e-3
    assert len(found) == 4 and found.shift.dtype == np.float32


def test_angles_have_the_promised_signs(pose: Pose) -> None:
    np.testing.assert_allclose(angles(pose), [[0, 0, 0], [30, 0, 0], [0, -20, 0], [0, 0, 75]], atol=1e-3)
    nose = to_image(np.tile(REFERENCE[None], (4, 1, 1)), pose)[1, list(STABLE).index(4), 0]
    assert nose > pose.shift[1, 0], "a positive yaw points the nose to the right"


def test_own_reference_fits_a_long_face_better(shapes: np.ndarray, pose: Pose) -> None:
    shapes[:, STABLE, 1] *= 1.4
    image = to_image(shapes, pose)
    own = own_reference(image)
    assert misfit(image, fit_pose(image, own), own).max() < 0.01 < misfit(image, fit_pose(image)).min()
    assert np.linalg.norm(own[list(STABLE).index(33)] - own[list(STABLE).index(263)]) == pytest.approx(1, abs=1e-5)


def test_similarity_undoes_a_turn_and_inverse_goes_back() -> None:
    target = np.random.default_rng(2).normal(0, 30, (9, 2))
    turn = 1.7 * turned(roll=40)[:2, :2]
    source = np.stack([target @ turn.T + [5, -3], target])
    found = similarity(source, target)
    for points, transform in zip(source, found, strict=True):
        np.testing.assert_allclose(points @ transform[:, :2].T + transform[:, 2], target, atol=1e-3)
    back = inverse(found)
    np.testing.assert_allclose(target @ back[0, :, :2].T + back[0, :, 2], source[0], atol=1e-3)


def test_mouth_crop_stands_still_while_the_head_moves() -> None:
    rng = np.random.default_rng(3)
    face = rng.uniform(100, 200, (478, 2))
    face[33], face[263] = (110, 120), (190, 120)
    clip = np.stack([np.c_[face + [shift, 2 * shift], np.zeros(478)] for shift in range(5)]).astype(np.float32)
    crops = mouth_crops(clip, size=128)
    placed = crops.place(clip)
    np.testing.assert_allclose(placed - placed[0], 0, atol=1e-2)
    centre = placed[:, OUTER_LIP].mean((0, 1))
    np.testing.assert_allclose(centre, [63.5, 63.5], atol=1e-2)
    eyes = np.linalg.norm(placed[0, 33] - placed[0, 263])
    assert eyes == pytest.approx(128 / 1.5, rel=1e-3), "half the side is 0.75 of the distance between the eyes"
    assert crops.cut(np.zeros((400, 300, 3), np.uint8), 2).shape == (128, 128, 3)
    assert len(crops) == 5 and len(ANCHORS) == 9
