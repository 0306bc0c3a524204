"""The steps of a frame, by name: detect, select, steady, then swap, colour, mask, compose, restore."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np

from visage.errors import Cancelled, DiskFull, NotInstalled, OutOfMemory, Refused, VisageError
from visage.swap.blending import blend
from visage.swap.colouring import matched
from visage.swap.contract import Embedding, Face, Identity, Look, Patch, Restorer, Swapper
from visage.swap.occlusion import coarse, visible
from visage.swap.options import SwapOptions
from visage.swap.selecting import Selector
from visage.swap.threads import Tally
from visage.swap.tracking import Cuts, Steady, Tracker, Work, refilled

STEPS = ("detect", "select", "steady", "swap", "colour", "mask", "compose", "restore", "encode")
"""All steps in their order."""
_JUDGED = 2
"""Frames between two looks for what lies in front of a face."""
_FATAL = (Cancelled, DiskFull, NotInstalled, OutOfMemory, Refused)
"""What ends a job: every other frame would fail in the same way."""


class Seeing:
    """The first steps: where the faces are and which are meant."""

    def __init__(self, swapper: Swapper, options: SwapOptions, fps: float, tally: Tally,
                 reference: Embedding | None = None):
        self._swapper, self._options, self._tally = swapper, options, tally
        self._cuts, self._tracker = Cuts(), Tracker(options.refill)
        self._selector = Selector(options, reference)
        self._steady = Steady(fps)

    def works(self, works: Iterable[Work]) -> Generator[Work, None, None]:
        """The frames with the faces to work on."""
        for work in refilled(self._detected(works), self._options.refill):
            with self._tally.of("select"):
                work.faces = self._selector.choose(work.faces, work.cut)
            if self._options.smooth:
                with self._tally.of("steady"):
                    if work.cut:
                        self._steady.forget()
                    work.faces = {track: self._steady.settle(track, work.number, face)
                                  for track, face in work.faces.items()}
            yield work

    def _detected(self, works: Iterable[Work]) -> Iterator[Work]:
        for work in works:
            with self._tally.of("detect"):
                work.cut = self._cuts.at(work.frame)
                look = Look(thorough=work.cut, embed=self._options.who == "reference")
                try:
                    faces = self._swapper.find(work.frame, look)
                except Exception as exc:
                    faces = []
                    work.failed = _kept(exc)
                work.faces = self._tracker.follow(work.number, faces, work.cut)
            yield work


class Painting:
    """The later steps: the new face into the frame."""

    def __init__(self, swapper: Swapper | None, identity: Identity | None, restorer: Restorer | None,
                 options: SwapOptions, tally: Tally):
        """Without an identity faces are only restored."""
        self._swapper, self._identity, self._restorer = swapper, identity, restorer
        self._options, self._tally = options, tally
        self._seen: dict[int, tuple[np.ndarray, int]] = {}

    def works(self, works: Iterable[Work]) -> Generator[Work, None, None]:
        """The frames, finished; one that fails is kept as it was and says why."""
        for work in works:
            if work.cut:
                self._seen = {}
            if not work.failed and work.faces:
                try:
                    work.frame = self._painted(work)
                    work.worked = True
                except Exception as exc:
                    work.failed = _kept(exc)
            yield work

    def _painted(self, work: Work) -> np.ndarray:
        frame = work.frame.copy()
        for track, face in work.faces.items():
            if self._swapper is not None and self._identity is not None:
                self._swap(self._swapper, self._identity, frame, (track, work.number), face)
            if self._restorer is not None and self._options.restore > 0:
                with self._tally.of("restore"):
                    self._restore(self._restorer, frame, work, face)
        work.restored = self._restorer is not None and self._options.restore > 0 and not work.unrestored
        return frame

    def _restore(self, restorer: Restorer, frame: np.ndarray, work: Work, face: Face) -> None:
        """The face made clearer; a swapped one stays as it is when that fails, and the work says why."""
        try:
            patch = restorer.restore(frame, face)
        except Exception as exc:
            reason = _kept(exc)
            if self._identity is None:
                raise
            work.unrestored = work.unrestored or reason
            return
        blend(frame, replace(patch, mask=patch.mask * np.float32(self._options.restore)), "alpha")

    def _swap(self, swapper: Swapper, identity: Identity, frame: np.ndarray, place: tuple[int, int],
              face: Face) -> None:
        """``place``: number of the track and of the frame."""
        with self._tally.of("swap"):
            patch = swapper.swap(frame, face, identity)
        if not patch.mask.size:
            return
        old = frame[patch.area]
        recolour = swapper.recolour and self._options.colour
        # what lies in front must neither stay hidden nor lend its colours to the face
        share = patch.mask
        if self._options.occlusion:
            with self._tally.of("mask"):
                share = patch.mask * self._unhidden(patch, old, place, recolour)
        pixels = patch.pixels
        if recolour:
            with self._tally.of("colour"):
                pixels = matched(patch.pixels, old, share)
        with self._tally.of("compose"):
            mask = share * np.float32(self._options.strength)
            blend(frame, Patch(patch.left, patch.top, pixels, mask), self._options.blend)

    def _unhidden(self, patch: Patch, old: np.ndarray, place: tuple[int, int], recolour: bool) -> np.ndarray:
        track, number = place
        before, judged = self._seen.get(track, (None, -_JUDGED))
        if before is None or number - judged >= _JUDGED:
            new, was, mask = (coarse(each) for each in (patch.pixels, old, patch.mask))
            if before is not None:
                before = cv2.resize(before, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
            share = mask if before is None else mask * before
            now = visible(matched(new, was, share) if recolour else new, was, mask)
            # noise of single frames must not flicker, a hand must not leave a trail
            before = now if before is None else now + (before - now) * np.float32(0.3)
            self._seen[track] = (before, number)
        return cv2.resize(before, patch.mask.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _kept(exc: Exception) -> str:
    """Why a frame is kept as it was; raises what ends the job."""
    if isinstance(exc, MemoryError):
        raise OutOfMemory("The memory of this machine is exhausted.", code="swap.out_of_memory",
                          hint="Choose a smaller picture size (max_dim) and try again.") from exc
    if isinstance(exc, _FATAL):
        raise exc
    return exc.message if isinstance(exc, VisageError) else f"{type(exc).__name__}: {exc}"
