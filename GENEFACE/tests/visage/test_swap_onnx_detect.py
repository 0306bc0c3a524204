"""Faces out of what detectors answer, on stand-ins that see a red square exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.visage import swap_networks as nets
from tests.visage.swap_kit import opened
from visage.swap.onnx.detect import Found, centres, decode_yolo, decode_yunet, find, suppress


def test_boxes_and_points_are_exact(face_models: Path) -> None:
    network = opened(face_models / "buffalo_l" / "det_10g.onnx")
    found = find(network, nets.frame((160, 200, 80), (400, 304, 64)))
    order = np.argsort(found.boxes[:, 0])
    assert np.allclose(found.boxes[order], [[160, 200, 240, 280], [400, 304, 464, 368]], atol=0.01)
    assert np.allclose(found.fives[order], [nets.five(160, 200, 80), nets.five(400, 304, 64)], atol=0.01)
    assert found.scores.min() > 0.99


def test_a_frame_with_swapped_colours_shows_no_face(face_models: Path) -> None:
    network = opened(face_models / "buffalo_l" / "det_10g.onnx")
    frame = nets.frame((160, 200, 80))
    assert len(find(network, frame).scores) == 1
    assert len(find(network, np.ascontiguousarray(frame[..., ::-1])).scores) == 0


def test_the_face_is_the_same_at_320_and_640(face_models: Path) -> None:
    network = opened(face_models / "buffalo_l" / "det_10g.onnx")
    frame = nets.frame((256, 320, 160), size=(1280, 1280))
    small, large = find(network, frame, side=320), find(network, frame, side=640)
    assert np.allclose(small.boxes, [[256, 320, 416, 480]], atol=0.05)
    assert np.allclose(small.boxes, large.boxes, atol=0.05)
    assert np.allclose(small.fives, large.fives, atol=0.05)


def test_a_wide_frame_is_scaled_back_by_its_own_size(face_models: Path) -> None:
    network = opened(face_models / "buffalo_l" / "det_10g.onnx")
    found = find(network, nets.frame((640, 160, 128), size=(540, 1280)))
    assert np.allclose(found.boxes, [[640, 160, 768, 288]], atol=0.05)


@pytest.mark.parametrize("form", [{"batched": True}, {"points": False}, {"strides": (8, 16, 32, 64, 128)}],
                         ids=["batched", "6 outputs", "15 outputs"])
def test_other_exports_of_the_detector_find_the_same(form: dict, tmp_path: Path) -> None:
    found = find(opened(nets.detector(tmp_path / "a.onnx", **form)), nets.frame((160, 200, 80)))
    assert np.allclose(found.boxes, [[160, 200, 240, 280]], atol=0.01)
    if form.get("points") is False:
        assert found.fives is None
    else:
        assert np.allclose(found.fives, [nets.five(160, 200, 80)], atol=0.01)


def test_anchors_stand_at_corners_and_a_cells_lie_side_by_side() -> None:
    assert centres(2, 3, 8, 2).tolist() == [[0, 0], [0, 0], [8, 0], [8, 0], [16, 0], [16, 0],
                                            [0, 8], [0, 8], [8, 8], [8, 8], [16, 8], [16, 8]]


def test_the_surest_of_overlapping_boxes_stays() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [0, 0, 10, 4.1], [30, 30, 40, 40]], np.float32)
    kept = suppress(Found(boxes, np.array([0.8, 0.9, 0.7, 0.6], np.float32), None))
    # the third shares 31 of 110 square pixels with the surest
    assert kept.scores.tolist() == pytest.approx([0.9, 0.7, 0.6])


def test_yunet_is_decoded_by_its_own_rule() -> None:
    outputs = []
    for last in (1, 1, 4, 10):
        outputs += [np.zeros((1, (64 // stride)**2, last), np.float32) for stride in (8, 16, 32)]
    cell = 2 * 4 + 1
    outputs[1][0, cell], outputs[4][0, cell] = 0.81, 1.0
    outputs[7][0, cell] = [0.5, 0.25, np.log(2), np.log(3)]
    outputs[10][0, cell, :2] = [1, -1]
    found = decode_yunet(outputs, 64)
    assert found.scores.tolist() == pytest.approx([0.9])
    assert found.boxes[0].tolist() == pytest.approx([16 + 8 - 16, 32 + 4 - 24, 16 + 8 + 16, 32 + 4 + 24])
    assert found.fives[0, 0].tolist() == [32, 16]


def test_yolo_is_decoded_by_its_own_rule() -> None:
    rows = np.zeros((1, 20, 5), np.float32)
    rows[0, :, 2] = [50, 40, 20, 10, 0.8, *np.arange(15)]
    found = decode_yolo([rows])
    assert found.boxes.tolist() == [[40, 35, 60, 45]]
    assert found.fives[0].tolist() == [[0, 1], [3, 4], [6, 7], [9, 10], [12, 13]]


def test_a_network_that_is_weighed_down_answers_as_before(tmp_path: Path) -> None:
    """What the benchmark measures with must still be what the tests know."""
    light, heavy = nets.detector(tmp_path / "a.onnx"), nets.detector(tmp_path / "b.onnx")
    assert nets.weigh_down(heavy, "input.1", (640, 640), 32, 16, 2) == pytest.approx(400 * (2 * 2304 + 49152) / 1e9)
    frame = nets.frame((160, 200, 80))
    assert np.array_equal(find(opened(light), frame).boxes, find(opened(heavy), frame).boxes)


def test_the_detector_is_given_the_numbers_it_was_trained_with(face_models: Path,
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    network = opened(face_models / "buffalo_l" / "det_10g.onnx")
    given: list[np.ndarray] = []
    run = network.run
    monkeypatch.setattr(network, "run", lambda feeds: given.append(feeds["image"]) or run(feeds))
    find(network, nets.frame((0, 0, 320), size=(640, 640), ground=0), side=320)
    assert given[0].shape == (1, 3, 320, 320)
    assert given[0][0, :, 100, 100].tolist() == pytest.approx([127.5 / 128, -127.5 / 128, -127.5 / 128])
