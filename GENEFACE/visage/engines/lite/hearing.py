"""Whether a sound is speech, judged from its level, its pitch and how often that sets in; no model needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfilt

from visage.types import SPEECH_RATE

_HOP, _WINDOW = 160, 640
"""10 ms and 40 ms."""
_LAGS = (40, 230)
"""Pitch periods searched: 400 down to 70 Hz."""
_CHUNK = 6000
"""Frames looked at in one go: a minute, so that half an hour needs little memory."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What a sound is like."""

    level: float
    """Level of its louder half, dB below full scale (negative)."""
    voiced: float
    """Share of the time with a voice-like pitch, 0 to 1."""
    onsets: float
    """How often a second a voiced stretch begins; speech 1 to 3, held notes and noise next to none."""

    @property
    def silent(self) -> bool:
        """Whether there is practically nothing to hear."""
        return self.level < -55

    @property
    def speech(self) -> bool:
        """Whether it can be speech; speech over music or noise passes, so does some singing."""
        return not self.silent and self.voiced > 0.08 and self.onsets > 0.4


def hear(samples: np.ndarray) -> Hearing:
    """What float32 mono sound at `SPEECH_RATE` is like."""
    if len(samples) < 4 * _WINDOW:
        return Hearing(-100.0, 0.0, 0.0)
    clean = sosfilt(butter(2, [80, 4000], "bandpass", fs=SPEECH_RATE, output="sos"), samples).astype(np.float32)
    count = (len(clean) - _WINDOW) // _HOP + 1
    parts = [_frames(clean[begin * _HOP:(min(begin + _CHUNK, count) - 1) * _HOP + _WINDOW])
             for begin in range(0, count, _CHUNK)]
    power, pitched = (np.concatenate([part[n] for part in parts]) for n in (0, 1))
    level = 10 * np.log10(power + 1e-10)
    loud = level > max(np.percentile(level, 95) - 25, -60)
    voiced = _smoothed(loud & (pitched > 0.55))
    begins = int((voiced[1:] & ~voiced[:-1]).sum())
    upper = level[level >= np.median(level)]
    return Hearing(float(10 * np.log10((10 ** (upper / 10)).mean())), float(voiced.mean()),
                   begins / (count * _HOP / SPEECH_RATE))


def _frames(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Power and strength of pitch (peak of the normalised autocorrelation, 0 to 1) of each 40 ms."""
    windows = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::_HOP]
    power = (windows**2).mean(1)
    spectrum = np.abs(np.fft.rfft(windows * np.hanning(_WINDOW).astype(np.float32), 2 * _WINDOW, axis=1)) ** 2
    correlation = np.fft.irfft(spectrum, axis=1)[:, :_LAGS[1]]
    shape = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(_WINDOW), 2 * _WINDOW)) ** 2)[:_LAGS[1]]
    correlation = correlation / np.maximum(correlation[:, :1], 1e-9) / (shape / shape[0])
    return power, correlation[:, _LAGS[0]:].max(1)


def _smoothed(flags: np.ndarray) -> np.ndarray:
    """Flags by majority of the nine around each."""
    return np.convolve(flags.astype(np.float32), np.ones(9) / 9, "same") > 0.5
