"""A video that is watched while it is written: fragments of H.264 and AAC for Media Source Extensions."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
from av.audio.resampler import AudioResampler

from visage.media.fragment import Run, Sample, fragment
from visage.media.h264 import add_pictures, picture
from visage.types import FPS

SOUND_RATE = 48_000
"""Of every stream, whatever the sound comes at: so that all have the same header."""
FRAMES = (3, 3, 4, 6, 8)
"""Frames in the first, second … fragment; all later ones are as long as the last: soon there, then economical."""
_KEY_SECONDS = 2
_TICKS = 512
"""Units of time in a picture."""
_AAC = 1024
"""Samples in a frame of AAC; its encoder lags by one frame."""


class FragmentWriter:
    """Turns frames and sound into MP4 fragments; times count from 0 and both tracks end within a frame of each other.

    Frames are uint8 I420 [height * 3 / 2, width], BT.601 limited range; sound is
    float32 mono at ``sound_rate``, 8 to 48 kHz.  One thread.
    """

    def __init__(self, width: int, height: int, sound_rate: int, *, fps: int = FPS, crf: int = 21,
                 preset: str = "superfast"):
        self.frames = 0
        """Frames written so far."""
        self._size, self._fps, self._rate = (width, height), fps, sound_rate
        self._file = io.BytesIO()
        options = {"movflags": "empty_moov+default_base_moof", "fflags": "+bitexact",
                   "video_track_timescale": str(fps * _TICKS)}
        self._container = av.open(self._file, "w", format="mp4", options=options)
        # annexb=0: pictures come as they lie in an MP4, each part after its length.
        self._picture = add_pictures(self._container, self._size, fps, crf=crf, preset=preset, tune="zerolatency",
                                     every=_KEY_SECONDS * fps, parameters="annexb=0")
        self._sound = self._container.add_stream("aac", rate=SOUND_RATE, layout="mono", options={"aac_coder": "fast"})
        self._sound.codec_context.bit_rate = 80_000
        self._container.start_encoding()
        self.header = self._file.getvalue()
        """ftyp and moov: the same bytes for every writer of this size and these settings."""
        self._resampler = AudioResampler("fltp", "mono", SOUND_RATE, frame_size=_AAC)
        self._pictures: list[Sample] = []
        self._sounds: list[Sample] = []
        self._fragments = self._given = self._fed = 0
        self._pictures_out = self._sounds_out = 0
        self._primed = False

    @property
    def mime(self) -> str:
        """What `MediaSource.isTypeSupported` is asked."""
        # An avcC says profile, constraints and level in bytes 1 to 3 (ISO/IEC 14496-15).
        profile = bytes(self._picture.codec_context.extradata or b"")[1:4].hex().upper()
        return f'video/mp4; codecs="avc1.{profile},mp4a.40.2"'

    def write(self, frame: np.ndarray, sound: np.ndarray) -> bytes:
        """The fragment that this frame and its sound completed, b"" when none.

        ``sound`` [samples] is what is heard during the frame: all that was given must be ``frames / fps`` seconds,
        to within a sample a frame; what lacks or exceeds at the end becomes silence or is left out.
        """
        if abs(len(sound) - self._rate / self._fps) > 1:
            raise ValueError(f"the sound of a frame must have {self._rate / self._fps:.1f} samples, not {len(sound)}")
        self._pictures += _samples(self._picture.encode(picture(frame, self._size, self.frames, self._fps)))
        self.frames += 1
        self._hear(sound)
        wanted = FRAMES[min(self._fragments, len(FRAMES) - 1)]
        return self._fragment() if len(self._pictures) >= wanted else b""

    def close(self) -> bytes:
        """The last fragment, b"" when nothing was left."""
        if self._given or self.frames:
            self._hear(np.zeros(max(0, round(self.frames * self._rate / self._fps) - self._given), np.float32))
            self._pictures += _samples(self._picture.encode(None))
            self._encode([*self._resampler.resample(None), None])
            del self._sounds[max(0, self._sound_frames() - self._sounds_out):]
        last = self._fragment() if self._pictures or self._sounds else b""
        self._container.close()
        return last

    def _sound_frames(self) -> int:
        """Frames of AAC that begin before the last picture ends."""
        return -(-self.frames * SOUND_RATE // (self._fps * _AAC))

    def _hear(self, sound: np.ndarray) -> None:
        if not len(sound):
            return
        frame = av.AudioFrame.from_ndarray(np.clip(np.asarray(sound, np.float32), -1, 1)[None], format="fltp",
                                           layout="mono")
        frame.rate, frame.pts, frame.time_base = self._rate, self._given, Fraction(1, self._rate)
        self._given += len(sound)
        self._encode(self._resampler.resample(frame))

    def _encode(self, frames: list[av.AudioFrame | None]) -> None:
        for frame in frames:
            coded = _samples(self._sound.encode(frame))
            if coded and not self._primed:
                # The encoder's first frame holds only what lies before the beginning of the sound.  Without it
                # the next one is at 0, in every browser, with no need for an edit list.
                coded, self._primed = coded[1:], True
            self._sounds += coded

    def _fragment(self) -> bytes:
        self._fragments += 1
        runs = [Run(1, self._pictures_out * _TICKS, _TICKS, self._pictures),
                Run(2, self._sounds_out * _AAC, _AAC, self._sounds)]
        made = fragment(self._fragments, [run for run in runs if run.samples])
        self._pictures_out += len(self._pictures)
        self._sounds_out += len(self._sounds)
        self._pictures, self._sounds = [], []
        return made


def _samples(packets: list[av.Packet]) -> list[Sample]:
    return [Sample(bytes(packet), packet.is_keyframe) for packet in packets if packet.size]
