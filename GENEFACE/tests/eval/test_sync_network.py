"""SyncNet: the published names and shapes, and a forward pass that equals one written out by hand."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from eval_metrics.contract import Options
from eval_metrics.metrics.sync.network import SyncNet, embed_pictures, embed_sound, load_syncnet
from eval_metrics.weights import seek
from visage.errors import BadMedia, NotFound, NotInstalled

LAYERS = {
    "netcnnaud": {0: (64, 1, 3, 3), 4: (192, 64, 3, 3), 8: (384, 192, 3, 3), 11: (256, 384, 3, 3),
                  14: (256, 256, 3, 3), 18: (512, 256, 5, 4)},
    "netcnnlip": {0: (96, 3, 5, 7, 7), 4: (256, 96, 1, 5, 5), 8: (256, 256, 1, 3, 3), 11: (256, 256, 1, 3, 3),
                  14: (256, 256, 1, 3, 3), 18: (512, 256, 1, 6, 6)},
    "netfcaud": {0: (512, 512), 3: (1024, 512)},
    "netfclip": {0: (512, 512), 3: (1024, 512)},
}
"""Weights of the published file, by tower and number; all but the last of a head are followed by normalisation."""
PUBLISHED_BYTES = 54_573_114
"""Of syncnet_v2.model."""


def published_shapes() -> dict[str, tuple[int, ...]]:
    """Every name in the published state dict, counters of the normalisation aside, and its shape."""
    shapes: dict[str, tuple[int, ...]] = {}
    for tower, layers in LAYERS.items():
        for number, shape in layers.items():
            shapes |= {f"{tower}.{number}.weight": shape, f"{tower}.{number}.bias": shape[:1]}
            if number != 3:
                names = ("weight", "bias", "running_mean", "running_var")
                shapes |= {f"{tower}.{number + 1}.{name}": shape[:1] for name in names}
    return shapes


def random_state(seed: int = 3) -> OrderedDict[str, torch.Tensor]:
    """Parameters of the published shapes, drawn so that embeddings neither vanish nor explode."""
    torch.manual_seed(seed)
    state = OrderedDict()
    for name, shape in published_shapes().items():
        drawn = torch.randn(shape)
        if name.endswith("running_var"):
            drawn = drawn.abs() + 0.5
        elif len(shape) > 1:
            drawn *= (2 / np.prod(shape[1:])) ** 0.5
        state[name] = drawn if len(shape) > 1 else drawn * 0.3 + name.endswith((".weight", "running_var"))
    return state


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("syncnet") / "syncnet_v2.model"
    torch.save(random_state(), path)
    return path


@pytest.fixture(scope="module")
def network(file: Path) -> SyncNet:
    return load_syncnet(seek("syncnet", Options(weights={"syncnet": file})))


def normal(x: torch.Tensor, state: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    """Batch normalisation in evaluation, from its definition."""
    def part(what: str) -> torch.Tensor:
        return state[f"{name}.{what}"].reshape(1, -1, *[1] * (x.dim() - 2))

    return (x - part("running_mean")) / torch.sqrt(part("running_var") + 1e-5) * part("weight") + part("bias")


def head(x: torch.Tensor, state: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    x = x @ state[f"{name}.0.weight"].T + state[f"{name}.0.bias"]
    x = F.relu(normal(x, state, f"{name}.1"))
    return x @ state[f"{name}.3.weight"].T + state[f"{name}.3.bias"]


def test_names_and_shapes_are_the_published_ones() -> None:
    own = {name: tuple(value.shape) for name, value in SyncNet().state_dict().items()}
    counters = {name for name in own if name.endswith("num_batches_tracked")}
    assert {name: shape for name, shape in own.items() if name not in counters} == published_shapes()
    assert len(counters) == 14
    numbers = sum(int(np.prod(shape)) for shape in published_shapes().values())
    assert 0 < PUBLISHED_BYTES - 4 * numbers < 20_000, "the file is its numbers and a little round them"


@pytest.mark.parametrize("counters", [False, True])
def test_a_state_dict_loads_strictly_with_or_without_counters(counters: bool) -> None:
    state = random_state()
    if counters:
        state |= {name: torch.tensor(0) for name in SyncNet().state_dict() if name.endswith("num_batches_tracked")}
    network = SyncNet()
    network.load_state_dict(state, strict=True)
    assert torch.equal(network.state_dict()["netcnnlip.18.weight"], state["netcnnlip.18.weight"])


def test_the_sound_tower_equals_one_by_hand(network: SyncNet) -> None:
    state, x = random_state(), torch.randn(3, 1, 13, 20)
    y = x
    for number, pool in ((0, None), (4, (3, (1, 2))), (8, None), (11, None), (14, (3, 2)), (18, None)):
        padding = 0 if number == 18 else 1
        y = F.conv2d(y, state[f"netcnnaud.{number}.weight"], state[f"netcnnaud.{number}.bias"], padding=padding)
        y = F.relu(normal(y, state, f"netcnnaud.{number + 1}"))
        y = F.max_pool2d(y, *pool) if pool else y
    assert y.shape == (3, 512, 1, 1)
    with torch.no_grad():
        assert torch.allclose(network.hear(x), head(y.reshape(3, 512), state, "netfcaud"), atol=1e-3, rtol=1e-3)


def test_the_picture_tower_equals_one_by_hand_window_by_window(network: SyncNet) -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (6, 224, 224, 3), np.uint8)
    ours = embed_pictures(network, pictures)
    assert ours.shape == (2, 1024)
    state = random_state()
    for window in range(2):
        y = torch.from_numpy(pictures[window:window + 5, :, :, ::-1].copy()).permute(3, 0, 1, 2)[None].float()
        y = F.conv3d(y, state["netcnnlip.0.weight"], state["netcnnlip.0.bias"], stride=(1, 2, 2))[:, :, 0]
        y = F.max_pool2d(F.relu(normal(y, state, "netcnnlip.1")), 3, 2)
        for number, stride, padding in ((4, 2, 1), (8, 1, 1), (11, 1, 1), (14, 1, 1), (18, 1, 0)):
            weight = state[f"netcnnlip.{number}.weight"][:, :, 0]
            y = F.conv2d(y, weight, state[f"netcnnlip.{number}.bias"], stride=stride, padding=padding)
            y = F.relu(normal(y, state, f"netcnnlip.{number + 1}"))
            y = F.max_pool2d(y, 3, 2, 1) if number == 4 else F.max_pool2d(y, 3, 2) if number == 14 else y
        told = head(y.reshape(1, 512), state, "netfclip")[0].numpy()
        assert np.allclose(ours[window], told, atol=2e-3 * np.abs(told).max())


def test_sound_windows_begin_with_their_picture(network: SyncNet) -> None:
    rows = np.random.default_rng(2).normal(0, 3, (60, 13)).astype(np.float32)
    ours = embed_sound(network, rows, 9, batch=4)
    assert ours.shape == (9, 1024)
    with torch.no_grad():
        for window in (0, 5, 8):
            alone = network.hear(torch.from_numpy(rows[4 * window:4 * window + 20].T[None, None].copy()))
            assert np.allclose(ours[window], alone[0].numpy(), atol=1e-4)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    state = random_state()
    state["netfclip.3.weight"] = state["netfclip.3.weight"][:, :-1]
    wrong = tmp_path / "wrong.model"
    torch.save(state, wrong)
    with pytest.raises(BadMedia):
        load_syncnet(seek("syncnet", Options(weights={"syncnet": wrong})))
    with pytest.raises(NotFound):
        seek("syncnet", Options(weights={"syncnet": tmp_path / "absent.model"}))
    with pytest.raises(NotInstalled, match=r"syncnet_v2\.model"):
        seek("syncnet", Options(models=tmp_path / "empty", online=False))
