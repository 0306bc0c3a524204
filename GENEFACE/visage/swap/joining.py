"""Stretches to one video, the target's sound beside it, and the proof that the file is what it should be."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from visage.errors import BadVideo, OutputInvalid, ToolFailed, VisageError
from visage.media.container import open_media, writing_failed
from visage.media.ffmpeg import START, read_from, whole_path
from visage.media.frames import read_video
from visage.media.probe import MediaInfo, probe
from visage.media.run import run_tool
from visage.swap.reading import Clock
from visage.swap.segments import Stretch

_SOUND = {"mp4": "aac", "mov": "aac", "matroska": "aac", "webm": "libopus"}
_UNLIKE = 14.0
"""Mean difference, grey levels, of a frame as made and as read back, from which on colours are broken."""


def join(folder: Path, stretches: Sequence[Stretch], base: Fraction, out: Path) -> Path:
    """All stretches as one picture track, copied packet by packet.  Raises `DiskFull`."""
    try:
        with av.open(str(out), "w", format="mp4") as whole:
            track = None
            last = None
            for stretch in stretches:
                with av.open(str(folder / stretch.file)) as part:
                    source = part.streams.video[0]
                    if track is None:
                        track = whole.add_stream_from_template(source)
                        track.time_base = base
                    for packet in part.demux(source):
                        if packet.size == 0 or packet.pts is None or packet.dts is None:
                            continue
                        scale = Fraction(packet.time_base) / base
                        shown, order = (round(value * scale) + stretch.start for value in (packet.pts, packet.dts))
                        # an encoder's delay reaches back before its stretch begins
                        order = order if last is None else max(order, last + 1)
                        last = order
                        packet.duration = round((packet.duration or 0) * scale)
                        packet.pts, packet.dts, packet.time_base = max(shown, order), order, base
                        packet.stream = track
                        whole.mux(packet)
    except OSError as exc:
        raise writing_failed(out, exc) from exc
    return out


def with_sound(picture: Path, source: Path | None, clock: Clock, container: str, codec: str, out: Path) -> str:
    """Write picture and the source's sound; returns ``"copied"``, ``"re-encoded"`` or ``"none"``.

    Sound is copied bit for bit where the container takes it.  Raises `ToolFailed` with ffmpeg's words (E07).
    """
    if source is None or not probe(source, expect="video", whole=False).has_sound:
        run_tool(mux(picture, None, 0.0, container, codec, out))
        return "none"
    late = clock.origin - clock.start
    try:
        run_tool(mux(picture, source, late, container, codec, out))
        return "copied"
    except ToolFailed:
        out.unlink(missing_ok=True)
        run_tool(mux(picture, source, late, container, codec, out, sound=_SOUND[container]))
        return "re-encoded"


def mux(picture: Path, source: Path | None, late: float, container: str, codec: str, out: Path,
        sound: str = "copy") -> list[str]:
    """The command line: picture copied, sound of ``source`` beside it, beginning ``late`` seconds after it."""
    line = [*START, "-i", whole_path(picture)]
    if source is not None:
        line += ["-itsoffset", f"{late:.6f}", *read_from(source), "-map", "0:v:0", "-map", "1:a?", "-c:a", sound,
                 "-map_metadata", "1", "-map_chapters", "-1"]
    line += ["-c:v", "copy"]
    if container in ("mp4", "mov"):
        line += ["-movflags", "+faststart+use_metadata_tags"]
        line += ["-tag:v", "hvc1"] if codec in ("libx265", "hevc_nvenc") else []
    return [*line, "-f", container, whole_path(out)]


def verify(path: Path, frames: int, seconds: float, like: np.ndarray | None, sound_of: Path | None) -> MediaInfo:
    """What the finished file holds, read back.  Raises `OutputInvalid` (E13) where it is not what was made.

    ``like``: thumbnail uint8 [24, 24, 3] of the first frame, where this attempt made it;
    ``sound_of``: the file whose packets of sound must be in it bit for bit.
    """
    try:
        info = probe(path, expect="video")
    except VisageError as exc:
        raise OutputInvalid("The finished video cannot be read back: {reason}", code="swap.output_unreadable",
                            hint="Try again; choose another encoder if it happens again.", reason=exc.message) from exc
    if info.frames != frames:
        raise OutputInvalid("The finished video has {found} frames instead of {wanted}.", code="swap.output_frames",
                            hint="Try again; choose another encoder if it happens again.",
                            found=info.frames, wanted=frames)
    if abs(info.seconds - seconds) > 0.1 + 2 * seconds / max(frames, 1):
        raise OutputInvalid("The finished video lasts {found} s instead of {wanted} s.", code="swap.output_seconds",
                            hint="Try again; choose another encoder if it happens again.",
                            found=round(info.seconds, 2), wanted=round(seconds, 2))
    if like is not None and float(cv2.absdiff(thumbnail(next(read_video(path))), like).mean()) > _UNLIKE:
        raise OutputInvalid("The colours of the finished video are not those that were made.",
                            code="swap.output_colours", hint="Choose another encoder.")
    if sound_of is not None and sound_digest(path) != sound_digest(sound_of):
        raise OutputInvalid("The sound of the finished video is not the target's.", code="swap.output_sound",
                            hint="Try again without copying the sound.")
    return info


def thumbnail(frame: np.ndarray) -> np.ndarray:
    """A frame as uint8 RGB [24, 24, 3]."""
    return cv2.resize(frame, (24, 24), interpolation=cv2.INTER_AREA)


def sound_digest(path: Path) -> str:
    """SHA-256 over all packets of the first sound track."""
    digest = hashlib.sha256()
    with open_media(path, BadVideo) as container:
        for packet in container.demux(container.streams.audio[:1]):
            digest.update(bytes(packet))
    return digest.hexdigest()
