"""A drawn mouth and the voice that goes with it, made here so that tests need no recording."""

from __future__ import annotations

import numpy as np

from visage.engines.lite.generic_mouth import MOVES, generic_basis
from visage.engines.lite.mouth import INNER_LIP, OUTER_LIP, POINTS
from visage.types import FPS, SPEECH_RATE

SYLLABLE = 0.24
PAUSE = (1.0, 1.8)
"""Seconds in every four in which the talker is quiet."""


def plain_face(gap: float = 0.0) -> np.ndarray:
    """A drawn face [478, 3] in the face frame: y down, smaller z nearer, lips apart by ``gap``."""
    face = np.zeros((478, 3), np.float32)
    rng = np.random.default_rng(5)
    face[list(POINTS)] = rng.uniform((-0.4, 0.25, 0.0), (0.4, 0.5, 0.1), (len(POINTS), 3))
    angle = np.linspace(np.pi, -np.pi, 20, endpoint=False)
    for ring, half, height in ((OUTER_LIP, 0.27, 0.1), (INNER_LIP, 0.22, 0.0)):
        face[list(ring)] = np.stack([half * np.cos(angle), 0.45 - np.sin(angle) * (height + gap / 2), 0 * angle], 1)
    face[4], face[152] = (0, 0.05, -0.25), (0, 0.95, 0.02)
    face[33], face[263] = (-0.5, -0.3, 0), (0.5, -0.3, 0)
    return face


def talk(seconds: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Sound float32 at 16 kHz and face-frame points [T, 478, 3] of one who speaks open and round vowels.

    An open mouth is loud with a high first formant, a round one dull; closed
    lips are quiet.  ``seed`` picks the order of the vowels.
    """
    count = round(seconds * SPEECH_RATE)
    time = np.arange(count) / SPEECH_RATE
    rng = np.random.default_rng(seed)
    size = int(seconds / SYLLABLE) + 4
    opens, rounds = rng.uniform(0.2, 1, size), rng.uniform(0, 1, size)
    phase = 1 + time / SYLLABLE + 0.8 * np.sin(2 * np.pi * (0.23 + 0.04 * seed) * time + seed)
    at = phase.astype(int)
    swing = np.sin(np.pi * (phase % 1)) ** 1.5
    turn = (time + 0.9 * seed) % 4
    swing[(turn > PAUSE[0]) & (turn < PAUSE[1])] = 0
    opened, rounded = swing * opens[at], swing * rounds[at]
    pitch = np.cumsum(120 + 25 * np.sin(2 * np.pi * 0.7 * time)) / SPEECH_RATE
    sound = np.zeros(count)
    for harmonic in range(1, 30):
        hertz = 120.0 * harmonic
        first = np.exp(-((hertz - 300 - 500 * opened) / 150) ** 2)
        second = 0.5 * np.exp(-((hertz - 2200 + 1300 * rounded) / 250) ** 2)
        sound += (first + second) * np.sin(2 * np.pi * harmonic * pitch)
    sound = 0.1 * sound * swing * (0.3 + opened) + rng.normal(0, 1e-4, count)
    frames = (np.arange(round(seconds * FPS)) * SPEECH_RATE // FPS + SPEECH_RATE // FPS // 2).clip(0, count - 1)
    coefficients = np.zeros((len(frames), len(MOVES)), np.float32)
    coefficients[:, 0], coefficients[:, 2] = opened[frames], rounded[frames]
    points = np.zeros((len(frames), 478, 3), np.float32)
    points[:, list(POINTS)] = generic_basis(plain_face()).decode(coefficients)
    points += rng.normal(0, 1e-3, points.shape).astype(np.float32)
    return sound.astype(np.float32), points
