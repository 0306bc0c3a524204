"""Feeds every metric in a thread of its own; what they call (NumPy, OpenCV, ONNX) lets go of Python's lock."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

import cv2

from eval_metrics.contract import Figure, Frame, Metric, Scene
from visage.errors import VisageError

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")
_AHEAD = 2
"""Batches that may wait for a metric: more costs memory and wins nothing."""


def each(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """``work`` done on every item, in their order, on all cores; for metrics whose frames do not depend on others."""
    if _cores() <= 2 or len(items) < 2:
        # with two cores the threads of the metrics keep both busy
        return [work(item) for item in items]
    return list(_workers().map(work, items))


@contextmanager
def single_threaded_opencv() -> Iterator[None]:
    """Keep OpenCV from threads of its own while frames and metrics are spread over the cores anyway."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


@dataclass(slots=True)
class Course:
    """What became of one metric."""

    name: str
    """Its name in `METRICS`."""
    metric: Metric
    """The metric."""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    """By key, when all went well."""
    error: VisageError | None = None
    """Why there are no figures."""
    seconds: float = 0.0
    """Wall time that it worked."""


class Feeder:
    """One metric at work in its own thread.  One that failed goes on taking frames, so that nobody waits for it."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self._batches: queue.Queue[Sequence[Frame] | None] = queue.Queue(_AHEAD)
        self._scene: Scene | None = None
        self._thread = threading.Thread(target=self._run, name=f"metric-{course.name}", daemon=True)
        self._thread.start()

    def give(self, frames: Sequence[Frame]) -> None:
        """Hand the next frames over; waits while the metric lags behind."""
        if frames and self.course.error is None:
            self._batches.put(frames)

    def end(self, scene: Scene | None) -> None:
        """No more frames: the metric finishes, without a scene it just stops."""
        self._scene = scene
        self._batches.put(None)

    def wait(self, seconds: float | None = None) -> bool:
        """Whether the metric is done."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (frames := self._batches.get()) is not None:
            if self.course.error is None:
                self._guarded(lambda frames=frames: self.course.metric.take(frames))
        if self._scene is not None and self.course.error is None:
            self._guarded(self._finish)

    def _finish(self) -> None:
        assert self._scene is not None
        self.course.figures = self.course.metric.finish(self._scene)

    def _guarded(self, step: Callable[[], None]) -> None:
        began = time.perf_counter()
        try:
            step()
        except VisageError as exc:
            self.course.error = exc
        except Exception as exc:  # whatever it is, the other metrics go on
            log.exception("metric %s failed", self.course.name)
            self.course.error = failure(self.course.metric.info.title, exc)
        finally:
            self.course.seconds += time.perf_counter() - began


def failure(title: str, exc: Exception) -> VisageError:
    """The error of our tree for one that a metric did not expect."""
    return VisageError("{metric} failed: {reason}.", code="evaluation.metric_failed", metric=title,
                       reason=f"{type(exc).__name__}: {exc}",
                       hint="The other figures do not depend on it; the log has the details.")


@contextmanager
def feeding(courses: Iterable[Course]) -> Iterator[list[Feeder]]:
    """Feeders of the courses; stopped when the ``with`` is left by an error."""
    feeders = [Feeder(course) for course in courses]
    try:
        yield feeders
    except BaseException:
        for feeder in feeders:
            # nothing more is worked on: what waits is taken and dropped
            feeder.course.error = feeder.course.error or VisageError("Stopped.", code="evaluation.stopped")
            feeder.end(None)
        raise


@cache
def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_cores(), "frames")
