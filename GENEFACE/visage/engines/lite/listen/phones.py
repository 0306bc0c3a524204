"""Driver ``phones``: times of speech sounds, known when the product spoke itself, to a moving mouth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from visage.engines.lite.listen.contract import ListenerFit
from visage.engines.lite.mel import frame_count
from visage.engines.lite.mouth import MouthBasis
from visage.engines.lite.silence import shut_in_silence
from visage.engines.lite.visemes import VISEMES, enlarged, person_measures, visemes_of
from visage.errors import InvalidRequest
from visage.types import FPS, Phone

_LEAD = 0.045
"""Seconds by which lips move ahead of the sound they shape."""
_REACH = 0.040
"""Seconds over which a sound's look fades into its neighbours."""
_PAUSE = 0.06
"""Seconds below which a pause is a mere boundary of words."""
_LARGER, _WIDER = 1.25, 1.7
_FINE = 4
_BLOCK = 400


class PhoneListener:
    """Follows `Listener`; needs no `fit`: the table of visemes is scaled to the basis."""

    def __init__(self, basis: MouthBasis):
        self.basis = basis

    def fit(self, samples: np.ndarray, coefficients: np.ndarray) -> ListenerFit:
        """Nothing to learn: all of the person that is used lies in the basis."""
        return ListenerFit(0, 0.0, 0.0, 0.0, 0.0)

    def predict(self, samples: np.ndarray, phones: Sequence[Phone] = ()) -> np.ndarray:
        """As `Listener.predict`.  Raises `InvalidRequest` when no phones are given."""
        if not phones:
            raise InvalidRequest("The times of the speech sounds are not known.", code="listener.no_phones",
                                 hint="Leave the choice of the listener to the engine.")
        told = phone_curves(phones, frame_count(samples), self.basis)
        return press_lips(shut_in_silence(told, samples, self.basis), phones, self.basis)

    def arrays(self) -> Mapping[str, np.ndarray]:
        """As `Listener.arrays`: nothing."""
        return {}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], basis: MouthBasis) -> PhoneListener:
        """The listener of this basis."""
        return cls(basis)


def _spans(phones: Sequence[Phone]) -> tuple[list[str], np.ndarray]:
    """Viseme names [N] and their start and end, seconds [N, 2]; a sound of two looks is divided."""
    names, spans = [], []
    for phone in phones:
        parts = visemes_of(phone.symbol)
        if parts == ("rest",) and phone.end - phone.start < _PAUSE:
            continue
        edges = np.linspace(phone.start, max(phone.end, phone.start), len(parts) + 1)
        names.extend(parts)
        spans.extend(pairwise(edges))
    return names, np.array(spans, np.float64).reshape(-1, 2)


def phone_curves(phones: Sequence[Phone], count: int, basis: MouthBasis) -> np.ndarray:
    """Coefficients float32 [count, K]: every sound pulls the mouth with its strength, fading with distance in time."""
    names, spans = _spans(phones)
    looks = person_measures(basis, names)
    strength = np.array([VISEMES[name].strength for name in names])
    measures = np.zeros((count, 4), np.float32)
    rest = basis.measure(basis.rest[None])[0]
    for first in range(0, count, _BLOCK):
        frames = np.arange(first, min(first + _BLOCK, count))
        time = ((np.arange(len(frames) * _FINE) + 0.5) / _FINE + first) / FPS + _LEAD
        near = np.flatnonzero((spans[:, 1] > time[0] - 0.5) & (spans[:, 0] < time[-1] + 0.5))
        outside = np.maximum(spans[near, 0] - time[:, None], time[:, None] - spans[near, 1])
        inside = np.maximum(-outside, 0)
        pull = strength[near] * np.exp(-np.maximum(outside, 0) / _REACH) * (1 + np.minimum(inside / 0.04, 1))
        pull = np.column_stack([pull, np.full(len(time), 0.02)])
        pull /= pull.sum(1, keepdims=True)
        fine = pull @ np.concatenate([looks[near], rest[None]])
        measures[frames] = fine.reshape(len(frames), _FINE, 4).mean(1)
    return basis.pose(enlarged(measures, basis, _LARGER, _WIDER))


def press_lips(coefficients: np.ndarray, phones: Sequence[Phone], basis: MouthBasis) -> np.ndarray:
    """The coefficients with lips really shut at every p, b and m, whatever else was told."""
    result = coefficients.copy()
    names, spans = _spans(phones)
    pressed = basis.pose(person_measures(basis, ["lips"]))[0]
    for (start, end), name in zip(spans, names, strict=True):
        if name != "lips":
            continue
        middle = ((start + end) / 2 - 0.01) * FPS - 0.5
        for frame in range(max(int(middle) - 2, 0), min(int(middle) + 4, len(result))):
            away = abs(frame - middle) - (end - start) * FPS / 2
            share = float(np.clip(1.25 - 0.7 * max(away, 0), 0, 1))
            result[frame] += share * (pressed - result[frame])
    return result.astype(np.float32)
