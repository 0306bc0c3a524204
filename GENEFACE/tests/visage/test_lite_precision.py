"""The light network of a painter: made, compared, kept or not, and used where it is the faster one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from visage.engines.lite import crops, precision, quantise
from visage.engines.lite.export import export_painter
from visage.engines.lite.lesson import Lesson
from visage.engines.lite.network import Painter
from visage.engines.lite.paint import Inputs, OnnxPainter
from visage.engines.lite.precision import Precision, light_of, open_painter, record_of
from visage.errors import BadMedia

_COUNT = 60


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    """Smooth crops with lips that open."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (_COUNT, 112, 112, 3)).astype(np.uint8)
    faces = np.stack([cv2.normalize(cv2.GaussianBlur(one, (0, 0), 4), None, 20, 235, cv2.NORM_MINMAX) for one in noise])
    turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    rings = [np.stack([56 + 24 * size * np.cos(turn), 50 + (10 + number % 12) * size * np.sin(turn)], 1)
             for number in range(_COUNT) for size in (1.0, 0.6)]
    contours = np.array(rings, np.float32).reshape(_COUNT, 40, 2)
    return Lesson(faces, contours, rng.random((_COUNT, 4), np.float32), np.arange(_COUNT))


@pytest.fixture
def painter(tmp_path: Path) -> Path:
    """A small painter that knows nothing, but moves and colours."""
    torch.manual_seed(3)
    network = Painter(channels=16, deep=32, blocks=1)
    for weight in network.parameters():
        weight.data += 0.003 * torch.randn_like(weight)
    return export_painter(network, tmp_path / "painter.onnx")


def example(lesson: Lesson) -> Inputs:
    return next(quantise._batches(lesson, np.arange(8), np.arange(8, 16)))


def opened(painter: Path, example: Callable[[], Inputs], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the networks that opening a painter loads; the last one is used."""
    loaded: list[str] = []

    class Noted(OnnxPainter):
        def __init__(self, file: Path, threads: int = 0):
            loaded.append(file.name)
            super().__init__(file, threads)

    monkeypatch.setattr(precision, "OnnxPainter", Noted)
    open_painter(painter, 1, example)
    return loaded


def test_the_light_network_paints_the_same_in_fewer_bytes(painter: Path, lesson: Lesson) -> None:
    figures = quantise.lighten(painter, lesson)
    told = Precision.read(painter)
    assert told.kept and told.cpu == precision.processor()
    assert figures["painter_agreement"] == told.agreement > 50
    assert light_of(painter).stat().st_size < 0.6 * painter.stat().st_size
    given = example(lesson)
    exact, light = (OnnxPainter(file, 1).paint(*given) for file in (painter, light_of(painter)))
    mask = crops.paint_mask() > 0.5
    assert 0 < np.abs(exact.astype(int) - light)[:, mask].mean() < 1.5
    assert {file.name for file in painter.parent.iterdir()} == {"painter.onnx", "painter_int8.onnx", "painter.json"}


@pytest.mark.parametrize("limit", [{"NEARER": 200.0}, {"WORST": 200.0}, {"LOSS": -100.0}, {"SHARPNESS": -1.0}])
def test_what_loses_too_much_is_not_kept_and_the_figures_say_so(painter: Path, lesson: Lesson, limit: dict[str, float],
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    light_of(painter).write_bytes(b"of the training before")
    for name, value in limit.items():
        monkeypatch.setattr(quantise, name, value)
    figures = quantise.lighten(painter, lesson)
    assert figures["painter_bits"] == 32
    assert figures["painter_ms"] == Precision.read(painter).exact_ms
    assert not light_of(painter).exists()
    assert opened(painter, lambda: pytest.fail("nothing to measure"), monkeypatch) == ["painter.onnx"]


def test_a_painter_that_moves_pixels_moves_them_exactly(painter: Path) -> None:
    assert [name for name in quantise._moving(painter) if "flow" in name] == quantise._moving(painter) != []


def test_a_painter_without_a_record_is_exact(painter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Precision.read(painter) is None
    assert opened(painter, lambda: pytest.fail("nothing to measure"), monkeypatch) == ["painter.onnx"]


@pytest.mark.parametrize(("times", "used"), [((4.0, 2.0), "painter_int8.onnx"), ((2.0, 4.0), "painter.onnx")])
def test_the_faster_network_is_used(painter: Path, lesson: Lesson, times: tuple[float, float], used: str,
                                    monkeypatch: pytest.MonkeyPatch) -> None:
    quantise.lighten(painter, lesson)
    told = json.loads(record_of(painter).read_text())
    record_of(painter).write_text(json.dumps(told | {"exact_ms": times[0], "light_ms": times[1]}))
    assert opened(painter, lambda: pytest.fail("measured already"), monkeypatch) == [used]
    # Moved to another processor, the times of the first one count no more.
    record_of(painter).write_text(json.dumps(told | {"exact_ms": times[1], "light_ms": times[0], "cpu": "another"}))
    monkeypatch.setattr(precision, "paint_times", lambda painters, inputs: list(times))
    assert opened(painter, lambda: example(lesson), monkeypatch)[-1] == used


def test_networks_are_timed_on_what_they_are_given(painter: Path, lesson: Lesson) -> None:
    quantise.lighten(painter, lesson)
    record = record_of(painter)
    record.write_text(json.dumps(json.loads(record.read_text()) | {"cpu": "another"}))
    asked: list[int] = []

    def given() -> Inputs:
        asked.append(1)
        return example(lesson)

    painted = open_painter(painter, 1, given).paint(*example(lesson))
    assert painted.shape == (8, 112, 112, 3)
    assert len(asked) == 1


@pytest.mark.parametrize("damage", ["nothing", "{}", '{"kept": true}', "[1]", "missing"])
def test_a_damaged_record_is_named(painter: Path, lesson: Lesson, damage: str) -> None:
    quantise.lighten(painter, lesson)
    if damage == "missing":
        light_of(painter).unlink()
    else:
        record_of(painter).write_text(damage)
    with pytest.raises(BadMedia) as caught:
        open_painter(painter, 1, lambda: pytest.fail("damaged"))
    assert caught.value.code == "avatar.damaged"
