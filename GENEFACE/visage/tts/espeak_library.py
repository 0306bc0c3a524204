"""The espeak-ng library itself, called by ctypes: one text in one voice becomes samples and phone times.

The library is global state and GPL-3, so it is loaded by the first use and only in
the process that runs the voice server; one lock guards every call.
"""

from __future__ import annotations

import ctypes
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from visage.errors import NotInstalled, UnknownDriver
from visage.types import Phone

RETRIEVAL_SYNCHRONOUS = 2
PHONEME_EVENTS = 0x0001
CHARS_UTF8 = 1
POSITION_CHARACTER = 1
RATE, PITCH = 1, 3
"""Numbers of ``espeak_PARAMETER``."""
EVENT_PHONEME = 7
SHORTEST_PAUSE = 0.02
"""Seconds; what is shorter is the end of the phone before it."""


class _Event(ctypes.Structure):
    """``espeak_EVENT`` of espeak-ng 1.52."""

    _fields_ = [("type", ctypes.c_int), ("unique_identifier", ctypes.c_uint), ("text_position", ctypes.c_int),
                ("length", ctypes.c_int), ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
                ("user_data", ctypes.c_void_p), ("id", ctypes.c_char * 8)]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One stretch of text as sound."""

    samples: np.ndarray
    """int16 mono, with the pauses of espeak-ng at its end."""
    phones: tuple[Phone, ...]
    """Cover the whole piece, pauses as ``"_"``; seconds from the piece's start."""


class EspeakLibrary:
    """espeak-ng, opened once a process (`library`)."""

    def __init__(self) -> None:
        try:
            import espeakng_loader
            self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
            data = espeakng_loader.get_data_path()
        except (ImportError, OSError) as exc:
            raise NotInstalled("The speech library espeak-ng is not installed: {reason}.", code="tts.espeak_missing",
                               hint="pip install espeakng-loader", reason=str(exc)) from exc
        self.rate: int = self._lib.espeak_Initialize(RETRIEVAL_SYNCHRONOUS, 0, str(data).encode(), PHONEME_EVENTS)
        if self.rate <= 0:
            raise NotInstalled("espeak-ng found no data in {folder}.", code="tts.espeak_data",
                               hint="pip install --force-reinstall espeakng-loader", folder=str(data))
        self._lock = threading.Lock()
        self._chunks: list[np.ndarray] = []
        self._marks: list[tuple[str, int]] = []
        self._callback = _CALLBACK(self._receive)  # kept alive: the library holds only its address
        self._lib.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, voice: str, words_per_minute: int, pitch: int) -> Piece:
        """Speak ``text`` with an espeak voice such as ``"cmn+f3"``; rate 80 to 450, pitch 0 to 99."""
        data = text.replace("\0", " ").encode("utf-8", "replace")
        with self._lock:
            self._chunks, self._marks = [], []
            if self._lib.espeak_SetVoiceByName(voice.encode()):
                raise UnknownDriver("espeak-ng has no voice {voice!r}.", code="tts.unknown_voice",
                                    hint="GET /voices lists the voices there are.", voice=voice)
            self._lib.espeak_SetParameter(RATE, words_per_minute, 0)
            self._lib.espeak_SetParameter(PITCH, pitch, 0)
            self._lib.espeak_Synth(data, ctypes.c_size_t(len(data) + 1), 0, POSITION_CHARACTER, 0,
                                   CHARS_UTF8, None, None)
            chunks, marks = self._chunks, self._marks
        samples = np.concatenate(chunks) if chunks else np.zeros(0, np.int16)
        return Piece(samples, phones_of(marks, len(samples), self.rate))

    def _receive(self, sound: Any, count: int, events: Any) -> int:
        index = 0
        while events[index].type:
            if events[index].type == EVENT_PHONEME:
                self._marks.append((events[index].id.decode("ascii", "replace"), events[index].sample))
            index += 1
        if count > 0:
            self._chunks.append(np.ctypeslib.as_array(sound, (count,)).copy())
        return 0


def phones_of(marks: list[tuple[str, int]], length: int, rate: int) -> tuple[Phone, ...]:
    """Phone starts as espeak-ng reports them → phones without gaps from 0 to ``length`` samples.

    Stress marks and language switches go; what lasts under `SHORTEST_PAUSE` and
    is a pause joins the phone before it.
    """
    starts = [("_", 0)] + [(_symbol(name), sample) for name, sample in marks if not name.startswith("(")]
    phones: list[Phone] = []
    for (symbol, start), (_, stop) in zip(starts, [*starts[1:], ("", length)], strict=True):
        begin, end = start / rate, min(stop, length) / rate
        if end <= begin:
            continue
        merge = phones and (phones[-1].symbol == symbol == "_" or (symbol == "_" and end - begin < SHORTEST_PAUSE))
        if merge:
            phones[-1] = Phone(phones[-1].symbol, phones[-1].start, end)
        else:
            phones.append(Phone(symbol, phones[-1].end if phones else 0.0, end))
    return tuple(phones)


def _symbol(name: str) -> str:
    bare = name.lstrip("',%=") or name
    return "_" if bare.startswith("_") or bare == ";" else bare


_opened: list[EspeakLibrary] = []
_opening = threading.Lock()


def library() -> EspeakLibrary:
    """The one library of this process, loaded at the first call.  Raises `NotInstalled`."""
    with _opening:
        if not _opened:
            _opened.append(EspeakLibrary())
        return _opened[0]
