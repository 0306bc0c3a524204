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
LONGEST_HOLD = 0.2
"""Seconds of pause that still belong to speech when its pace is reckoned."""
_DIP_DB = 2.0
_NEAREST = 0.08


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
    return Traits(float(np.median(frames.pitch[voiced])), float(high - low) / 2, pace_of(frames, level),
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


def pace_of(frames: Frames, level: np.ndarray) -> float:
    """Syllables a second: voiced peaks of loudness with a dip on both sides (the idea of de Jong & Wempe 2009)."""
    smooth = np.convolve(level, np.hanning(13) / np.hanning(13).sum(), mode="same")
    threshold = np.percentile(smooth, 95) - SPEECH_DB
    peaks, least, last = 0, -np.inf, -_NEAREST / STEP
    low = smooth[0]
    for index in range(1, len(smooth) - 1):
        low = min(low, smooth[index])
        top = smooth[index] >= smooth[index - 1] and smooth[index] > smooth[index + 1]
        if top and smooth[index] > threshold and frames.pitch[index] > 0:
            if smooth[index] - low >= _DIP_DB and index - last >= _NEAREST / STEP:
                peaks, last, least = peaks + 1, index, smooth[index]
                low = smooth[index]
            elif smooth[index] > least:
                least = low = smooth[index]
    return peaks / max(0.1, _spoken(smooth > threshold))


def _spoken(loud: np.ndarray) -> float:
    """Seconds of speech, pauses longer than `LONGEST_HOLD` left out."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (~loud).astype(int), [0]])))
    pauses = edges[1::2] - edges[::2]
    return float(len(loud) - pauses[pauses * STEP > LONGEST_HOLD].sum()) * STEP


def _shape(bands: np.ndarray) -> np.ndarray:
    mean = bands.mean(0)
    return mean - mean.mean()
