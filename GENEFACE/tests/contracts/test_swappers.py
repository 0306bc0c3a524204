"""What every face swapper and every restorer promises."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from skimage import data

from visage.config import Settings
from visage.errors import BadImage, NotInstalled, UnknownDriver
from visage.swap import DRIVERS, RESTORERS, Look, Patch, Restorer, Swapper, open_restorer, open_swapper
from visage.swap.faults import fault_of


@pytest.fixture(scope="module", params=sorted(DRIVERS))
def swapper(request: pytest.FixtureRequest) -> Iterator[Swapper]:
    try:
        opened = open_swapper(request.param, Settings())
    except NotInstalled as exc:
        pytest.skip(exc.message)
    with opened as swapper:
        yield swapper


@pytest.fixture(scope="module", params=sorted(RESTORERS))
def restorer(request: pytest.FixtureRequest) -> Iterator[Restorer]:
    try:
        opened = open_restorer(request.param, Settings())
    except NotInstalled as exc:
        pytest.skip(exc.message)
    with opened as restorer:
        yield restorer


def portrait() -> np.ndarray:
    return data.astronaut()[0:300, 80:380].copy()


def inside(patch: Patch, frame: np.ndarray) -> bool:
    height, width = patch.mask.shape
    return (patch.pixels.shape == (height, width, 3) and patch.pixels.dtype == np.uint8
            and patch.mask.dtype == np.float32 and patch.mask.min() >= 0 and patch.mask.max() <= 1
            and patch.left >= 0 and patch.top >= 0
            and patch.top + height <= frame.shape[0] and patch.left + width <= frame.shape[1])


def test_it_says_who_it_is(swapper: Swapper) -> None:
    assert swapper.name in DRIVERS and swapper.title and swapper.space and swapper.provider
    assert isinstance(swapper.recolour, bool)


def test_a_face_is_found_with_its_five_points_in_order(swapper: Swapper) -> None:
    face = swapper.find(portrait(), Look(thorough=True, embed=True))[0]
    left_eye, right_eye, nose, left_mouth, right_mouth = face.five
    assert left_eye[0] < nose[0] < right_eye[0] and left_mouth[0] < nose[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    left, top, right, bottom = face.box
    assert left < left_eye[0] and right > right_eye[0] and top < left_eye[1] and bottom > left_mouth[1]
    assert face.embedding.space == swapper.space
    assert np.linalg.norm(face.embedding.vector) == pytest.approx(1, abs=1e-4)


def test_where_there_is_no_face_none_is_found_and_no_identity_made(swapper: Swapper) -> None:
    nothing = np.full((200, 200, 3), 90, np.uint8)
    assert swapper.find(nothing, Look(thorough=True)) == []
    with pytest.raises(BadImage) as caught:
        swapper.identify([nothing])
    assert fault_of(caught.value).number == "E05"


def test_a_patch_lies_in_the_frame_and_the_frame_stays(swapper: Swapper) -> None:
    frame = portrait()
    kept = frame.copy()
    identity = swapper.identify([cv2.flip(frame, 1)])
    patch = swapper.swap(frame, swapper.find(frame, Look(thorough=True))[0], identity)
    assert inside(patch, frame) and patch.mask.max() > 0.9
    assert np.array_equal(frame, kept)
    assert identity.embedding.space == swapper.space and len(identity.photos) == 1


def test_a_face_cut_by_the_edge_is_no_crash(swapper: Swapper) -> None:
    frame = portrait()
    face = swapper.find(frame, Look(thorough=True))[0]
    identity = swapper.identify([frame])
    middle = round(face.centre[0])
    half = np.ascontiguousarray(frame[:, middle:])
    five, box = face.five - np.float32([middle, 0]), (face.box[0] - middle, face.box[1], face.box[2] - middle,
                                                     face.box[3])
    mesh = None if face.mesh is None else face.mesh - np.float32([middle, 0, 0])
    assert inside(swapper.swap(half, type(face)(box, face.score, five, mesh), identity), half)


def test_a_restorer_makes_a_patch_of_the_face(restorer: Restorer) -> None:
    with open_swapper("embedded", Settings()) as finder:
        frame = portrait()
        face = finder.find(frame, Look(thorough=True))[0]
    kept = frame.copy()
    patch = restorer.restore(frame, face)
    assert inside(patch, frame) and patch.mask.max() > 0.9 and np.array_equal(frame, kept)


def test_unknown_names() -> None:
    for opened in (open_swapper, open_restorer):
        with pytest.raises(UnknownDriver):
            opened("nobody", Settings())
