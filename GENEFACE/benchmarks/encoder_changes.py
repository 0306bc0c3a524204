"""Log-mel speech as other throats, rooms, microphones and company would have it: fresh for every step of training."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from visage.engines.lite.mel import BANDS, RATE, Levels

_EDGES = np.linspace(*(2595 * np.log10(1 + np.array([60.0, 7600.0]) / 700)), BANDS + 2)[1:-1]


def warped(rows: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Rows [B, T, 40] with the vocal tract made longer or shorter by ``factors`` [B]."""
    result = np.empty_like(rows)
    for index, factor in enumerate(factors):
        hertz = 700 * (10 ** (_EDGES / 2595) - 1) * factor
        at = np.interp(2595 * np.log10(1 + hertz / 700), _EDGES, np.arange(BANDS))
        low = at.astype(int).clip(0, BANDS - 2)
        share = (at - low).astype(np.float32)
        result[index] = rows[index][:, low] * (1 - share) + rows[index][:, low + 1] * share
    return result


def in_rooms(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows [B, T, 40] with the tail of a room added to a third of them."""
    for index in np.flatnonzero(rng.random(len(rows)) < 0.33):
        decay = 10 ** (-6 / (rng.uniform(0.12, 0.7) * RATE))
        power = np.exp(rows[index])
        tail = lfilter([0, decay], [1, -decay], power, axis=0) * rng.uniform(0.02, 0.3)
        rows[index] = np.log(power + tail)
    return rows


def blurred(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows [B, T, 40] of which a third have softer or sharper formants, and all a livelier or duller loudness."""
    for index in np.flatnonzero(rng.random(len(rows)) < 0.33):
        near = np.pad(rows[index], ((0, 0), (1, 1)), mode="edge")
        soft = (near[:, :-2] + 2 * rows[index] + near[:, 2:]) / 4
        rows[index] += rng.uniform(-1, 1) * (soft - rows[index])
    loud = rows.mean(2, keepdims=True)
    return rows + rng.uniform(-0.15, 0.25, (len(rows), 1, 1)).astype(np.float32) * (loud - loud.max(1, keepdims=True))


def _colours(count: int, waves: int, size: float, rng: np.random.Generator) -> np.ndarray:
    """Smooth random curves over the bands [count, 1, 40]."""
    shape = np.cos(np.pi * np.arange(1, waves + 1)[:, None] * np.arange(BANDS) / BANDS
                   + rng.uniform(0, 6.28, (count, waves, 1)))
    return (rng.normal(0, size, (count, waves, 1)) * shape).sum(1)[:, None].astype(np.float32)


def with_noise(rows: np.ndarray, others: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows [B, T, 40] by another microphone, with noise or talk of ``others`` 3 to 35 dB below, and cut bands."""
    count = len(rows)
    rows = rows + _colours(count, 4, 0.7, rng)
    top = np.percentile(rows.mean(2), 85, axis=1)[:, None, None]
    steady = _colours(count, 3, 1.0, rng) + rng.normal(0, 0.3, rows.shape).astype(np.float32)
    swell = np.cumsum(rng.normal(0, 0.05, (count, rows.shape[1], 1)), 1).clip(-2, 2) * (rng.random((count, 1, 1)) < 0.4)
    talk = np.logaddexp(others, np.roll(others, 1, 0))
    talk -= np.percentile(talk.mean(2), 85, axis=1)[:, None, None]
    music = _music(count, rows.shape[1], rng)
    kind = rng.random((count, 1, 1))
    noise = np.where(kind < 0.6, steady + swell, np.where(kind < 0.85, talk, music))
    noise += top - rng.uniform(3, 35, (count, 1, 1)) * np.log(10) / 10
    rows = np.logaddexp(rows, noise).astype(np.float32)
    for index in np.flatnonzero(rng.random(count) < 0.15):
        rows[index, :, rng.integers(27, 38):] = rows[index].min()
    return rows


def _music(count: int, length: int, rng: np.random.Generator) -> np.ndarray:
    """Log-mel of held notes that change every few tenths of a second [B, T, 40]: narrow bands that fade."""
    beat = rng.integers(8, 30, count)
    at = np.arange(length)
    notes = rng.normal(0, 1.6, (count, length, BANDS))
    step = (at[None] // beat[:, None])
    held = np.take_along_axis(notes, np.broadcast_to(step[:, :, None], notes.shape), 1)
    fade = (at[None] % beat[:, None]) / beat[:, None] * 1.5
    return (held - fade[:, :, None] - np.linspace(0, 2.5, BANDS)).astype(np.float32)


def hidden(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows [B, T, 40] with a few bands and a few rows of each missing."""
    for index in range(len(rows)):
        band, row = rng.integers(0, BANDS - 6), rng.integers(0, rows.shape[1] - 8)
        rows[index, :, band:band + rng.integers(0, 6)] = 0
        rows[index, row:row + rng.integers(0, 6)] = 0
    return rows


def heard(rows: np.ndarray, others: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pieces of the corpus [B, T, 40] changed in all ways and levelled from their beginning."""
    made = in_rooms(blurred(warped(rows, rng.uniform(0.84, 1.19, len(rows))), rng), rng)
    made = with_noise(made, others, rng)
    return np.stack([Levels()(one + rng.uniform(-2, 2)) for one in made])
