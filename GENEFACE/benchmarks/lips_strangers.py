"""What the sound tells of a stranger's lips: a read-out fitted on other people; an experiment, nothing ships of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.motion import NAMES
from visage.engines.lite.encoder import encode_utterance
from visage.engines.lite.mel import energies, in_context, levelled_twice
from visage.engines.lite.mouth import measures
from visage.engines.lite.silence import voice_gate

PEOPLE = {"obama1": "obama", "obama2": "obama", "styletalk_obama2": "obama", "zh_woman": "zh_woman"}
"""Beginnings of the names of clips that show the same person."""
_PENALTY = 0.3
"""Of the ridge, over the sum of squares of a mean feature."""


def person_of(name: str) -> str:
    """Who is in the clip."""
    return next((person for start, person in PEOPLE.items() if name.startswith(start)), name)


def left_out(clips: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, dict[str, float]]:
    """Correlations by clip, each told by a ridge read-out of all clips of other people.

    Clips are sound at 16 kHz with its offset corrected, and shapes float32
    [T, P, 3]; targets are each clip's own measures less their mean, over their spread.
    """
    rows = {name: _row(*clip) for name, clip in clips.items()}
    sums = {name: _sums(heard[gate > 0.5], seen[gate > 0.5]) for name, (heard, seen, gate) in rows.items()}
    result = {}
    for person in dict.fromkeys(person_of(name) for name in clips):
        others = [name for name in clips if person_of(name) != person]
        square, cross = (sum(sums[name][part] for name in others) for part in (0, 1))
        penalty = _PENALTY * np.trace(square[:-1, :-1]) / (len(square) - 1)
        weights = np.linalg.solve(square + penalty * np.eye(len(square)), cross)
        rest = np.concatenate([rows[name][1][rows[name][2] < 0.1] for name in others]).mean(0)
        for name in (name for name in clips if person_of(name) == person):
            heard, shown, gate = rows[name]
            told = rest + gate[:, None] * (_with_one(heard) @ weights - rest)
            result[name] = {key: float(np.corrcoef(told[:, i], shown[:, i])[0, 1]) for i, key in enumerate(NAMES)}
    return result


def _with_one(heard: np.ndarray) -> np.ndarray:
    return np.column_stack([heard, np.full(len(heard), 10, np.float32)])


def _sums(heard: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    inputs = _with_one(heard)
    return inputs.T @ inputs, inputs.T @ seen


def _row(sound: np.ndarray, shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is heard [T, D], what is seen [T, 3], and how far the mouth may follow [T]."""
    count = len(shapes)
    seen = measures(shapes)[:, :3]
    speech = encode_utterance(sound)[0]
    heard = np.concatenate([0.5 * in_context(levelled_twice(energies(sound)), 0, count, half=4),
                            in_context(speech, 0, count, half=6, sharpness=4.0)], 1)
    return heard, ((seen - seen.mean(0)) / seen.std(0)).astype(np.float32), voice_gate(sound)[:count]
