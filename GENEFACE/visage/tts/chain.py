"""All voices of this machine as one: picks the driver, goes on to the next when it fails, and says so."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace

from visage.errors import InvalidRequest, Refused, UnknownDriver, VisageError
from visage.tts.builtin import LANGUAGES, default_voice, voice_for_speaker
from visage.tts.contract import Speech, SpeechRequest, Synthesizer, Voice
from visage.tts.language import language_of
from visage.tts.loudness import level
from visage.tts.reading import check_sayable, tidy

SPEEDS, PITCHES = (0.5, 2.0), (-12.0, 12.0)
SPEAKER = "speaker:"
"""``speaker:2`` as a voice is the built-in voice of that number in the language of the text."""


class VoiceChain:
    """Speaks with the driver of the wished voice, else with the first other one that can."""

    def __init__(self, drivers: Mapping[str, Synthesizer], missing: Mapping[str, VisageError], text_limit: int) -> None:
        self.drivers = dict(drivers)
        """Open drivers by name, the offline one that must work last."""
        self.missing = dict(missing)
        """Why the others could not be opened."""
        self._text_limit = text_limit

    def voices(self) -> list[Voice]:
        """Every voice of every open driver: cloned and built-in ones first, those on the internet last."""
        found = [voice for driver in self.drivers.values() for voice in driver.voices()]
        return sorted(found, key=lambda voice: (voice.online, voice.driver != "clone", voice.driver != "piper",
                                                    voice.driver != "espeak"))

    def default(self, language: str) -> str:
        """The voice for a language when none is wished: a Piper voice where the operator put one, else built in."""
        piper = self.drivers.get("piper")
        own = [voice.id for voice in piper.voices() if voice.language[:2] == language[:2]] if piper else []
        return own[0] if own else default_voice(language)

    def speak(self, request: SpeechRequest) -> Speech:
        """Say it at one loudness.  ``notes`` tell which voices failed before the one that spoke.

        Raises `InvalidRequest` for what no voice can say, or the last driver's error when all failed.
        """
        self._check(request)
        language = coded(request.language) or language_of(tidy(request.text))
        wished = self._wished(request.voice, language)
        notes: list[str] = []
        failure: VisageError | None = None
        for voice in self._candidates(wished, language):
            try:
                speech = self._driver(voice).speak(replace(request, voice=voice, language=language))
            except (InvalidRequest, Refused):
                raise
            except VisageError as exc:
                failure = exc
                notes.append(f"The voice {voice} could not speak: {exc.message}")
                continue
            if notes:
                notes.append(f"{speech.voice} spoke instead.")
            return replace(speech, samples=level(speech.samples, speech.rate), notes=(*notes, *speech.notes))
        assert failure is not None
        raise failure

    def _wished(self, voice: str, language: str) -> str:
        number = voice.removeprefix(SPEAKER)
        if number != voice and number.isdecimal():
            return voice_for_speaker(int(number), language) if int(number) else self.default(language)
        return voice or self.default(language)

    def _check(self, request: SpeechRequest) -> None:
        if len(request.text) > self._text_limit:
            raise InvalidRequest("The text has {count} characters; at most {limit} can be spoken at once.",
                                 code="tts.text_too_long", hint="Split it into several parts.",
                                 count=len(request.text), limit=self._text_limit)
        check_sayable(request.text)
        for name, value, (low, high) in (("speed", request.speed, SPEEDS), ("pitch", request.pitch, PITCHES)):
            if not low <= value <= high:
                raise InvalidRequest("The {name} {value} is outside {low} to {high}.", code="tts.out_of_range",
                                     hint="Choose a {name} from {low} to {high}.",
                                     name=name, value=value, low=low, high=high)

    def _candidates(self, wished: str, language: str) -> list[str]:
        return list(dict.fromkeys([wished, self.default(language), default_voice(language)]))

    def _driver(self, voice: str) -> Synthesizer:
        name = voice.partition(":")[0]
        if name in self.missing:
            raise self.missing[name]
        known = [known.id for known in self.drivers[name].voices()] if name in self.drivers else []
        if voice not in known:
            near = difflib.get_close_matches(voice, known or [v.id for v in self.voices()], n=1)
            raise UnknownDriver("There is no voice {voice!r}.", code="tts.unknown_voice", voice=voice,
                                hint=f"Did you mean {near[0]!r}?" if near else "GET /voices lists them all.")
        return self.drivers[name]


def coded(language: str) -> str:
    """Our code for a hint such as ``"zh-CN"`` or ``"EN_us"``; empty for none, ``auto`` and unknown languages."""
    full = language.strip().lower().replace("_", "-")
    if full in ("zh-hk", "zh-yue"):
        return "yue"
    return full if full in LANGUAGES else (short if (short := full.split("-")[0]) in LANGUAGES else "")
