"""Writing clips: H.264 and AAC in an MP4 that exists only when whole."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.video.reformatter import Interpolation

from visage.errors import OutputInvalid
from visage.media.container import writing_failed
from visage.media.geometry import EXACT
from visage.media.h264 import LIMITED, SMPTE_170M, picture
from visage.types import FPS, SPEECH_RATE

_EXACT = EXACT | int(Interpolation.BILINEAR)
_BT709 = 1


class ClipWriter:
    """Writes frames and sound into an MP4; on leaving the ``with`` both are equally long and the file gets its name.

    Frames are uint8 RGB [height, width, 3], odd sides padded by one pixel; with ``planar`` they are uint8 I420
    [height * 3 / 2, width] as `visage.media.planes` makes them, sides even, and go to the encoder as they are.
    Sound is float32 mono at ``sound_rate`` (0: no sound); it may come before,
    after or between the frames.  When the block raises, nothing is left behind.
    Raises `DiskFull`, and `OutputInvalid` when there are no frames.
    """

    def __init__(self, path: Path, width: int, height: int, fps: int = FPS, sound_rate: int = SPEECH_RATE, *,
                 crf: int = 20, preset: str = "veryfast", threads: int = 0, planar: bool = False):
        if planar and (width % 2 or height % 2):
            raise ValueError(f"planar frames must have even sides, not {width} x {height}")
        self.path = Path(path)
        self.frames = 0
        """Frames written so far."""
        self._temporary = self.path.with_name(f".{self.path.stem}.{os.getpid()}-{id(self):x}.part")
        self._size, self._planar = (height, width), planar
        self._fps = fps
        self._rate = sound_rate
        self._pending: list[np.ndarray] = []
        self._waiting = self._coded = 0
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._container = av.open(str(self._temporary), "w", format="mp4", options={"movflags": "+faststart"})
        except OSError as exc:
            raise writing_failed(self.path, exc) from exc
        self._picture = self._container.add_stream("libx264", rate=fps)
        self._picture.width, self._picture.height = width + width % 2, height + height % 2
        self._picture.pix_fmt = "yuv420p"
        self._picture.options = {"crf": str(crf), "preset": preset}
        codec = self._picture.codec_context
        codec.thread_count = threads
        codec.color_primaries = codec.color_trc = codec.colorspace = SMPTE_170M if planar else _BT709
        codec.color_range = LIMITED
        # players decode whole AAC frames: below 26 kHz the last one would be longer than a picture
        self._sound_rate = 48_000 if sound_rate % 11_025 else 44_100
        self._sound = self._container.add_stream("aac", rate=self._sound_rate, layout="mono") if sound_rate else None
        self._resampler = AudioResampler("fltp", "mono", self._sound_rate)
        if self._sound:
            self._sound.codec_context.bit_rate = 128_000

    def write(self, frame: np.ndarray) -> None:
        """Append one frame; the array may be used again afterwards.  Raises `ValueError` for another shape."""
        self._mux(self._picture.encode(self._planes(frame) if self._planar else self._colours(frame)))
        self.frames += 1
        self._code_sound()

    def write_sound(self, samples: np.ndarray) -> None:
        """Append sound, float32 mono [samples]."""
        if len(samples):
            self._pending.append(np.asarray(samples, np.float32).reshape(-1))
            self._waiting += len(samples)

    def close(self) -> Path:
        """Finish the file and give it its name; returns the path."""
        if not self.frames:
            self.abort()
            raise OutputInvalid("The clip {name} has no frames.", code="media.no_frames", name=self.path.name)
        try:
            self._code_sound(last=True)
            self._mux(self._picture.encode(None))
            if self._sound:
                self._encode_sound(None)
                self._mux(self._sound.encode(None))
            self._container.close()
            self._temporary.replace(self.path)
        except OSError as exc:
            raise writing_failed(self.path, exc) from exc
        finally:
            self._temporary.unlink(missing_ok=True)
        return self.path

    def abort(self) -> None:
        """Leave nothing behind."""
        try:
            self._container.close()
        except (OSError, ValueError):
            # the file is thrown away: what it lacks does not matter
            pass
        finally:
            self._temporary.unlink(missing_ok=True)

    def __enter__(self) -> ClipWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def _planes(self, frame: np.ndarray) -> av.VideoFrame:
        height, width = self._size
        return picture(frame, (width, height), self.frames, self._fps)

    def _colours(self, frame: np.ndarray) -> av.VideoFrame:
        height, width = self._size
        if frame.shape != (height, width, 3) or frame.dtype != np.uint8:
            raise ValueError(f"a frame must be uint8 {(height, width, 3)}, not {frame.dtype} {frame.shape}")
        if height % 2 or width % 2:
            frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        made = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        made = made.reformat(format="yuv420p", dst_colorspace=1, interpolation=_EXACT)
        made.pts, made.time_base = self.frames, Fraction(1, self._fps)
        return made

    def _code_sound(self, last: bool = False) -> None:
        """Encode what lies before the end of the last frame; at the ``last`` call exactly up to it, or silence."""
        if not self._sound:
            return
        due = round(self.frames * self._rate / self._fps) - self._coded
        size = due if last else min(due, self._waiting) // self._rate * self._rate
        if size <= 0:
            return
        silence = np.zeros(max(0, size - self._waiting), np.float32)
        parts = [*self._pending, *([silence] if len(silence) else [])]
        joined = parts[0] if len(parts) == 1 else np.concatenate(parts)
        part, rest = np.clip(joined[:size], -1, 1), joined[size:]
        self._pending, self._waiting = [rest], len(rest)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part[None]), format="fltp", layout="mono")
        frame.rate, frame.pts, frame.time_base = self._rate, self._coded, Fraction(1, self._rate)
        self._coded += size
        self._encode_sound(frame)

    def _encode_sound(self, frame: av.AudioFrame | None) -> None:
        for resampled in self._resampler.resample(frame):
            self._mux(self._sound.encode(resampled))

    def _mux(self, packets: list[av.Packet]) -> None:
        try:
            self._container.mux(packets)
        except OSError as exc:
            raise writing_failed(self.path, exc) from exc
