"""Driver ``person``: everything that is known is used: the person's own fit, and phone times where there are any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from visage.engines.lite.listen.contract import ListenerFit
from visage.engines.lite.listen.encoder import EncoderListener
from visage.engines.lite.listen.mel import MelListener
from visage.engines.lite.listen.phones import phone_curves, press_lips
from visage.engines.lite.listen.pressing import press_heard_lips
from visage.engines.lite.listen.sounds import SoundListener
from visage.engines.lite.mel import frame_count
from visage.engines.lite.mouth import MouthBasis
from visage.engines.lite.once import each_once
from visage.engines.lite.silence import shut_in_silence
from visage.types import Phone

_TABLE = 0.25
"""Share of what any mouth would do for the sounds heard: it steadies what was learnt from a short recording."""
_HEARD = 0.45
"""Share of what is heard where phones are known too: it has the person's style, they have the timing."""


class PersonListener:
    """Follows `Listener`; before `fit` (a photo has no recording) it goes by the sounds heard, or by phones."""

    def __init__(self, basis: MouthBasis):
        self.basis = basis
        self._own: MelListener | None = None

    def fit(self, samples: np.ndarray, coefficients: np.ndarray) -> ListenerFit:
        """As `Listener.fit`."""
        own = EncoderListener(self.basis)
        facts = own.fit(samples, coefficients)
        self._own = own
        return facts

    def predict(self, samples: np.ndarray, phones: Sequence[Phone] = ()) -> np.ndarray:
        """As `Listener.predict`."""
        with each_once():
            return self._told(samples, phones)

    def _told(self, samples: np.ndarray, phones: Sequence[Phone]) -> np.ndarray:
        heard = SoundListener(self.basis).predict(samples)
        if self._own:
            heard = (1 - _TABLE) * self._own.predict(samples) + _TABLE * heard
        if not phones:
            return press_heard_lips(heard, samples, self.basis)
        curves = phone_curves(phones, frame_count(samples), self.basis)
        told = _HEARD * heard + (1 - _HEARD) * curves
        return press_lips(shut_in_silence(told, samples, self.basis), phones, self.basis)

    def arrays(self) -> Mapping[str, np.ndarray]:
        """As `Listener.arrays`."""
        return {f"own.{name}": value for name, value in self._own.arrays().items()} if self._own else {}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], basis: MouthBasis) -> PersonListener:
        """The listener that `arrays` came from."""
        listener = cls(basis)
        own = {name.removeprefix("own."): value for name, value in arrays.items() if name.startswith("own.")}
        listener._own = EncoderListener.from_arrays(own, basis) if own else None
        return listener
