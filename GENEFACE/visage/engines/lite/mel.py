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
_BLOCK = 4096
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
        power = np.abs(np.fft.rfft(frames * window, _SIZE)) ** 2
        result[first:first + count] = np.log(power.astype(np.float32) @ _filters() + _FLOOR)
    return result


def levelled(rows: np.ndarray) -> np.ndarray:
    """Energies [N, BANDS] with the level and colour of the recording removed: each band's mean over the loud rows.

    The mean is taken over the 30 s round each row, so that a talker who moves
    away from the microphone after ten minutes still moves the mouth.
    """
    loud = rows.mean(1)
    low, high = np.percentile(loud, [10, 95])
    weight = (loud > low + 0.4 * (high - low)).astype(np.float64)
    overall = (rows * weight[:, None]).sum(0) / max(weight.sum(), 1)
    half = 15 * RATE
    begin = np.clip(np.arange(len(rows)) - half, 0, None)
    end = np.clip(np.arange(len(rows)) + half, None, len(rows))
    count = np.concatenate([[0], np.cumsum(weight)])
    total = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows * weight[:, None], 0)])
    near = (count[end] - count[begin])[:, None]
    mean = (total[end] - total[begin] + 2 * RATE * overall) / (near + 2 * RATE)
    return (np.clip(rows - mean, -6, 6) / 2).astype(np.float32)


def in_context(rows: np.ndarray, first: int, last: int, half: int = 10, sharpness: float = 3.0) -> np.ndarray:
    """What is heard round the video frames ``first`` to ``last``: rows [2 T, D] to float32 [N, (2 half + 2) D].

    ±200 ms by default; far rows count less (a Gaussian of ``sharpness`` rows).
    """
    at = 2 * np.arange(first, last)[:, None] + np.arange(-half, half + 2)
    weight = np.exp(-0.5 * ((np.arange(-half, half + 2) - 0.5) / sharpness) ** 2).astype(np.float32)
    taken = rows[np.clip(at, 0, len(rows) - 1)] * weight[:, None]
    return taken.reshape(last - first, -1)
