"""Pictures through the pipeline, of every kind that telephones and browsers send."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from visage import errors as tree
from visage.config import Settings
from visage.media.images import read_image
from visage.swap import open_restorer, open_swapper
from visage.swap.contract import Look, Swapper
from visage.swap.faults import fault_of
from visage.swap.options import SwapOptions, SwapRequest
from visage.swap.pipeline import identity_of, swap_file


@pytest.fixture(scope="module")
def swapper() -> Iterator[Swapper]:
    with open_swapper("embedded", Settings()) as opened:
        yield opened


def portrait() -> np.ndarray:
    return data.astronaut()[0:256, 96:352]


def saved(path: Path, picture: np.ndarray, **options) -> Path:
    import pillow_heif
    pillow_heif.register_heif_opener()
    Image.fromarray(picture).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "avif", "heic", "bmp"])
def test_every_kind_of_photo_gives_the_identity(swapper: Swapper, tmp_path: Path, suffix: str) -> None:
    identity = identity_of(swapper, [saved(tmp_path / f"photo.{suffix}", portrait())])
    assert identity.face.area > 50 * 50


def test_a_photo_is_turned_as_its_exif_says(swapper: Swapper, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = saved(tmp_path / "turned.jpg", np.ascontiguousarray(np.rot90(portrait())), exif=exif, quality=95)
    eyes = identity_of(swapper, [turned]).face.five[:2]
    assert abs(eyes[0, 1] - eyes[1, 1]) < 8 and eyes[1, 0] - eyes[0, 0] > 25


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\xff\xd8\xff\xe0 broken"])
def test_a_photo_that_is_none_is_e01(swapper: Swapper, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(tree.BadMedia) as caught:
        identity_of(swapper, [path])
    assert fault_of(caught.value).number == "E01"


def test_a_picture_gets_the_face_and_all_around_it_stays(swapper: Swapper, tmp_path: Path) -> None:
    target = saved(tmp_path / "target.png", portrait())
    photo = saved(tmp_path / "photo.png", np.ascontiguousarray(portrait()[:, ::-1]))
    identity = identity_of(swapper, [photo])
    result = swap_file(SwapRequest(target, tmp_path / "out.png"), swapper, identity)
    made, before = read_image(result.out), read_image(target)
    changed = np.abs(made.astype(int) - before).max(2) > 2
    left, top, right, bottom = swapper.find(before, Look(thorough=True))[0].box
    assert changed.mean() > 0.01
    rows, columns = np.nonzero(changed)
    assert top - 8 <= rows.min() and rows.max() <= bottom + 8
    assert left - 8 <= columns.min() and columns.max() <= right + 8


def test_restoring_alone_needs_no_photo(swapper: Swapper, tmp_path: Path) -> None:
    target = saved(tmp_path / "target.png", portrait())
    with open_restorer("embedded", Settings()) as restorer:
        result = swap_file(SwapRequest(target, tmp_path / "out.jpg"), swapper, None, restorer)
    assert result.kind == "image" and result.steps["restore"] > 0 and "swap" not in result.steps
    with pytest.raises(tree.InvalidRequest):
        swap_file(SwapRequest(target, tmp_path / "two.jpg"), swapper, None, None)


def test_no_face_in_the_target_is_e05_and_leaves_no_file(swapper: Swapper, tmp_path: Path) -> None:
    target = saved(tmp_path / "target.png", np.full((120, 160, 3), 80, np.uint8))
    identity = identity_of(swapper, [saved(tmp_path / "photo.png", portrait())])
    with pytest.raises(tree.BadImage) as caught:
        swap_file(SwapRequest(target, tmp_path / "out.png"), swapper, identity)
    assert fault_of(caught.value).number == "E05" and not (tmp_path / "out.png").exists()


def test_one_of_two_faces_by_place_or_by_likeness(swapper: Swapper, tmp_path: Path) -> None:
    pair = np.concatenate([portrait(), portrait()[:, ::-1]], 1)
    target = saved(tmp_path / "target.png", np.ascontiguousarray(pair))
    identity = identity_of(swapper, [saved(tmp_path / "photo.png", np.ascontiguousarray(portrait()[:, ::-1]))])
    for order, half in (("left-right", 0), ("right-left", 1)):
        options = SwapOptions(who="one", order=order, restore=0)
        out = swap_file(SwapRequest(target, tmp_path / f"{order}.png", options), swapper, identity,
                        open_restorer("embedded", Settings())).out
        changed = np.abs(read_image(out).astype(int) - pair).max(2)
        assert (changed[:, 256 * (1 - half):256 * (2 - half)] == 0).all(), order
    with pytest.raises(tree.BadImage) as caught:
        swap_file(SwapRequest(target, tmp_path / "out.png", SwapOptions(who="reference", position=5)), swapper,
                  identity)
    assert fault_of(caught.value).number == "E05"


def test_the_visible_mark_and_the_seal_come_last(swapper: Swapper, tmp_path: Path) -> None:
    target = saved(tmp_path / "target.png", portrait())
    identity = identity_of(swapper, [target])
    sealed = []
    asked = SwapRequest(target, tmp_path / "out.png", mark=lambda frame, seconds: np.full_like(frame, 7),
                        seal=lambda path: sealed.append((path, read_image(path).max())))
    swap_file(asked, swapper, identity)
    assert sealed[0][1] == 7 and read_image(tmp_path / "out.png").max() == 7


def test_five_points_by_hand_stand_in_for_the_detector(swapper: Swapper, tmp_path: Path) -> None:
    tiny = np.full((900, 1200, 3), 100, np.uint8)
    small = np.asarray(Image.fromarray(portrait()).resize((44, 44), Image.Resampling.LANCZOS))
    tiny[500:544, 300:344] = small
    found = swapper.find(portrait(), Look(thorough=True))[0]
    five = tuple((float(x) * 44 / 256 + 300, float(y) * 44 / 256 + 500) for x, y in found.five)
    target = saved(tmp_path / "target.png", tiny)
    identity = identity_of(swapper, [target], five)
    assert identity.face.area > 100 * 100
    asked = SwapRequest(target, tmp_path / "out.png", SwapOptions(five=five))
    swap_file(asked, swapper, identity_of(swapper, [saved(tmp_path / "photo.png", portrait()[:, ::-1].copy())]))
    rows, columns = np.nonzero(np.abs(read_image(tmp_path / "out.png").astype(int) - tiny).max(2) > 2)
    assert rows.min() >= 500 and rows.max() < 544 and columns.min() >= 300 and columns.max() < 344
    for wrong in (five[:4], ((5.0, 5.0),) * 5):
        with pytest.raises(tree.InvalidRequest):
            identity_of(swapper, [target], wrong)
    empty = tuple((x + 500, y - 300) for x, y in five)
    with pytest.raises(tree.BadImage) as caught:
        swap_file(SwapRequest(target, tmp_path / "two.png", SwapOptions(five=empty)), swapper, identity)
    assert fault_of(caught.value).number == "E05"
