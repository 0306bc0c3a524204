"""The verb: a clip, and its ground truth if there is one, in; every figure or the reason why there is none out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eval_metrics import METRICS, open_metrics
from eval_metrics.contract import Metric, Options
from eval_metrics.pairing import Pair, pair_up
from eval_metrics.pool import Course, measure
from eval_metrics.result import as_mapping
from eval_metrics.stream import Wanted, batches
from visage.types import Progress, Report, silent


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """What is to be measured, and how."""

    pred: Path
    """The clip."""
    truth: Path | None = None
    """The recording it should equal, if there is one."""
    metrics: tuple[str, ...] = tuple(METRICS)
    """Names of `METRICS`."""
    region: str = "full"
    """``full``, ``face`` or ``mouth``."""
    stride: int = 1
    """Every so many frames are measured; metrics of what changes from frame to frame still get all."""
    max_frames: int | None = None
    """Frames measured at most."""
    offset: float | None = None
    """Seconds by which the clip lies behind the ground truth; None: estimated."""
    options: Options = field(default_factory=Options)
    """Weights and the start of chance."""


def evaluate(request: EvaluationRequest, report: Report = silent) -> dict[str, Any]:
    """Every figure that was asked for, as a JSON-ready mapping (`result.as_mapping`).

    A metric that fails is null with its reason.  Raises `InvalidRequest`, `NotFound`
    and `BadMedia` for what cannot be evaluated at all, and what ``report`` raises.
    """
    began = time.perf_counter()
    report(Progress("pair", 0.0))
    metrics = open_metrics(request.metrics, request.options)
    pair = pair_up(request.pred, request.truth, fps_offset=request.offset, region=request.region,
                   stride=request.stride, max_frames=request.max_frames)
    report(Progress("measure", 0.05))
    courses = measure(metrics, batches(pair, _wanted(metrics, pair)), pair, report)
    return as_mapping(courses, pair, time.perf_counter() - began)
