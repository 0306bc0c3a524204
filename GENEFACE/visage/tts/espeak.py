"""Driver ``espeak``: espeak-ng 1.52 in this process; about twenty languages, offline, with phone times."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from visage.errors import UnknownDriver
from visage.tts.builtin import LANGUAGES, builtin_voices, default_voice
from visage.tts.contract import Speech, SpeechRequest, Voice
from visage.tts.espeak_library import EspeakLibrary, Piece, library
from visage.tts.language import Run, language_of, pieces, runs
from visage.tts.reading import read, sayable
from visage.tts.resampling import shift_pitch, shift_times
from visage.types import Phone

WORDS_PER_MINUTE = 170
"""Speed 1."""
PITCH_STEPS = ((-5.7, 0), (-3.4, 25), (0.0, 50), (4.2, 75), (8.4, 99))
"""Semitones → espeak's pitch number, measured on ``en-us+m3``; what lies outside is reached by resampling."""
SENTENCE_PAUSE, SWITCH_PAUSE, CLAUSE_PAUSE = 0.35, 0.06, 0.18
"""Seconds of silence after a piece of text."""
STOPS = "。！？!?.…；;\n"


class EspeakSynthesizer:
    """Built-in voices; a run of text in another script is spoken by the same person's voice for it."""

    def __init__(self) -> None:
        self._library: EspeakLibrary = library()
        self._voices = {voice.id: voice for voice in builtin_voices()}

    def voices(self) -> list[Voice]:
        """All built-in voices."""
        return list(self._voices.values())

    def speak(self, request: SpeechRequest) -> Speech:
        """Say it, with phones over the whole sound.  Raises `InvalidRequest` when there is nothing to say."""
        voice = request.voice or default_voice(request.language or language_of(request.text))
        if voice not in self._voices:
            raise UnknownDriver("There is no voice {voice!r}.", code="tts.unknown_voice",
                                hint="GET /voices lists the voices there are.", voice=voice)
        base, _, variant = voice.partition(":")[2].partition("+")
        language = next(code for code, row in LANGUAGES.items() if row[0] == base)
        text = read(request.text, language)
        number, extra = pitch_number(request.pitch)
        ratio = 2 ** (extra / 12)
        words = round(max(80.0, min(450.0, WORDS_PER_MINUTE * request.speed / ratio)))
        parts = list(self._pieces(text, language, variant, words, number))
        samples, phones = joined(parts, self._library.rate)
        if extra:
            samples, phones = shift_pitch(samples, ratio), shift_times(phones, ratio)
        return Speech(samples, self._library.rate, voice, text, phones, _notes(runs(text, language), language))

    def _pieces(self, text: str, language: str, variant: str, words: int, pitch: int) -> Iterator[Piece]:
        parts = [Run(piece, run.language) for run in runs(text, language) for piece in pieces(run.text)]
        parts = [part for part in parts if sayable(part.text)]
        for index, part in enumerate(parts):
            name = LANGUAGES.get(part.language, LANGUAGES["en"])[0]
            piece = self._library.say(part.text, f"{name}+{variant}", words, pitch)
            last = index + 1 == len(parts)
            switch = not last and parts[index + 1].language != part.language
            yield trimmed(piece, self._library.rate, _pause_after(part.text, switch))


def pitch_number(semitones: float) -> tuple[int, float]:
    """espeak's pitch number nearest below the wish, and the semitones that it leaves to resampling."""
    low, high = PITCH_STEPS[0][0], PITCH_STEPS[-1][0]
    within = min(max(semitones, low), high)
    number = np.interp(within, [step for step, _ in PITCH_STEPS], [value for _, value in PITCH_STEPS])
    return round(float(number)), semitones - within


def trimmed(piece: Piece, rate: int, pause: float) -> Piece:
    """The piece with exactly ``pause`` seconds of silence after its last phone."""
    voiced = [phone for phone in piece.phones if phone.symbol != "_"]
    if not voiced:
        return Piece(piece.samples[:0], ())
    end = round(voiced[-1].end * rate) + round(0.03 * rate)  # the release of the last phone
    samples = piece.samples[:end]
    stop = round(voiced[-1].end * rate) + round(pause * rate)
    samples = np.pad(samples, (0, max(0, stop - len(samples))))[:max(stop, 0)]
    kept = tuple(phone for phone in piece.phones if phone.end <= voiced[-1].end)
    tail = (Phone("_", voiced[-1].end, len(samples) / rate),) if len(samples) / rate > voiced[-1].end else ()
    return Piece(samples, kept + tail)


def joined(parts: list[Piece], rate: int) -> tuple[np.ndarray, tuple[Phone, ...]]:
    """All pieces one after the other: float32 samples and phones on one clock.  Empties ``parts`` to save memory."""
    samples = np.empty(sum(len(part.samples) for part in parts), np.float32)
    phones: list[Phone] = []
    at = 0
    parts.reverse()
    while parts:
        part = parts.pop()
        np.multiply(part.samples, np.float32(1 / 32768), out=samples[at:at + len(part.samples)])
        offset = at / rate
        phones += [Phone(phone.symbol, phone.start + offset, phone.end + offset) for phone in part.phones]
        at += len(part.samples)
    return samples, _merge_pauses(phones)


def _merge_pauses(phones: list[Phone]) -> tuple[Phone, ...]:
    merged: list[Phone] = []
    for phone in phones:
        if merged and merged[-1].symbol == phone.symbol == "_":
            merged[-1] = Phone("_", merged[-1].start, phone.end)
        elif merged:
            merged.append(Phone(phone.symbol, merged[-1].end, max(phone.end, merged[-1].end)))
        else:
            merged.append(phone)
    return tuple(merged)


def _pause_after(text: str, switch: bool) -> float:
    end = text.rstrip(" ”’」』）)\"'")[-1:]
    if end and end in STOPS:
        return SENTENCE_PAUSE
    if end and end in "，,、：:":
        return CLAUSE_PAUSE
    return SWITCH_PAUSE if switch else CLAUSE_PAUSE


def _notes(parts: list[Run], language: str) -> tuple[str, ...]:
    if language == "ja" and any(part.language == "zh" for part in parts):
        return ("Chinese characters in Japanese text are read as Mandarin by the built-in voice.",)
    return ()
