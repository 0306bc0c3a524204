"""Video encoders: which one works here, and how a quality of 0 to 100 is said to it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation

from visage.errors import InvalidRequest, NotInstalled
from visage.media.container import writing_failed
from visage.media.geometry import EXACT

SUFFIXES = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""Suffix of a video to FFmpeg's name of its container."""
_LADDERS = {"mp4": ("libx264", "libopenh264", "mpeg4"), "mov": ("libx264", "libopenh264", "mpeg4"),
            "matroska": ("libx264", "libopenh264", "mpeg4"), "webm": ("libvpx-vp9", "libvpx")}
"""Encoders that are tried after the wanted one, by container."""
_SCALE = EXACT | int(Interpolation.BILINEAR)
_BT709, _LIMITED = 1, 1


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder that opened on this machine."""

    name: str
    """FFmpeg's name, e.g. ``"libx264"``."""
    options: tuple[tuple[str, str], ...]
    """Its own options."""
    note: str
    """Why it is not the wanted one; empty when it is."""


def options_of(name: str, quality: int) -> dict[str, str]:
    """A quality of 0 to 100 in an encoder's own words; the rate factor of H.264 and HEVC is 51 - quality / 2."""
    factor = str(round(51 - quality * 0.5))
    if name in ("libx264", "libx265"):
        return {"crf": factor, "preset": "veryfast"} | ({"x265-params": "log-level=error"} if name == "libx265" else {})
    if name in ("libvpx-vp9", "libvpx"):
        fast = {"deadline": "realtime", "cpu-used": "6", "row-mt": "1"} if name == "libvpx-vp9" else {}
        return {"crf": str(round(63 - quality * 0.63)), "b": "0" if name == "libvpx-vp9" else "8M", **fast}
    if name.endswith("_nvenc"):
        return {"rc": "vbr", "cq": factor, "preset": "p4"}
    if name == "mpeg4":
        step = str(max(1, round(31 - quality * 0.3)))
        return {"qmin": step, "qmax": step}
    return {}


def choose_encoder(wanted: str, container: str, quality: int, size: tuple[int, int]) -> Encoder:
    """The first encoder that opens: the wanted one, then those of the ladder.  Raises `NotInstalled` without any."""
    failures = []
    for name in dict.fromkeys((wanted, *_LADDERS[container])):
        options = options_of(name, quality)
        try:
            context: Any = av.CodecContext.create(name, "w")
            context.width, context.height = size
            context.pix_fmt, context.time_base, context.framerate = "yuv420p", Fraction(1, 25), Fraction(25)
            context.options = options
            context.encode(av.VideoFrame.from_ndarray(np.zeros((size[1] * 3 // 2, size[0]), np.uint8), "yuv420p"))
        except (av.FFmpegError, ValueError) as exc:
            failures.append(f"{name}: {exc}")
            continue
        note = f"The encoder {name} was used: {'; '.join(failures)}." if failures else ""
        return Encoder(name, tuple(options.items()), note)
    raise NotInstalled("No video encoder works here: {tried}", code="swap.no_encoder",
                       hint="Install the package av with libx264.", tried="; ".join(failures))


def container_of(out: Path) -> str:
    """FFmpeg's name of the container that a suffix asks for.  Raises `InvalidRequest` for another suffix."""
    name = SUFFIXES.get(out.suffix.lower())
    if name is None:
        raise InvalidRequest("A video cannot be written as {suffix!r}; there are: {known}.", code="swap.suffix",
                             hint="Choose one of these suffixes.", suffix=out.suffix, known=", ".join(SUFFIXES))
    return name


class Part:
    """A stretch of a video, written into a file of its own; BT.709 limited range, 4:2:0, both sides even."""

    def __init__(self, path: Path, encoder: Encoder, size: tuple[int, int], base: Fraction, rate: Fraction):
        """``size``: width and height of the frames; odd ones are padded by a pixel."""
        self.frames = 0
        self._path, self._size, self._base = path, size, base
        self._first = 0
        try:
            self._container = av.open(str(path), "w", format="mp4")
            self._stream = self._container.add_stream(encoder.name, rate=rate)
        except OSError as exc:
            raise writing_failed(path, exc) from exc
        self._stream.width, self._stream.height = size[0] + size[0] % 2, size[1] + size[1] % 2
        self._stream.pix_fmt, self._stream.options = "yuv420p", dict(encoder.options)
        codec = self._stream.codec_context
        codec.time_base = base
        codec.color_primaries = codec.color_trc = codec.colorspace = _BT709
        codec.color_range = _LIMITED

    def write(self, frame: np.ndarray, ticks: int) -> None:
        """Append a frame uint8 RGB [H, W, 3] with its time stamp."""
        height, width = frame.shape[:2]
        if (width, height) != self._size:
            raise ValueError(f"a frame of {self._size} was promised, not of {(width, height)}")
        if height % 2 or width % 2:
            frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        picture = picture.reformat(format="yuv420p", dst_colorspace=_BT709, interpolation=_SCALE)
        self._first = self._first if self.frames else ticks
        picture.pts, picture.time_base = ticks - self._first, self._base
        self._mux(self._stream.encode(picture))
        self.frames += 1

    def close(self) -> None:
        """Finish the file."""
        self._mux(self._stream.encode(None))
        try:
            self._container.close()
        except OSError as exc:
            raise writing_failed(self._path, exc) from exc

    def abort(self) -> None:
        """Leave nothing behind."""
        # what it lacks does not matter: the file is thrown away
        with contextlib.suppress(OSError, ValueError):
            self._container.close()
        self._path.unlink(missing_ok=True)

    def _mux(self, packets: list[av.Packet]) -> None:
        try:
            self._container.mux(packets)
        except OSError as exc:
            raise writing_failed(self._path, exc) from exc
