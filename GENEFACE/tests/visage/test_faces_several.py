"""Several faces in one still: those that only the second detector sees count, patterns do not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from visage.faces.mediapipe import MediaPipeFaces
from visage.media.images import read_image

PHOTOS = Path(__file__).resolve().parents[4] / "shared" / "data" / "open" / "photos"


@pytest.fixture
def finder():
    opened = MediaPipeFaces()
    yield opened
    opened.close()


def still(right: np.ndarray) -> np.ndarray:
    """A wide picture with one head on its left and ``right``, 360 by 360, on its right."""
    head = data.astronaut()[0:300, 80:380]
    picture = np.full((720, 1280, 3), 128, np.uint8)
    picture[100:400, 60:360] = head
    picture[300:660, 860:1220] = right
    return picture


def half_blind(finder: MediaPipeFaces, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first detector sees only what lies in the left half of a picture that it is shown."""
    seen = MediaPipeFaces._in_tile

    def left(self, image, tile, *, near=False):
        return [one for one in seen(self, image, tile, near=near) if near or one.centre[0] < 640]

    whole = finder._models.detect
    monkeypatch.setattr(MediaPipeFaces, "_in_tile", left)
    monkeypatch.setattr(finder._models, "detect",
                        lambda image, near=False: [one for one in whole(image, near=near)
                                                   if near or image.shape[1] < 1280 or one.centre[0] < 640])


def test_a_head_that_only_the_second_detector_sees_is_found(finder: MediaPipeFaces,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    half_blind(finder, monkeypatch)
    head = cv2.resize(data.astronaut()[0:300, 80:380][:, ::-1], (360, 360), interpolation=cv2.INTER_LINEAR)
    faces = finder.find(still(head))
    assert len(faces) == 2
    right = max(faces, key=lambda face: face.box[0])
    assert 900 < right.points[:, 0].mean() < 1180 and 330 < right.points[:, 1].mean() < 600


@pytest.mark.parametrize("pattern", ["coffee", "chelsea", "colorwheel"])
def test_patterns_beside_a_head_are_no_faces(finder: MediaPipeFaces, pattern: str) -> None:
    other = cv2.resize(getattr(data, pattern)()[..., :3], (360, 360), interpolation=cv2.INTER_AREA)
    faces = finder.find(still(other))
    assert len(faces) == 1 and faces[0].box[2] < 400


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the real photos (../shared/data/open/photos) are not on this machine")
@pytest.mark.parametrize(("name", "count"), [("two_men_zidane.jpg", 2), ("group_t1.jpg", 6), ("noface_coffee.png", 0),
                                             ("noface_landscape.jpg", 0)])
def test_real_photos_show_as_many_faces_as_people_see(finder: MediaPipeFaces, name: str, count: int) -> None:
    assert len(finder.find(read_image(PHOTOS / name, 2048))) == count
