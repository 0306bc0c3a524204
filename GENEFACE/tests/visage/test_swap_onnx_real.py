"""The published files themselves, where a folder of them is named: the table of their ports, and one run of each."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.visage.swap_kit import opened
from visage.swap.onnx import emap, painting, recognise, restoring
from visage.swap.onnx.detect import find
from visage.swap.onnx.files import Entry, Model, fingerprint, scan
from visage.swap.onnx.graph import Graph

FOLDER = os.environ.get("FACE_FUSION_MODELS") or os.environ.get("VISAGE_FACE_MODELS") or ""
pytestmark = pytest.mark.skipif(not FOLDER or not Path(FOLDER).is_dir(),
                                reason="FACE_FUSION_MODELS names no folder with the published models")
PORTS = {
    "scrfd": ([("float32", 4)], {1, 4, 10}),
    "arcface": ([("float32", 4)], {512}),
    "2d106": ([("float32", 4)], {212}),
    "3d68": ([("float32", 4)], {3309}),
    "genderage": ([("float32", 4)], {3}),
    "inswapper": ([("float32", 4), ("float32", 2)], {128}),
    "gfpgan": ([("float32", 4)], {512}),
}
"""Types and ranks of inputs, and the last lengths of outputs, as the specification's table 3.1 has them."""


def models(kind: str) -> list[Model]:
    entries: list[Entry] = scan(Path(FOLDER))
    found = [entry.model for entry in entries if entry.model and entry.model.spec.kind == kind]
    if not found:
        pytest.skip(f"there is no {kind} in {FOLDER}")
    return found


def lengths(graph: Graph) -> set[int]:
    return {port.shape[-1] for port in graph.outputs if port.shape and port.shape[-1]}


@pytest.mark.parametrize("kind", PORTS)
def test_the_published_ports_are_as_specified(kind: str) -> None:
    inputs, tails = PORTS[kind]
    for model in models(kind):
        assert [(port.dtype, len(port.shape or ())) for port in model.graph.inputs] == inputs
        assert lengths(model.graph) <= tails


def test_codeformers_weight_is_declared_and_larger_is_more_faithful() -> None:
    for model in models("codeformer"):
        assert sorted(len(port.shape or ()) for port in model.graph.inputs) == [1, 4]
        network = opened(model.path)
        rows, columns = np.mgrid[:512, :512]
        crop = np.stack([rows // 2, columns // 2, (rows + columns) // 4], -1).astype(np.uint8)[None]
        errors = [np.abs(restoring.clear(network, crop, one) - crop.astype(float)).mean() for one in (0.05, 1.0)]
        assert errors[1] <= errors[0]


def test_the_published_map_is_the_one_no_node_reads(tmp_path: Path) -> None:
    for model in models("inswapper"):
        matrix = emap.load(model.path, model.graph, fingerprint(model.path, tmp_path), tmp_path)
        assert matrix.shape == (512, 512) and np.isfinite(matrix).all() and matrix.std() > 0


def test_a_real_face_is_found_recognised_and_swapped() -> None:
    """The sample photo of scikit-image, painted with its own identity, stays that person."""
    from skimage import data

    photo = data.astronaut()
    found = find(opened(models("scrfd")[0].path), photo)
    assert len(found.scores) == 1 and found.fives is not None
    recogniser, network = opened(models("arcface")[0].path), opened(models("inswapper")[0].path)
    raw = recognise.embed(recogniser, recognise.crops(photo, [found.fives[0]]))[0]
    from visage.swap.onnx.geometry import align, between, cut

    crop = cut(photo, align(found.fives[0], "arcface", 128), 128)
    matrix = emap.load(network.model.path, network.model.graph, "real")
    painted = painting.paint(network, crop, painting.latent(raw, matrix))
    again = recognise.embed(recogniser, cut(painted, between("arcface", 128, "arcface", 112), 112)[None])[0]
    assert recognise.cosine(raw, again) > 0.5
