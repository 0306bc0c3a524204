"""The functions for Python programs: faces found, described and swapped; consent, mark and label stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend import fusion
from backend.services import Services, open_services
from tests.backend.test_face_swapper import agreed, picture, uploaded
from visage.config import read_settings
from visage.errors import BadImage, InvalidRequest, Refused
from visage.media.images import read_image
from visage.media.labels import read_label


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return open_services(read_settings(home=tmp_path / "home", consent_proof=False))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return picture(tmp_path, "photo.png")


def test_faces_are_found_and_described(services: Services, photo: Path, tmp_path: Path) -> None:
    (face,) = fusion.detect_faces(photo, services=services)
    left, top, right, bottom = face["bbox"]
    assert 0 <= left < face["five"][0][0] < face["five"][1][0] < right and top < bottom and face["score"] > 0.5
    one = fusion.get_face_embedding(photo, services=services)
    other = fusion.get_face_embedding(read_image(photo)[:, ::-1].copy(), services=services)
    assert one.distance(one) < 1e-6 and one.space == other.space and 0 < one.distance(other) < 0.5
    assert fusion.detect_faces(np.zeros((200, 200, 3), np.uint8), services=services) == []
    with pytest.raises(BadImage):
        fusion.get_face_embedding(np.zeros((200, 200, 3), np.float32), services=services)


def test_a_swap_needs_consent_and_carries_mark_and_label(services: Services, photo: Path, tmp_path: Path) -> None:
    target = read_image(picture(tmp_path, "target.png", mirrored=True))
    with pytest.raises(Refused):
        fusion.swap_face(photo, target, consent="", services=services)
    consent = agreed(services, uploaded(services, photo))
    out = tmp_path / "out.png"
    made = fusion.swap_face(photo, target, consent=consent, out=out, services=services)
    assert made.shape == target.shape and np.array_equal(made, read_image(out)) and read_label(out).producer == "Visage"
    changed = np.abs(made.astype(int) - target).max(2) > 2
    assert 0.03 < changed.mean() < 0.6, "the face and the mark, not the whole picture"
    with pytest.raises(InvalidRequest) as caught:
        fusion.swap_face(target, target, consent=consent, services=services)  # type: ignore[arg-type]
    assert caught.value.code == "swap.photo_no_file"


def test_one_face_of_several_by_its_box(services: Services, photo: Path, tmp_path: Path) -> None:
    one = read_image(picture(tmp_path, "target.png", mirrored=True))
    both = np.concatenate([one, one], axis=1)
    consent = agreed(services, uploaded(services, photo))
    faces = fusion.detect_faces(both, services=services)
    right = max((face["bbox"] for face in faces), key=lambda box: box[0])
    made = fusion.apply_to_single_bbox(both, right, photo, consent=consent, services=services)
    changed = np.abs(made.astype(int) - both).max(2) > 2
    inside = (slice(int(right[1]), int(right[3])), slice(int(right[0]), int(right[2])))
    assert changed[inside].mean() > 0.4
    assert not changed[inside[0], :int(right[0]) - one.shape[1] + 100].any(), "the left face stays"
    with pytest.raises(BadImage) as caught:
        fusion.apply_to_single_bbox(both, [0, 0, 9, 9], photo, consent=consent, services=services)
    assert caught.value.code == "swap.no_face_box"


def test_pictures_only_become_smaller() -> None:
    assert fusion.resize_for_fusion(np.zeros((2560, 1000, 3), np.uint8)).shape == (1280, 500, 3)
    assert fusion.resize_for_fusion(np.zeros((10, 20, 3), np.uint8)).shape == (10, 20, 3)
