"""Sound as a picture: log-mel energies at 50 per second, level and colour of the recording removed."""

from __future__ import annotations

from functools import cache

import numpy as np

from visage.engines.lite.once import once
from visage.types import FPS, SPEECH_RATE

RATE = 2 * FPS
"""Feature rows per second: two per video frame."""
BANDS = 40
"""Mel bands, 60 Hz to 7.6 kHz."""
_HOP = SPEECH_RATE // RATE
_WINDOW = 400
_SIZE = 512
_BLOCK, _PART = 4096, 512
_FLOOR = 1e-9


def frame_count(samples: np.ndarray) -> int:
    """Video frames that a sound at 16 kHz lasts, at least 1: picture and sound end within one frame of each other."""
    return max(1, round(len(samples) * FPS / SPEECH_RATE))


@cache
def _filters() -> np.ndarray:
    """Triangles on the mel scale, float32 [_SIZE // 2 + 1, BANDS]."""
    def to_mel(hertz: np.ndarray) -> np.ndarray:
        return 2595 * np.log10(1 + hertz / 700)

    edges = np.linspace(*to_mel(np.array([60.0, 7600.0])), BANDS + 2)
    at = to_mel(np.fft.rfftfreq(_SIZE, 1 / SPEECH_RATE))[:, None]
    rise = (at - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - at) / (edges[2:] - edges[1:-1])
    weights = np.clip(np.minimum(rise, fall), 0, None)
    return (weights / weights.sum(0).clip(1e-9)).astype(np.float32)


@once
def energies(samples: np.ndarray) -> np.ndarray:
    """Natural log of mel-band power, float32 [2 T, BANDS], T as in `frame_count`; row i is centred on (i + 0.5) / 50 s.

    Works block by block: memory grows with the rows only (30 minutes: 15 MB).
    """
    rows = RATE // FPS * frame_count(samples)
    window = np.hanning(_WINDOW).astype(np.float32)
    result = np.empty((rows, BANDS), np.float32)
    lead = (_WINDOW - _HOP) // 2
    for first in range(0, rows, _BLOCK):
        count = min(_BLOCK, rows - first)
        begin = first * _HOP - lead
        piece = np.zeros((count - 1) * _HOP + _WINDOW, np.float32)
        have = samples[max(begin, 0):max(begin + len(piece), 0)]
        piece[max(-begin, 0):max(-begin, 0) + len(have)] = have
        frames = np.lib.stride_tricks.sliding_window_view(piece, _WINDOW)[::_HOP]
        result[first:first + count] = np.log(_power(frames, window) @ _filters() + _FLOOR)
    return result


def _power(frames: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Power spectra float32 [N, _SIZE // 2 + 1] of frames [N, _WINDOW]; a part at a time, for its size in between."""
    power = np.empty((len(frames), _SIZE // 2 + 1), np.float32)
    for first in range(0, len(frames), _PART):
        power[first:first + _PART] = np.abs(np.fft.rfft(frames[first:first + _PART] * window, _SIZE)) ** 2
    return power


def levelled(rows: np.ndarray) -> np.ndarray:
    """Energies [N, BANDS] with the level and colour of the recording removed: each band's mean over the loud rows.

    The mean is taken over the 30 s round each row, so that a talker who moves
    away from the microphone after ten minutes still moves the mouth.
    """
    loud = rows.mean(1)
    low, high = np.percentile(loud, [10, 95])
    weight = (loud > low + 0.4 * (high - low)).astype(np.float64)
    total = np.zeros((len(rows) + 1, rows.shape[1]))
    np.multiply(rows, weight[:, None], out=total[1:])
    overall = total[1:].sum(0) / max(weight.sum(), 1)
    np.cumsum(total[1:], 0, out=total[1:])
    count = np.concatenate([[0], np.cumsum(weight)])
    half = 15 * RATE
    result = np.empty(rows.shape, np.float32)
    for first in range(0, len(rows), _BLOCK):
        part = slice(first, first + _BLOCK)
        at = np.arange(len(rows))[part]
        begin, end = np.clip(at - half, 0, None), np.clip(at + half, None, len(rows))
        near = (count[end] - count[begin])[:, None]
        mean = (total[end] - total[begin] + 2 * RATE * overall) / (near + 2 * RATE)
        result[part] = np.clip(rows[part] - mean, -6, 6) / 2
    return result


def in_context(rows: np.ndarray, first: int, last: int, half: int = 10, sharpness: float = 3.0) -> np.ndarray:
    """What is heard round the video frames ``first`` to ``last``: rows [2 T, D] to float32 [N, (2 half + 2) D].

    ±200 ms by default; far rows count less (a Gaussian of ``sharpness`` rows).
    """
    at = 2 * np.arange(first, last)[:, None] + np.arange(-half, half + 2)
    weight = np.exp(-0.5 * ((np.arange(-half, half + 2) - 0.5) / sharpness) ** 2).astype(np.float32)
    taken = rows[np.clip(at, 0, len(rows) - 1)] * weight[:, None]
    return taken.reshape(last - first, -1)
