"""Where a sound is silent: the one measure by which it is cut and by which the mouth is closed."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

RATE = 16000
FPS = 25
HOP = 160
HOPS_PER_FRAME = RATE // FPS // HOP
FLOOR_DB = -70.0
NOTHING_DB = -55.0
ON_ABOVE_FLOOR = 12.0
OFF_BELOW_ON = 5.0
UNDER_LOUD = 15.0
SHORTEST_SILENCE = 30
LONGEST_CLICK = 4
LEAD = 12
TAIL = 16


def read_wav(file: Path) -> np.ndarray:
    """The samples of a 16 kHz mono 16-bit WAV, float32 [samples] within -1..1; ValueError for any other kind."""
    with wave.open(str(file), "rb") as sound:
        kind = (sound.getframerate(), sound.getnchannels(), sound.getsampwidth())
        if kind != (RATE, 1, 2):
            raise ValueError(f"{file}: expected 16000 Hz, mono, 16 bit; it has (rate, channels, bytes) = {kind}")
        data = sound.readframes(sound.getnframes())
    return np.frombuffer(data, "<i2").astype(np.float32) / 32768.0


def write_wav(file: Path, samples: np.ndarray) -> None:
    """Write float samples within -1..1 as a 16 kHz mono 16-bit WAV."""
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(np.clip(np.rint(samples * 32768.0), -32768, 32767).astype("<i2").tobytes())


def levels(samples: np.ndarray) -> np.ndarray:
    """Loudness every 10 ms over 30 ms, in dB below full scale, float64 [ceil(samples / 160)], at least -70."""
    hops = -(-len(samples) // HOP)
    blocks = np.zeros(hops * HOP, np.float32)
    blocks[:len(samples)] = samples
    blocks = blocks.reshape(hops, HOP)
    power = np.pad(np.einsum("ij,ij->i", blocks, blocks).astype(np.float64), 1)
    mean = (power[:-2] + power[1:-1] + power[2:]) / (3 * HOP)
    return np.maximum(10 * np.log10(mean + 1e-12), FLOOR_DB)


def held(level: np.ndarray) -> np.ndarray:
    """Whether each hop is loud, bool [hops]: on above one threshold, off only below a lower one.

    The thresholds follow the recording's own noise and its own loudest parts.
    """
    if not len(level):
        return np.zeros(0, bool)
    floor, loud = np.percentile(level, [5, 99])
    if loud < NOTHING_DB:
        return np.zeros(len(level), bool)
    on = min(floor + ON_ABOVE_FLOOR, loud - UNDER_LOUD)
    state = np.where(level > on, 1, np.where(level < on - OFF_BELOW_ON, 0, -1))
    known = np.where(state >= 0, np.arange(len(state)), 0)
    state[0] = max(state[0], 0)
    return state[np.maximum.accumulate(known)] == 1


def runs(mask: np.ndarray) -> np.ndarray:
    """The runs of True as rows of (first, one past the last), int [n, 2]."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return edges.reshape(-1, 2)


def speech_hops(samples: np.ndarray) -> np.ndarray:
    """Whether something is said in each 10 ms, bool [hops].

    Breaks under 0.3 s count as speech, lonely clicks do not.  Hissing consonants are weak, so a second look is taken
    at the treble alone.
    """
    treble = np.append(samples[:1], samples[1:] - 0.95 * samples[:-1])
    said = held(levels(samples)) | held(levels(treble))
    for first, last in runs(~said):
        if last - first < SHORTEST_SILENCE and first > 0 and last < len(said):
            said[first:last] = True
    for first, last in runs(said):
        if last - first <= LONGEST_CLICK:
            said[first:last] = False
    return said


def quiet_frames(samples: np.ndarray, frames: int) -> np.ndarray:
    """Whether each 1/25 s frame is silent, bool [frames].

    The 0.12 s before speech and the 0.16 s after it count as speech: lips part before they sound.
    """
    said = speech_hops(samples)
    near = np.zeros(max(len(said), frames * HOPS_PER_FRAME), bool)
    for first, last in runs(said):
        near[max(first - LEAD, 0):last + TAIL] = True
    return ~near[:frames * HOPS_PER_FRAME].reshape(frames, HOPS_PER_FRAME).any(1)
