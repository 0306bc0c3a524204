"""Driver ``sounds``: the speech sounds that the encoder hears, shown as the table of visemes has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.ndimage import gaussian_filter1d

from visage.engines.lite.encoder import encode_utterance, viseme_names
from visage.engines.lite.listen.contract import ListenerFit
from visage.engines.lite.mouth import MouthBasis
from visage.engines.lite.silence import shut_in_silence
from visage.engines.lite.visemes import VISEMES, enlarged, person_measures
from visage.types import Phone

_SMOOTH = 1.8
"""Rows (20 ms): a mouth moves more slowly than sounds change."""
_LARGER, _WIDER = 1.7, 2.2
"""An average of what may be meant is smaller than what is meant; width the most."""


class SoundListener:
    """Follows `Listener`; needs no `fit`.  Raises `NotInstalled` when the encoder is not there."""

    def __init__(self, basis: MouthBasis):
        self.basis = basis

    def fit(self, samples: np.ndarray, coefficients: np.ndarray) -> ListenerFit:
        """Nothing to learn."""
        return ListenerFit(0, 0.0, 0.0, 0.0, 0.0)

    def predict(self, samples: np.ndarray, phones: Sequence[Phone] = ()) -> np.ndarray:
        """As `Listener.predict`; phones are not used."""
        names = list(viseme_names())
        chances = encode_utterance(samples)[1]
        pull = chances * np.array([VISEMES[name].strength for name in names], np.float32)
        pull = gaussian_filter1d(pull, _SMOOTH, axis=0)
        wanted = (pull / pull.sum(1, keepdims=True)) @ person_measures(self.basis, names)
        wanted = enlarged(wanted.reshape(-1, 2, 4).mean(1), self.basis, _LARGER, _WIDER)
        return shut_in_silence(self.basis.pose(wanted), samples, self.basis)

    def arrays(self) -> Mapping[str, np.ndarray]:
        """As `Listener.arrays`: nothing."""
        return {}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], basis: MouthBasis) -> SoundListener:
        """The listener of this basis."""
        return cls(basis)
