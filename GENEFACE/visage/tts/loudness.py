"""One loudness for every voice."""

from __future__ import annotations

import numpy as np

TARGET_DBFS = -20.0
"""RMS over the blocks that hold speech, in dB relative to full scale."""
PEAK_DBFS = -1.0
"""No sample is louder; a voice with higher peaks is made softer instead."""
BLOCK_SECONDS = 0.05
GATE_DB = 20.0
"""Blocks this much below the mean of the loud ones are pauses and do not count."""


def speech_loudness(samples: np.ndarray, rate: int) -> float:
    """dBFS of the speech in float32 mono sound, pauses left out; -inf for silence."""
    power = _block_power(samples, rate)
    loud = power[power > 1e-8]
    if not loud.size:
        return float("-inf")
    speech = loud[loud > loud.mean() * 10 ** (-GATE_DB / 10)]
    return float(10 * np.log10(speech.mean()))


def level(samples: np.ndarray, rate: int) -> np.ndarray:
    """The sound at `TARGET_DBFS` with peaks at most `PEAK_DBFS`; changes a float32 array in place, silence not."""
    now = speech_loudness(samples, rate)
    if not np.isfinite(now):
        return samples
    peak = max(float(samples.max()), -float(samples.min()))
    gain = min(10 ** ((TARGET_DBFS - now) / 20), 10 ** (PEAK_DBFS / 20) / peak)
    samples *= np.float32(gain)
    return samples


def _block_power(samples: np.ndarray, rate: int) -> np.ndarray:
    block = max(1, int(rate * BLOCK_SECONDS))
    count = -(-len(samples) // block)
    # block by block: the square of an hour of sound would double the memory
    return np.array([np.dot(part, part) / max(1, len(part)) for part in
                     (samples[index * block:(index + 1) * block] for index in range(count))])
