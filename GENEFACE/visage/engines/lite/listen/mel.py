"""Driver ``mel``: log-mel energies of ±200 ms and what one person's mouth did with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from visage.engines.lite.listen.amplitude import Amplitude, fit_amplitude
from visage.engines.lite.listen.contract import ListenerFit
from visage.engines.lite.listen.regression import Regression, fit_regression
from visage.engines.lite.mel import energies, frame_count, in_context, levelled_twice
from visage.engines.lite.mouth import MouthBasis, measures
from visage.engines.lite.silence import shut_in_silence, speech_mask
from visage.errors import BadVideo, InvalidRequest
from visage.types import FPS, Phone

_BLOCK = 2048
_LEAST = 3 * FPS


class MelListener:
    """Follows `Listener`; needs `fit` first."""

    def __init__(self, basis: MouthBasis):
        self.basis = basis
        self._regression: Regression | None = None
        self._amplitude: Amplitude | None = None

    def heard(self, samples: np.ndarray) -> Callable[[int, int], np.ndarray]:
        """What is heard round the video frames from one to another: a function that makes features [N, D] of them."""
        rows = levelled_twice(energies(samples))
        return lambda first, last: in_context(rows, first, last)

    def fit(self, samples: np.ndarray, coefficients: np.ndarray) -> ListenerFit:
        """As `Listener.fit`; learns only from frames where somebody speaks, silence is told otherwise."""
        started = time.process_time()
        count = min(frame_count(samples), len(coefficients))
        speaking = speech_mask(samples).reshape(-1, 2).any(1)[:count] & np.isfinite(coefficients[:count]).all(1)
        if speaking.sum() < _LEAST:
            raise BadVideo("Only {seconds:.1f} s of speech could be heard.", code="video.no_speech",
                           hint="Use a recording in which one person speaks for at least 10 s.",
                           seconds=float(speaking.sum()) / FPS)
        features = self.heard(samples)(0, count)[speaking]
        shown = coefficients[:count][speaking]
        self._regression, told = fit_regression(features, shown)
        step = np.linspace(0, len(shown) - 1, len(told)).astype(int)
        self._amplitude = fit_amplitude(told, shown[step])
        likeness = _likeness(self.basis, told, shown[step])
        return ListenerFit(int(speaking.sum()), *likeness, seconds=time.process_time() - started)

    def predict(self, samples: np.ndarray, phones: Sequence[Phone] = ()) -> np.ndarray:
        """As `Listener.predict`; phones are not used.  Raises `InvalidRequest` before `fit`."""
        if self._regression is None or self._amplitude is None:
            raise InvalidRequest("This listener has not learnt a person yet.", code="listener.not_fitted",
                                 hint="Train the avatar again.")
        heard = self.heard(samples)
        count = frame_count(samples)
        told = np.concatenate([self._regression(heard(first, min(first + _BLOCK, count)))
                               for first in range(0, count, _BLOCK)])
        speaking = speech_mask(samples).reshape(-1, 2).any(1)
        return shut_in_silence(self._amplitude(told, speaking), samples, self.basis)

    def arrays(self) -> Mapping[str, np.ndarray]:
        """As `Listener.arrays`."""
        parts = {"regression": self._regression, "amplitude": self._amplitude}
        return {f"{name}.{key}": value for name, part in parts.items() if part for key, value in part.arrays().items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], basis: MouthBasis) -> MelListener:
        """The listener that `arrays` came from."""
        listener = cls(basis)
        listener._restore(arrays)
        return listener

    def _restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        self._regression = Regression.from_arrays(_below(arrays, "regression."))
        self._amplitude = Amplitude.from_arrays(_below(arrays, "amplitude."))


def _below(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): arrays[name] for name in arrays if name.startswith(prefix)}


def _likeness(basis: MouthBasis, told: np.ndarray, shown: np.ndarray) -> tuple[float, float, float]:
    """Correlation of opening, width and outer height."""
    first, second = measures(basis.decode(told)), measures(basis.decode(shown))
    return tuple(float(np.corrcoef(first[:, i], second[:, i])[0, 1]) for i in range(3))  # type: ignore[return-value]
