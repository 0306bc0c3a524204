"""Several spoken sentences become one sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from visage.media.audio import resample
from visage.tts.contract import Speech
from visage.types import Phone

PAUSE = 0.25
"""Seconds of quiet between two sentences, counting the quiet they bring along."""
_QUIET = 10 ** (-50 / 20)


def join(speeches: Sequence[Speech]) -> Speech:
    """One speech of all, `PAUSE` apart, phone times shifted to where they are heard.

    Everything is brought to the first one's rate; ``voice`` is the first one's, and a note
    tells when another voice spoke too.  At least one speech is needed.
    """
    first = speeches[0]
    if len(speeches) == 1:
        return first
    sounds: list[np.ndarray] = []
    phones: list[Phone] = []
    place = 0
    for number, speech in enumerate(speeches):
        samples = resample(speech.samples, speech.rate, first.rate)
        gap = 0
        if number:
            gap = max(0, int(PAUSE * first.rate) - _quiet(sounds[-1][::-1]) - _quiet(samples))
        sounds += [np.zeros(gap, np.float32), samples]
        start = (place + gap) / first.rate
        phones += [replace(phone, start=phone.start + start, end=phone.end + start) for phone in speech.phones]
        place += gap + len(samples)
    voices = dict.fromkeys(speech.voice for speech in speeches)
    notes = dict.fromkeys(note for speech in speeches for note in speech.notes)
    if len(voices) > 1:
        notes[f"Several voices speak: {', '.join(voices)}."] = None
    return Speech(np.concatenate(sounds), first.rate, first.voice, " ".join(speech.text_used for speech in speeches),
                  tuple(phones), tuple(notes))


def _quiet(samples: np.ndarray) -> int:
    """Samples before the first that can be heard."""
    loud = np.abs(samples) > _QUIET
    return int(loud.argmax()) if loud.any() else len(samples)
