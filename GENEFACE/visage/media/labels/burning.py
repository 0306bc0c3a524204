"""Laying the mark on a finished clip: its pictures are coded anew, its sound is copied."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av

from visage.errors import BadVideo, OutputInvalid
from visage.media.container import open_media, writing_failed
from visage.media.labels.mark import Mark
from visage.media.planes import planes_of

CRF = 18
"""Quality of the pictures that are coded anew: about as good as what they come from."""


def burn_mark(source: Path, out: Path, tell: Callable[[int], None] = lambda frames: None) -> Path:
    """A copy of a clip as MP4 that bears the mark: as many frames at the same times, the sound bit for bit.

    ``tell`` hears how many frames are done and may raise.  ``out`` (which may be ``source``) exists only when whole.
    Raises `BadVideo`, `NotFound`, `OutputInvalid` and `DiskFull`.
    """
    temporary = out.with_name(f".{out.stem}-{uuid.uuid4().hex}.part")
    try:
        with open_media(source, BadVideo) as container:
            if not container.streams.video:
                raise BadVideo("{name} is not a video.", code="video.other_kind", name=source.name,
                               hint="Choose a video with picture and sound.")
            found, made = _copy(container, temporary, tell)
        if found != made or not made:
            raise OutputInvalid("Only {made} of the {found} frames of {name} could be marked.", code="label.frames",
                                hint="Make the clip again.", made=made, found=found, name=source.name)
        temporary.replace(out)
    except OSError as exc:
        raise writing_failed(out, exc) from exc
    finally:
        temporary.unlink(missing_ok=True)
    return out


def _copy(container: av.container.InputContainer, out: Path, tell: Callable[[int], None]) -> tuple[int, int]:
    """How many pictures there were and how many were written."""
    picture = container.streams.video[0]
    picture.thread_type = "AUTO"
    rate = picture.average_rate or picture.guessed_rate or Fraction(25)
    found = made = 0
    with av.open(str(out), "w", format="mp4", options={"movflags": "+faststart"}) as target:
        codec = _pictures(target, picture, rate)
        mark = Mark(codec.width, codec.height, float(rate))
        sounds = {stream.index: target.add_stream_from_template(stream) for stream in container.streams.audio[:1]}
        for packet in container.demux([picture, *container.streams.audio[:1]]):
            if packet.stream.type == "audio":
                if packet.size:
                    packet.stream = sounds[packet.stream.index]
                    target.mux(packet)
                continue
            found += packet.size > 0 and not packet.is_discard
            for frame in packet.decode():
                target.mux(codec.encode(_marked(frame, mark, made, codec)))
                made += 1
                tell(made)
        target.mux(codec.encode(None))
    return found, made


def _pictures(target: av.container.OutputContainer, source: av.VideoStream, rate: Fraction) -> av.VideoStream:
    """A stream of H.264 that looks like the one it comes from."""
    codec = target.add_stream("libx264", rate=rate, options={"crf": str(CRF), "preset": "veryfast"})
    context = source.codec_context
    codec.width, codec.height = context.width & ~1, context.height & ~1
    codec.pix_fmt = "yuv420p"
    codec.codec_context.time_base = source.time_base or Fraction(1, 90_000)
    for name in ("color_primaries", "color_trc", "colorspace", "color_range", "sample_aspect_ratio"):
        value = getattr(context, name)
        if value is not None:
            setattr(codec.codec_context, name, value)
    return codec


def _marked(frame: av.VideoFrame, mark: Mark, number: int, codec: av.VideoStream) -> av.VideoFrame:
    at = frame.pts, frame.time_base
    flat = frame.reformat(codec.width, codec.height, "yuv420p").to_ndarray()
    mark.on_planes(planes_of(flat), number)
    made = av.VideoFrame.from_ndarray(flat, format="yuv420p")
    made.pts, made.time_base = at
    return made
