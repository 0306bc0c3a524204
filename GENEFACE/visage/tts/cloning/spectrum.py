"""Envelopes in a few bands as the ear has them, and envelopes of longer or shorter vocal tracts."""

from __future__ import annotations

from functools import cache

import numpy as np

from visage.tts.cloning.world import BINS, RATE

BANDS = 36
"""Bands, equally wide on the mel scale."""
LOWEST, HIGHEST = 80.0, 10_000.0
"""Hz that they cover."""
_FREQUENCIES = np.linspace(0, RATE / 2, BINS)


def centres() -> np.ndarray:
    """Middle of each band, Hz [BANDS]."""
    return _hertz(np.linspace(_mel(LOWEST), _mel(HIGHEST), BANDS + 2))[1:-1]


def bands_of(envelope: np.ndarray) -> np.ndarray:
    """Mean logarithm of the envelope in each band: [..., BINS] → [..., BANDS]."""
    return envelope @ _weights().T


def spread(bands: np.ndarray) -> np.ndarray:
    """A curve over the bands as one over the frequencies: [BANDS] → [BINS]; level beyond the outer bands."""
    return np.interp(_FREQUENCIES, centres(), bands)


def warped(envelope: np.ndarray, factor: float) -> np.ndarray:
    """The envelope with every formant at ``factor`` times its frequency: [..., BINS] → the same."""
    places = np.minimum(np.arange(BINS) / factor, BINS - 1)
    below = np.minimum(places.astype(int), BINS - 2)
    part = places - below
    return envelope[..., below] * (1 - part) + envelope[..., below + 1] * part


def cepstra(envelope: np.ndarray, count: int = 14, top: float = HIGHEST) -> np.ndarray:
    """Mel-cepstra of the bands below ``top`` Hz, without their level: [..., BINS] → [..., count], nepers of power."""
    used = int((centres() < top).sum())
    return bands_of(envelope)[..., :used] @ _cosines(count, used).T


@cache
def _weights() -> np.ndarray:
    edges = _hertz(np.linspace(_mel(LOWEST), _mel(HIGHEST), BANDS + 2))
    rows = np.array([np.interp(_FREQUENCIES, edges[index:index + 3], [0.0, 1.0, 0.0], left=0, right=0)
                     for index in range(BANDS)])
    nearest = np.abs(_FREQUENCIES[None] - edges[1:-1, None]).argmin(1)
    rows[np.arange(BANDS), nearest] = np.maximum(rows[np.arange(BANDS), nearest], 1e-3)  # the lowest are very narrow
    return rows / rows.sum(1, keepdims=True)


@cache
def _cosines(count: int, bands: int) -> np.ndarray:
    order, place = np.arange(1, count + 1)[:, None], np.arange(bands)[None] + 0.5
    return np.sqrt(2 / bands) * np.cos(np.pi * order * place / bands)


def _mel(hertz: float | np.ndarray) -> np.ndarray:
    return 2595 * np.log10(1 + np.asarray(hertz) / 700)


def _hertz(mel: np.ndarray) -> np.ndarray:
    return 700 * (10 ** (mel / 2595) - 1)
