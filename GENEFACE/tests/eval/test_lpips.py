"""LPIPS: its network written out once more on random weights, and the metric from end to end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from eval_metrics.contract import Frame, Options, Scene
from eval_metrics.metrics.lpips import Lpips
from visage.errors import BadMedia, InvalidRequest, NotInstalled

BACKBONE = {"features.0": (64, 3, 11, 11), "features.3": (192, 64, 5, 5), "features.6": (384, 192, 3, 3),
            "features.8": (256, 384, 3, 3), "features.10": (256, 256, 3, 3), "classifier.1": (4096, 9216),
            "classifier.4": (4096, 4096), "classifier.6": (1000, 4096)}
"""The published file of AlexNet: the shape of each ``weight``; ``bias`` has the first number."""
HEADS = {"lin0.model.1.weight": 64, "lin1.model.1.weight": 192, "lin2.model.1.weight": 384,
         "lin3.model.1.weight": 256, "lin4.model.1.weight": 256}
"""The published file of the heads, version 0.1: [1, channels, 1, 1] each."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("lpips")
    torch.manual_seed(1)
    state = {}
    for name, shape in BACKBONE.items():
        # the classifier is not read: one number stands for all of its
        small = torch.zeros(1).expand(shape) if name.startswith("classifier") else torch.randn(shape)
        state |= {f"{name}.weight": small * (2 / np.prod(shape[1:])) ** 0.5, f"{name}.bias": torch.rand(shape[0]) / 9}
    torch.save({name: value for name, value in state.items() if "classifier" not in name}
               | {name: value[:1].clone() for name, value in state.items() if "classifier" in name},
               folder / "alexnet-owt-7be5be79.pth")
    torch.save({name: torch.rand(1, size, 1, 1) for name, size in HEADS.items()}, folder / "alex.pth")
    return {"alexnet": folder / "alexnet-owt-7be5be79.pth", "lpips": folder / "alex.pth"}


def written_out(files: dict[str, Path], pred: np.ndarray, truth: np.ndarray) -> float:
    """LPIPS of two pictures by the formula, in double precision, a step a line."""
    backbone, heads = (torch.load(files[name], weights_only=True) for name in ("alexnet", "lpips"))
    total = 0.0
    maps = []
    for picture in (pred, truth):
        x = torch.tensor(picture.transpose(2, 0, 1)[None] / 255.0) * 2 - 1
        for channel, (shift, scale) in enumerate(((-0.03, 0.458), (-0.088, 0.448), (-0.188, 0.45))):
            x[:, channel] = (x[:, channel] - shift) / scale
        found = []
        for name, stride, padding, pooled in (("0", 4, 2, False), ("3", 1, 2, True), ("6", 1, 1, True),
                                              ("8", 1, 1, False), ("10", 1, 1, False)):
            if pooled:
                x = torch.nn.MaxPool2d(3, 2)(x)
            weight, bias = (backbone[f"features.{name}.{part}"].double() for part in ("weight", "bias"))
            x = torch.conv2d(x, weight, bias, stride, padding).clamp(min=0)
            found.append(x / (torch.linalg.vector_norm(x, dim=1, keepdim=True) + 1e-10))
        maps.append(found)
    for layer in range(5):
        apart = (maps[0][layer] - maps[1][layer]) ** 2
        weighted = apart[0] * heads[f"lin{layer}.model.1.weight"].double()[0]
        total += float(weighted.sum(0).mean())
    return total


def pair(seed: int, side: int = 96) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 256, (side, side + 20, 3), dtype=np.uint8)
    return np.clip(truth + rng.normal(0, 40, truth.shape), 0, 255).astype(np.uint8), truth


def scene() -> Scene:
    return Scene(Path("a.mp4"), Path("b.mp4"), 25.0, 11, "full", None, None)


def test_it_equals_the_formula_written_out(files: dict[str, Path]) -> None:
    metric = Lpips(Options(weights=files))
    pairs = [pair(seed) for seed in range(11)]
    for first in range(0, 11, 4):
        metric.take([Frame(n, n / 25, *pairs[n]) for n in range(first, min(first + 4, 11))])
    figure = metric.finish(scene())["lpips"]
    theirs = [written_out(files, *pairs[n]) for n in (0, 5, 10)]
    assert list(figure.series) == pytest.approx(theirs, rel=1e-4)
    assert figure.value == pytest.approx(np.mean(theirs), rel=1e-4)
    assert figure.frames == 3 and figure.every == 5 and figure.better == "lower" and figure.error > 0
    assert figure.weights["name"] == "alexnet/alexnet-owt-7be5be79.pth + lpips/alex.pth"


def test_equal_pictures_have_no_distance(files: dict[str, Path]) -> None:
    metric = Lpips(Options(weights=files))
    metric.take([Frame(0, 0.0, pair(1)[0], pair(1)[0])])
    assert metric.finish(scene())["lpips"].value == 0


def test_it_needs_both_files_of_the_right_form(files: dict[str, Path], tmp_path: Path) -> None:
    frame = Frame(0, 0.0, *pair(1))
    with pytest.raises(NotInstalled) as caught:
        Lpips(Options(weights={"alexnet": files["alexnet"]}, models=tmp_path, online=False)).take([frame])
    assert "GENEFACE/scripts/weights fetch lpips" in caught.value.hint
    with pytest.raises(NotInstalled) as caught:
        Lpips(Options(weights={"lpips": files["lpips"]}, models=tmp_path, online=False)).take([frame])
    assert "GENEFACE/scripts/weights fetch alexnet" in caught.value.hint
    with pytest.raises(BadMedia, match="lin0"):
        Lpips(Options(weights={"alexnet": files["alexnet"], "lpips": files["alexnet"]})).take([frame])
    with pytest.raises(BadMedia, match=r"10\.weight"):
        Lpips(Options(weights={"alexnet": files["lpips"], "lpips": files["lpips"]})).take([frame])


def test_small_pictures_and_none_get_a_reason(files: dict[str, Path]) -> None:
    with pytest.raises(InvalidRequest, match="64 pixels"):
        Lpips(Options(weights=files)).take([Frame(0, 0.0, *pair(1, 40))])
    with pytest.raises(InvalidRequest):
        Lpips(Options(weights=files)).finish(scene())
