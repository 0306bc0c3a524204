"""Identity similarity on real landmarks, with a stand-in for the recogniser that has its inputs and outputs."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from eval_metrics.contract import Frame, Options, Scene
from eval_metrics.metrics.identity import PLACES, SIDE, Identity, crop, five_points
from eval_metrics.weights import seek
from tests.visage.media_clips import portrait
from visage.errors import BadMedia, InvalidRequest, NotInstalled
from visage.faces import open_faces


def recogniser(place: Path, flat: bool = True) -> Path:
    """A network [N, 3, 112, 112] to [N, 512] as a recogniser's file has it: an average over 8 x 8, then a random mix."""
    mix = np.random.default_rng(1).normal(size=(3 * 14 * 14, 512)).astype(np.float32)
    nodes = [helper.make_node("AveragePool", ["input.1"], ["small"], kernel_shape=[8, 8], strides=[8, 8])]
    if flat:
        nodes += [helper.make_node("Flatten", ["small"], ["row"]), helper.make_node("MatMul", ["row", "mix"], ["out"])]
    else:
        nodes += [helper.make_node("Identity", ["small"], ["out"])]
    shape = ["N", 512] if flat else ["N", 3, 14, 14]
    graph = helper.make_graph(nodes, "stand-in", [helper.make_tensor_value_info("input.1", TensorProto.FLOAT,
                                                                                ["N", 3, SIDE, SIDE])],
                              [helper.make_tensor_value_info("out", TensorProto.FLOAT, shape)],
                              [numpy_helper.from_array(mix, "mix")] if flat else [])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), place)
    return place


@pytest.fixture(scope="module")
def face() -> tuple[np.ndarray, np.ndarray]:
    """A portrait of 512 pixels and its mesh."""
    picture = cv2.resize(portrait(), (512, 512), interpolation=cv2.INTER_CUBIC)
    finder = open_faces()
    try:
        return picture, finder.find(picture)[0].points
    finally:
        finder.close()


def moved(picture: np.ndarray, mesh: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turned by 15 degrees, smaller, and elsewhere; with its mesh."""
    turn = cv2.getRotationMatrix2D((200, 260), 15, 0.8)
    return cv2.warpAffine(picture, turn, (512, 512)), mesh[:, :2] @ turn[:, :2].T + turn[:, 2]


def scene() -> Scene:
    return Scene(Path("a.mp4"), Path("b.mp4"), 25.0, 6, "mouth", None, None)


def frame(index: int, pred: tuple, truth: tuple) -> Frame:
    small = np.zeros((8, 8, 3), np.uint8)
    return Frame(index, index / 25, small, small, pred[1], truth[1], pred[0], truth[0])


def test_the_five_points_are_where_a_person_sees_them(face: tuple[np.ndarray, np.ndarray]) -> None:
    left, right, nose, low_left, low_right = five_points(face[1])
    assert left[0] < nose[0] < right[0] and low_left[0] < nose[0] < low_right[0]
    assert max(left[1], right[1]) < nose[1] < min(low_left[1], low_right[1])


def test_crops_of_a_moved_face_are_alike(face: tuple[np.ndarray, np.ndarray]) -> None:
    one, other = crop(*face), crop(*moved(*face))
    assert one.shape == (SIDE, SIDE, 3)
    inner = (slice(20, 105), slice(20, 92))
    assert np.abs(one[inner].astype(int) - other[inner]).mean() < 6
    assert np.abs(one[inner].astype(int) - face[0][:SIDE, :SIDE][inner]).mean() > 25
    assert PLACES.shape == (5, 2)


def test_the_cosine_of_embeddings(face: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    file = recogniser(tmp_path / "w600k_r50.onnx")
    other = (255 - face[0], face[1])
    metric = Identity(Options(weights={"arcface": file}))
    metric.take([frame(0, face, face), *[frame(n, face, other) for n in range(1, 5)]])
    metric.take([frame(5, moved(*face), face), *[frame(n, face, other) for n in range(6, 10)], frame(10, other, face)])
    figure = metric.finish(scene())["identity"]
    same, turned, negative = figure.series
    assert same == pytest.approx(1, abs=1e-5) and 0.9 < turned < 1 and negative < 0.2
    assert figure.value == pytest.approx((same + turned + negative) / 3) and figure.frames == 3
    mix = np.random.default_rng(1).normal(size=(3 * 14 * 14, 512)).astype(np.float32)
    rows = [((crop(picture, mesh).astype(np.float32) - 127.5) / 127.5).transpose(2, 0, 1)
            .reshape(3, 14, 8, 14, 8).mean((2, 4)).ravel() @ mix for picture, mesh in (moved(*face), face)]
    assert turned == pytest.approx(rows[0] @ rows[1] / np.linalg.norm(rows[0]) / np.linalg.norm(rows[1]), abs=1e-4)
    assert figure.weights["sha256"] == seek("arcface", Options(weights={"arcface": file})).sha256


def test_frames_without_a_face_do_not_count(face: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    metric = Identity(Options(weights={"arcface": recogniser(tmp_path / "a.onnx")}))
    faceless = (face[0], None)
    metric.take([frame(n, face, faceless if n < 5 else face) for n in range(6)])
    figure = metric.finish(scene())["identity"]
    assert figure.frames == 1 and "1 frames without a face" in figure.note
    never = Identity(Options(models=tmp_path, online=False))
    never.take([frame(0, face, faceless)])
    with pytest.raises(InvalidRequest, match="No frame shows a face"):
        never.finish(scene())


def test_without_a_recogniser_it_says_what_mends_it(face: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    for online in (False, True):
        with pytest.raises(NotInstalled) as caught:
            Identity(Options(models=tmp_path, online=online)).take([frame(0, face, face)])
        assert "GENEFACE/scripts/weights fetch arcface" in caught.value.hint
    assert "non-commercial" in caught.value.message, "it is never downloaded without being asked for"


def test_other_networks_are_refused(face: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    (tmp_path / "torn.onnx").write_bytes(recogniser(tmp_path / "whole.onnx").read_bytes()[:5000])
    for file in (recogniser(tmp_path / "maps.onnx", flat=False), tmp_path / "torn.onnx"):
        with pytest.raises(BadMedia, match="cannot be used as arcface"):
            Identity(Options(weights={"arcface": file})).take([frame(0, face, face)])
