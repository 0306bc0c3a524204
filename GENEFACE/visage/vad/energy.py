"""Driver ``energy``: loudness above a noise floor that follows the room, in sound that has a pitch and changes.

Needs no weights.  Three things make speech of a window: it stands above the floor of its bands (minimum statistics:
the floor falls at once and rises slowly), the window and the one before it repeat themselves at a pitch of 70 to
400 Hz (peak of the normalised autocorrelation), and the spectrum moves, which that of a hum does not.
"""

from __future__ import annotations

import numpy as np

from visage.types import SPEECH_RATE
from visage.vad.contract import WINDOW

NOTE = "Speech is told from noise by loudness only: the Silero network is not installed."
BANDS = 10
LOW_HZ, HIGH_HZ = 120.0, 4000.0
SHORTEST_LAG, LONGEST_LAG = SPEECH_RATE // 400, SPEECH_RATE // 70
SOFTEST_DB = -78.0
"""Softer than this, dB of full scale in a band, is silence."""
RISE_DB = 0.12
"""How far the floor rises in one window: 4 dB a second."""
STEADY_RISE_DB = 1.0
"""The same while the spectrum does not move."""
RELEASE = 0.8
"""What of a window's likelihood is left one window later: consonants without a pitch belong to the word."""
MEMORY = 8
"""Changes from window to window that are looked at, 0.26 s: a vowel is over by then, a hum is not."""


class EnergyVad:
    """One stream; about 0.1 ms a window."""

    name = "energy"
    note = NOTE

    def __init__(self) -> None:
        self._before: np.ndarray
        self._floor: np.ndarray
        self._likely: float
        self._taper = np.hanning(WINDOW * 2).astype(np.float32)
        edges = np.geomspace(LOW_HZ, HIGH_HZ, BANDS + 1) * (2 * WINDOW) / SPEECH_RATE
        self._edges = np.unique(edges.round().astype(int))
        lags = np.fft.irfft(np.abs(np.fft.rfft(self._taper, 4 * WINDOW)) ** 2)[:LONGEST_LAG + 1]
        self._bias = lags / lags[0]
        self.reset()

    def probability(self, window: np.ndarray) -> float:
        """How likely speech is in the next window."""
        if window.shape != (WINDOW,):
            raise ValueError(f"a window has {WINDOW} samples, not {window.shape}")
        window = np.nan_to_num(window.astype(np.float32, copy=False), posinf=1.0, neginf=-1.0)
        window = window - window.mean()
        sound = np.concatenate([self._before, window])
        self._before = window
        if float(np.dot(sound, sound)) < 10 ** (SOFTEST_DB / 10) * len(sound):
            self._likely = 0.0
            self._past.clear()
            return 0.0
        power = np.abs(np.fft.rfft(sound * self._taper, 4 * WINDOW)) ** 2
        level = self._levels(power[::2])
        above = float(np.mean(np.clip(level - self._floor, 0, 24)))
        moved = self._moved(level)
        self._follow(level, moved)
        pitch = self._pitch(power)
        heard = min(1.0, max(0.0, (above - 3) / 6)) * min(1.0, max(0.0, (pitch - 0.35) / 0.2)) * moved
        self._likely = max(heard, self._likely * RELEASE, 0.01)
        return self._likely

    def reset(self) -> None:
        """Forget the stream and its floor."""
        self._before = np.zeros(WINDOW, np.float32)
        self._floor = np.full(len(self._edges) - 1, SOFTEST_DB + 10)
        self._past: list[np.ndarray] = []
        self._likely = 0.0

    def _levels(self, power: np.ndarray) -> np.ndarray:
        """dB of full scale of each band, not below `SOFTEST_DB`."""
        sums = np.add.reduceat(power, self._edges)[:-1] * 4 / (2 * WINDOW) ** 2
        return np.maximum(10 * np.log10(sums + 1e-12), SOFTEST_DB)

    def _moved(self, level: np.ndarray) -> float:
        """How much the spectrum changes from window to window: 0 is a hum, 1 may be speech."""
        self._past.append(level)
        del self._past[:max(0, len(self._past) - MEMORY - 1)]
        if len(self._past) < 4:
            return 1.0
        change = float(np.median(np.mean(np.abs(np.diff(self._past, axis=0)), axis=1)))
        return min(1.0, max(0.0, (change - 0.6) / 0.6))

    def _follow(self, level: np.ndarray, moved: float) -> None:
        rise = STEADY_RISE_DB if moved < 0.5 else RISE_DB
        self._floor = np.minimum(level, self._floor + rise)

    def _pitch(self, power: np.ndarray) -> float:
        """How well the sound repeats itself at the pitch of a voice, about 0 to 1."""
        again = np.fft.irfft(power)[:LONGEST_LAG + 1]
        again = again / (again[0] + 1e-12) / self._bias
        return float(again[SHORTEST_LAG:].max())
