"""Where somebody speaks, and lips that are shut wherever nobody does."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_closing, maximum_filter1d, median_filter, percentile_filter

from visage.engines.lite.mel import RATE, energies, frame_count
from visage.engines.lite.mouth import MouthBasis
from visage.engines.lite.once import once
from visage.types import FPS, SPEECH_RATE

CLOSING = 0.10
"""Seconds in which lips close after the last sound, and open before the first."""
_BRIDGED = 11
"""Rows: in a gap of speech shorter than this no mouth would have the time to close and open again."""
_BLOCK = 1024
"""Rows looked at at once: what is kept of each in between is twenty times its sound."""
_DB = 10 / np.log(10)
_FAINT = -84.0
_RISE = 9.0
_VOICED = 0.72


@once
def speech_mask(samples: np.ndarray) -> np.ndarray:
    """Whether somebody speaks, bool [2 T] at 50 per second, for sound at 16 kHz.

    Speech is what stands out of its own noise floor and has a voice near by;
    steady noise, thunder and digital silence are not speech.  Gaps of up to
    120 ms (a stop's closure) belong to the speech round them.
    """
    rows = energies(samples)
    level = _DB * np.log(np.exp(rows[:, 4:32]).mean(1) + 1e-12) + 10 * np.log10(4 / 400 ** 2)
    floor, peak = _envelope(level)
    voiced = median_filter(_periodicity(samples, len(rows)), 3)
    floor = np.maximum(floor, _FAINT - 10)
    limit = np.maximum(floor + np.maximum(_RISE, 0.25 * (peak - floor)), np.maximum(_FAINT, peak - 32))
    loud = level > limit
    sung = (voiced > 0.8) & (level > np.maximum(_FAINT, peak - 20))
    near = maximum_filter1d(((voiced > _VOICED) & (level > limit - 3)).astype(np.uint8), 31) > 0
    speech = (loud & near) | sung
    speech = _without_blips(speech, 3)
    pad = np.pad(speech, 8)
    return binary_closing(pad, np.ones(7))[8:-8]


def _envelope(level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Noise floor and speech peak round every row, dB [N] each, over the ten seconds near it."""
    span = min(len(level), 10 * RATE) | 1
    coarse = level[::5]
    wide = max(3, span // 5 | 1)
    floor = percentile_filter(coarse, 8, wide, mode="nearest")
    peak = percentile_filter(coarse, 96, wide, mode="nearest")
    at = np.arange(len(level)) / 5
    return np.interp(at, np.arange(len(coarse)), floor), np.interp(at, np.arange(len(coarse)), peak)


def _periodicity(samples: np.ndarray, rows: int) -> np.ndarray:
    """How periodic the sound is at the pitches of voices (70 to 400 Hz), 0 to 1 [rows]."""
    hop, size, rate = SPEECH_RATE // RATE // 4, 200, SPEECH_RATE // 4
    result = np.zeros(rows, np.float32)
    for first in range(0, rows, _BLOCK):
        count = min(_BLOCK, rows - first)
        begin = (first * hop - (size - hop) // 2) * 4
        piece = np.zeros(((count - 1) * hop + size) * 4, np.float32)
        have = samples[max(begin, 0):max(begin + len(piece), 0)]
        piece[max(-begin, 0):max(-begin, 0) + len(have)] = have
        low = piece.reshape(-1, 4).mean(1)
        frames = np.lib.stride_tricks.sliding_window_view(low, size)[::hop]
        frames = (frames - frames.mean(1, keepdims=True)) * np.hanning(size).astype(np.float32)
        power = np.abs(np.fft.rfft(frames, 512)) ** 2
        same = np.fft.irfft(power)[:, :size // 2 + 1]
        window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(size), 512)) ** 2)[:size // 2 + 1]
        same = same / (same[:, :1] + 1e-9) / (window / window[0])
        result[first:first + count] = same[:, rate // 400:rate // 70].max(1)
    return result.clip(0, 1)


def _without_blips(mask: np.ndarray, rows: int) -> np.ndarray:
    """The mask without runs shorter than ``rows``."""
    edges = np.flatnonzero(np.diff(np.pad(mask.astype(np.int8), 1)))
    kept = mask.copy()
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start < rows:
            kept[start:end] = False
    return kept


def voice_gate(samples: np.ndarray) -> np.ndarray:
    """How much the mouth may follow speech, float32 [T] from 0 (shut) to 1, with smooth closing and opening."""
    mask = binary_closing(np.pad(speech_mask(samples), 12), np.ones(_BRIDGED))[12:-12]
    rows = np.arange(len(mask))
    if not mask.any():
        return np.zeros(frame_count(samples), np.float32)
    spoken = rows[mask]
    after = rows - np.maximum.accumulate(np.where(mask, rows, -10 ** 6))
    before = spoken[np.minimum(np.searchsorted(spoken, rows), len(spoken) - 1)] - rows
    before = np.where(before < 0, 10 ** 6, before)
    away = np.minimum(after, before) / RATE
    gate = 0.5 + 0.5 * np.cos(np.pi * np.clip(away / CLOSING, 0, 1))
    return gate.reshape(-1, RATE // FPS).mean(1).astype(np.float32)


def shut_in_silence(coefficients: np.ndarray, samples: np.ndarray, basis: MouthBasis) -> np.ndarray:
    """The coefficients [T, K] led to the closed mouth wherever nobody speaks."""
    gate = voice_gate(samples)[:, None]
    return (basis.rest + gate * (coefficients - basis.rest)).astype(np.float32)
