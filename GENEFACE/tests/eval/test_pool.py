"""Metrics work side by side; a slow one holds the stream back instead of filling the memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from eval_metrics import pool
from eval_metrics.contract import Figure, Frame, MetricInfo, Scene
from eval_metrics.pool import Course, each, feeding, single_threaded_opencv

SCENE = Scene(Path("a"), None, 25.0, 0, "full", None, None)


class Gate:
    """Takes frames when it is let."""

    info = MetricInfo("gate", "Gate")

    def __init__(self) -> None:
        self.open = threading.Event()
        self.taken: list[int] = []
        self.thread = ""

    def take(self, frames: Sequence[Frame]) -> None:
        self.open.wait(20)
        self.taken += [frame.index for frame in frames]
        self.thread = threading.current_thread().name

    def finish(self, scene: Scene) -> Mapping[str, Figure]:
        return {"gate": Figure(float(len(self.taken)))}


def frame(index: int) -> list[Frame]:
    return [Frame(index, index / 25, np.zeros((4, 4, 3), np.uint8))]


def test_a_slow_metric_holds_the_stream_back() -> None:
    slow, quick = Gate(), Gate()
    quick.open.set()
    given: list[int] = []
    courses = [Course("slow", slow), Course("quick", quick)]

    def give() -> None:
        with feeding(courses) as feeders:
            for index in range(30):
                for feeder in feeders:
                    feeder.give(frame(index))
                given.append(index)
            for feeder in feeders:
                feeder.end(SCENE)
            assert all(feeder.wait(20) for feeder in feeders)

    thread = threading.Thread(target=give)
    thread.start()
    time.sleep(0.3)
    assert len(given) <= 4, "frames must not pile up before a metric that lags"
    slow.open.set()
    thread.join(20)
    assert slow.taken == quick.taken == list(range(30)) and slow.thread != quick.thread
    assert courses[0].figures["gate"].value == 30 and courses[0].seconds > 0.2 > courses[1].seconds


def test_an_error_outside_stops_the_metrics() -> None:
    gate = Gate()
    gate.open.set()
    with pytest.raises(KeyError), feeding([Course("gate", gate)]) as feeders:
        feeders[0].give(frame(0))
        raise KeyError("outside")
    assert feeders[0].wait(5) and not feeders[0].course.figures


@pytest.mark.parametrize("cores", [1, 4])
def test_each_keeps_the_order(monkeypatch: pytest.MonkeyPatch, cores: int) -> None:
    monkeypatch.setattr(pool, "_cores", lambda: cores)
    pool._workers.cache_clear()
    assert each(lambda number: number * number, range(40)) == [number * number for number in range(40)]
    with pytest.raises(ZeroDivisionError):
        each(lambda number: 1 / number, [1, 0])
    pool._workers.cache_clear()


def test_opencv_gets_its_threads_back() -> None:
    before = cv2.getNumThreads()
    with single_threaded_opencv():
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == before
