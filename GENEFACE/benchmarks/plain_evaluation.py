"""The evaluation as one would write it at first: a loop a metric, that decodes, finds faces and calls scikit-image."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from eval_metrics import METRICS
from eval_metrics.contract import Figure, Frame, Options
from eval_metrics.pairing import Pair, pair_up
from visage.drivers import load
from visage.faces import open_faces
from visage.faces.track import main_face

WITHOUT_WEIGHTS = ("niqe", "psnr", "ssim", "lips", "sync", "sharpness", "flicker", "checks")
"""Metrics that work everywhere."""
_COMPARES_FACES = {"lips"}
"""Those that want the ground truth's face, too."""
_SSIM = {"channel_axis": 2, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}


def plain_evaluation(pred: Path, truth: Path) -> tuple[dict[str, float | None], dict[str, float]]:
    """Figures by key, and seconds by metric; one metric after another."""
    pair = pair_up(pred, truth)
    pair.facts["stride"] = 1
    values: dict[str, float | None] = {}
    seconds: dict[str, float] = {}
    for name in WITHOUT_WEIGHTS:
        began = time.perf_counter()
        if name == "psnr":
            values[name] = float(np.mean([peak_signal_noise_ratio(t, p, data_range=255) for p, t in _both(pair)]))
        elif name == "ssim":
            values[name] = float(np.mean([structural_similarity(t, p, **_SSIM) for p, t in _both(pair)]))
        else:
            values |= {key: figure.value for key, figure in _alone(name, pair).items()}
        seconds[name] = time.perf_counter() - began
    return values, seconds


def _both(pair: Pair) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    pred, truth = pair.pictures()
    assert truth is not None
    return zip(pred, truth, strict=False)


def _alone(name: str, pair: Pair) -> dict[str, Figure]:
    """The figures of one of our own metrics, with frames that it alone gets; it sees only what it needs."""
    metric = load("metric", METRICS, name)(Options())
    frames = 0
    if "face" not in metric.info.needs:
        for frames, (pred, truth) in zip(count(1), _both(pair), strict=False):
            metric.take([Frame(frames - 1, (frames - 1) / pair.fps, pred, truth)])
        return dict(metric.finish(pair.scene("full", frames)))
    both_faces = name in _COMPARES_FACES
    with closing(open_faces()) as first, closing(open_faces()) as second:
        last: list[np.ndarray | None] = [None, None]
        for frames, both in zip(count(1), _both(pair), strict=False):
            points = []
            for side, (finder, picture) in enumerate(zip((first, second), both, strict=True)):
                face = main_face(finder.track(picture), last[side]) if side == 0 or both_faces else None
                last[side] = face.points if face else last[side]
                points.append(face.points if face else None)
            metric.take([Frame(frames - 1, (frames - 1) / pair.fps, *both, *points)])
        return dict(metric.finish(pair.scene("full", frames)))
