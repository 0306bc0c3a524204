"""Voices with free licences that say when they spoke which sound: espeak-ng, flite, festival and open_jtalk.

The last three are used where they are installed (Debian packages flite, festival,
festvox-us-slt-hts, festvox-kallpc16k, festvox-kdlpc16k, festvox-ru, open-jtalk,
open-jtalk-mecab-naist-jdic); the voice of open_jtalk lies in the PyPI package
pyopenjtalk-plus.  espeak-ng is loaded into this process, which ends with it.
"""

from __future__ import annotations

import ctypes
import importlib.util
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import soundfile

from benchmarks.encoder_sounds import of_mnemonic, of_phone
from benchmarks.encoder_words import WORDS

_PHONEME = 7
_SYNCHRONOUS = 2
_DICTIONARY = Path("/var/lib/mecab/dic/open-jtalk/naist-jdic")
_PAUSES = (" ", " ", " ", ", ", ", ", ". ")


@dataclass(frozen=True, eq=False)
class Spoken:
    """What a voice said."""

    sound: np.ndarray
    """float32 mono."""
    rate: int
    spans: list[tuple[float, float, tuple[str, ...]]]
    """Start and end in seconds and names of `encoder_sounds.SOUNDS`."""
    at_burst: bool
    """Whether a stop's span begins with its burst rather than with its closure."""


class _Event(ctypes.Structure):
    _fields_ = (("type", ctypes.c_int), ("uid", ctypes.c_uint), ("text", ctypes.c_int), ("length", ctypes.c_int),
                ("ms", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p), ("name", ctypes.c_char * 8))


class Espeak:
    """The espeak-ng library: many languages, timbres, speeds, pitches and ranges."""

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

    def say(self, rng: np.random.Generator) -> Spoken:
        """Shuffled words of a random language in a random voice."""
        self._sound, self._events = [], []
        language = str(rng.choice(list(WORDS)))
        self._library.espeak_SetVoiceByName(f"{language}+{rng.choice(self.variants)}".encode())
        for parameter, low, high in ((1, 110, 240), (3, 15, 85), (4, 20, 95)):
            self._library.espeak_SetParameter(parameter, int(rng.integers(low, high)), 0)
        data = text_of(language, rng).encode() + b"\0"
        self._library.espeak_Synth(data, len(data), 0, 1, 0, 1, None, None)
        sound = np.concatenate([np.zeros(0, np.int16), *self._sound]).astype(np.float32) / 32768
        ends = [*[when for when, _ in self._events[1:]], len(sound) / self.rate]
        spans = [(when, max(when, end), of_mnemonic(name))
                 for (when, name), end in zip(self._events, ends, strict=True)]
        return Spoken(sound, self.rate, spans, True)


class Flite:
    """The four English voices of flite.  Its clock starts again with every sentence."""

    voices = ("slt", "rms", "awb", "kal16")
    there = staticmethod(lambda: bool(shutil.which("flite")))

    def __init__(self, folder: Path):
        self._file = folder / "flite.wav"

    def say(self, rng: np.random.Generator) -> Spoken:
        """Shuffled English words by a random voice, speed and pitch."""
        voice = str(rng.choice(self.voices))
        stretch, pitch = rng.uniform(0.8, 1.3), {"slt": 167, "rms": 105, "awb": 130, "kal16": 105}[voice]
        done = subprocess.run(
            ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch:.2f}", "--setf",
             f"int_f0_target_mean={pitch * rng.uniform(0.75, 1.35):.0f}", "-psdur", "-t",
             text_of("en-us", rng), "-o", str(self._file)], capture_output=True, text=True, check=True)
        sound, rate = soundfile.read(self._file, dtype="float32")
        spans, base, last = [], 0.0, 0.0
        for word in done.stdout.split():
            name, end = word.rsplit(":", 1)
            when = float(end)
            if when < last:
                base, last = base + last, 0.0
            spans.append((base + last, base + when, of_phone(name, "arpabet")))
            last = when
        return Spoken(sound, rate, spans, False)


class Festival:
    """festival's free voices: one woman's statistical voice, two diphone men and a Russian of cut-out recordings."""

    voices = MappingProxyType({"cmu_us_slt_arctic_hts": "en-us", "kal_diphone": "en-us", "ked_diphone": "en-us",
                               "msu_ru_nsh_clunits": "ru"})
    there = staticmethod(lambda: bool(shutil.which("festival")))

    def __init__(self, folder: Path):
        self._folder = folder
        self._said: list[Spoken] = []

    def say(self, rng: np.random.Generator) -> Spoken:
        """Shuffled words of a random voice and speed."""
        if not self._said:
            self._said = self._several(rng, 8)
        return self._said.pop()

    def _several(self, rng: np.random.Generator, count: int) -> list[Spoken]:
        """Some at once: a voice takes longer to load than to speak."""
        voice = str(rng.choice(list(self.voices), p=(0.3, 0.15, 0.15, 0.4)))
        language = self.voices[voice]
        script = self._folder / "festival.scm"
        lines = [f"(voice_{voice})"]
        for index in range(count):
            lines += [f"(Parameter.set 'Duration_Stretch {rng.uniform(0.8, 1.3):.2f})",
                      f'(set! said (SynthText "{text_of(language, rng)}"))',
                      f'(utt.save.segs said "{self._folder}/{index}.seg")',
                      f'(utt.save.wave said "{self._folder}/{index}.wav")']
        script.write_text("\n".join(lines) + "\n", encoding="utf-8")
        subprocess.run(["festival", "-b", str(script)], capture_output=True, check=True)
        return [self._read(index, "arpabet" if language == "en-us" else "russian") for index in range(count)]

    def _read(self, index: int, table: str) -> Spoken:
        samples, rate = soundfile.read(self._folder / f"{index}.wav", dtype="float32")
        spans, last = [], 0.0
        for line in (self._folder / f"{index}.seg").read_text(encoding="utf-8").partition("#\n")[2].splitlines():
            end, _, name = line.split()
            spans.append((last, float(end), of_phone(name, table)))
            last = float(end)
        return Spoken(samples, rate, spans, False)


class OpenJtalk:
    """The Japanese voice Mei (CC BY 3.0) in many vocal tracts, pitches and speeds."""

    def __init__(self, folder: Path):
        self._folder = folder

    @staticmethod
    def _voice() -> Path | None:
        found = importlib.util.find_spec("pyopenjtalk")
        file = Path(found.origin).parent / "htsvoice" / "mei_normal.htsvoice" if found and found.origin else None
        return file if file and file.exists() else None

    @classmethod
    def there(cls) -> bool:
        """Whether all that it needs is installed."""
        return bool(shutil.which("open_jtalk") and _DICTIONARY.exists() and cls._voice())

    def say(self, rng: np.random.Generator) -> Spoken:
        """Shuffled Japanese words."""
        sound, trace = self._folder / "jtalk.wav", self._folder / "jtalk.txt"
        subprocess.run(["open_jtalk", "-x", str(_DICTIONARY), "-m", str(self._voice()), "-ow", str(sound), "-ot",
                        str(trace), "-a", f"{rng.uniform(0.48, 0.60):.3f}", "-r", f"{rng.uniform(0.8, 1.3):.2f}", "-fm",
                        f"{rng.uniform(-14, 3):.1f}", "-jf", f"{rng.uniform(0.6, 1.4):.2f}"],
                       input=text_of("ja", rng).replace(", ", "、").replace(". ", "。").replace(" ", ""), text=True,
                       capture_output=True, check=True)
        samples, rate = soundfile.read(sound, dtype="float32")
        spans = []
        for line in trace.read_text(encoding="utf-8").partition("[Output label]")[2].splitlines()[1:]:
            if not line.strip():
                break
            start, end, label = line.split()
            name = label.partition("-")[2].partition("+")[0]
            spans.append((int(start) / 1e7, int(end) / 1e7, of_phone(name, "japanese")))
        return Spoken(samples, rate, spans, False)


def text_of(language: str, rng: np.random.Generator) -> str:
    """Up to 14 shuffled words of a language with pauses between some; a third are halves of two words in one."""
    count = int(rng.integers(8, 15))
    words, others = rng.choice(WORDS[language].split(), (2, count))
    words = [word[:(len(word) + 1) // 2] + other[len(other) // 2:] if rng.random() < 0.33 else word
             for word, other in zip(map(str, words), map(str, others), strict=True)]
    return "".join(f"{word}{rng.choice(_PAUSES)}" for word in words).strip(" ,.") + "."


class Voices:
    """All voices found here; ``share`` of what is said by espeak-ng, which alone knows many languages."""

    def __init__(self, share: float = 0.5):
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        self._espeak, self._share = Espeak(), share
        self._others = [kind(folder) for kind in (Flite, Festival, OpenJtalk) if kind.there()]
        self.names = ["Espeak", *(type(other).__name__ for other in self._others)]

    def say(self, rng: np.random.Generator) -> tuple[str, Spoken]:
        """Name of an engine and what it said."""
        if not self._others or rng.random() < self._share:
            return "Espeak", self._espeak.say(rng)
        other = self._others[int(rng.choice(len(self._others), p=_shares(self._others)))]
        return type(other).__name__, other.say(rng)


def _shares(others: list[Flite | Festival | OpenJtalk]) -> np.ndarray:
    weight = np.array([{"Flite": 0.5, "Festival": 0.35, "OpenJtalk": 0.15}[type(other).__name__] for other in others])
    return weight / weight.sum()
