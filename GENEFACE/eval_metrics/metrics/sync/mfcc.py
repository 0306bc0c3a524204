"""Mel-frequency cepstral coefficients as SyncNet was trained on: 13 at 100 per second.

The conventions are those of python_speech_features 0.6, which the published
procedure calls with its defaults: pre-emphasis 0.97, windows of 25 ms without
taper every 10 ms, power spectrum of 512 points, 26 triangles on bin borders
rounded down, orthonormal DCT-II, lifter 22, the first coefficient replaced by
the logarithm of the window's energy.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.fft import dct

from visage.types import SPEECH_RATE

RATE = 100
"""Rows a second."""
SIZE = 13
"""Coefficients a row."""
_WINDOW, _HOP = 400, 160
_POINTS, _BANDS, _LIFTER, _EMPHASIS = 512, 26, 22, 0.97
_BLOCK = 6000
_EPSILON = np.finfo(np.float64).eps


def mfcc(samples: np.ndarray) -> np.ndarray:
    """Coefficients float32 [N, 13] of sound at 16 kHz; row i covers i to i + 2.5 hundredths of a second.

    The sound, float of -1 to 1, is taken to the whole numbers of 16 bits first,
    as the published procedure reads them from a file.  Works a minute at a time.
    """
    count = 1 + max(0, -(-(len(samples) - _WINDOW) // _HOP))
    rows = np.empty((count, SIZE), np.float32)
    for first in range(0, count, _BLOCK):
        last = min(first + _BLOCK, count)
        rows[first:last] = _rows(samples, first, last)
    return rows


def _rows(samples: np.ndarray, first: int, last: int) -> np.ndarray:
    begin, end = first * _HOP, (last - 1) * _HOP + _WINDOW
    piece = np.clip(np.rint(np.asarray(samples[max(begin - 1, 0):end], np.float64) * 32768), -32768, 32767)
    before = piece[:-1] if begin else np.concatenate([[0.0], piece[:-1]])
    piece = (piece[1:] if begin else piece) - _EMPHASIS * before
    piece = np.pad(piece, (0, end - begin - len(piece)))
    windows = np.lib.stride_tricks.sliding_window_view(piece, _WINDOW)[::_HOP]
    power = np.abs(np.fft.rfft(windows, _POINTS)) ** 2 / _POINTS
    bands = _some(power @ _triangles())
    cepstra = dct(np.log(bands), type=2, axis=1, norm="ortho")[:, :SIZE]
    cepstra *= 1 + _LIFTER / 2 * np.sin(np.pi * np.arange(SIZE) / _LIFTER)
    cepstra[:, 0] = np.log(_some(power.sum(1)))
    return cepstra


def _some(values: np.ndarray) -> np.ndarray:
    """The values with the smallest step above 1 in place of 0, which has no logarithm."""
    return np.where(values == 0, _EPSILON, values)


@cache
def _triangles() -> np.ndarray:
    """Weights of the bands, float64 [257, 26], from 0 Hz to half the rate."""
    top = 2595 * np.log10(1 + SPEECH_RATE / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, top, _BANDS + 2) / 2595) - 1)
    edges = np.floor((_POINTS + 1) * hertz / SPEECH_RATE)
    at = np.arange(_POINTS // 2 + 1)[:, None]
    rise = (at - edges[:-2]) / np.maximum(edges[1:-1] - edges[:-2], 1)
    fall = (edges[2:] - at) / np.maximum(edges[2:] - edges[1:-1], 1)
    return np.where(at < edges[1:-1], rise, fall).clip(0, None) * ((at >= edges[:-2]) & (at < edges[2:]))
