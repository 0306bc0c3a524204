"""What every face finder promises; runs on each driver that is installed."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from skimage import data

from visage.errors import NotInstalled, UnknownDriver
from visage.faces import DRIVERS, FaceFinder, open_faces
from visage.faces.pose import angles, fit_pose


@pytest.fixture(scope="module", params=sorted(DRIVERS))
def finder(request: pytest.FixtureRequest) -> Iterator[FaceFinder]:
    try:
        faces = open_faces(request.param)
    except NotInstalled as exc:
        pytest.skip(f"{exc.message} {exc.hint}")
    yield faces
    faces.close()


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return data.astronaut()


def test_finds_478_points_of_the_face(finder: FaceFinder, portrait: np.ndarray) -> None:
    (face,) = finder.find(portrait)
    assert face.points.shape == (478, 3) and face.points.dtype == np.float32
    assert 0.5 < face.score <= 1
    left, top, right, bottom = face.box
    assert 150 < left < right < 300 and 40 < top < bottom < 200
    assert 60 < face.width < 130
    assert np.abs(angles(fit_pose(face.points[None]))[0]).max() < 15


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_finds_faces_that_lie_on_their_side(finder: FaceFinder, portrait: np.ndarray, turns: int) -> None:
    upright = finder.find(portrait)[0].points[:, :2].mean(0)
    turned = np.ascontiguousarray(np.rot90(portrait, turns))
    (face,) = finder.find(turned)
    x, y = face.points[:, :2].mean(0)
    back = {1: (511 - y, x), 2: (511 - x, 511 - y), 3: (y, 511 - x)}[turns]
    assert np.abs(upright - back).max() < 12


def test_finds_a_small_face_in_a_large_picture(finder: FaceFinder, portrait: np.ndarray) -> None:
    small = cv2.resize(portrait, (200, 200), interpolation=cv2.INTER_AREA)
    scene = np.pad(small, ((700, 380), (1100, 620), (0, 0)), constant_values=90)
    (face,) = finder.find(scene)
    assert 1100 < face.box[0] < face.box[2] < 1300 and 25 < face.width < 50


def test_two_faces_come_largest_first(finder: FaceFinder, portrait: np.ndarray) -> None:
    half = np.zeros_like(portrait)
    half[:256, :256] = cv2.resize(portrait, (256, 256), interpolation=cv2.INTER_AREA)
    faces = finder.find(np.hstack([half, portrait]))
    assert len(faces) == 2 and faces[0].width > 1.7 * faces[1].width
    assert faces[0].box[0] > 512


def test_sees_no_face_where_there_is_none(finder: FaceFinder) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
    assert finder.find(noise) == [] and finder.track(noise) == []
    assert finder.find(data.coffee()) == []


def test_track_follows_and_forgets(finder: FaceFinder, portrait: np.ndarray) -> None:
    for shift in range(0, 40, 8):
        (face,) = finder.track(np.roll(portrait, shift, 1))
        still = np.roll(portrait, shift, 1)
    assert np.abs(face.points - finder.find(still)[0].points)[:, :2].max() < 8
    assert len(finder.track(np.hstack([portrait, portrait]))) == 2
    assert finder.track(np.zeros((512, 512, 3), np.uint8)) == []


def test_track_does_not_lose_a_small_face(finder: FaceFinder, portrait: np.ndarray) -> None:
    small = cv2.resize(portrait, (300, 300), interpolation=cv2.INTER_AREA)
    for shift in range(0, 200, 20):
        scene = np.full((1080, 1920, 3), 90, np.uint8)
        scene[500:800, 900 + shift:1200 + shift] = small
        (face,) = finder.track(scene)
        assert 900 + shift < face.box[0] < face.box[2] < 1200 + shift


def test_unknown_finder_names_the_known() -> None:
    with pytest.raises(UnknownDriver, match="mediapipe"):
        open_faces("mediapip")
