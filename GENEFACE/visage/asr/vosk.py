"""Driver ``vosk``: one Vosk model from a folder, kept loaded; many languages, streaming-capable."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import vosk

from visage.asr.contract import Transcript, Utterance
from visage.asr.speech_gate import chunks, pcm16
from visage.errors import NotInstalled
from visage.types import SPEECH_RATE

BLOCK_SECONDS = 0.5
AT_ONCE = SPEECH_RATE // 10
"""Samples decoded in one call of `VoskUtterance.feed` at most."""
_HAN_GAP = re.compile(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])")
_LANGUAGE = re.compile(r"vosk-model-(?:small-)?([a-z]{2})(?![a-z])")


class _Model(vosk.Model):
    """A model that failed to load frees nothing."""

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            super().__del__()


class VoskRecognizer:
    """Recognises with the model of one folder; its language is told by the folder's usual name.

    Raises `NotInstalled` when the folder is missing or holds no model.
    """

    def __init__(self, folder: Path) -> None:
        hint = "Unpack a model there (e.g. vosk-model-small-cn-0.22) or unset VISAGE_VOSK_MODEL."
        if not (folder / "am").is_dir() and not (folder / "final.mdl").is_file():
            raise NotInstalled("There is no Vosk model in {folder}.", code="asr.no_model", hint=hint,
                               folder=str(folder))
        vosk.SetLogLevel(-1)
        try:
            self._model = _Model(str(folder))
        except Exception as exc:  # Vosk raises bare Exception
            raise NotInstalled("The Vosk model in {folder} cannot be loaded: {reason}.", code="asr.bad_model",
                               hint=hint, folder=str(folder), reason=str(exc)) from exc
        named = _LANGUAGE.search(folder.resolve().name)
        self._language = {"cn": "zh"}.get(named[1], named[1]) if named else "zh"

    def transcribe(self, samples: np.ndarray) -> Transcript:
        """The words; Chinese ones without the spaces between characters."""
        heard = [text for chunk in chunks(samples) if (text := self._listen(chunk))]
        return Transcript(_HAN_GAP.sub("", " ".join(heard)), self._language, "vosk")

    def listen(self, after: Utterance | None = None) -> VoskUtterance:
        """A new utterance; the model is shared and follows each speaker by itself."""
        return VoskUtterance(vosk.KaldiRecognizer(self._model, SPEECH_RATE), self._language)

    def _listen(self, chunk: np.ndarray) -> str:
        ear = vosk.KaldiRecognizer(self._model, SPEECH_RATE)
        step = int(BLOCK_SECONDS * SPEECH_RATE)
        parts = []
        for start in range(0, len(chunk), step):
            if ear.AcceptWaveform(pcm16(chunk[start:start + step])):
                parts.append(json.loads(ear.Result()).get("text", ""))
        parts.append(json.loads(ear.FinalResult()).get("text", ""))
        return " ".join(part for part in parts if part)


class VoskUtterance:
    """One utterance.  Vosk cuts a long one at pauses; its parts are joined."""

    def __init__(self, ear: Any, language: str) -> None:
        self._ear, self._language = ear, language
        self._waiting = np.zeros(0, np.float32)
        self._done: list[str] = []
        self._partial = ""

    def feed(self, samples: np.ndarray) -> str:
        """The words so far."""
        if self._ear is None:
            raise ValueError("this utterance is over")
        self._waiting = np.concatenate([self._waiting, np.nan_to_num(samples).astype(np.float32)])
        self._decode(AT_ONCE)
        return self._joined(self._partial)

    def finish(self) -> Transcript:
        """All words."""
        if self._ear is None:
            raise ValueError("this utterance is over")
        while len(self._waiting):
            self._decode(AT_ONCE)
        last = json.loads(self._ear.FinalResult()).get("text", "")
        self.close()
        return Transcript(self._joined(last), self._language, "vosk")

    def close(self) -> None:
        """Let the search go."""
        self._ear = None
        self._waiting = np.zeros(0, np.float32)

    def _decode(self, most: int) -> None:
        piece, self._waiting = self._waiting[:most], self._waiting[most:]
        if self._ear.AcceptWaveform(pcm16(piece)):
            self._done.append(json.loads(self._ear.Result()).get("text", ""))
            self._partial = ""
        else:
            self._partial = json.loads(self._ear.PartialResult()).get("partial", "")

    def _joined(self, last: str) -> str:
        return _HAN_GAP.sub("", " ".join(part for part in (*self._done, last) if part))
