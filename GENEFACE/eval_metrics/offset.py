"""How far one clip lies behind another of the same scene, from their sounds or from what moves in their pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from visage.types import SPEECH_RATE

_HOP, _WINDOW, _BANDS = 160, 400, 12
_SOUND_REACH, _PICTURE_REACH = 10.0, 3.0
_SURE, _APART = 0.4, 0.12
"""Least correlation at an offset, and least lead over every other one, to believe in it."""
_STILL = 0.12
"""Grey levels from frame to frame, of a thumbnail's pixel, below which nothing moves."""
THUMB = 24
"""Side of the thumbnails, pixels."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How much later the same thing comes in the clip than in the ground truth."""

    seconds: float
    """0 when nothing was found."""
    found: bool
    """Whether one offset stands out."""
    correlation: float
    """At the offset, -1 to 1."""
    lead: float
    """Correlation at the offset less the best one elsewhere: how much it stands out."""
    source: str
    """``sound`` or ``pictures``."""
    note: str = ""
    """Why none was found."""


def sound_lag(pred: np.ndarray, truth: np.ndarray) -> Lag:
    """The lag of two sounds at 16 kHz: where the rise and fall of their bands correlates best, to about 2 ms."""
    first, second = _rises(pred), _rises(truth)
    if min(len(first), len(second)) < 100 or not first.any() or not second.any():
        return Lag(0.0, False, 0.0, 0.0, "sound", "a sound is silent or shorter than a second")
    rate = SPEECH_RATE / _HOP
    return _best(first, second, rate, _SOUND_REACH, 0.15, "sound")


def picture_lag(pred: np.ndarray, truth: np.ndarray, fps: float) -> Lag:
    """The lag of two rows of thumbnails, float32 [N, THUMB, THUMB] grey on one clock: where their motion agrees.

    Still pictures give no lag: what is left of them is noise, which agrees with anything.
    """
    if min(len(pred), len(truth)) < max(8, fps / 2):
        return Lag(0.0, False, 0.0, 0.0, "pictures", "there are too few frames")
    motions = [np.diff(frames.reshape(len(frames), -1).astype(np.float64), axis=0) for frames in (pred, truth)]
    if min(np.abs(motion).mean() for motion in motions) < _STILL:
        return Lag(0.0, False, 0.0, 0.0, "pictures", "hardly anything moves")
    return _best(motions[0], motions[1], fps, _PICTURE_REACH, 0.25, "pictures")


def thumbnails(frames: Iterable[np.ndarray]) -> np.ndarray:
    """Small grey pictures of frames, uint8 RGB, for `picture_lag`; float32 [N, THUMB, THUMB]."""
    small = [cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), (THUMB, THUMB), interpolation=cv2.INTER_AREA)
             for frame in frames]
    return np.array(small, np.float32).reshape(-1, THUMB, THUMB)


def _best(pred: np.ndarray, truth: np.ndarray, rate: float, reach: float, near: float, source: str) -> Lag:
    """The lag of rows [N, D] at ``rate``; what lies within ``near`` seconds of the peak does not rival it."""
    lags, curve = _correlations(pred, truth, round(reach * rate), round(rate))
    top = int(np.argmax(curve))
    if curve[lags == 0][0] > curve[top] - 1e-9:
        top = int(np.flatnonzero(lags == 0)[0])
    others = curve[np.abs(lags - lags[top]) > near * rate]
    peak = float(curve[top])
    lead = peak - float(others.max()) if len(others) else 0.0
    if peak < _SURE or lead < _APART:
        return Lag(0.0, False, peak, lead, source, "the two clips do not agree clearly at any offset")
    return Lag((lags[top] + _between(curve, top)) / rate, True, peak, lead, source)


def _correlations(pred: np.ndarray, truth: np.ndarray, reach: int, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Normalised correlation of pred[t + lag] with truth[t] at every lag that leaves enough in common."""
    size = 1 << (len(pred) + len(truth)).bit_length()
    cross = np.zeros(size)
    for column in range(pred.shape[1]):
        cross += np.fft.irfft(np.fft.rfft(pred[:, column], size) * np.fft.rfft(truth[:, column], size).conj(), size)
    least = max(least, min(len(pred), len(truth)) // 2)
    low, high = max(-reach, least - len(truth)), min(reach, len(pred) - least)
    lags = np.arange(min(low, 0), max(high, 0) + 1)
    energy = [np.concatenate([[0.0], np.cumsum((rows**2).sum(1))]) for rows in (pred, truth)]
    curve = np.zeros(len(lags))
    for place, lag in enumerate(lags):
        begin, end = max(0, -lag), min(len(truth), len(pred) - lag)
        own = energy[0][end + lag] - energy[0][begin + lag]
        other = energy[1][end] - energy[1][begin]
        curve[place] = cross[lag] / np.sqrt(own * other) if own * other > 0 else 0.0
    return lags, curve


def _between(curve: np.ndarray, top: int) -> float:
    """How far the top of the parabola through a peak and its neighbours lies from the peak, in steps."""
    if not 0 < top < len(curve) - 1 or curve[top] > 1 - 1e-9:
        return 0.0
    before, here, after = curve[top - 1:top + 2]
    bend = before - 2 * here + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0 else 0.0


def _rises(sound: np.ndarray) -> np.ndarray:
    """Changes of the loudness of bands from 100 to 6000 Hz, 100 a second, float64 [N, bands], each of variance 1."""
    count = max(0, (len(sound) - _WINDOW) // _HOP + 1)
    edges = np.unique(np.geomspace(100, 6000, _BANDS + 1) * _WINDOW / SPEECH_RATE).astype(int)
    power = np.zeros((count, _BANDS))
    shape = np.hanning(_WINDOW)
    starts = np.arange(0, count, 4096)
    for start in starts:
        stop = min(start + 4096, count)
        pieces = np.lib.stride_tricks.sliding_window_view(
            sound[start * _HOP:(stop - 1) * _HOP + _WINDOW], _WINDOW)[::_HOP]
        spectrum = np.abs(np.fft.rfft(pieces * shape)) ** 2
        power[start:stop] = np.add.reduceat(spectrum, edges, axis=1)[:, :_BANDS]
    if not power.any():
        return power
    loud = np.log(power + 1e-4 * power.mean(0) + 1e-12)
    rises = np.diff(loud, axis=0, prepend=loud[:1])
    return (rises - rises.mean(0)) / np.maximum(rises.std(0), 1e-9)
