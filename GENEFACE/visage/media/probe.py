"""What a media file holds, found by reading it: the name is never believed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer

from visage.errors import BadAudio, BadImage, BadMedia, BadVideo
from visage.media.container import open_media, unreadable
from visage.media.geometry import display_of
from visage.media.images import ImageInfo, is_picture, probe_image

__all__ = ["ImageInfo", "MediaInfo", "probe", "probe_image"]

_ERRORS: dict[str, type[BadMedia]] = {"video": BadVideo, "audio": BadAudio, "image": BadImage, "": BadMedia}
_INDEXED = {"mov", "mp4", "matroska", "webm", "avi"}
"""Containers that say at their start how long they are."""


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a file holds."""

    kind: str
    """``"video"``, ``"audio"`` or ``"image"``."""
    seconds: float
    """How long it plays; 0 for a picture."""
    size: int
    """Bytes."""
    format: str
    """FFmpeg's name of the container, e.g. ``"mov,mp4,m4a,3gp,3g2,mj2"``."""
    codec: str = ""
    """Of the picture, e.g. ``"hevc"``."""
    width: int = 0
    """Pixels as displayed, after rotation."""
    height: int = 0
    """Pixels as displayed, after rotation."""
    rotation: int = 0
    """Degrees clockwise by which a player turns the picture: 0, 90, 180 or 270."""
    fps: float = 0.0
    """Frames a second on average."""
    frames: int = 0
    """Frames of the picture."""
    variable_rate: bool = False
    """Whether frames come at uneven times."""
    has_sound: bool = False
    """Whether there is a sound track."""
    sound_codec: str = ""
    """Of the sound, e.g. ``"aac"``."""
    sound_rate: int = 0
    """Samples a second."""
    channels: int = 0
    """Of the sound."""
    picture_start: float = 0.0
    """Seconds: time stamp of the first frame."""
    sound_start: float = 0.0
    """Seconds: time stamp of the first packet of sound."""


@dataclass(slots=True)
class _Times:
    """Start and end of the packets of one stream, seconds."""

    packets: int = 0

    starts: list[float] = field(default_factory=list)
    end: float = 0.0


def probe(path: Path, expect: str = "", whole: bool = True) -> MediaInfo:
    """What a file holds; reads all of its packets, decodes one frame.

    ``expect`` is the kind wanted (``"video"``, ``"audio"``, ``"image"``): anything
    else, and what is empty, damaged or broken off, raises its error (`BadVideo`,
    `BadAudio`, `BadImage`, without ``expect`` `BadMedia`).  Sound of a video
    passes as audio.  Without ``whole`` what breaks off passes, too, as long as
    it is.  Raises `NotFound`.
    """
    path = Path(path)
    error = _ERRORS[expect]
    if is_picture(path):
        image = probe_image(path)
        info = MediaInfo("image", 0.0, path.stat().st_size, image.format.lower(),
                         width=image.width, height=image.height)
        return _expected(info, path, expect)
    with open_media(path, error) as container:
        pictures = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
        if not pictures and not container.streams.audio:
            raise unreadable(path, error)
        facts = _shown(container, path, pictures[0]) if pictures else {}
        chosen = [stream.index for stream in pictures[:1]]
    with open_media(path, error) as container:
        # opened anew: not every container can be sought back to its very first packet
        pictures = [container.streams[index] for index in chosen]
        return _expected(_read(container, path, pictures, container.streams.audio[:1], facts, whole), path, expect)


def _expected(info: MediaInfo, path: Path, expect: str) -> MediaInfo:
    if expect == "audio" and not info.has_sound:
        raise BadAudio("{name} has no sound.", code="audio.none", hint="Use a recording with sound.", name=path.name)
    if expect == "video" and info.kind != expect:
        raise BadVideo("{name} is not a video.", code="video.other_kind", hint="Choose a video with picture and sound.",
                       name=path.name)
    if expect == "image" and info.kind != expect:
        raise BadImage("{name} is not a picture.", code="image.other_kind", hint="Choose a JPEG, PNG or WebP picture.",
                       name=path.name)
    return info


def _read(container: InputContainer, path: Path, pictures: list, sounds: list, shown: dict[str, Any],
          whole: bool) -> MediaInfo:
    facts = {"kind": "video" if pictures else "audio", **shown}
    times = _packet_times(container, [*pictures, *sounds])
    seconds = 0.0
    if pictures:
        mine = times[pictures[0].index]
        seconds = mine.end - mine.starts[0] if mine.starts else 0.0
        steps = np.diff(sorted(mine.starts))
        facts |= {"frames": len(mine.starts), "fps": len(mine.starts) / seconds if seconds > 0 else 0.0,
                  "variable_rate": uneven(steps), "picture_start": mine.starts[0] if mine.starts else 0.0}
    if sounds and times[sounds[0].index].starts:
        mine, codec = times[sounds[0].index], sounds[0].codec_context
        facts |= {"has_sound": True, "sound_codec": codec.name, "sound_rate": codec.sample_rate or 0,
                  "channels": codec.channels, "sound_start": mine.starts[0]}
        seconds = seconds if pictures else mine.end - mine.starts[0]
    if whole:
        _refuse_broken(container, path, times, bool(pictures))
    return MediaInfo(seconds=seconds, size=path.stat().st_size, format=container.format.name, **facts)


def _shown(container: InputContainer, path: Path, stream: av.VideoStream) -> dict[str, Any]:
    """What the first frame tells about the picture."""
    bad = 0
    for packet in container.demux(stream):
        try:
            for frame in packet.decode():
                display = display_of(frame, float(stream.codec_context.sample_aspect_ratio or 1))
                return {"codec": stream.codec_context.name, "width": display.shown[0], "height": display.shown[1],
                        "rotation": display.rotation}
        except av.error.InvalidDataError:
            bad += 1
            if bad > 100:
                break
    raise BadVideo("No frame of {name} can be decoded (codec {codec}).", code="video.undecodable",
                   hint="Save it again as MP4 with H.264.", name=path.name, codec=stream.codec_context.name)


def _packet_times(container: InputContainer, streams: list) -> dict[int, _Times]:
    """When each packet is shown or heard.  What comes after damage is left out."""
    times = {stream.index: _Times() for stream in streams}
    try:
        for packet in container.demux(streams):
            stamp = packet.pts if packet.pts is not None else packet.dts
            mine = times[packet.stream.index]
            mine.packets += packet.size > 0
            if stamp is None or packet.size == 0 or packet.is_discard:
                continue
            start = float(stamp * packet.time_base)
            mine.starts.append(start)
            mine.end = max(mine.end, start + float((packet.duration or 0) * packet.time_base))
    except av.FFmpegError:
        # a broken tail: how much is missing is judged from the times
        pass
    for mine in times.values():
        mine.starts.sort()
    return times


def _refuse_broken(container: InputContainer, path: Path, times: dict[int, _Times], picture: bool) -> None:
    declared = ((container.duration or 0) + (container.start_time or 0)) / av.time_base
    end = max(mine.end for mine in times.values())
    formats = set(container.format.name.split(","))
    lost = "mp4" in formats and any(times[index].packets < container.streams[index].frames for index in times)
    if not lost and (not _INDEXED & formats or end >= declared - max(0.5, 0.03 * declared)):
        return
    raise (BadVideo if picture else BadAudio)(
        "{name} breaks off at {end} s; it should last {declared} s.", code="media.broken_off",
        hint="The copy or the recording was interrupted. Copy the whole file again.",
        name=path.name, end=round(end, 1), declared=round(declared, 1))


def uneven(steps: np.ndarray) -> bool:
    """Whether times between frames (seconds) differ by more than a fifth of their median in one of fifty."""
    if len(steps) < 2:
        return False
    middle = float(np.median(steps))
    return bool((np.abs(steps - middle) > 0.2 * middle).mean() > 0.02)
