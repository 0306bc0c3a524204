"""From a painter's network to one of 8-bit sums, twice as fast; kept only where it paints the same."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from visage.engines.lite import crops
from visage.engines.lite.lesson import Lesson, Sampler
from visage.engines.lite.paint import INPUTS, Inputs, OnnxPainter, paint_times
from visage.engines.lite.precision import Precision, light_of, processor, record_of
from visage.engines.lite.quality import likeness, psnr

NEARER, WORST = 10.0, 6.0
"""By how many dB of PSNR both networks must be nearer to each other than the exact one is to the real picture: mean
over held-out frames, and in any of them.  10 dB are a tenth of the error: raised detail raises the steps of 8-bit sums
with it, so no fixed limit fits a soft painter and a sharp one."""
LOSS = 0.1
"""Most that the likeness to the real frames may suffer, dB of PSNR."""
SHARPNESS = 0.03
"""Most that the sharpness ratio may change."""
_LEARNT, _HELD_OUT, _BATCH = 64, 40, 8
"""Frames that ranges are taken from, frames that are compared, frames at once."""
_FEW = 4
"""Channels of a result that moves pixels instead of colouring them: a step of 1/255 of its range can be seen."""


def lighten(painter: Path, lesson: Lesson) -> dict[str, float]:
    """Make the light network beside a painter's file and the record of both; returns the avatar's figures of it.

    ``painter_bits`` (8 where the light one is used, else 32), ``painter_ms`` (CPU milliseconds a crop of that one),
    ``painter_agreement`` (dB) and ``painter_loss`` (dB of PSNR).  A network that loses too much is not kept.
    Raises `DiskFull`.
    """
    light = light_of(painter)
    for old in (light, record_of(painter)):
        old.unlink(missing_ok=True)
    sampler = Sampler(lesson, lesson.neighbours(), _LEARNT, np.random.default_rng(0))
    part = light.with_name("." + light.name)
    quantise(painter, part, list(_batches(lesson, *sampler.draw())))
    found = compare(OnnxPainter(painter, 1), OnnxPainter(part, 1), lesson, *next(sampler.held_out(_HELD_OUT)))
    if found.kept:
        part.replace(light)
    else:
        part.unlink()
    found.write(painter)
    return {"painter_bits": 8 if found.light else 32, "painter_ms": found.light_ms if found.light else found.exact_ms,
            "painter_agreement": found.agreement, "painter_loss": found.psnr_loss}


def quantise(painter: Path, out: Path, batches: Sequence[Inputs]) -> None:
    """Write a painter whose convolutions are of 8-bit sums; ``batches`` show in which ranges their numbers lie."""
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Shown(quantization.CalibrationDataReader):
        """The batches, one after the other."""

        def __init__(self) -> None:
            self._left = iter(batches)

        def get_next(self) -> dict[str, np.ndarray] | None:
            batch = next(self._left, None)
            return None if batch is None else dict(zip(INPUTS, batch, strict=True))

    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.onnx"
        quant_pre_process(str(painter), str(ready), skip_symbolic_shape=True)
        # Weights of 7 bits: processors without sums of 8-bit products would overflow with 8, and paint wrongly.
        quantization.quantize_static(
            str(ready), str(out), Shown(), op_types_to_quantize=["Conv"], nodes_to_exclude=_moving(ready),
            quant_format=quantization.QuantFormat.QDQ, activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8, per_channel=True, reduce_range=True)


def compare(exact: OnnxPainter, light: OnnxPainter, lesson: Lesson, frames: np.ndarray,
            references: np.ndarray) -> Precision:
    """What a light painter loses and wins on frames that are not learnt from, given with their references by number."""
    size = lesson.faces.shape[1]
    mask = crops.paint_mask(size)[..., None]
    inside = mask[..., 0] > 0.5
    real = lesson.faces[frames]
    made: list[np.ndarray] = []
    for painter in (exact, light):
        painted = np.concatenate([painter.paint(*batch) for batch in _batches(lesson, frames, references)])
        made.append(np.round(real * (1 - mask) + painted * mask).astype(np.uint8))
    apart = [psnr(first[inside], second[inside]) for first, second in zip(*made, strict=True)]
    before, after = (likeness(real, pictures) for pictures in made)
    mean, worst = float(np.mean(apart)), min(apart)
    loss = before["psnr_mouth_crop"] - after["psnr_mouth_crop"]
    change = after["sharpness_ratio"] - before["sharpness_ratio"]
    away = [psnr(first[inside], second[inside]) for first, second in zip(real, made[0], strict=True)]
    nearer = [one - other for one, other in zip(apart, away, strict=True)]
    kept = np.mean(nearer) >= NEARER and min(nearer) >= WORST and loss <= LOSS and abs(change) <= SHARPNESS
    times = paint_times([exact, light], next(_batches(lesson, frames, references)))
    return Precision(bool(kept), round(mean, 2), round(worst, 2), round(loss, 3), round(change, 3),
                     round(times[0], 3), round(times[1], 3), processor())


def _batches(lesson: Lesson, frames: np.ndarray, references: np.ndarray) -> Iterator[Inputs]:
    """What a painter is given for these frames, some at a time."""
    size = lesson.faces.shape[1]
    for start in range(0, len(frames), _BATCH):
        wanted, shown = frames[start:start + _BATCH], references[start:start + _BATCH]
        maps = [np.stack([crops.lip_map(lesson.contours[number], size) for number in numbers])
                for numbers in (wanted, shown)]
        yield (lesson.faces[wanted], lesson.faces[shown], *maps)


def _moving(file: Path) -> list[str]:
    """Names of the convolutions whose results have too few channels to be colours."""
    import onnx

    graph = onnx.load(str(file)).graph
    few = {weight.name for weight in graph.initializer if weight.dims and weight.dims[0] <= _FEW}
    return [node.name for node in graph.node if node.op_type == "Conv" and node.input[1] in few]
