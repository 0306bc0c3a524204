"""Speech as a file: wav, flac, mp3, opus, aac or bare samples."""

from __future__ import annotations

from typing import BinaryIO, cast

import numpy as np

from visage.errors import InvalidRequest
from visage.media.audio import resample

FORMATS = {"wav": "audio/wav", "mp3": "audio/mpeg", "flac": "audio/flac", "pcm": "audio/pcm", "opus": "audio/ogg",
           "aac": "audio/aac"}
"""Names of formats and their media types; ``pcm`` is signed 16-bit little-endian mono at `PCM_RATE`."""
PCM_RATE = 24_000
_CODECS = {"mp3": ("mp3", "libmp3lame", 24_000), "opus": ("ogg", "libopus", 48_000), "aac": ("adts", "aac", 24_000)}
BLOCK = 1 << 18
"""Samples converted at once."""


def encode(samples: np.ndarray, rate: int, form: str, file: BinaryIO) -> None:
    """Write float32 mono sound to an open file in one of `FORMATS`.  Raises `InvalidRequest` for another name."""
    if form in ("wav", "flac"):
        import soundfile

        with soundfile.SoundFile(file, "w", rate, 1, "PCM_16", format=form.upper()) as target:
            for start in range(0, len(samples), BLOCK):
                target.write(samples[start:start + BLOCK])
    elif form == "pcm":
        sound = resample(samples, rate, PCM_RATE)
        for start in range(0, len(sound), BLOCK):
            file.write(_integers(sound[start:start + BLOCK]).tobytes())
    elif form in _CODECS:
        _compress(samples, rate, form, file)
    else:
        raise InvalidRequest("Sound cannot be written as {form!r}; there are: {names}.", code="tts.format",
                             hint="Use wav.", form=form, names=", ".join(FORMATS))


def _compress(samples: np.ndarray, rate: int, form: str, file: BinaryIO) -> None:
    import av

    container, codec, wanted = _CODECS[form]
    sound = resample(samples, rate, wanted)
    with av.open(file, "w", format=container) as target:
        stream = cast(av.AudioStream, target.add_stream(codec, rate=wanted))
        stream.bit_rate = 64_000
        for start in range(0, len(sound), BLOCK):
            frame = av.AudioFrame.from_ndarray(_integers(sound[start:start + BLOCK])[None], "s16", "mono")
            frame.sample_rate, frame.pts = wanted, start
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))


def _integers(samples: np.ndarray) -> np.ndarray:
    return (np.clip(samples, -1, 1) * 32767).round().astype("<i2")
