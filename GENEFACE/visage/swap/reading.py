"""The target, frame by frame, each with its own time stamp, so that uneven rates and lengths stay as they are."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from visage.errors import BadVideo
from visage.media.container import open_media
from visage.media.geometry import Display, display_of, pixels
from visage.media.hdr import CURVES
from visage.swap.tracking import Work

_FINEST = 60_000
"""Ticks a second that every encoder's time base can have."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How time is counted in a video."""

    base: Fraction
    """Seconds of a tick."""
    rate: Fraction
    """Frames a second on average."""
    start: float
    """Time stamp of the first frame in the file, seconds."""
    origin: float
    """Time stamp at which the file as a whole begins, seconds."""
    hdr: str = ""
    """Name of the curve of high dynamic range; empty for standard range."""


def clock_of(path: Path) -> Clock:
    """The clock of a video.  Raises `BadVideo`."""
    with open_media(path, BadVideo) as container:
        stream = _picture(container, path)
        base = Fraction(stream.time_base or Fraction(1, _FINEST))
        if base.numerator != 1 or base.denominator > _FINEST:
            base = Fraction(1, _FINEST)
        rate = Fraction(stream.average_rate or 25).limit_denominator(1001)
        for frame in container.decode(stream):
            start = float(frame.pts * frame.time_base) if frame.pts is not None else 0.0
            return Clock(base, rate, start, float(Fraction(container.start_time or 0, av.time_base)),
                         CURVES.get(int(frame.color_trc), ""))
    raise BadVideo("No frame of {name} can be decoded (codec {codec}).", code="video.undecodable",
                   hint="Save it again as MP4 with H.264.", name=path.name, codec=stream.codec_context.name)


def read_works(path: Path, clock: Clock, size: int = 0, skip: int = 0) -> Generator[Work, None, None]:
    """Every frame that can be decoded from number ``skip`` on, upright, its longest side at most ``size`` pixels.

    Raises `BadVideo` and `NotFound`.
    """
    with open_media(path, BadVideo) as container:
        stream = _picture(container, path)
        stream.thread_type = "AUTO"
        display: Display | None = None
        number, last = 0, -1
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                continue
            for frame in frames:
                display = display or display_of(frame, float(stream.codec_context.sample_aspect_ratio or 1),
                                                size or None)
                last = max(last + 1, _ticks(frame, clock, number))
                if number >= skip:
                    yield Work(number, last, float(last * clock.base), pixels(frame, display, plain=True))
                number += 1


def _picture(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    for stream in container.streams.video:
        if not stream.disposition & stream.disposition.attached_pic:
            return stream
    raise BadVideo("{name} has no picture, only sound.", code="video.none", hint="Choose a video.", name=path.name)


def _ticks(frame: av.VideoFrame, clock: Clock, number: int) -> int:
    if frame.pts is None:
        return round(Fraction(number) / clock.rate / clock.base)
    return round((Fraction(frame.pts) * frame.time_base - Fraction(clock.start)) / clock.base)
