"""Decodes each file once, finds each face once, and hands both out in batches, a few ahead of who takes them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

import numpy as np

from eval_metrics.contract import Frame
from eval_metrics.pairing import Pair
from eval_metrics.region import Window, find_window
from visage.errors import VisageError
from visage.faces import open_faces
from visage.faces.contract import FaceFinder
from visage.faces.track import main_face

T = TypeVar("T")
_BATCH_BYTES = 12 << 20
"""Pixels of one batch, both files together: large pictures come in small batches, so that memory stays bounded."""
_MOST = 16
_AHEAD = 8 << 20
"""Bytes of pictures that a file may be decoded ahead."""
Seen = tuple[np.ndarray, np.ndarray | None]
"""A picture and the landmarks of its main face."""


class Ahead(Generic[T]):
    """Items of an iterable, made in a thread of their own, at most ``depth`` ahead.  Errors come out where they arose.

    Closing it stops the thread.
    """

    def __init__(self, items: Iterable[T], depth: int, name: str = "ahead") -> None:
        self._items = items
        self._queue: queue.Queue[tuple[bool, T | BaseException | None]] = queue.Queue(max(1, depth))
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        while True:
            more, item = self._queue.get()
            if more:
                yield item
            elif isinstance(item, BaseException):
                raise item
            else:
                return

    def close(self) -> None:
        """Stop, also in the middle."""
        self._stopped.set()
        while self._thread.is_alive():
            try:
                self._queue.get(timeout=0.05)
            except queue.Empty:
                continue

    def _run(self) -> None:
        try:
            for item in self._items:
                self._queue.put((True, item))
                if self._stopped.is_set():
                    break
            end: BaseException | None = None
        except BaseException as exc:
            end = exc
        if not self._stopped.is_set():
            self._queue.put((False, end))


@dataclass(slots=True)
class Stream:
    """Frames of a pair in batches.  Iterated once; counts what it saw."""

    pair: Pair
    """Whose."""
    step: int = 1
    """Frames of the common clock from one to the next."""
    most: int | None = None
    """Frames at most."""
    faces: bool = False
    """Whether landmarks are wanted."""
    whole: bool = False
    """Whether whole pictures are wanted besides those of the region."""
    region: str = "full"
    """``full``, ``face`` or ``mouth``."""
    frames: int = 0
    """Frames handed out so far."""
    pred_faces: int = 0
    """Of these, with a face found in the clip."""
    truth_faces: int = 0
    """Of these, with a face found in the ground truth."""
    no_faces: VisageError | None = None
    """Why no faces can be looked for here at all."""
    _open: ExitStack = field(default_factory=ExitStack)

    def __iter__(self) -> Iterator[list[Frame]]:
        with self._open as stack:
            finders = self._finders(stack)
            window = self._window(finders)
            batch: list[Frame] = []
            size = self._batch()
            for index, (pred, truth) in enumerate(self._together(finders, stack)):
                batch.append(self._frame(index * self.step, pred, truth, window))
                if len(batch) == size:
                    yield batch
                    batch = []
            if batch:
                yield batch

    def _finders(self, stack: ExitStack) -> list[FaceFinder | None]:
        """One for each file, since finders are not shared between threads."""
        if not self.faces and self.region == "full":
            return [None, None]
        try:
            return [stack.enter_context(closing(open_faces())) for _ in range(2 if self.pair.truth else 1)] + [None]
        except VisageError as exc:
            if self.region != "full":
                raise
            self.no_faces = exc
            return [None, None]

    def _window(self, finders: list[FaceFinder | None]) -> Window | None:
        if self.region == "full" or finders[0] is None:
            return None
        sources = self.pair.pictures(max(1, round(self.pair.fps / 2)))
        leader, clip = (sources[1], self.pair.truth) if self.pair.truth else (sources[0], self.pair.pred)
        window = find_window(leader, finders[0], self.region, clip.path.name)
        self.pair.facts["window"] = {"side": window.side, "follows": "truth" if self.pair.truth else "pred"}
        return window

    def _batch(self) -> int:
        width, height = self.pair.fit.size
        return int(np.clip(_BATCH_BYTES // (width * height * 3 * (2 if self.pair.truth else 1)), 1, _MOST))

    def _together(self, finders: list[FaceFinder | None], stack: ExitStack) -> Iterator[tuple[Seen, Seen | None]]:
        width, height = self.pair.fit.size
        depth = int(np.clip(_AHEAD // (width * height * 3), 1, 2 * _MOST))
        sources = self.pair.pictures(self.step)
        sides = [stack.enter_context(closing(Ahead(seen(islice(source, self.most), finder), depth, "decode")))
                 for source, finder in zip(sources, finders, strict=False) if source is not None]
        if len(sides) == 1:
            yield from ((one, None) for one in sides[0])
        else:
            yield from zip(*sides, strict=False)

    def _frame(self, index: int, pred: Seen, truth: Seen | None, window: Window | None) -> Frame:
        self.frames += 1
        self.pred_faces += pred[1] is not None
        whole, other = pred[0], truth[0] if truth else None
        points = truth[1] if truth else None
        self.truth_faces += points is not None
        if window:
            window.follow(points if truth else pred[1])
            whole_cut, other_cut = window.cut(whole), window.cut(other) if other is not None else None
        else:
            whole_cut, other_cut = whole, other
        return Frame(index, index / self.pair.fps, whole_cut, other_cut, pred[1], points,
                     whole if self.whole else None, other if self.whole else None)


def seen(pictures: Iterable[np.ndarray], finder: FaceFinder | None) -> Iterator[Seen]:
    """Each picture with the landmarks of its main face, float32 [478, 3]; None without a finder or a face."""
    last: np.ndarray | None = None
    for picture in pictures:
        face = main_face(finder.track(picture), last) if finder else None
        last = face.points if face else last
        yield picture, face.points if face else None
