"""The mark that people hear: "AI" in Morse, short-long, short-short, as GB 45438-2025, 4.3 has it; quiet and brief."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

UNIT = 0.07
"""Seconds of a short tone; a long one is three, the pause between letters too."""
PITCH = 880.0
"""Hz."""
LEVEL = 0.07
"""Amplitude: about 23 dB below full scale, softer than speech."""
PAUSE = 0.35
"""Seconds of silence between the sound and the rhythm."""
_LETTERS = ((1, 3), (1, 1))
_FADE = 0.008


@lru_cache(maxsize=8)
def rhythm(rate: int) -> np.ndarray:
    """The rhythm alone, float32 [samples]."""
    parts = []
    for number, letter in enumerate(_LETTERS):
        parts += [np.zeros(round(3 * UNIT * rate))] if number else []
        for place, units in enumerate(letter):
            parts += [np.zeros(round(UNIT * rate))] if place else []
            parts.append(_tone(units * UNIT, rate))
    return np.concatenate(parts).astype(np.float32)


def with_rhythm(samples: np.ndarray, rate: int, where: str = "end") -> np.ndarray:
    """Float32 mono sound with the rhythm at its ``"start"`` or ``"end"``; any other word leaves it as it is."""
    pause = np.zeros(round(PAUSE * rate), np.float32)
    if where == "start":
        return np.concatenate([rhythm(rate), pause, samples])
    if where == "end":
        return np.concatenate([samples, pause, rhythm(rate)])
    return samples


def _tone(seconds: float, rate: int) -> np.ndarray:
    times = np.arange(round(seconds * rate)) / rate
    edge = np.minimum(1.0, np.minimum(times, times[::-1]) / _FADE)
    return LEVEL * edge * np.sin(2 * np.pi * PITCH * times)
