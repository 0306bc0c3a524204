"""What of a sound is worth listening to, in pieces of bounded length."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from visage.errors import BadAudio
from visage.types import SPEECH_RATE

LIMIT_SECONDS = 3600
"""Longer sound is refused; the memory needed grows with `CHUNK_SECONDS` only."""
CHUNK_SECONDS = 20.0
"""Longest piece handed to a recogniser."""
FRAME = SPEECH_RATE // 50
QUIET_DBFS = -55.0
"""Softer than this is silence."""
SPEECH_RISE_DB = 8.0
"""Speech comes and goes: its loud frames stand so far above its soft ones; steady noise does not."""


def loudness_frames(samples: np.ndarray) -> np.ndarray:
    """dBFS of every whole 20 ms frame."""
    count = len(samples) // FRAME
    frames = samples[:count * FRAME].reshape(count, FRAME)
    power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / FRAME
    return 10 * np.log10(power + 1e-12)


def has_speech(samples: np.ndarray) -> bool:
    """Whether float32 mono sound at `SPEECH_RATE` may hold speech: loud enough somewhere, and not steady."""
    level = loudness_frames(np.nan_to_num(samples))
    if level.size < 5:
        return False
    soft, loud = np.percentile(level, (10, 95))
    return bool(loud > QUIET_DBFS and loud - soft > SPEECH_RISE_DB)


def chunks(samples: np.ndarray) -> Iterator[np.ndarray]:
    """The pieces that may hold speech, cut at the softest moment of each piece's last quarter.

    Raises `BadAudio` for more than `LIMIT_SECONDS`.
    """
    if len(samples) > LIMIT_SECONDS * SPEECH_RATE:
        raise BadAudio("The recording is {minutes} minutes long; at most {limit} can be understood.",
                       code="asr.too_long", hint="Cut it into shorter parts.",
                       minutes=round(len(samples) / SPEECH_RATE / 60), limit=LIMIT_SECONDS // 60)
    longest = int(CHUNK_SECONDS * SPEECH_RATE)
    start = 0
    while start < len(samples):
        stop = start + longest
        if stop < len(samples):
            search = start + longest * 3 // 4
            level = loudness_frames(samples[search:stop])
            stop = search + int(np.argmin(np.convolve(level, np.ones(5), "same"))) * FRAME + FRAME // 2
        piece = samples[start:stop]
        start = stop
        if has_speech(piece):
            yield np.nan_to_num(piece)


def pcm16(samples: np.ndarray) -> bytes:
    """float32 sound as 16-bit little-endian bytes."""
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
