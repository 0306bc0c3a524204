"""Synthetic speech with known sounds: what the speech encoder of the built-in engine learns from.

``python -m benchmarks.encoder_corpus OUT.npz --minutes 180`` lets espeak-ng (and
flite, where it is installed) speak shuffled words in many voices and keeps
log-mel rows and viseme labels at 50 per second.  espeak-ng is loaded into this
process, which ends with it.
"""

from __future__ import annotations

import argparse
import ctypes
import shutil
import subprocess
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from benchmarks.encoder_words import ARPABET, ARPABET_GLIDES, WORDS
from visage.engines.lite.mel import RATE, energies
from visage.engines.lite.visemes import VISEMES, visemes_of
from visage.types import SPEECH_RATE

NAMES = tuple(VISEMES)
"""Order of the classes."""
_STOPS = {"lips", "tongue", "back"}
_CLOSURE = 0.09
_PHONEME = 7
_SYNCHRONOUS = 2


class _Event(ctypes.Structure):
    _fields_ = (("type", ctypes.c_int), ("uid", ctypes.c_uint), ("text", ctypes.c_int), ("length", ctypes.c_int),
                ("ms", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p), ("name", ctypes.c_char * 8))


class Espeak:
    """The espeak-ng library with the times of its phonemes."""

    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = Path(espeakng_loader.get_data_path())
        self.rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, str(data).encode(), 1)
        self.variants = sorted(file.name for file in (data / "voices" / "!v").iterdir() if " " not in file.name)
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
        self._callback = kind(self._heard)
        self._library.espeak_SetSynthCallback(self._callback)
        self._sound: list[np.ndarray] = []
        self._events: list[tuple[float, str]] = []

    def _heard(self, sound: ctypes._Pointer, count: int, events: ctypes._Pointer) -> int:
        if sound and count > 0:
            self._sound.append(np.ctypeslib.as_array(sound, (count,)).copy())
        index = 0
        while events[index].type:
            if events[index].type == _PHONEME:
                self._events.append((events[index].ms / 1000, events[index].name.decode("ascii", "replace")))
            index += 1
        return 0

    def say(self, text: str, voice: str, rng: np.random.Generator) -> tuple[np.ndarray, list[tuple[float, float, str]]]:
        """Sound at ``rate`` and (start, end, mnemonic) of what was spoken, at a random speed, pitch and range."""
        self._sound, self._events = [], []
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            return np.zeros(0, np.float32), []
        for parameter, low, high in ((1, 120, 230), (3, 20, 80), (4, 20, 85)):
            self._library.espeak_SetParameter(parameter, int(rng.integers(low, high)), 0)
        data = text.encode() + b"\0"
        self._library.espeak_Synth(data, len(data), 0, 1, 0, 1, None, None)
        sound = np.concatenate([np.zeros(0, np.int16), *self._sound]).astype(np.float32) / 32768
        ends = [*[when for when, _ in self._events[1:]], len(sound) / self.rate]
        return sound, [(when, max(when, end), name) for (when, name), end in zip(self._events, ends, strict=True)]


def flite(text: str, voice: str, folder: Path) -> tuple[np.ndarray, int, list[tuple[float, float, str]]]:
    """Sound, its rate and (start, end, phone) as flite speaks it.  Its clock starts again with every sentence."""
    file = folder / "flite.wav"
    done = subprocess.run(["flite", "-voice", voice, "-psdur", "-t", text, "-o", str(file)],
                          capture_output=True, text=True, check=True)
    sound, rate = soundfile.read(file, dtype="float32")
    spans, base, last = [], 0.0, 0.0
    for word in done.stdout.split():
        name, end = word.rsplit(":", 1)
        when = float(end)
        if when < last:
            base, last = base + last, 0.0
        spans.append((base + last, base + when, name))
        last = when
    return sound, rate, spans


def labels(spans: list[tuple[float, float, tuple[str, ...]]], rows: np.ndarray) -> np.ndarray:
    """Class of every row uint8 [N]; a stop's label reaches back over the quiet of its closure."""
    result = np.zeros(len(rows), np.uint8)
    loud = rows.mean(1)
    quiet = np.percentile(loud, 90) - 3.5
    for start, end, names in spans:
        edges = np.linspace(start, end, len(names) + 1) * RATE
        for name, (low, high) in zip(names, pairwise(edges), strict=True):
            result[round(low):round(high)] = NAMES.index(name)
        if names[0] in _STOPS:
            first = min(round(start * RATE), len(rows))
            limit = max(first - round(_CLOSURE * RATE), 0)
            while first > limit and loud[first - 1] < quiet:
                first -= 1
            result[first:round(start * RATE)] = NAMES.index(names[0])
    return result


def _arpabet(name: str) -> tuple[str, ...]:
    return ARPABET_GLIDES.get(name) or (ARPABET.get(name, "schwa"),)


def _resampled(sound: np.ndarray, rate: int, factor: float) -> np.ndarray:
    """At 16 kHz, ``factor`` times as long: lower or higher, slower or faster."""
    up = round(SPEECH_RATE * factor / 50)
    return resample_poly(sound, up, rate // 50).astype(np.float32)


def build(minutes: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Log-mel rows float16 [N, 40] and classes uint8 [N] of ``minutes`` of speech, a third by flite if it is there."""
    rng, espeak = np.random.default_rng(seed), Espeak()
    voices = ("slt", "rms", "awb", "kal16") if shutil.which("flite") else ()
    rows, classes, need = [], [], minutes * 60 * RATE
    with tempfile.TemporaryDirectory() as folder:
        while sum(map(len, classes)) < need:
            own = bool(voices) and rng.random() < 0.33
            language = str(rng.choice(["en-us", "en-gb"] if own else list(WORDS)))
            words = rng.choice(WORDS[language].split(), 14)
            text = ", ".join(" ".join(part) for part in np.array_split(words, 3)) + "."
            if own:
                sound, rate, told = flite(text, str(rng.choice(voices)), Path(folder))
                spans = [(start, end, _arpabet(name)) for start, end, name in told]
            else:
                variant = str(rng.choice(espeak.variants))
                sound, found = espeak.say(text, f"{language}+{variant}", rng)
                rate, spans = espeak.rate, [(start, end, visemes_of(name)) for start, end, name in found]
            if len(sound) < rate or not spans:
                continue
            factor = float(rng.uniform(0.88, 1.14))
            energy = energies(_resampled(sound, rate, factor))
            rows.append(energy.astype(np.float16))
            classes.append(labels([(start * factor, end * factor, names) for start, end, names in spans], energy))
    return np.concatenate(rows), np.concatenate(classes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=180)
    given = parser.parse_args()
    heard, known = build(given.minutes)
    np.savez(given.out, rows=heard, classes=known)
    print(f"{len(known) / RATE / 60:.1f} minutes",
          *(f"{name} {np.mean(known == i):.3f}" for i, name in enumerate(NAMES)))
