"""The verb: a clip, and its ground truth if there is one, in; every figure or the reason why there is none out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eval_metrics import METRICS, open_metrics
from eval_metrics.contract import Metric, Options
from eval_metrics.pairing import Pair, pair_up
from eval_metrics.pool import Course, Feeder, feeding, single_threaded_opencv
from eval_metrics.region import REGIONS
from eval_metrics.result import as_mapping
from eval_metrics.stream import Stream
from visage.errors import BadVideo, InvalidRequest, VisageError
from visage.types import Progress, Report, silent

_PAIRED, _FED = 0.05, 0.9
"""How much of the work is done when the pair is known, and when all frames have been handed out."""


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """What is to be measured, and how.  Raises `InvalidRequest` for what cannot be."""

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

    def __post_init__(self) -> None:
        if self.region not in REGIONS:
            raise InvalidRequest("There is no region {region!r}; there are: {names}.", code="evaluation.region",
                                 hint="Choose one of these.", region=self.region, names=", ".join(REGIONS))
        if self.stride < 1 or (self.max_frames is not None and self.max_frames < 1):
            raise InvalidRequest("Stride and number of frames must be at least 1.", code="evaluation.frames",
                                 hint="Leave them out to measure every frame.")


def evaluate(request: EvaluationRequest, report: Report = silent) -> dict[str, Any]:
    """Every figure that was asked for, as a JSON-ready mapping (see `result.as_mapping`).

    A metric that fails is None with its reason.  Raises `InvalidRequest`, `NotFound`
    and `BadMedia` for what cannot be evaluated at all, and what ``report`` raises.
    """
    began = time.perf_counter()
    report(Progress("pair", 0.0, "Reading what both files hold."))
    courses = [Course(name, metric) for name, metric in open_metrics(request.metrics, request.options).items()]
    pair = pair_up(Path(request.pred), Path(request.truth) if request.truth else None, request.offset)
    pair.facts.update({"stride": request.stride, "region": request.region, "frames": pair.frames})
    for course in courses:
        course.error = getattr(course.metric, "error", None) or _missing(course.metric, pair)
    report(Progress("measure", _PAIRED, "Measuring."))
    stream = _stream(request, pair, [course.metric for course in courses if course.error is None])
    with single_threaded_opencv():
        _measure(courses, stream, request, report)
    warnings = [*pair.warnings, *([stream.no_faces.message] if stream.no_faces else [])]
    report(Progress("measure", 1.0, "Measured."))
    return as_mapping(courses, pair.facts, pair.pred.path, pair.truth.path if pair.truth else None, request.region,
                      warnings, time.perf_counter() - began)


def _missing(metric: Metric, pair: Pair) -> VisageError | None:
    """The error for a metric that needs what this pair has not."""
    needs = metric.info.needs
    if "truth" in needs and pair.truth is None:
        return InvalidRequest("{metric} compares with a ground truth, and none was given.",
                              code="evaluation.needs_truth", hint="--gt_video FILE", metric=metric.info.title)
    if "sound" in needs and pair.pred.sound is None:
        return InvalidRequest("{metric} needs sound, and {name} has none.", code="evaluation.needs_sound",
                              hint="Use a clip with a sound track.", metric=metric.info.title,
                              name=pair.pred.path.name)
    return None


def _stream(request: EvaluationRequest, pair: Pair, metrics: Sequence[Metric]) -> Stream:
    every = any(metric.info.consecutive for metric in metrics)
    step = 1 if every else request.stride
    most = request.max_frames and request.max_frames * (request.stride // step)
    return Stream(pair, step, most, faces=any("face" in metric.info.needs for metric in metrics),
                  whole=any(metric.info.whole for metric in metrics), region=request.region)


def _measure(courses: Sequence[Course], stream: Stream, request: EvaluationRequest, report: Report) -> None:
    """Send every frame through every metric, and let them finish."""
    expected = max(1, min(-(-stream.pair.frames // stream.step), stream.most or stream.pair.frames))
    with feeding(courses) as feeders:
        for batch in stream:
            kept = [frame for frame in batch if frame.index % request.stride == 0]
            for feeder in feeders:
                feeder.give(batch if feeder.course.metric.info.consecutive else kept)
            done = min(1.0, stream.frames / expected)
            report(Progress("measure", _PAIRED + (_FED - _PAIRED) * done, facts={"frames": stream.frames}))
        if not stream.frames:
            raise BadVideo("The clip and the ground truth have no frame in common.", code="evaluation.no_frames",
                           hint="Try --offset 0.")
        _no_face(courses, stream)
        facts = {"frames": stream.frames, "measured": -(-stream.frames * stream.step // request.stride)}
        stream.pair.facts.update({**facts, **_faces(stream)})
        scene = stream.pair.scene(request.region, stream.frames)
        for feeder in feeders:
            feeder.end(scene)
        _wait(feeders, report)


def _faces(stream: Stream) -> Mapping[str, Any]:
    if not stream.faces and stream.region == "full":
        return {}
    return {"faces": {"pred": stream.pred_faces, "truth": stream.truth_faces if stream.pair.truth else None}}


def _no_face(courses: Sequence[Course], stream: Stream) -> None:
    """Answer for the metrics that need a face when none was found."""
    for course in courses:
        needs = course.metric.info.needs
        if course.error is not None or "face" not in needs:
            continue
        if stream.no_faces is not None:
            course.error = stream.no_faces
        for found, clip in ((stream.pred_faces, stream.pair.pred), (stream.truth_faces, stream.pair.truth)):
            if clip is not None and not found and (clip is stream.pair.pred or "truth" in needs):
                course.error = course.error or BadVideo(
                    "No face was found in any frame of {name}.", code="evaluation.no_face",
                    hint="Use a clip in which the face is seen from the front.", name=clip.path.name)


def _wait(feeders: Sequence[Feeder], report: Report) -> None:
    """Let all metrics come to their end, and tell how many have."""
    for count, feeder in enumerate(feeders):
        while not feeder.wait(0.5):
            report(Progress("measure", _FED + (0.99 - _FED) * count / len(feeders),
                            f"{feeder.course.metric.info.title} is finishing."))
