"""Speech recognition by name of driver."""

from __future__ import annotations

from visage.asr.contract import Recognizer, Transcript
from visage.config import Settings
from visage.drivers import load

DRIVERS = {
    "vosk": "visage.asr.vosk:VoskRecognizer",
    "sphinx": "visage.asr.sphinx:SphinxRecognizer",
}

__all__ = ["DRIVERS", "Recognizer", "Transcript", "open_recognizer"]


def open_recognizer(settings: Settings) -> Recognizer:
    """Vosk when a model folder is configured, else pocketsphinx, whose transcripts note that it knows English only.

    Raises `NotInstalled` when the configured folder holds no model: nothing else listens in its place.
    """
    if settings.vosk_model is not None:
        return load("recogniser", DRIVERS, "vosk")(settings.vosk_model)
    return load("recogniser", DRIVERS, "sphinx")()
