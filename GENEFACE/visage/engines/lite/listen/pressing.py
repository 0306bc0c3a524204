"""Lips that really touch where p, b or m is heard, and nothing else of the mouth changed for it."""

from __future__ import annotations

import numpy as np

from visage.engines.lite.encoder import encode_utterance, viseme_names
from visage.engines.lite.mouth import MouthBasis

_HEARD, _SPAN = 0.25, 0.2
"""Probability of p, b or m from which lips close, and by how much more they are shut."""
_DOUBT = 0.2
"""How much surer the ear must be where the mouth is told as wide open as it goes."""
_OPEN = 0.3
"""Share of the wide open mouth from which that begins."""
_FOLLOWS = np.array([1.0, 0.0, 0.5, 0.1])
"""How far opening, width, outer height and jaw go when the gap closes by one: the lips' red is pressed, not lost."""
_ROUNDS = 5
"""A basis is not quite straight and `MouthBasis.change` cautious: a round mends what the one before left open."""


def press_heard_lips(coefficients: np.ndarray, samples: np.ndarray, basis: MouthBasis) -> np.ndarray:
    """The coefficients [T, K] with lips shut where p, b or m is heard.

    What else was told counts too: a mouth told wide open closes only for a sure sound.
    """
    lips = encode_utterance(samples)[1][:, viseme_names().index("lips")].reshape(-1, 2).mean(1)
    gaps = basis.measure(coefficients)[:, 0]
    wide = np.clip(gaps / max(float(np.percentile(gaps, 95)), 1e-6), 0, 1)
    sure = _HEARD + _DOUBT * np.maximum(wide - _OPEN, 0)
    return shut(coefficients, np.clip((lips - sure) / _SPAN, 0, 1), basis)


def shut(coefficients: np.ndarray, share: np.ndarray, basis: MouthBasis) -> np.ndarray:
    """The coefficients [T, K] with the gap between the lips smaller by ``share`` [T] (1: shut), corners left."""
    result = np.array(coefficients, np.float32)
    some = np.flatnonzero(share > 0)
    if not len(some):
        return result
    told = result[some]
    wanted = (1 - share[some, None]) * basis.measure(told)[:, :1]
    for _ in range(_ROUNDS):
        over = np.maximum(basis.measure(told)[:, :1] - wanted, 0)
        told = told + basis.change(-over * _FOLLOWS)
    result[some] = told
    return result
