"""What the sound tells of a stranger's lips: a read-out fitted on other people; an experiment, nothing ships of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.motion import NAMES
from visage.engines.lite.encoder import encode_speech
from visage.engines.lite.listen.regression import fit_regression
from visage.engines.lite.mel import energies, in_context, levelled
from visage.engines.lite.mouth import measures
from visage.engines.lite.silence import voice_gate

PEOPLE = {"obama1": "obama", "obama2": "obama", "styletalk_obama2": "obama", "zh_woman": "zh_woman"}
"""Beginnings of the names of clips that show the same person."""


def person_of(name: str) -> str:
    """Who is in the clip."""
    return next((person for start, person in PEOPLE.items() if name.startswith(start)), name)


def left_out(clips: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, dict[str, float]]:
    """Correlations by clip, each told by a read-out of all clips of other people.

    Clips are sound at 16 kHz with its offset corrected, and shapes float32
    [T, P, 3]; targets are each clip's own measures less their mean, over their spread.
    """
    rows = {name: _row(*clip) for name, clip in clips.items()}
    result = {}
    for person in dict.fromkeys(person_of(name) for name in clips):
        others = [row for name, row in rows.items() if person_of(name) != person]
        heard = np.concatenate([row[0] for row in others])
        seen, gate = np.concatenate([row[1] for row in others]), np.concatenate([row[2] for row in others])
        rest = seen[gate < 0.1].mean(0)
        read, _ = fit_regression(heard[gate > 0.5], seen[gate > 0.5])
        for name in (name for name in clips if person_of(name) == person):
            features, shown, open_ = rows[name]
            told = rest + open_[:, None] * (read(features) - rest)
            result[name] = {key: float(np.corrcoef(told[:, i], shown[:, i])[0, 1]) for i, key in enumerate(NAMES)}
    return result


def _row(sound: np.ndarray, shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    count = len(shapes)
    seen = measures(shapes)[:, :3]
    speech = encode_speech(sound)[0]
    heard = np.concatenate([0.5 * in_context(levelled(energies(sound)), 0, count, half=6),
                            in_context(speech, 0, count, half=8, sharpness=4.0)], 1)
    return heard, ((seen - seen.mean(0)) / seen.std(0)).astype(np.float32), voice_gate(sound)[:count]
