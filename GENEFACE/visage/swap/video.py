"""A video through all steps: read, find, paint and encode at the same time, a few frames in memory."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from visage.errors import BadImage, BadVideo
from visage.media.probe import MediaInfo
from visage.swap.encoding import Encoder, Part, choose_encoder, container_of
from visage.swap.joining import join, thumbnail, verify, with_sound
from visage.swap.options import SwapRequest, SwapResult, unrestored_note
from visage.swap.processors import Painting, Seeing
from visage.swap.reading import Clock, clock_of, read_works
from visage.swap.segments import JobFolder, Stretch
from visage.swap.threads import Tally, background
from visage.swap.tracking import Work
from visage.types import Progress, Report

_ROOM = 4
_TELL = 0.25
"""Seconds between two reports."""


@dataclass(slots=True)
class Pace:
    """How a running job goes."""

    total: int
    """Frames of the video."""
    before: int
    """Frames that an earlier attempt finished."""
    rate: float
    """Frames a second at which the video plays."""
    provider: Callable[[], str]
    """What really computes now."""
    started: float = field(default_factory=time.monotonic)
    done: int = 0
    """Frames finished in this attempt."""
    told: float = 0.0

    def tell(self, report: Report, last: bool = False) -> None:
        """Report from time to time: frames a second, seconds left, provider, times faster than it plays."""
        now = time.monotonic()
        if now - self.told < _TELL and not last and self.told:
            return
        self.told = now
        fps = self.done / max(now - self.started, 1e-3)
        left = max(0, self.total - self.before - self.done)
        facts = {"fps": round(fps, 1), "eta": round(left / fps, 1) if fps else 0.0, "provider": self.provider(),
                 "realtime": round(fps / max(self.rate, 1e-3), 2), "done": self.before + self.done,
                 "frames": self.total, "threads": 4}
        report(Progress("swap", 0.95 * min(1.0, (self.before + self.done) / max(self.total, 1)), facts=facts))


class VideoJob:
    """One video on its way; used once."""

    def __init__(self, request: SwapRequest, info: MediaInfo, folder: JobFolder, seeing: Seeing, painting: Painting,
                 tally: Tally, provider: Callable[[], str]):
        self._request, self._info, self._folder = request, info, folder
        self._seeing, self._painting, self._tally = seeing, painting, tally
        self._clock: Clock = clock_of(request.target)
        self._container = container_of(request.out)
        self._pace = Pace(info.frames, folder.frames, float(self._clock.rate), provider)
        self._encoder: Encoder | None = None
        self._thumb: np.ndarray | None = None

    def run(self, report: Report) -> SwapResult:
        """Do it.  Raises what a step raised; finished stretches stay for the next attempt."""
        # a fault is looked for before anything is computed
        resumed = self._folder.frames
        works = read_works(self._request.target, self._clock, self._request.options.max_dim, resumed)
        chain = background(works, _ROOM, "read")
        chain = background(self._seeing.works(chain), _ROOM, "find")
        chain = background(self._painting.works(chain), _ROOM, "paint")
        try:
            self._encode(chain, report)
        finally:
            chain.close()
        took = time.monotonic() - self._pace.started
        self._check(self._folder.stretches)
        sound, info = self._finish(report)
        return self._result(took, sound, info, resumed)

    def _encode(self, works: Iterator[Work], report: Report) -> None:
        part: Part | None = None
        stretch: list[Work] = []
        self._pace.tell(report)
        try:
            for work in works:
                with self._tally.of("encode"):
                    part = part or self._begin(work.frame)
                    part.write(self._marked(work), work.ticks)
                # the pixels are in the file: what stays is a line of the list
                work.frame = np.empty(0, np.uint8)
                stretch.append(work)
                if len(stretch) >= self._request.options.segment:
                    self._keep(part, stretch)
                    part, stretch = None, []
                self._pace.done += 1
                self._pace.tell(report)
            if part is not None:
                self._keep(part, stretch)
                part = None
        finally:
            if part is not None:
                part.abort()
        self._pace.tell(report, last=True)

    def _begin(self, frame: np.ndarray) -> Part:
        height, width = frame.shape[:2]
        if self._encoder is None:
            options = self._request.options
            even = (width + width % 2, height + height % 2)
            self._encoder = choose_encoder(options.encoder, self._container, options.quality, even)
        return Part(self._folder.next_part(), self._encoder, (width, height), self._clock.base, self._clock.rate)

    def _marked(self, work: Work) -> np.ndarray:
        frame = work.frame if self._request.mark is None else self._request.mark(work.frame, work.seconds)
        if work.number == 0:
            self._thumb = thumbnail(frame)
        return frame

    def _keep(self, part: Part, works: list[Work]) -> None:
        with self._tally.of("encode"):
            part.close()
        self._folder.keep(self._folder.next_part(), works)
        self._check(self._folder.stretches, self._info.frames)

    def _check(self, stretches: list[Stretch], total: int = 0) -> None:
        """Too many failures end the job, as soon as they are too many of the ``total`` (0: of those there are)."""
        count = total or sum(stretch.frames for stretch in stretches)
        skipped = [(number, why) for stretch in stretches for number, why in stretch.skipped.items()]
        if not count:
            raise BadVideo("No frame of {name} can be decoded.", code="swap.no_frames",
                           hint="Save it again as MP4 with H.264.", name=self._request.target.name)
        if 100 * len(skipped) / count > self._request.options.skip_limit:
            raise BadVideo("{skipped} of {frames} frames failed, the first (number {number}): {reason}",
                           code="swap.too_many_skipped", hint="Raise the limit, or use a clearer recording.",
                           skipped=len(skipped), frames=count, number=skipped[0][0], reason=skipped[0][1])
        if not total and not any(stretch.worked for stretch in stretches):
            raise BadImage("No face to work on was found in any of the {frames} frames.", code="swap.no_face_target",
                           hint="Use a brighter or larger picture of the face, or another choice of faces.",
                           frames=count)

    def _finish(self, report: Report) -> tuple[str, MediaInfo]:
        request, options = self._request, self._request.options
        report(Progress("encode", 0.96))
        stretches = self._folder.stretches
        picture = join(self._folder.path, stretches, self._clock.base, self._folder.path / "picture.mp4")
        frames = sum(stretch.frames for stretch in stretches)
        codec = self._encoder.name if self._encoder else options.encoder
        temporary = request.out.with_name(f".{request.out.stem}.{os.getpid()}{request.out.suffix}")
        request.out.parent.mkdir(parents=True, exist_ok=True)
        try:
            sound = with_sound(picture, request.target if options.sound else None, self._clock, self._container, codec,
                               temporary)
            if request.seal is not None:
                request.seal(temporary)
            report(Progress("verify", 0.98))
            seconds = self._info.seconds * frames / max(self._info.frames, 1)
            info = verify(temporary, frames, seconds, self._thumb, request.target if sound == "copied" else None)
            temporary.replace(request.out)
        finally:
            temporary.unlink(missing_ok=True)
        return sound, info

    def _result(self, took: float, sound: str, info: MediaInfo, resumed: int) -> SwapResult:
        stretches = self._folder.stretches
        fps = self._pace.done / max(took, 1e-3)
        skipped, unrestored = ({int(number): why for told in kept for number, why in told.items()}
                               for kept in ([s.skipped for s in stretches], [s.unrestored for s in stretches]))
        notes = [self._encoder.note] if self._encoder and self._encoder.note else []
        if sound == "re-encoded":
            notes.append("The sound was encoded again: this kind of file cannot hold it as it was.")
        if self._clock.hdr:
            notes.append(f"High dynamic range, {self._clock.hdr}, was brought to standard range (BT.709).")
        if skipped:
            notes.append(f"{len(skipped)} frames failed and were kept as they were.")
        if unrestored:
            notes.append(unrestored_note(unrestored))
        if info.frames != self._info.frames:
            notes.append(f"{self._info.frames - info.frames} damaged frames of the target could not be decoded.")
        return SwapResult(self._request.out, "video", self._info.frames, info.frames,
                          sum(s.worked for s in stretches), skipped, took, fps,
                          float(Fraction(fps) / self._clock.rate), self._pace.provider(), sound,
                          self._encoder.name if self._encoder else self._request.options.encoder, resumed,
                          {name: round(value, 3) for name, value in self._tally.seconds.items()},
                          sum(s.restored for s in stretches), unrestored, tuple(notes))
