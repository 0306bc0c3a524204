"""Driver ``piper``: neural voices from files, offline; each is ``NAME.onnx`` beside ``NAME.onnx.json``."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
from piper import PiperVoice, SynthesisConfig

from visage.errors import NotInstalled, ServiceError
from visage.tts.contract import Speech, SpeechRequest, Voice
from visage.tts.reading import read
from visage.tts.resampling import shift_pitch


class PiperSynthesizer:
    """Every voice file of one folder; a voice is loaded when first used and stays loaded."""

    def __init__(self, folder: Path) -> None:
        self._files = {file.stem: file for file in sorted(folder.glob("*.onnx"))
                       if file.with_name(f"{file.name}.json").is_file()} if folder.is_dir() else {}
        if not self._files:
            raise NotInstalled("There is no Piper voice in {folder}.", code="tts.piper_empty",
                               hint="Put NAME.onnx and NAME.onnx.json there.", folder=str(folder))
        self._loaded: dict[str, PiperVoice] = {}
        self._lock = threading.Lock()

    def voices(self) -> list[Voice]:
        """The voices whose files are there."""
        return [Voice(f"piper:{name}", f"{name} · Piper", self._language(name), "", "piper") for name in self._files]

    def speak(self, request: SpeechRequest) -> Speech:
        """Say it.  Raises `ServiceError` when the voice's file cannot be used."""
        name = request.voice.partition(":")[2] or next(iter(self._files))
        language = self._language(name)
        text = read(request.text, language.split("-")[0])
        ratio = 2 ** (request.pitch / 12)
        try:
            voice = self._voice(name)
            wish = SynthesisConfig(length_scale=voice.config.length_scale * ratio / request.speed)
            parts = [chunk.audio_float_array for chunk in voice.synthesize(text, wish)]
        except Exception as exc:  # onnxruntime and piper raise many kinds, all of them mean this file
            raise ServiceError("The Piper voice {name} failed: {reason}", code="tts.piper_failed",
                               hint="Check the voice's two files, or use a built-in voice.", name=name,
                               reason=str(exc)[:200]) from exc
        samples = np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, np.float32)
        return Speech(shift_pitch(samples, ratio) if request.pitch else samples, voice.config.sample_rate,
                      f"piper:{name}", text)

    def _voice(self, name: str) -> PiperVoice:
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = PiperVoice.load(self._files[name])
            return self._loaded[name]

    def _language(self, name: str) -> str:
        file = self._files[name]
        try:
            facts = json.loads(file.with_name(f"{file.name}.json").read_text(encoding="utf-8"))
            return str(facts.get("language", {}).get("code") or facts["espeak"]["voice"]).replace("_", "-")
        except (OSError, ValueError, KeyError, AttributeError):
            return name.split("-", maxsplit=1)[0].replace("_", "-")
