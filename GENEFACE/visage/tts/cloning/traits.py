"""What is measured of a way of speaking, the same on a recording and on a built-in voice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from visage.tts.cloning.spectrum import bands_of
from visage.tts.cloning.world import RATE, STEP, Frames, analyse
from visage.tts.loudness import speech_loudness

SPEECH_DB = 30.0
"""Frames this much below the loud ones are pauses."""
MOST_SPECTRA = 1000
"""Spectra that are kept of a voice."""
LONGEST_HOLD = 0.2
"""Seconds of pause that still belong to speech when its pace is reckoned."""
VOWELS = (250.0, 3000.0)
"""Hz in which vowels are loud and hiss is not."""
VOWEL_DB, DIP_DB = 22.0, 3.0
"""A syllable is at most so far below the loudest, and so far above its surroundings; fitted to known texts."""


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """A way of speaking."""

    pitch: float
    """Median pitch, Hz."""
    range: float
    """Half the span that holds the middle 68 % of pitches, semitones."""
    pace: float
    """Syllables (peaks of voiced loudness) a second of speech without pauses."""
    loudness: float
    """dBFS of the speech."""
    voiced: np.ndarray
    """Mean band levels of voiced frames [BANDS], nepers of power, their own mean taken off."""
    unvoiced: np.ndarray
    """The same of unvoiced frames of speech."""
    breath: np.ndarray
    """Mean share of noise of voiced frames by band [BANDS], natural logarithm."""
    spectra: np.ndarray
    """Envelopes of loud voiced frames [frames, BINS], for `visage.tts.cloning.likeness`; not kept."""
    seconds: float
    """Seconds of voiced speech that this was measured on."""


def traits_of(samples: np.ndarray, frames: Frames | None = None) -> Traits:
    """Measure float32 mono speech at `RATE` (its parts, where they are known); some of it must be voiced."""
    frames = frames or analyse(samples)
    level = frame_levels(samples, len(frames.pitch))
    speech = level > np.percentile(level, 95) - SPEECH_DB
    voiced = speech & (frames.pitch > 0)
    strong = voiced & (level > np.median(level[voiced]) - 8)
    bands = bands_of(frames.envelope)
    tones = 12 * np.log2(frames.pitch[voiced])
    low, high = np.percentile(tones, [16, 84])
    hiss = speech & ~voiced
    breath = bands_of(np.log(np.clip(frames.noise[strong], 1e-3, 1))).mean(0)
    every = max(1, int(strong.sum()) // MOST_SPECTRA)
    return Traits(float(np.median(frames.pitch[voiced])), float(high - low) / 2, pace_of(samples, frames.pitch, level),
                  speech_loudness(samples, RATE), _shape(bands[strong]), _shape(bands[hiss if hiss.any() else strong]),
                  breath, frames.envelope[strong][::every], float(voiced.sum() * STEP))


def frame_levels(samples: np.ndarray, count: int) -> np.ndarray:
    """dB of 25 ms around each frame [count]."""
    width, step = round(0.025 * RATE), STEP * RATE
    total = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    middle = np.arange(count) * step
    start = np.clip(middle - width / 2, 0, len(samples)).astype(int)
    end = np.clip(middle + width / 2, 0, len(samples)).astype(int)
    return 10 * np.log10((total[end] - total[start]) / np.maximum(end - start, 1) + 1e-12)


def pace_of(samples: np.ndarray, pitch: np.ndarray, level: np.ndarray) -> float:
    """Syllables a second: voiced peaks that stand out of the loudness of vowels (the idea of de Jong & Wempe 2009)."""
    from scipy.signal import butter, find_peaks, sosfiltfilt

    vowels = sosfiltfilt(butter(2, VOWELS, "band", fs=RATE, output="sos"), samples)
    window = np.hanning(21)
    smooth = np.convolve(frame_levels(vowels, len(pitch)), window / window.sum(), mode="same")
    floor = np.percentile(smooth, 95) - VOWEL_DB
    peaks, _ = find_peaks(np.maximum(smooth, floor - 5), height=floor, prominence=DIP_DB)
    syllables = int((pitch[peaks] > 0).sum())
    return max(1, syllables) / max(0.1, spoken_seconds(level))


def spoken_seconds(level: np.ndarray) -> float:
    """Seconds of speech, pauses longer than `LONGEST_HOLD` left out; ``level`` as `frame_levels` has it."""
    quiet = level <= np.percentile(level, 95) - SPEECH_DB
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(int), [0]])))
    pauses = edges[1::2] - edges[::2]
    return float(len(level) - pauses[pauses * STEP > LONGEST_HOLD].sum()) * STEP


def _shape(bands: np.ndarray) -> np.ndarray:
    mean = bands.mean(0)
    return mean - mean.mean()
