"""Driver ``clone``: voices that people lent, a built-in voice with their pitch, pace and timbre."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from visage.errors import NotFound, NotInstalled, UnknownDriver
from visage.tts.builtin import LANGUAGES
from visage.tts.cloning.store import ClonedVoice, ClonedVoices
from visage.tts.contract import Speech, SpeechRequest, Synthesizer, Voice
from visage.tts.language import language_of

SPEEDS = (0.5, 2.0)
BASIC = "(basic)"
"""Stands behind the name of every such voice."""


class CloneSynthesizer:
    """Speaks any language that the built-in voices speak, sentence by sentence at about a twentieth of real time."""

    def __init__(self, speaker: Synthesizer, folder: Path) -> None:
        if find_spec("pyworld") is None:
            raise NotInstalled("The vocoder WORLD is not installed, so voices cannot be cloned.",
                               code="voice.world_missing", hint="pip install pyworld-prebuilt, then restart.")
        self._speaker = speaker
        self._store = ClonedVoices(folder)

    def voices(self) -> list[Voice]:
        """The cloned voices as they are on disk now."""
        return [as_voice(voice) for voice in self._store.list()]

    def speak(self, request: SpeechRequest) -> Speech:
        """Say it; phone times are those of the built-in voice at the same pace.  Raises `Refused` without consent."""
        try:
            cloned = self._store.get(request.voice.partition(":")[2])
        except NotFound as exc:
            raise UnknownDriver("There is no voice {voice!r}.", code="tts.unknown_voice",
                                hint="GET /voices lists the voices there are.", voice=request.voice) from exc
        cloned.consent.require(cloned.name)
        way = cloned.print.likeness
        language = request.language if request.language in LANGUAGES else language_of(request.text)
        base = f"espeak:{LANGUAGES.get(language, LANGUAGES['en'])[0]}+{way.person}"
        speed = min(max(request.speed * way.pace, SPEEDS[0]), SPEEDS[1])
        spoken = self._speaker.speak(replace(request, voice=base, speed=speed, pitch=0.0, language=language))
        samples = way.apply(spoken.samples, spoken.rate, language, request.pitch)
        return replace(spoken, samples=samples, voice=request.voice)


def as_voice(voice: ClonedVoice) -> Voice:
    """A cloned voice as lists of voices have it; it has no language of its own."""
    return Voice(f"clone:{voice.id}", f"{voice.name} {BASIC}", "", "", "clone")
