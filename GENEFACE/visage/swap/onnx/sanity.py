"""Whether a picture that a network painted can be one at all: float16 fails on some devices without an error."""

from __future__ import annotations

import numpy as np

_FLAT = 1 / 255
_DARK = 2 / 255


def flaw(painted: np.ndarray, given: np.ndarray, low: float, high: float) -> str:
    """What is wrong with planes [N, 3, H, W] between two values, as an English word or two; empty when nothing is.

    ``given`` are the planes it was painted from, in the network's own numbers: what was
    flat or dark before may stay so.
    """
    if not np.isfinite(painted).all():
        return "not a number"
    span = high - low
    # every eighth pixel tells a flat or a black picture as surely as all of them
    seen = (painted[..., ::8, ::8] - low) / span
    before = given[..., ::8, ::8]
    was = float(before.max() - before.min())
    for one, its in zip(seen, before, strict=True):
        if float(one.max() - one.min()) < _FLAT and float(its.max() - its.min()) > 0.1 * was > 0:
            return "black" if float(one.max()) < _DARK else "of one colour"
        if float(one.max()) < _DARK and float(its.max() - its.min()) > 0.1 * was > 0:
            return "black"
    return ""


def vector_flaw(vectors: np.ndarray) -> str:
    """What is wrong with embeddings [N, D]; empty when nothing is."""
    if not np.isfinite(vectors).all():
        return "not a number"
    return "zero" if float(np.linalg.norm(vectors, axis=1).min()) < 1e-6 else ""
