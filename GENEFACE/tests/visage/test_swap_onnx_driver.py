"""The ONNX engine behind the seam: photos to an identity, faces into frames, and a whole video through the pipeline."""

from __future__ import annotations

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.visage import swap_networks as nets
from tests.visage.media_clips import babble, clip
from visage.config import Settings
from visage.errors import BadImage, InvalidRequest, NotInstalled
from visage.media.frames import read_video
from visage.swap import open_restorer, open_swapper
from visage.swap.contract import Embedding, Face, Look
from visage.swap.onnx import OnnxRestorer, OnnxSwapper, geometry, painting, recognise
from visage.swap.onnx.kit import resize_for_fusion
from visage.swap.onnx.paste import blend
from visage.swap.onnx.swapper import Style
from visage.swap.options import SwapOptions, SwapRequest
from visage.swap.pipeline import swap_file


@pytest.fixture
def swapper(face_settings: Settings):
    with OnnxSwapper(face_settings, threads=1) as made:
        yield made


def colour(identity, matrix: np.ndarray) -> np.ndarray:
    """What the stand-in paints for an identity."""
    return 255 / (1 + np.exp(-40 * painting.latent(identity.own.raw, matrix)[0, :3]))


def face_at(left: float, top: float, side: float) -> Face:
    return Face((left, top, left + side, top + side), 1.0, nets.five(left, top, side))


# ---- find and identify ----------------------------------------------------------------------------------------------

def test_faces_come_largest_first_with_their_embeddings(swapper: OnnxSwapper) -> None:
    frame = nets.frame((400, 304, 64), (160, 200, 80))
    faces = swapper.find(frame, Look(embed=True))
    assert [round(face.box[2] - face.box[0]) for face in faces] == [80, 64]
    for face in faces:
        assert face.embedding is not None and face.embedding.space == swapper.space
        assert np.linalg.norm(face.embedding.vector) == pytest.approx(1, abs=1e-5)
    assert swapper.find(frame, Look())[0].embedding is None
    assert swapper.find(nets.frame(), Look()) == []


def test_the_space_is_the_recognisers_content_not_its_name(face_models: Path, tmp_path: Path) -> None:
    sha256 = hashlib.sha256((face_models / "buffalo_l" / "w600k_r50.onnx").read_bytes()).hexdigest()
    models = tmp_path / "models"
    shutil.copytree(face_models, models)
    (models / "buffalo_l" / "w600k_r50.onnx").rename(models / "arcface_any.onnx")
    with OnnxSwapper(Settings(home=tmp_path, face_models=models), threads=1) as renamed:
        assert renamed.space == f"arcface:{sha256[:12]}"


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_still_is_found_when_it_is_looked_at_hard(turns: int, swapper: OnnxSwapper,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    """The detector is made to see upright pictures only: those with a white stripe at the top."""
    from visage.swap.onnx import finding

    whole = finding.find

    def upright(network, frame, **more):
        found = whole(network, frame, **more)
        kept = slice(None) if frame[2, frame.shape[1] // 2].min() > 200 else slice(0, 0)
        return finding.Found(found.boxes[kept], found.scores[kept], found.fives[kept])

    monkeypatch.setattr(finding, "find", upright)
    frame = nets.frame((160, 200, 80), size=(400, 560))
    frame[:6] = 255
    turned = np.ascontiguousarray(np.rot90(frame, turns))
    faces = swapper.find(turned, Look(thorough=True))
    assert len(faces) == 1
    left, top, right, bottom = (round(value) for value in faces[0].box)
    inner = turned[top + 2:bottom - 2, left + 2:right - 2].reshape(-1, 3)
    assert (inner == (255, 0, 0)).all() and right - left == pytest.approx(80, abs=2)


def test_a_face_without_enough_contrast_is_found_with_a_lower_score(swapper: OnnxSwapper) -> None:
    frame = nets.frame()
    frame[200:280, 160:240] = (190, 45, 45)
    assert swapper.find(frame, Look()) == []
    found = swapper.find(frame, Look(thorough=True))
    assert len(found) == 1 and 0.3 <= found[0].score < 0.5


def test_an_identity_is_of_the_largest_face_of_each_photo(swapper: OnnxSwapper) -> None:
    one, two, none = nets.frame((160, 200, 80), (400, 304, 64)), nets.frame((80, 80, 120)), nets.frame()
    identity = swapper.identify([one, none, two])
    assert identity.notes[:2] == ("Photo 1 shows 2 faces; the largest is used.",
                                  "Photo 2 shows no face that can be used.")
    assert identity.photos == tuple(hashlib.sha256(each).hexdigest() for each in (one, two))
    raws = [recognise.embed(swapper.kit.networks["recognise"], recognise.crops(photo, [five]))[0]
            for photo, five in ((one, nets.five(160, 200, 80)), (two, nets.five(80, 80, 120)))]
    low, high = np.minimum(*raws) - 1e-3, np.maximum(*raws) + 1e-3
    assert ((identity.own.raw >= low) & (identity.own.raw <= high)).all(), "it lies between those of the photos"
    with pytest.raises(BadImage, match="No face was found") as caught:
        swapper.identify([none])
    assert caught.value.code == "swap.no_face_source"


# ---- swap -----------------------------------------------------------------------------------------------------------

def test_the_painted_face_lies_where_the_face_was(swapper: OnnxSwapper) -> None:
    frame = nets.frame((160, 200, 80))
    identity = swapper.identify([nets.frame((80, 80, 120), ground=20)])
    face = swapper.find(frame, Look())[0]
    part = swapper.swap(frame, face, identity)
    result = blend(frame, part)
    expected = frame * 0.5 + colour(identity, nets.emap()) * 0.5
    assert np.abs(result[236:246, 196:206] - expected[236:246, 196:206]).max() <= 1
    outside = np.ones(frame.shape[:2], bool)
    outside[part.area] = part.mask == 0
    assert np.array_equal(result[outside], frame[outside])


@pytest.mark.parametrize("boost", [2, 4])
def test_a_pixel_boost_paints_the_same_finer(boost: int, swapper: OnnxSwapper, face_settings: Settings) -> None:
    frame = nets.frame((100, 100, 400), ground=60)
    identity = swapper.identify([nets.frame((80, 80, 120))])
    with OnnxSwapper(face_settings, Style(boost=boost), threads=1) as fine:
        before = fine.kit.networks["swap"].session.runs
        finer = fine.swap(frame, face_at(100, 100, 400), identity)
        assert fine.kit.networks["swap"].session.runs - before == boost**2
    plain = swapper.swap(frame, face_at(100, 100, 400), identity)
    edge = {name: np.abs(np.diff(part.pixels[..., 0].astype(int), axis=1)).max()
            for name, part in (("fine", finer), ("plain", plain))}
    assert edge["fine"] > 1.2 * edge["plain"]
    with pytest.raises(InvalidRequest, match="no pixel boost 5"):
        OnnxSwapper(face_settings, Style(boost=5))


def test_no_strength_leaves_the_targets_own_identity(swapper: OnnxSwapper, face_settings: Settings) -> None:
    frame = nets.frame((160, 200, 80))
    identity = swapper.identify([nets.frame((80, 80, 120), ground=20)])
    own = swapper.find(frame, Look(embed=True))[0]
    with OnnxSwapper(face_settings, Style(strength=0.0), threads=1) as weak:
        part = weak.swap(frame, own, identity)
    assert own.embedding is not None
    expected = 127.5 + 127.5 / (1 + np.exp(-40 * painting.latent(own.embedding.vector, nets.emap())[0, 0]))
    middle = part.pixels[part.pixels.shape[0] // 2, part.pixels.shape[1] // 2, 0]
    assert middle == pytest.approx(expected, abs=2)


def test_an_identity_of_another_space_is_refused(swapper: OnnxSwapper) -> None:
    from dataclasses import replace

    frame = nets.frame((160, 200, 80))
    identity = swapper.identify([frame])
    foreign = replace(identity, embedding=Embedding("embedded-v1", identity.embedding.vector))
    with pytest.raises(InvalidRequest) as caught:
        swapper.swap(frame, face_at(160, 200, 80), foreign)
    assert caught.value.code == "swap.spaces_mixed"


def test_a_hand_before_the_face_stays(face_models: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(face_models, models)
    nets.occluder(models / "xseg_1.onnx")
    frame = nets.frame((160, 200, 80))
    frame[240:, 160:240] = (0, 0, 255)
    with OnnxSwapper(Settings(home=tmp_path, face_models=models), threads=1) as swapper:
        identity = swapper.identify([nets.frame((80, 80, 120))])
        part = swapper.swap(frame, face_at(160, 200, 80), identity)
    result = blend(frame, part)
    assert np.array_equal(result[248:, 164:236], frame[248:, 164:236])
    assert not np.array_equal(result[220:230, 190:210], frame[220:230, 190:210])


def test_eight_threads_paint_the_same(swapper: OnnxSwapper) -> None:
    frame = nets.frame((160, 200, 80))
    identity, face = swapper.identify([frame]), face_at(160, 200, 80)
    expected = swapper.swap(frame, face, identity).pixels
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda _: swapper.swap(frame, face, identity).pixels, range(40)))
    assert all(np.array_equal(part, expected) for part in parts)


# ---- restore --------------------------------------------------------------------------------------------------------

def test_a_face_is_restored_where_it_is(face_settings: Settings) -> None:
    frame = nets.frame((200, 200, 160), ground=60)
    frame[200:360, 200:360] = (200, 60, 60)
    with OnnxRestorer(face_settings, threads=1) as restorer:
        part = restorer.restore(frame, face_at(200, 200, 160))
    assert restorer.title == "GFPGANv1.4" and part.mask.max() == 1
    middle = part.pixels[part.pixels.shape[0] // 2, part.pixels.shape[1] // 2]
    assert middle == pytest.approx(((np.array([200, 60, 60]) / 127.5 - 1) * 1.1 + 1) * 127.5, abs=1)
    assert np.allclose(geometry.place(nets.five(200, 200, 160), geometry.align(nets.five(200, 200, 160), "ffhq", 512)),
                       geometry.ffhq(512), atol=25)


def test_a_face_that_would_become_another_stays_as_it_was(face_models: Path, tmp_path: Path) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (640, 640, 3), np.uint8)
    frame[200:360, 200:360] = (200, 60, 60)
    settings = Settings(home=tmp_path, face_models=face_models, face_restorer="codeformer.onnx", face_fidelity=0.05)
    with OnnxRestorer(settings, limit=0.9, threads=1) as restorer:
        part = restorer.restore(frame, face_at(200, 200, 160))
        assert restorer.drifts and restorer.drifts[0] < 0.9
        assert part.mask.max() == 0 and restorer.refused == 1
        assert any("would have been somebody else" in note for note in restorer.notes)
    with OnnxRestorer(settings, limit=0, threads=1) as restorer:
        assert restorer.restore(frame, face_at(200, 200, 160)).mask.max() == 1
        assert "recognise" not in restorer.kit.networks


# ---- as a whole -----------------------------------------------------------------------------------------------------

def test_without_models_both_doors_say_what_is_missing(tmp_path: Path) -> None:
    for door in (open_swapper, open_restorer):
        with pytest.raises(NotInstalled, match="does not exist") as caught:
            door("onnx", Settings(home=tmp_path))
        assert str(tmp_path / "model_cache" / "face_models") in caught.value.message


def test_a_large_picture_is_made_smaller_and_never_larger() -> None:
    small, scale = resize_for_fusion(np.zeros((1000, 2560, 3), np.uint8))
    assert small.shape == (500, 1280, 3) and scale == 0.5
    same = np.zeros((100, 200, 3), np.uint8)
    assert resize_for_fusion(same)[0] is same


def test_a_video_goes_through_the_pipeline(swapper: OnnxSwapper, face_settings: Settings, tmp_path: Path) -> None:
    places = [(64 + 4 * n, 80, 56) for n in range(12)]
    target = clip(tmp_path / "talk.mp4", [nets.frame(place, size=(240, 320)) for place in places], babble(0.48))
    identity = swapper.identify([nets.frame((80, 80, 120), ground=20)])
    with open_restorer("onnx", face_settings) as restorer:
        asked = SwapRequest(target, tmp_path / "out.mp4", SwapOptions(occlusion=False, smooth=False, restore=0.5),
                            tmp_path / "root")
        result = swap_file(asked, swapper, identity, restorer)
    assert (result.frames_in, result.frames_out, result.swapped, dict(result.skipped)) == (12, 12, 12, {})
    assert result.provider == "CPUExecutionProvider" and result.sound == "copied"
    assert set(swapper.notes) <= set(result.notes)
    inner = colour(identity, nets.emap()) * 0.5 + np.array([127.5, 0, 0])
    expected = 0.5 * inner + 0.5 * np.clip((inner / 127.5 - 1) * 1.1 * 127.5 + 127.5, 0, 255)
    for (left, top, side), frame in zip(places, read_video(result.out), strict=True):
        x, y = left + side // 2, top + side // 2
        assert np.abs(frame[y - 6:y + 6, x - 6:x + 6].reshape(-1, 3).mean(0) - expected).max() < 12
        assert np.abs(frame[:20].astype(int) - 90).max() < 8
