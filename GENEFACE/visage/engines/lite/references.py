"""Real crops of the person, found again by the shape of their lips.

The painter bends one of these for every frame it paints.  Which one decides
what the teeth look like, so the choice is by nearest shape and pose, and over
time by the cheapest path: changing the photograph in every frame would flicker.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from visage.engines.lite.mouth import LIPS

LIMIT = 400
"""Most crops a package keeps."""
_POSE = 0.005
"""What a degree of head turn counts beside lips that are one eye distance apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Reference crops of one person."""

    faces: np.ndarray
    """uint8 [M, S, S, 3]."""
    contours: np.ndarray
    """float32 [M, 40, 2]: the lips in these crops, in crop pixels, as the mouth basis draws them."""
    keys: np.ndarray
    """float32 [M, D]: what they are found by (`keys`)."""


def keys(shapes: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """What mouths are compared by, float32 [N, D], from shapes [N, P, 3] and head angles [N, 3] in degrees."""
    lips = shapes[:, :len(LIPS), :2].reshape(len(shapes), -1) / np.sqrt(len(LIPS))
    return np.hstack([lips, angles * _POSE]).astype(np.float32)


def distances(wanted: np.ndarray, stored: np.ndarray) -> np.ndarray:
    """Squared distances float32 [N, M] of keys [N, D] and [M, D]."""
    square = (wanted**2).sum(1)[:, None] + (stored**2).sum(1) - 2 * wanted @ stored.T
    return np.maximum(square, 0).astype(np.float32)


def choose(found: np.ndarray, limit: int = LIMIT) -> np.ndarray:
    """Indices of at most ``limit`` keys [N, D] that cover all mouths seen, in the order of time.

    Farthest-point sampling, started at the most usual mouth.
    """
    if len(found) <= limit:
        return np.arange(len(found))
    picked = [int(((found - np.median(found, 0)) ** 2).sum(1).argmin())]
    nearest = distances(found, found[picked])[:, 0]
    while len(picked) < limit:
        picked.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, distances(found, found[picked[-1:]])[:, 0])
    return np.sort(np.array(picked))


def neighbours(found: np.ndarray, places: np.ndarray, bank: np.ndarray, apart: int = 12, count: int = 24) -> np.ndarray:
    """Nearest bank entries of every frame, int64 [N, ≤count], near first, none within ``apart`` frames of it.

    ``found`` keys [N, D] of frames at ``places`` [N]; ``bank`` indices into them.
    A reference from the same moment would be the answer itself, and teach nothing.
    """
    away = distances(found, found[bank])
    away[np.abs(places[:, None] - places[bank][None]) <= apart] = np.inf
    return np.argsort(away, 1)[:, :min(count, len(bank))]


def follow(wanted: np.ndarray, stored: np.ndarray, change: float = 0.00035, start: int | None = None,
           end: int | None = None) -> np.ndarray:
    """The reference for each of N frames, int64 [N]: near in shape, rarely changed (Viterbi with a price of change).

    A step to the next stored crop is how that mouth really moved on and costs a tenth.
    ``start`` is the reference shown before the first of these frames, ``end`` the one shown after the last.
    """
    away = distances(wanted, stored)
    count, size = away.shape
    came = np.empty((count, size), np.int32)
    itself = np.arange(size)
    cost = np.full(size, change, np.float32) if start is not None else np.zeros(size, np.float32)
    if start is not None:
        cost[start] = 0
    for time in range(count):
        best = int(cost.argmin())
        source = np.where(cost <= cost[best] + change, itself, best)
        reached = np.minimum(cost, cost[best] + change)
        onward = np.roll(cost, 1) + change / 10
        onward[0] = np.inf
        moved = onward < reached
        came[time] = np.where(moved, itself - 1, source)
        cost = np.where(moved, onward, reached) + away[time]
    if end is not None:
        cost += np.where(itself == end, 0, change)
    path = np.empty(count, np.int64)
    now = int(cost.argmin())
    for time in range(count - 1, -1, -1):
        path[time] = now
        now = int(came[time, now])
    return path
