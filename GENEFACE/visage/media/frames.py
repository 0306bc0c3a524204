"""Frames of a video at a constant rate, the right way up, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer

from visage.errors import BadVideo
from visage.media.container import open_media
from visage.media.geometry import Display, display_of, pixels
from visage.media.images import read_image
from visage.types import FPS

__all__ = ["picture_start", "read_image", "read_video"]

_GAP = 10.0
"""Seconds without a frame after which time stamps are taken to be wrong."""


def read_video(path: Path, fps: float = FPS, size: int | None = None,
               limit: float | None = None) -> Iterator[np.ndarray]:
    """Frames, uint8 RGB [H, W, 3], at times 0, 1/fps, 2/fps … after the first frame.

    Each is the source frame nearest in time, so that uneven rates come out right.
    Turned as the file says, square pixels, never larger than ``size`` (longest
    side); ``limit`` in seconds.  Damaged frames are left out, the one before stays.
    Do not write into the arrays.  Raises `BadVideo` and `NotFound`, at the first frame.
    """
    path = Path(path)
    with open_media(path, BadVideo) as container:
        stream = _picture(container, path)
        stream.thread_type = "AUTO"
        rate = float(stream.average_rate or fps)
        display: Display | None = None
        held: av.VideoFrame | None = None
        start = last = 0.0
        count = 0
        most = None if limit is None else round(limit * fps)
        for frame in _decoded(container, stream):
            now = _time(frame, last + 1 / rate if held else 0.0)
            if held is None:
                start, display = now, display_of(frame, float(stream.codec_context.sample_aspect_ratio or 1), size)
            else:
                if not last < now < last + _GAP:
                    # time stamps jump: go on as if the frame came in its turn
                    start += now - (last + 1 / rate)
                    last = now - 1 / rate
                until = ((last + now) / 2 - start) * fps
                for array in _repeated(held, display, count, until, most):
                    count += 1
                    yield array
            if most is not None and count >= most:
                return
            held, last = frame, now
        if held is None:
            raise BadVideo("No frame of {name} can be decoded (codec {codec}).", code="video.undecodable",
                           hint="Save it again as MP4 with H.264.", name=path.name, codec=stream.codec_context.name)
        yield from _repeated(held, display, count, (last + 1 / rate - start) * fps - 0.5, most)


def picture_start(container: InputContainer) -> float | None:
    """Time stamp of the first frame shown, seconds; None when there is no picture.  Reads from the file's start."""
    for stream in container.streams.video:
        if stream.disposition & stream.disposition.attached_pic:
            continue
        for frame in _decoded(container, stream):
            return _time(frame, 0.0)
    return None


def _picture(container: InputContainer, path: Path) -> av.VideoStream:
    for stream in container.streams.video:
        if not stream.disposition & stream.disposition.attached_pic:
            return stream
    raise BadVideo("{name} has no picture, only sound.", code="video.none", hint="Choose a video.", name=path.name)


def _decoded(container: InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            continue


def _time(frame: av.VideoFrame, expected: float) -> float:
    return float(frame.pts * frame.time_base) if frame.pts is not None else expected


def _repeated(frame: av.VideoFrame, display: Display, count: int, until: float,
              most: int | None) -> Iterator[np.ndarray]:
    """The frame once for each output time ``count``, ``count + 1`` … before ``until``; never converted for nothing."""
    array = None
    while count < until - 1e-6 and (most is None or count < most):
        if array is None:
            array = pixels(frame, display)
        yield array
        count += 1
