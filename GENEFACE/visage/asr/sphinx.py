"""Driver ``sphinx``: pocketsphinx with the English model in its wheel; works with nothing downloaded."""

from __future__ import annotations

import threading
import warnings

import numpy as np

from visage.asr.contract import Transcript, Utterance
from visage.asr.sphinx_stream import Decoders, SphinxUtterance
from visage.asr.speech_gate import chunks, pcm16
from visage.errors import NotInstalled
from visage.types import SPEECH_RATE

with warnings.catch_warnings():
    # it imports aifc and audioop, which leave the standard library in 3.13
    warnings.simplefilter("ignore", DeprecationWarning)
    import speech_recognition

NOTE = "Only English is understood: no Vosk model is configured (VISAGE_VOSK_MODEL)."
FILLERS = frozenset({"mm", "hmm", "uh", "um", "ah", "oh", "huh"})
"""What the model hears in bangs and hums; a transcript of nothing else is nothing."""


class SphinxRecognizer:
    """English.  Recordings go through SpeechRecognition, about 0.3 s of one core for a second of speech, utterances
    straight to pocketsphinx, with a narrower search, about 0.1 s."""

    def __init__(self) -> None:
        import pocketsphinx  # noqa: F401 - SpeechRecognition imports it only when it recognises

        self._door = speech_recognition.Recognizer()
        self._lock = threading.Lock()
        self._decoders = Decoders()

    def transcribe(self, samples: np.ndarray) -> Transcript:
        """The English words; empty for silence and steady noise."""
        heard = []
        for chunk in chunks(samples):
            sound = speech_recognition.AudioData(pcm16(chunk), SPEECH_RATE, 2)
            try:
                with self._lock:
                    heard.append(str(self._door.recognize_sphinx(sound)).strip())
            except speech_recognition.UnknownValueError:
                continue
            except speech_recognition.RequestError as exc:
                raise NotInstalled("pocketsphinx cannot listen: {reason}", code="asr.sphinx_broken",
                                   hint="pip install --force-reinstall pocketsphinx", reason=str(exc)) from exc
        return _told(" ".join(heard))

    def listen(self, after: Utterance | None = None) -> SphinxUtterance:
        """A new utterance, with a decoder that is warm where one is free; else one is made while sound gathers."""
        return SphinxUtterance(self._decoders, _told, after if isinstance(after, SphinxUtterance) else None)


def _told(text: str) -> Transcript:
    words = text.split()
    return Transcript("" if FILLERS.issuperset(words) else " ".join(words), "en", "sphinx", NOTE)
