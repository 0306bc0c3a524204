"""How far the picture of a clip lies behind its sound, found from the mouth itself."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from visage.engines.lite.encoder import encode_rows
from visage.engines.lite.mel import energies, frame_count, in_context, levelled_twice
from visage.types import FPS, SPEECH_RATE

REACH = 8
"""Frames searched to either side: 320 ms."""
_FOLDS = 5
_APART = 6
_PENALTY = 0.05
_PARTS = 3
_COUNTED = 15_000


@dataclass(frozen=True, slots=True)
class Offset:
    """Where sound and picture of a clip belong together."""

    seconds: float
    """How much later the picture is than the sound; sound delayed by this much fits."""
    peak: float
    """Correlation of mouth and sound there, from parts left out, each direction counted by its share of movement;
    near 0 when they do not belong together.  Counting those most that can be told best would let one stray likeness
    in a few seconds pass for belonging."""


def estimate_offset(samples: np.ndarray, coefficients: np.ndarray) -> Offset:
    """The offset of a clip from its sound at 16 kHz and the mouth seen, float32 [T, K] at 25 per second.

    At every offset a narrow predictor of the mouth is fitted and tried on
    parts left out; a narrow one cannot make up for a wrong offset by itself.
    Clips under 3 s give 0 with the peak found there.
    """
    count = min(frame_count(samples), len(coefficients), _COUNTED)
    seen = np.nan_to_num(coefficients[:count]).astype(np.float64)
    parts = np.argsort(-seen.var(0))[:_PARTS]
    seen = seen[:, parts] - seen[:, parts].mean(0)
    heard = _heard(samples[:count * SPEECH_RATE // FPS], count)
    if count < 3 * FPS or not seen.any():
        return Offset(0.0, max(_belonging(heard, seen, 0), 0.0))
    scores = np.array([_belonging(heard, seen, shift) for shift in range(-REACH, REACH + 1)])
    best = _best(_smoothed(scores))
    peak = float(np.interp(best, np.arange(-REACH, REACH + 1), scores))
    return Offset(best / FPS, max(peak, 0.0))


def _heard(samples: np.ndarray, count: int) -> np.ndarray:
    """What is heard during each frame and not round it, float64 [count, D]."""
    rows = levelled_twice(energies(samples))
    speech = encode_rows(rows)[0]
    parts = (0.5 * in_context(speech, 0, count, 0, 9.0), 0.3 * in_context(rows, 0, count, 0, 9.0))
    return np.concatenate(parts, 1).astype(np.float64)


def shift_sound(samples: np.ndarray, offset: Offset) -> np.ndarray:
    """The sound delayed by the offset (begun later or with silence before it), so that it fits the picture."""
    lead = round(offset.seconds * SPEECH_RATE)
    return np.concatenate([np.zeros(lead, samples.dtype), samples]) if lead >= 0 else samples[-lead:]


def _smoothed(scores: np.ndarray) -> np.ndarray:
    wide = np.pad(scores, 1, mode="edge")
    return (wide[:-2] + 2 * wide[1:-1] + wide[2:]) / 4


def _best(scores: np.ndarray) -> float:
    """Offset in frames: the middle of the peak."""
    top = int(np.argmax(scores - 0.002 * np.abs(np.arange(-REACH, REACH + 1))))
    near = np.arange(max(top - 2, 0), min(top + 3, len(scores)))
    weight = np.clip(scores[near] - 0.8 * scores[top], 0, None)
    return float((weight * (near - REACH)).sum() / max(weight.sum(), 1e-9)) if scores[top] > 0 else 0.0


def _belonging(heard: np.ndarray, seen: np.ndarray, shift: int) -> float:
    """Correlation of the mouth told for left-out parts with that seen ``shift`` frames later, by share of movement."""
    low, high = max(0, -shift), min(len(heard), len(heard) - shift)
    sound, mouth = heard[low:high], seen[low + shift:high + shift]
    told = np.zeros_like(mouth)
    edges = np.linspace(0, len(mouth), _FOLDS + 1).astype(int)
    for begin, end in pairwise(edges):
        learn = np.r_[0:max(begin - _APART, 0), min(end + _APART, len(mouth)):len(mouth)]
        if len(learn) < 10:
            return 0.0
        mean, bias = sound[learn].mean(0), mouth[learn].mean(0)
        inputs = sound[learn] - mean
        square = inputs.T @ inputs
        square[np.diag_indices_from(square)] += _PENALTY * np.trace(square) + 1e-6
        told[begin:end] = (sound[begin:end] - mean) @ np.linalg.solve(square, inputs.T @ (mouth[learn] - bias)) + bias
    told, mouth = told - told.mean(0), mouth - mouth.mean(0)
    likeness = (told * mouth).sum(0) / (np.sqrt((told ** 2).sum(0) * (mouth ** 2).sum(0)) + 1e-12)
    share = mouth.var(0) / (mouth.var(0).sum() + 1e-12)
    return float((share * likeness).sum())
