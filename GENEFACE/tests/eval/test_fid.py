"""FID: its distance against two libraries, its network against the published names, the metric from end to end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from eval_metrics.contract import Figure, Frame, Options, Scene
from eval_metrics.metrics.fid import Fid
from eval_metrics.metrics.fid_inception import Inception, resized
from eval_metrics.metrics.frechet import Moments, frechet_distance
from tests.eval.inception_names import CLASSIFIER, CONVOLUTIONS
from visage.errors import BadMedia, InvalidRequest, NotFound, NotInstalled


def moments(vectors: np.ndarray, batch: int = 0) -> Moments:
    found = Moments()
    for first in range(0, len(vectors), batch or len(vectors)):
        found.add(vectors[first : first + (batch or len(vectors))])
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("length", [1, 8, 64])
def test_it_equals_the_matrix_root_on_random_features(seed: int, length: int) -> None:
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(length, length))
    one = rng.normal(size=(400, length)) @ mixing + rng.normal(size=length)
    other = rng.normal(size=(300, length)) @ mixing.T * 1.3
    ours = frechet_distance(moments(one), moments(other))
    covariances = [np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (one, other)]
    root = np.real(sqrtm(covariances[0] @ covariances[1]))
    theirs = ((one.mean(0) - other.mean(0)) ** 2).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert ours == pytest.approx(theirs, abs=1e-4 * max(1.0, theirs))
    assert frechet_distance(moments(other), moments(one)) == pytest.approx(ours, rel=1e-9)


def test_fewer_vectors_than_features_lose_nothing() -> None:
    """With few vectors the roots are the singular values of one set of them times the other."""
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(12, 200)), rng.normal(size=(9, 200)) + 0.2
    flat = [(rows - rows.mean(0)) / np.sqrt(len(rows) - 1) for rows in (one, other)]
    shared = np.linalg.svd(flat[0] @ flat[1].T, compute_uv=False).sum()
    away = one.mean(0) - other.mean(0)
    theirs = away @ away + (flat[0] ** 2).sum() + (flat[1] ** 2).sum() - 2 * shared
    assert frechet_distance(moments(one), moments(other)) == pytest.approx(theirs, rel=1e-9)
    assert frechet_distance(moments(one), moments(one)) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(moments(np.ones((5, 4))), moments(np.zeros((5, 4)))) == pytest.approx(4)


def test_moments_come_out_the_same_in_any_batches() -> None:
    rows = np.random.default_rng(2).normal(1e4, 1, size=(101, 30))
    for batch in (1, 7, 101):
        found = moments(rows, batch)
        np.testing.assert_allclose(found.mean, rows.mean(0), rtol=1e-12)
        np.testing.assert_allclose(found.covariance, np.cov(rows, rowvar=False), rtol=1e-9, atol=1e-9)


def test_it_equals_torchmetrics_on_the_same_network() -> None:
    from torchmetrics.image.fid import FrechetInceptionDistance

    class Small(torch.nn.Module):
        """A feature network as small as it can be."""

        num_features = 16

        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(3)
            self.layers = torch.nn.Sequential(torch.nn.Conv2d(3, 16, 5, stride=4), torch.nn.ReLU(),
                                              torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layers(x.float() / 255).double()

    network = Small().eval()
    rng = np.random.default_rng(4)
    real, made = (torch.from_numpy(rng.integers(0, top, (60, 3, 40, 40), dtype=np.uint8)) for top in (256, 180))
    theirs = FrechetInceptionDistance(feature=network)
    ours = [Moments(), Moments()]
    with torch.inference_mode():
        for first in range(0, 60, 20):
            for place, pictures in enumerate((real, made)):
                part = pictures[first : first + 20]
                theirs.update(part, real=place == 0)
                ours[place].add(network(part).numpy())
    # torchmetrics gathers in single precision
    assert frechet_distance(*ours) == pytest.approx(float(theirs.compute()), rel=1e-3, abs=1e-4)


# the network

def published_shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = dict(CLASSIFIER)
    for name, shape in (line.split() for line in CONVOLUTIONS.split("\n") if line):
        sizes = tuple(int(size) for size in shape.split("x"))
        shapes[f"{name}.conv.weight"] = sizes
        shapes |= {f"{name}.bn.{part}": sizes[:1] for part in ("weight", "bias", "running_mean", "running_var")}
    return shapes


def test_the_network_has_the_published_names_and_shapes() -> None:
    ours = {name: tuple(value.shape) for name, value in Inception().state_dict().items()
            if not name.endswith("num_batches_tracked")}
    assert len(published_shapes()) == 94 * 5 + 2 and ours == published_shapes()


def random_state() -> dict[str, torch.Tensor]:
    """What the published file holds, drawn by chance so that no layer dies out."""
    torch.manual_seed(6)
    state = {}
    for name, shape in published_shapes().items():
        if name.endswith("conv.weight"):
            state[name] = torch.randn(shape) * (2 / np.prod(shape[1:])) ** 0.5
        else:
            state[name] = torch.rand(shape) * 0.4 + (0.8 if name.endswith(("running_var", "bn.weight")) else -0.2)
    return state


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("inception") / "pt_inception-2015-12-05-6726825d.pth"
    torch.save(random_state(), file)
    return file


def test_resizing_reads_where_tensorflow_1_does() -> None:
    picture = np.random.default_rng(7).uniform(0, 255, (1, 2, 13, 29))
    ours = resized(torch.from_numpy(picture), 41).numpy()
    for row, column in ((0, 0), (7, 33), (40, 40), (39, 1), (20, 40)):
        y, x = row * 13 / 41, column * 29 / 41
        top, left = int(y), int(x)
        low, right = min(top + 1, 12), min(left + 1, 28)
        for channel in range(2):
            plane = picture[0, channel]
            above = plane[top, left] * (1 - x + left) + plane[top, right] * (x - left)
            below = plane[low, left] * (1 - x + left) + plane[low, right] * (x - left)
            assert ours[0, channel, row, column] == pytest.approx(above * (1 - y + top) + below * (y - top))
    same = torch.rand(1, 3, 299, 299)
    assert torch.equal(resized(same, 299), same)


# the metric

def frames(count: int, apart: float, side: int = 80) -> list[Frame]:
    rng = np.random.default_rng(8)
    made = []
    for index in range(count):
        truth = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
        pred = np.clip(truth + rng.normal(0, apart, truth.shape), 0, 255).astype(np.uint8) if apart else truth
        made.append(Frame(index, index / 25, pred, truth))
    return made


def scene() -> Scene:
    return Scene(Path("a.mp4"), Path("b.mp4"), 25.0, 3, "face", None, None)


def figure_of(weights: Path, apart: float) -> Figure:
    metric = Fid(Options(weights={"inception": weights}))
    made = frames(3, apart)
    metric.take(made[:2])
    metric.take(made[2:])
    return metric.finish(scene())["fid"]


def test_from_frames_to_a_figure(weights: Path) -> None:
    same, far = (figure_of(weights, apart) for apart in (0, 60))
    assert same.value == pytest.approx(0, abs=1e-6) and far.value > 1e-3
    assert far.frames == 3 and far.better == "lower" and far.error is None and far.parameters["region"] == "face"
    assert "3 frames for 2048 features" in far.note
    assert far.weights["source"] == "given" and far.weights["checksum"] == "differs from the published file"
    assert len(far.weights["sha256"]) == 64


def test_without_weights_it_says_what_mends_it(tmp_path: Path) -> None:
    metric = Fid(Options(models=tmp_path, online=False))
    with pytest.raises(NotInstalled, match=r"pt_inception-2015-12-05-6726825d\.pth") as caught:
        metric.take(frames(1, 5))
    assert "GENEFACE/scripts/weights fetch inception" in caught.value.hint and str(tmp_path) in caught.value.hint
    with pytest.raises(NotFound):
        Fid(Options(weights={"inception": tmp_path / "nothing.pth"})).take(frames(1, 5))


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    state = random_state()
    for name, change in (("lacks", lambda: state.pop("Mixed_7c.branch_pool.bn.bias")),
                         ("shape", lambda: state.update({"Mixed_7c.branch_pool.bn.bias": torch.zeros(191)}))):
        change()
        torch.save(state, tmp_path / f"{name}.pth")
        with pytest.raises(BadMedia, match=r"Mixed_7c\.branch_pool\.bn\.bias"):
            Fid(Options(weights={"inception": tmp_path / f"{name}.pth"})).take(frames(1, 5))
    (tmp_path / "page.pth").write_bytes(b"<!DOCTYPE html><html>Log in</html>")
    with pytest.raises(BadMedia, match="web page"):
        Fid(Options(weights={"inception": tmp_path / "page.pth"})).take(frames(1, 5))


def test_one_frame_is_not_enough(weights: Path) -> None:
    metric = Fid(Options(weights={"inception": weights}))
    metric.take(frames(1, 5))
    with pytest.raises(InvalidRequest, match="two frames"):
        metric.finish(scene())
