"""Driver ``encoder``: as ``mel``, and what the speech encoder makes of the sound beside it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from visage.engines.lite.encoder import encode_utterance
from visage.engines.lite.listen.mel import MelListener
from visage.engines.lite.mel import energies, in_context, levelled_twice

_WEIGHT = 0.7
"""Of the encoder's features against log-mel rows: they say the same of every voice."""


class EncoderListener(MelListener):
    """Follows `Listener`; needs `fit` first.  Raises `NotInstalled` when the encoder is not there."""

    def heard(self, samples: np.ndarray) -> Callable[[int, int], np.ndarray]:
        """As `MelListener.heard`, with the encoder's features of ±80 ms."""
        rows = levelled_twice(energies(samples))
        speech = encode_utterance(samples)[0] * np.float32(_WEIGHT)
        return lambda first, last: np.concatenate([in_context(rows, first, last),
                                                   in_context(speech, first, last, half=4)], 1)
