"""Pitch moved by playing at another rate."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from visage.media.audio import resample
from visage.types import Phone


def shift_pitch(samples: np.ndarray, ratio: float) -> np.ndarray:
    """The sound ``ratio`` times as high and as fast; speak it ``ratio`` times as slowly to keep its length."""
    step = Fraction(1 / ratio).limit_denominator(400)
    return resample(samples, step.denominator, step.numerator)


def shift_times(phones: tuple[Phone, ...], ratio: float) -> tuple[Phone, ...]:
    """Phone times after `shift_pitch`."""
    scale = float(Fraction(1 / ratio).limit_denominator(400))
    return tuple(Phone(phone.symbol, phone.start * scale, phone.end * scale) for phone in phones)
