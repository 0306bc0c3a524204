"""Steps of a pipeline that work at the same time, with a few frames between them."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
_END = object()


class Tally:
    """CPU seconds of every step, added up over threads."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._guard = threading.Lock()

    @contextmanager
    def of(self, step: str) -> Iterator[None]:
        """Count what the thread computes inside the block."""
        start = time.thread_time()
        try:
            yield
        finally:
            used = time.thread_time() - start
            with self._guard:
                self.seconds[step] = self.seconds.get(step, 0.0) + used


def background(source: Generator[T, None, None], room: int, name: str) -> Generator[T, None, None]:
    """What ``source`` yields, made ahead in a thread of its own, at most ``room`` items.

    What the source raises is raised here.  Closing this one ends the thread,
    closes the source there, and waits for it.
    """
    waiting: queue.Queue[Any] = queue.Queue(max(1, room))
    stop = threading.Event()

    def put(item: Any) -> bool:
        while not stop.is_set():
            try:
                waiting.put(item, timeout=0.2)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for item in source:
                if not put((item, None)):
                    return
            put((_END, None))
        except BaseException as exc:
            # the thread that waits gets it: a step that fails fails the job
            put((_END, exc))
        finally:
            source.close()

    thread = threading.Thread(target=work, name=f"swap-{name}", daemon=True)
    thread.start()
    try:
        while True:
            item, failure = waiting.get()
            if failure is not None:
                raise failure
            if item is _END:
                return
            yield item
    finally:
        stop.set()
        thread.join()
