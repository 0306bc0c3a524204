"""What a mouth should do by the sound alone: the shipped speech encoder's visemes, each with its look."""

from __future__ import annotations

import numpy as np

from visage.engines.lite.encoder import encode_utterance, viseme_names
from visage.engines.lite.mel import energies
from visage.engines.lite.visemes import VISEMES

_DECIBEL = 10 / np.log(10)


def told_mouth(samples: np.ndarray) -> np.ndarray:
    """Expected measures float64 [T, 4] at 25 a second, for sound at 16 kHz, in the order of `mouth.MEASURES`.

    Units are those of the viseme table (0 shut, 1 wide open; width -1 … 1); the
    lips' outer height is told by the opening.  Firm visemes count more than
    weak ones.  Nobody's voice or face was learnt for it.
    """
    chances = encode_utterance(samples)[1].astype(np.float64)
    look = [VISEMES[name] for name in viseme_names()]
    weight = chances * np.array([one.strength for one in look])
    table = np.array([(one.opening, one.width, one.opening, one.jaw) for one in look])
    return _pairs(weight @ table / weight.sum(1, keepdims=True))


def shut_lips(samples: np.ndarray) -> np.ndarray:
    """How likely p, b or m is heard, float64 [T] at 25 a second."""
    chances = encode_utterance(samples)[1]
    column = chances[:, viseme_names().index("lips")].astype(np.float64)
    return column[:len(column) // 2 * 2].reshape(-1, 2).max(1)


def envelope(samples: np.ndarray) -> np.ndarray:
    """Level of the sound in dB below full scale, roughly as heard (60 Hz to 7.6 kHz), float64 [T] at 25 a second."""
    power = energies(samples).astype(np.float64)
    power = np.exp(power, out=power).sum(1)
    return _DECIBEL * np.log(_pairs(power) / (200.0 * 400) + 1e-10)


def _pairs(rows: np.ndarray) -> np.ndarray:
    return rows[:len(rows) // 2 * 2].reshape(len(rows) // 2, 2, *rows.shape[1:]).mean(1)
