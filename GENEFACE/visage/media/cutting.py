"""Shortening a stream without coding it anew."""

from __future__ import annotations

import os
from pathlib import Path

import av

from visage.errors import BadVideo
from visage.media.container import open_media, writing_failed


def take_until(source: Path, out: Path, seconds: float | None = None) -> float:
    """Copy the beginning of a fragmented MP4 into a plain one; returns how many seconds of picture it holds.

    Every frame that is shown before ``seconds`` (None: all) is kept, and the sound beside it; times begin at 0.  The
    picture must have no frames that depend on later ones, as live streams have none; a last fragment that breaks off
    is left out.  ``out`` exists only when whole.  Raises `BadVideo` (nothing is left, or it is no video), `DiskFull`.
    """
    temporary = out.with_name(f".{out.stem}.{os.getpid()}.part")
    try:
        with open_media(source, BadVideo) as container:
            kept = _copy(container, temporary, seconds)
        if kept > 0:
            temporary.replace(out)
            return kept
    except OSError as exc:
        raise writing_failed(out, exc) from exc
    finally:
        temporary.unlink(missing_ok=True)
    raise BadVideo("No frame of {name} can be kept.", code="video.nothing_kept", hint="Let the answer begin.",
                   name=source.name)


def _copy(container: av.container.InputContainer, out: Path, seconds: float | None) -> float:
    """Seconds of picture that went into ``out``; 0: none."""
    if not container.streams.video:
        return 0.0
    chosen = [container.streams.video[0], *container.streams.audio[:1]]
    start, end = None, 0.0
    with av.open(str(out), "w", format="mp4", options={"movflags": "+faststart"}) as target:
        copies = {stream.index: target.add_stream_from_template(stream) for stream in chosen}
        for packet in container.demux(chosen):
            if packet.pts is None or packet.dts is None or packet.size == 0:
                continue
            picture = packet.stream.type == "video"
            if start is None:
                if not picture:  # sound that comes before the first frame belongs to none
                    continue
                start = float(packet.pts * packet.time_base)
            at = float(packet.pts * packet.time_base) - start
            if at < -0.05 or (seconds is not None and at > seconds - 1e-4):
                continue
            if picture:
                end = max(end, at + float((packet.duration or 0) * packet.time_base))
            moved = round(start / packet.time_base)
            packet.pts, packet.dts = packet.pts - moved, packet.dts - moved
            packet.stream = copies[packet.stream.index]
            target.mux(packet)
    return end
