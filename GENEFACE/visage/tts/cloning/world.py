"""Speech as WORLD has it (Morise et al. 2016): pitch, spectral envelope and aperiodicity every 5 ms, and back."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import numpy as np

from visage.errors import NotInstalled

RATE = 22_050
"""Samples per second that everything here works at: espeak-ng's own, so that nothing is resampled while speaking."""
STEP = 0.005
"""Seconds from frame to frame."""
FFT = 1024
"""Samples of a spectrum; allows pitches from 65 Hz."""
BINS = FFT // 2 + 1
FLOOR, CEILING = 60.0, 500.0
"""Hz between which a pitch is looked for."""
_QUIET = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Speech in parts."""

    pitch: np.ndarray
    """float64 [frames], Hz; 0 where there is no voice."""
    envelope: np.ndarray
    """float64 [frames, BINS], natural logarithm of power."""
    noise: np.ndarray
    """float64 [frames, BINS], share of noise in the amplitude, 0 to 1."""


def pitch_of(samples: np.ndarray, *, careful: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Pitch in Hz (0: no voice) and its frames' seconds; ``careful`` takes ten times as long, for recordings."""
    world, sound = _world(), np.ascontiguousarray(samples, np.float64)
    search = world.harvest if careful else world.dio
    pitch, times = search(sound, RATE, f0_floor=FLOOR, f0_ceil=CEILING, frame_period=STEP * 1000)
    return world.stonemask(sound, pitch, times, RATE), times


def analyse(samples: np.ndarray, *, careful: bool = False) -> Frames:
    """The parts of float32 mono sound at `RATE`.  Raises `NotInstalled`."""
    pitch, times = pitch_of(samples, careful=careful)
    world, sound = _world(), np.ascontiguousarray(samples, np.float64)
    power = world.cheaptrick(sound, pitch, times, RATE, fft_size=FFT)
    noise = world.d4c(sound, pitch, times, RATE, fft_size=FFT)
    return Frames(pitch, np.log(power + _QUIET), noise)


def synthesise(frames: Frames, length: int) -> np.ndarray:
    """Sound again: float32 [length] at `RATE`."""
    power, noise = np.ascontiguousarray(np.exp(frames.envelope)), np.ascontiguousarray(frames.noise)
    sound = _world().synthesize(frames.pitch, power, noise, RATE, STEP * 1000)
    return np.pad(sound[:length], (0, max(0, length - len(sound)))).astype(np.float32)


def _world() -> ModuleType:
    try:
        import pyworld
    except ImportError as exc:
        raise NotInstalled("The vocoder WORLD is not installed, so voices cannot be cloned.",
                           code="voice.world_missing", hint="pip install pyworld-prebuilt, then restart.") from exc
    return pyworld
