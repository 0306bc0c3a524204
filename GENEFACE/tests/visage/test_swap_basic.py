"""The engine named basic: the oracles of a good swap, on faces of two shapes."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from skimage import data

from visage.config import Settings
from visage.errors import InvalidRequest
from visage.faces import open_faces
from visage.faces.pose import fit_pose
from visage.swap.blending import BLENDS, blend
from visage.swap.colouring import matched
from visage.swap.contract import Embedding, Face, Identity, Look, Patch
from visage.swap.embedded import BasicRestorer, BasicSwapper
from visage.swap.embedded.masking import facing
from visage.swap.embedded.topology import topology
from visage.swap.faults import fault_of


def portrait(size: tuple[int, int] = (512, 512)) -> np.ndarray:
    """A public domain portrait; another width over height makes a face of another shape."""
    return cv2.resize(data.astronaut()[0:256, 96:352], size, interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def swapper() -> Iterator[BasicSwapper]:
    with BasicSwapper(Settings()) as opened:
        yield opened


def face_of(swapper: BasicSwapper, frame: np.ndarray) -> Face:
    return swapper.find(frame, Look(thorough=True, embed=True))[0]


def put(swapper: BasicSwapper, frame: np.ndarray, identity: Identity, way: str = "alpha") -> tuple[np.ndarray, Patch]:
    patch = swapper.swap(frame, face_of(swapper, frame), identity)
    pixels = matched(patch.pixels, frame[patch.area], patch.mask)
    out = frame.copy()
    blend(out, Patch(patch.left, patch.top, pixels, patch.mask), way)
    return out, patch


def settled(frame: np.ndarray) -> np.ndarray:
    """The mesh [478, 2] as it comes to rest on a picture shown several times."""
    finder = open_faces()
    try:
        return [finder.track(frame) for _ in range(4)][-1][0].points[:, :2]
    finally:
        finder.close()


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(np.mean((one.astype(float) - other) ** 2), 1e-9)))


def test_the_mesh_is_the_package_s() -> None:
    parts = topology()
    assert parts.skin.shape == (852, 3) and parts.oval.shape == (36,) and parts.inner_lip.shape == (20,)
    assert [len(eye) for eye in parts.eyes] == [16, 16]
    edges = {tuple(sorted(pair)) for triangle in parts.all for pair in zip(triangle, np.roll(triangle, 1), strict=True)}
    # one sheet with one rim and nothing twice (Euler: V - E + F = 1)
    assert 468 - len(edges) + len(parts.all) == 1


@pytest.mark.parametrize("way", BLENDS)
def test_a_face_swapped_with_itself_is_itself(swapper: BasicSwapper, way: str) -> None:
    frame = portrait()
    out, patch = put(swapper, frame, swapper.identify([frame]), way)
    inside, outside = np.zeros(frame.shape[:2], bool), np.ones(frame.shape[:2], bool)
    inside[patch.area], outside[patch.area] = patch.mask > 0.02, patch.mask == 0
    assert inside.mean() > 0.05
    assert psnr(out[inside], frame[inside]) >= 45
    assert np.array_equal(out[outside], frame[outside])


def test_another_shape_keeps_its_mouth_its_eyes_and_all_around(swapper: BasicSwapper) -> None:
    source = cv2.cvtColor(cv2.cvtColor(portrait(), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    frame = portrait((400, 560))
    out, patch = put(swapper, frame, swapper.identify([source]))
    mesh = face_of(swapper, frame).mesh[:, :2]
    parts = topology()
    for outline in (parts.inner_lip, *parts.eyes):
        hole = np.zeros(frame.shape[:2], np.uint8)
        cv2.fillPoly(hole, [np.round(mesh[outline]).astype(np.int32)], 1)
        core = cv2.erode(hole, np.ones((3, 3), np.uint8)).astype(bool)
        assert core.sum() > 20 and np.abs(out[core].astype(int) - frame[core]).mean() < 3
    outside = np.ones(frame.shape[:2], bool)
    outside[patch.area] = patch.mask == 0
    assert np.array_equal(out[outside], frame[outside])
    cheek = mesh[[205, 425]].mean(0)
    assert np.ptp(out[round(cheek[1]), round(cheek[0])].astype(int)) < np.ptp(
        frame[round(cheek[1]), round(cheek[0])].astype(int)) + 25
    changed = np.abs(out.astype(int) - frame).max(2)[patch.area][patch.mask > 0.9]
    assert np.mean(changed > 3) > 0.3, "nothing was swapped"


def test_the_lips_stay_where_they_were(swapper: BasicSwapper) -> None:
    source, frame = portrait(), portrait((400, 560))
    out, _ = put(swapper, frame, swapper.identify([cv2.flip(source, 1)]))
    before, after = (settled(each) for each in (frame, out))
    eyes = float(np.linalg.norm(before[33] - before[263]))
    lips = np.concatenate([topology().inner_lip, topology().outer_lip])
    apart = np.linalg.norm(before - after, axis=1) / eyes
    assert 100 * apart[lips].mean() <= 2.5 and 100 * apart.mean() <= 2.5


def test_a_turned_head_fades_to_the_original(swapper: BasicSwapper) -> None:
    mesh = face_of(swapper, portrait()).mesh
    middle = mesh.mean(0)
    upright = (mesh - fit_pose(mesh[None]).shift[0]) @ fit_pose(mesh[None]).rotation[0]
    shares = []
    for yaw in (0, 40, 52, 70):
        turn = np.radians(yaw)
        around = np.float32([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
        shares.append(facing((upright @ around.T + middle).astype(np.float32)))
    assert shares[0] == shares[1] == 1 and 0 < shares[2] < 1 and shares[3] == 0


@pytest.mark.parametrize(("name", "change"), [
    ("dark", lambda p: (p * 0.05).astype(np.uint8)),
    ("upside down", lambda p: np.ascontiguousarray(p[::-1, ::-1])),
    ("on its side", lambda p: np.ascontiguousarray(np.rot90(p))),
    ("tilted", lambda p: cv2.warpAffine(p, cv2.getRotationMatrix2D((256, 256), 40, 0.8), (512, 512))),
    ("small", lambda p: cv2.copyMakeBorder(cv2.resize(p, (110, 110), interpolation=cv2.INTER_AREA), 300, 300, 300, 300,
                                           cv2.BORDER_CONSTANT, value=(90, 100, 110))),
    ("cut off", lambda p: np.ascontiguousarray(p[90:330, 130:390])),
])
def test_hard_photos_still_give_a_face(swapper: BasicSwapper, name: str, change) -> None:
    picture = change(portrait())
    faces = swapper.find(picture, Look(thorough=True))
    assert len(faces) == 1, name
    assert 0 < faces[0].score <= 1


def test_the_descriptor_knows_a_face_again(swapper: BasicSwapper) -> None:
    frame = portrait()
    own = face_of(swapper, frame).embedding
    changed = [cv2.convertScaleAbs(frame, alpha=0.8, beta=12), cv2.resize(frame, (300, 300)),
               cv2.warpAffine(frame, cv2.getRotationMatrix2D((256, 256), 8, 1), (512, 512))]
    same = [own.distance(face_of(swapper, each).embedding) for each in changed]
    other = own.distance(face_of(swapper, 255 - frame).embedding if swapper.find(255 - frame, Look(True)) else
                         Embedding(own.space, np.roll(own.vector, 9)))
    assert max(same) < 0.15 < other


def test_the_best_of_several_photos_is_the_texture(swapper: BasicSwapper) -> None:
    frame = portrait()
    poor = cv2.GaussianBlur(cv2.resize(frame, (180, 180)), (0, 0), 2)
    identity = swapper.identify([poor, np.full((64, 64, 3), 60, np.uint8), frame])
    assert identity.picture is frame and len(identity.photos) == 2
    assert identity.notes == ("Photo 2 shows no face that can be used.",)


def test_an_identity_of_another_space_is_refused_with_e06(swapper: BasicSwapper) -> None:
    frame = portrait()
    face = face_of(swapper, frame)
    foreign = Identity(Embedding("arcface", np.float32([1, 0])), frame, face, ("0",))
    with pytest.raises(InvalidRequest) as caught:
        swapper.swap(frame, face, foreign)
    assert fault_of(caught.value).number == "E06"


def test_several_faces_are_followed_one_by_one(swapper: BasicSwapper) -> None:
    one = portrait((256, 256))

    def crowd(step: int) -> np.ndarray:
        wide = np.full((320, 1100, 3), 120, np.uint8)
        for place, left in enumerate((20 + 2 * step, 400, 790 - 2 * step)):
            wide[30:286, left:left + 256] = one if place != 1 else one[:, ::-1]
        return wide

    assert len(swapper.find(crowd(0), Look(thorough=True))) == 3
    for step in range(1, 6):
        faces = swapper.find(crowd(step), Look())
        assert len(faces) == 3, step
        lefts = sorted(face.box[0] for face in faces)
        assert lefts[0] == pytest.approx(20 + 2 * step + 74, abs=30)


def test_restoring_makes_it_clearer_and_not_other(swapper: BasicSwapper) -> None:
    frame = cv2.GaussianBlur(portrait(), (0, 0), 2.2)
    patch = BasicRestorer(Settings()).restore(frame, face_of(swapper, frame))
    old = frame[patch.area]
    sure = patch.mask > 0.9

    def detail(pixels: np.ndarray) -> float:
        return float(cv2.Laplacian(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.CV_32F)[sure].std())

    assert detail(patch.pixels) > 1.2 * detail(old)
    assert np.abs(patch.pixels[sure].astype(int).mean(0) - old[sure].mean(0)).max() < 4
    assert psnr(patch.pixels[sure], old[sure]) > 24
