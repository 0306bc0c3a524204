"""Speech and noise for ears: flite's voices where they are installed, rooms, loudspeakers and noises that are made."""

from __future__ import annotations

import functools
import io
import shutil
import subprocess

import numpy as np
import pytest
import soundfile
from scipy.signal import fftconvolve

from visage.types import SPEECH_RATE


@functools.cache
def flite(text: str, voice: str = "slt") -> np.ndarray:
    """flite's voice, float32 at `SPEECH_RATE`, its silent ends cut off; skips where flite is absent."""
    program = shutil.which("flite")
    if program is None:
        pytest.skip("flite is not installed (apt install flite)")
    said = subprocess.run([program, "-voice", voice, "-t", text, "-o", "/dev/stdout"], check=True, timeout=60,
                          capture_output=True).stdout
    header = said.index(b"data") + 8  # to a pipe, flite cannot write the length
    sound, rate = soundfile.read(io.BytesIO(said[header:]), channels=1, samplerate=SPEECH_RATE, format="RAW",
                                 subtype="PCM_16", dtype="float32")
    assert rate == SPEECH_RATE
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    return sound[loud[0]:loud[-1] + 1]


def silence(seconds: float, level: float = 1e-4, seed: int = 0) -> np.ndarray:
    """A quiet room: white noise of that root mean square."""
    return np.random.default_rng(seed).normal(0, level, round(seconds * SPEECH_RATE)).astype(np.float32)


def hum(seconds: float) -> np.ndarray:
    """A mains hum with harmonics."""
    clock = np.arange(round(seconds * SPEECH_RATE)) / SPEECH_RATE
    return sum(0.1 / n * np.sin(2 * np.pi * 50 * n * clock) for n in (1, 2, 3, 5)).astype(np.float32)


def clicks(seconds: float, seed: int = 0) -> np.ndarray:
    """Three knocks a second, each 10 ms."""
    random = np.random.default_rng(seed)
    sound = silence(seconds)
    for at in np.arange(0.2, seconds - 0.1, 0.33):
        start = round(at * SPEECH_RATE)
        sound[start:start + 160] += (0.5 * random.normal(size=160) * np.exp(-np.arange(160) / 40)).astype(np.float32)
    return sound


def in_a_room(sound: np.ndarray, seed: int = 0, seconds: float = 0.15) -> np.ndarray:
    """What a microphone hears of a loudspeaker: dull, with echoes that die away; as loud as it was."""
    random = np.random.default_rng(seed)
    length = round(seconds * SPEECH_RATE)
    tail = random.normal(size=length) * np.exp(-6.9 * np.arange(length) / length) * 0.06
    tail[0] += 1.0
    dull = fftconvolve(tail, [0.25, 0.5, 0.25])
    out = fftconvolve(sound, dull)[:len(sound) + length]
    return (out * np.sqrt(np.sum(sound ** 2) / np.sum(out ** 2))).astype(np.float32)


def decibels(factor: float) -> float:
    """dB as a factor of amplitude."""
    return float(10 ** (factor / 20))
