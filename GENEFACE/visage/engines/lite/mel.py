"""Sound as a picture: log-mel energies at 50 per second, level and colour of the recording removed."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from scipy.signal import lfilter

from visage.engines.lite.once import once
from visage.types import FPS, SPEECH_RATE

RATE = 2 * FPS
"""Feature rows per second: two per video frame."""
BANDS = 40
"""Mel bands, 60 Hz to 7.6 kHz."""
_HOP = SPEECH_RATE // RATE
_WINDOW = 400
_LEAD = (_WINDOW - _HOP) // 2
_SIZE = 512
_BLOCK, _PART = 4096, 512
_FLOOR = 1e-9
_POWER = 0.8
"""Exponent of the energy that a row counts by: noise between words hardly does."""
_KEPT = math.exp(-1 / (20 * RATE))
_USUAL = np.linspace(1.0, -8.0, BANDS)
"""Energies of a usual voice: less of the high bands."""
_HELD = 5 * math.exp(-5 * _POWER)
"""What it counts for: as five rows of a rather quiet recording."""


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
    result = np.empty((rows, BANDS), np.float32)
    for first in range(0, rows, _BLOCK):
        last = min(first + _BLOCK, rows)
        result[first:last] = energies_between(samples, 0, first, last)
    return result


def energies_between(samples: np.ndarray, begins: int, first: int, last: int) -> np.ndarray:
    """Rows ``first`` to ``last`` of a sound's `energies`, from a part of it that begins at sample ``begins``.

    Samples that the part lacks count as silence; `whole_rows` tells which rows lack none.
    """
    begin = first * _HOP - _LEAD - begins
    piece = np.zeros((last - first - 1) * _HOP + _WINDOW, np.float32)
    have = samples[max(begin, 0):max(begin + len(piece), 0)]
    piece[max(-begin, 0):max(-begin, 0) + len(have)] = have
    frames = np.lib.stride_tricks.sliding_window_view(piece, _WINDOW)[::_HOP]
    return np.log(_power(frames, np.hanning(_WINDOW).astype(np.float32)) @ _filters() + _FLOOR).astype(np.float32)


def whole_rows(samples: int) -> int:
    """Rows that need nothing beyond the first ``samples`` of a sound."""
    return max(0, (samples + _LEAD - _WINDOW) // _HOP + 1)


def first_sample(row: int) -> int:
    """The first sample that a row is made of, 0 at least."""
    return max(0, row * _HOP - _LEAD)


def _power(frames: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Power spectra float32 [N, _SIZE // 2 + 1] of frames [N, _WINDOW]; a part at a time, for its size in between."""
    power = np.empty((len(frames), _SIZE // 2 + 1), np.float32)
    for first in range(0, len(frames), _PART):
        power[first:first + _PART] = np.abs(np.fft.rfft(frames[first:first + _PART] * window, _SIZE)) ** 2
    return power


class Levels:
    """The level and colour of a recording as far as it was heard, and energies with both removed.

    Everything is causal: a row is levelled by itself and what came before it, so
    a live voice and a file give the very same numbers.  The colour is each
    band's mean over about 20 s in which loud rows count more, by their energy;
    at the very beginning that of a usual voice counts for a few rows.
    """

    def __init__(self) -> None:
        self._sums = _HELD * np.append(_USUAL, 1.0)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """The next energies [N, BANDS], levelled, float32, within -3 to 3."""
        result = np.empty(rows.shape, np.float32)
        for first in range(0, len(rows), _BLOCK):
            part = rows[first:first + _BLOCK].astype(np.float64)
            weight = np.exp(_POWER * part.mean(1, keepdims=True))
            counted = np.concatenate([part * weight, weight], 1)
            sums = lfilter([1.0], [1.0, -_KEPT], counted, axis=0, zi=_KEPT * self._sums[None])[0]
            self._sums = sums[-1]
            result[first:first + _BLOCK] = np.clip(part - sums[:, :-1] / sums[:, -1:], -6, 6) / 2
        return result


def levelled(rows: np.ndarray) -> np.ndarray:
    """Energies [N, BANDS] of a recording from its beginning, levelled as `Levels` does."""
    return Levels()(rows)


def levelled_twice(rows: np.ndarray) -> np.ndarray:
    """The same when all of the recording was heard before: its beginning is levelled as well as its end."""
    levels = Levels()
    levels(rows)
    return levels(rows)


def in_context(rows: np.ndarray, first: int, last: int, half: int = 10, sharpness: float = 3.0) -> np.ndarray:
    """What is heard round the video frames ``first`` to ``last``: rows [2 T, D] to float32 [N, (2 half + 2) D].

    ±200 ms by default; far rows count less (a Gaussian of ``sharpness`` rows).
    """
    at = 2 * np.arange(first, last)[:, None] + np.arange(-half, half + 2)
    weight = np.exp(-0.5 * ((np.arange(-half, half + 2) - 0.5) / sharpness) ** 2).astype(np.float32)
    taken = rows[np.clip(at, 0, len(rows) - 1)] * weight[:, None]
    return taken.reshape(last - first, -1)
